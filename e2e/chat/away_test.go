package chat

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tries runs a command and returns its exit status and what it prints.
func (p *speaker) tries(args ...string) (status int, out, complaint string) {
	p.t.Helper()
	var said, complained bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &said, &complained
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), said.String(), complained.String()
}

// What was said is read without a server, and after signing out.
func TestWhatIsHereIsReadWithoutAServerAndWithoutASignIn(t *testing.T) {
	s := start(t, "alice", "bob")
	alice, bob := speak(t, s, "alice"), speak(t, s, "bob", "--label", "Bob's lamp")
	if list := bob.does("devices"); !strings.Contains(list, "Bob's lamp") {
		t.Errorf("the device is called otherwise: %s", list)
	}
	alice.does("send", "bob@localhost", "before the storm")
	if status, _, why := alice.tries("listen", "--count", "1", "--timeout", "2s"); status != 1 || !strings.Contains(why, "0 of 1 messages") {
		t.Errorf("nothing came: %d, %q", status, why)
	}
	reads := func(when string) {
		t.Helper()
		for _, line := range [][]string{{"history", "bob@localhost"}, {"history", "bob@localhost", "--json"}, {"list"}, {"devices", "--of", "bob@localhost"}, {"contact", "list"}} {
			status, out, why := alice.tries(line...)
			if status != 0 || !strings.Contains(why, "not connected: ") || out == "" && line[0] != "contact" || line[0] == "history" && !strings.Contains(out, "before the storm") {
				t.Errorf("%s, %v: %d, %q, %q", when, line, status, out, why)
			}
		}
		if status, out, _ := alice.tries("search", "storm"); status != 0 || !strings.Contains(out, "before the storm") {
			t.Errorf("%s, search: %d, %q", when, status, out)
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	reads("without a server")
	interrupts(t, alice)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	alice.does("logout")
	reads("signed out")
}

// interrupts ends a program that waits for the server: once it waits, which it is given more and
// more time for.
func interrupts(t *testing.T, p *speaker) {
	t.Helper()
	for pause := glance; ; pause *= 2 {
		var why bytes.Buffer
		cmd := p.command("send", "bob@localhost", "x")
		cmd.Stderr = &why
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); status == 1 && why.String() == "mirsal: interrupted\n" {
			return
		} else if status != -1 || pause > patience {
			t.Fatalf("%d, %q", status, why.String())
		}
	}
}
