// Package control lets the command line work on the accounts of a running
// server: HTTP with JSON over a socket in the data directory, which only the user
// who runs the server can open.
//
// It is no interface for remote administration and none for other programs: both
// ends are the same binary. Invariants: nobody but the owner of the data
// directory gets in; a request is bounded in size; secrets appear in request
// bodies only; what a request changed is in the log, without them.
package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"mirsal/internal/auth"
)

// Accounts is what can be done, at either end: *auth.Auth has it, and so has
// *Client. What returned nil is durable.
type Accounts interface {
	Add(ctx context.Context, name, password string) (string, error)
	Import(ctx context.Context, r io.Reader) (int, error)
	List(ctx context.Context) ([]string, error)
	Passwd(ctx context.Context, name, password string) error
	Remove(ctx context.Context, name string) error
	Disable(ctx context.Context, name string) error
	Enable(ctx context.Context, name string) error
	SetAdmin(ctx context.Context, name string, admin bool) error
	AddAnyway(ctx context.Context, name, password string) (string, error)
	Invite(ctx context.Context, o auth.Offer) (auth.Invitation, error)
	Invitations(ctx context.Context, from string) ([]auth.Invitation, error)
	Withdraw(ctx context.Context, id string) error
	Circles(ctx context.Context) ([]auth.Circle, error)
	Members(ctx context.Context, circle string) ([]string, error)
	Join(ctx context.Context, circle, name string) error
	Leave(ctx context.Context, circle, name string) error
}

// Status is what a running server tells of itself.
type Status struct {
	Domain        string            `json:"domain,omitempty"`         // that of the accounts
	Ports         map[string]string `json:"ports"`                    // by name what it really listens on, or "off"
	NoCertificate string            `json:"no_certificate,omitempty"` // why it has none to show yet
}

// ErrNobody means that no server answers in the data directory.
var ErrNobody = errors.New("no server answers")

// socketName is the socket's name in the data directory.
const socketName = "control.sock"

// maxPath is what the system lets a socket's path have (108 bytes with its end).
const maxPath = 107

// socketPath is a path to the socket of a data directory that is short enough;
// release it after use.
func socketPath(dir string) (path string, release func(), err error) {
	path = filepath.Join(dir, socketName)
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	path = fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), socketName)
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		d.Close()
		return "", nil, fmt.Errorf("the path of the data directory %s is too long for a socket: use a shorter one", dir)
	}
	return path, func() { d.Close() }, nil
}

// listen makes the socket, readable and writable by the owner only from its first moment.
// The caller holds the lock on the directory, so a socket that is there is a dead one.
func listen(dir string) (net.Listener, func(), error) {
	path, release, err := socketPath(dir)
	if err != nil {
		return nil, nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		release()
		return nil, nil, err
	}
	private := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		// the file gets its mode from the socket
		var mode error
		if err := c.Control(func(fd uintptr) { mode = syscall.Fchmod(int(fd), 0o600) }); err != nil {
			return err
		}
		return mode
	}}
	l, err := private.Listen(context.Background(), "unix", path)
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return l, release, nil
}
