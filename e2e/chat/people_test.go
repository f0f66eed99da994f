package chat

import (
	"bytes"
	"encoding/json"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
)

const password = "a password of tests"

// A server for localhost, with links to files that lead to this machine.
type server struct {
	*mirsal.Server
	bin, addr, ca string
}

func start(t *testing.T, names ...string) *server {
	t.Helper()
	bin, web := mirsal.Build(t), free(t)
	s := &server{bin: bin, Server: mirsal.Start(t, mirsal.Options{Bin: bin, Args: []string{"--domain", "localhost", "--http-plain", web,
		"--set", "e2ee=required", "--set", "upload.public_url=http://" + web}})}
	s.addr, s.ca = s.Addr("c2s"), filepath.Join(s.Data, "tls", "ca.pem")
	s.Accounts(password, names...)
	return s
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A speaker uses the scriptable side.
type speaker struct {
	t            *testing.T
	bin, profile string
}

func (s *server) speaker(t *testing.T, name string) *speaker {
	t.Helper()
	p := &speaker{t, s.bin, filepath.Join(t.TempDir(), name)}
	cmd := p.command("login", name+"@localhost", "--password-stdin", "--server", s.addr, "--ca", s.ca)
	cmd.Stdin = strings.NewReader(password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return p
}

func (p *speaker) command(args ...string) *exec.Cmd {
	return exec.Command(p.bin, append(append([]string{"chat"}, args...), "--profile", p.profile)...)
}

// does runs a command and returns what it prints.
func (p *speaker) does(args ...string) string {
	p.t.Helper()
	var complaint bytes.Buffer
	cmd := p.command(args...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("mirsal chat %q: %v: %s", args, err, complaint.String())
	}
	return strings.TrimSpace(string(out))
}

// listens prints messages until it is told to stop; the other side sees that they came.
func (p *speaker) listens() (stop func() string) {
	p.t.Helper()
	var said bytes.Buffer
	cmd := p.command("listen", "--late")
	cmd.Stdout = &said
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	done := false
	stop = func() string {
		if !done {
			done = true
			_ = cmd.Process.Signal(interrupt)
			_ = cmd.Wait()
		}
		return said.String()
	}
	p.t.Cleanup(func() { stop() })
	return stop
}

// history is the messages of a chat, as the port tells of them.
func (p *speaker) history(chat string) (list []map[string]any) {
	p.t.Helper()
	for line := range strings.Lines(p.does("history", chat, "--json")) {
		var ev struct{ Message map[string]any }
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			p.t.Fatal(err)
		}
		list = append(list, ev.Message)
	}
	return list
}
