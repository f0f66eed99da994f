// Package mirsal runs bin/mirsal for end-to-end tests: it builds the program
// once for a test run, starts `mirsal serve` on a data directory and ports of
// the system's choice, and stops, kills or starts it again. It knows the
// command line and what the server prints, and nothing of its inside.
//
// Invariants: every process that Start made has ended when its test has; a
// server listens on loopback only.
package mirsal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// How long the server may take to be ready and to stop.
const patience = 30 * time.Second

// Build makes bin/mirsal as `make build` does and returns its path, or returns
// the program that MIRSAL_BIN names. Where bin/mirsal is up to date the go
// command leaves it alone.
func Build(t testing.TB) string {
	t.Helper()
	if bin := os.Getenv("MIRSAL_BIN"); bin != "" {
		return bin
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dir := strings.TrimSpace(string(out))
	bin := filepath.Join(dir, "bin", "mirsal")
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin, "./cmd/mirsal")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOTOOLCHAIN=local")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// Options say what to run. The zero value is a server for Domain with an empty
// data directory, unencrypted chats allowed and no limits on pace.
type Options struct {
	Bin  string   // as Build returned it
	Data string   // "" for a new directory
	Args []string // more arguments of serve, as "--set", "log.level=debug"
	Wrap []string // a command to run the server under, as strace
	Env  []string // more of the environment
}

// Domain is the domain of every server here.
const Domain = "example.org"

// Server is one data directory and the process that serves it, if one runs.
type Server struct {
	Data string

	t    testing.TB
	o    Options
	args []string

	mu    sync.Mutex
	cmd   *exec.Cmd
	addrs map[string]string
	ended chan struct{} // closed when the process has ended
	err   error         // how it ended; valid once ended is closed
	log   *tail
}

// New prepares a server without starting it.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Data == "" {
		o.Data = filepath.Join(t.TempDir(), "data")
	}
	args := []string{
		"serve", "--data", o.Data, "--domain", Domain,
		"--c2s", "127.0.0.1:0", "--c2s-tls", "127.0.0.1:0", "--http", "off", "--http-plain", "off", "--ops", "127.0.0.1:0",
		"--set", "e2ee=optional", "--set", "limits.enabled=false",
	}
	s := &Server{Data: o.Data, t: t, o: o, args: append(args, o.Args...), log: &tail{most: 64 << 10}}
	t.Cleanup(s.cleanUp)
	return s
}

func (s *Server) cleanUp() {
	s.Kill()
	if s.t.Failed() {
		s.t.Logf("the server's last words:\n%s", s.log.String())
	}
}

// Start starts the server and waits until it is ready.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := New(t, o)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Start starts the process again on the same data and waits until it is ready.
// The ports are others than before.
func (s *Server) Start() error {
	argv := append(append([]string(nil), s.o.Wrap...), s.o.Bin)
	argv = append(argv, s.args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), s.o.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	ready := make(chan map[string]string, 1)
	cmd.Stdout = &readyLine{to: s.log, ready: ready}
	cmd.Stderr = s.log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.mu.Lock()
	s.cmd, s.ended = cmd, ended
	s.mu.Unlock()
	go func() {
		err := cmd.Wait()
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		close(ended)
	}()
	return s.await(ready, ended)
}

func (s *Server) await(ready chan map[string]string, ended chan struct{}) error {
	clock := time.NewTimer(patience)
	defer clock.Stop()
	select {
	case addrs := <-ready:
		s.mu.Lock()
		s.addrs = addrs
		s.mu.Unlock()
		return nil
	case <-ended:
		return fmt.Errorf("the server ended before it was ready: %w\n%s", s.err, s.log.String())
	case <-clock.C:
		s.Kill()
		return fmt.Errorf("the server is not ready after %v\n%s", patience, s.log.String())
	}
}

// Addr is where a listener listens: c2s, c2s-tls, http, http-plain or ops.
func (s *Server) Addr(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addrs[name]
}

// Pid is the process; with Wrap, the wrapper.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Pid
}

// Kill ends the process without warning (SIGKILL) and waits for its end. It does
// nothing when none runs.
func (s *Server) Kill() { _ = s.end(syscall.SIGKILL, true) }

// Stop asks the process to stop and waits; an error is that it did not end well.
func (s *Server) Stop() error { return s.end(syscall.SIGTERM, false) }

// end signals the process group, so that a wrapper's child hears it too.
func (s *Server) end(sig syscall.Signal, quiet bool) error {
	s.mu.Lock()
	cmd, ended := s.cmd, s.ended
	s.mu.Unlock()
	if cmd == nil {
		return nil
	}
	select {
	case <-ended:
	default:
		_ = syscall.Kill(-cmd.Process.Pid, sig)
		if err := waitFor(ended); err != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd = nil
	if quiet {
		return nil
	}
	return s.err
}

func waitFor(ended chan struct{}) error {
	clock := time.NewTimer(patience)
	defer clock.Stop()
	select {
	case <-ended:
		return nil
	case <-clock.C:
		return errors.New("the server does not stop")
	}
}

// Ended is closed when the process that runs now has ended.
func (s *Server) Ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// Log is the end of what the server printed, over all its lives.
func (s *Server) Log() string { return s.log.String() }

// Command runs another command of the program on the server's data.
func (s *Server) Command(ctx context.Context, stdin string, args ...string) (string, error) {
	args = append(args, "--data", s.Data)
	cmd := exec.CommandContext(ctx, s.o.Bin, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("mirsal %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// Accounts makes accounts, all with one password, by `mirsal account import`.
func (s *Server) Accounts(password string, names ...string) {
	s.t.Helper()
	var list bytes.Buffer
	for _, n := range names {
		fmt.Fprintf(&list, "%s\t%s\n", n, password)
	}
	file := filepath.Join(s.t.TempDir(), "accounts")
	if err := os.WriteFile(file, list.Bytes(), 0o600); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := s.Command(ctx, "", "account", "import", file); err != nil {
		s.t.Fatal(err)
	}
}

// readyLine passes output on and looks for the line "ready name=addr …" in it.
type readyLine struct {
	to    *tail
	ready chan map[string]string
	line  []byte
	found bool
}

func (r *readyLine) Write(b []byte) (int, error) {
	for _, c := range b {
		if c != '\n' {
			r.line = append(r.line, c)
			continue
		}
		if rest, ok := bytes.CutPrefix(r.line, []byte("ready ")); ok && !r.found {
			r.found = true
			r.ready <- addresses(string(rest))
		}
		r.line = r.line[:0]
	}
	return r.to.Write(b)
}

func addresses(line string) map[string]string {
	addrs := map[string]string{}
	for f := range strings.FieldsSeq(line) {
		if name, addr, ok := strings.Cut(f, "="); ok {
			addrs[name] = addr
		}
	}
	return addrs
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	b    []byte
	most int
}

func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, b...)
	if len(w.b) > 2*w.most {
		w.b = append([]byte(nil), w.b[len(w.b)-w.most:]...)
	}
	return len(b), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.b)
}
