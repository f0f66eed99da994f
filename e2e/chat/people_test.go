package chat

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/device"
)

// start starts a server where nothing may be readable.
func start(t *testing.T, names ...string) *device.Server {
	t.Helper()
	return device.Serve(t, names, "--set", "e2ee=required")
}

// A speaker uses the scriptable side.
type speaker struct {
	t            *testing.T
	bin, profile string
}

func speak(t *testing.T, s *device.Server, name string, args ...string) *speaker {
	t.Helper()
	p := &speaker{t, s.Bin, filepath.Join(t.TempDir(), name)}
	cmd := p.command(append([]string{"login", name + "@" + device.Domain, "--password-stdin", "--server", s.C2S, "--ca", s.CA}, args...)...)
	cmd.Stdin = strings.NewReader(device.Password + "\n")
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
