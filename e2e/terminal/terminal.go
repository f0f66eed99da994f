// Package terminal runs programs of a terminal for end-to-end tests, each in a tmux of its
// own: it types, and looks at what is to be seen. Profanity, a client of others, it can
// also set up and read. It knows nothing of our server but its address.
//
// Invariants: every program has ended when its test has; nothing sleeps for a fixed time.
package terminal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/foreign"
)

// patience is how long something may take to happen; it is long because the
// machine may be busy, and nothing waits longer than it must.
const patience = 30 * time.Second

const glance = 50 * time.Millisecond // between two looks

// A Terminal is one program in a tmux of its own.
type Terminal struct {
	Name string // for messages of the test

	t      testing.TB
	tmux   string
	socket string
	pid    int // of the program
}

// New starts the command (a shell line) with nothing in its environment but env,
// HOME and what a terminal needs.
func New(t testing.TB, name, home, command string, env ...string) *Terminal {
	t.Helper()
	term := &Terminal{Name: name, t: t, tmux: foreign.Program(t, "tmux"), socket: shortSocket(t)}
	cmd := exec.Command(term.tmux, "-S", term.socket, "-f", "/dev/null",
		"new-session", "-d", "-x", "180", "-y", "50", "-P", "-F", "#{pane_pid}", "exec "+command)
	cmd.Env = append([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "LC_ALL=C.UTF-8",
		"TERM=screen-256color", "SHELL=/bin/sh"}, env...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		term.pid, err = strconv.Atoi(strings.TrimSpace(string(out)))
	}
	if err != nil {
		t.Fatalf("tmux: %v: %s", err, out)
	}
	t.Cleanup(term.end)
	return term
}

// shortSocket is a path that fits into the 108 bytes of a socket's name, which
// t.TempDir need not.
func shortSocket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mirsal-tmux")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func (term *Terminal) end() {
	if term.t.Failed() {
		term.t.Logf("the last screen of %s:\n%s", term.Name, term.Screen())
	}
	// the program first: it must not write to its home while that is removed
	_ = syscall.Kill(term.pid, syscall.SIGKILL)
	WaitFor(term.t, term.Name+" to end", func() bool { return syscall.Kill(term.pid, 0) != nil })
	_ = exec.Command(term.tmux, "-S", term.socket, "kill-server").Run()
}

// Enter types one line and the enter key.
func (term *Terminal) Enter(line string) {
	term.t.Helper()
	term.Key("-l", "--", line)
	term.Key("Enter")
}

// Key presses keys, as tmux's send-keys has them.
func (term *Terminal) Key(args ...string) {
	term.t.Helper()
	if out, err := exec.Command(term.tmux, append([]string{"-S", term.socket, "send-keys"}, args...)...).CombinedOutput(); err != nil {
		term.t.Fatalf("%s: %v: %v: %s", term.Name, args, err, out)
	}
}

// Screen returns what is to be seen, without empty lines.
func (term *Terminal) Screen() string {
	out, err := exec.Command(term.tmux, "-S", term.socket, "capture-pane", "-p").Output()
	if err != nil {
		return "(the terminal is gone: " + err.Error() + ")"
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimRight(line, " \n"); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// Sees waits until the screen matches the pattern, and returns the match.
func (term *Terminal) Sees(pattern string) string {
	term.t.Helper()
	found, err := term.Finds(pattern)
	if err != nil {
		term.t.Fatal(err)
	}
	return found
}

// Finds is Sees for tests that have something to do where it is not to be seen.
func (term *Terminal) Finds(pattern string) (found string, err error) {
	re := regexp.MustCompile(pattern)
	err = Await(term.Name+" to see "+pattern, func() bool {
		found = re.FindString(term.Screen())
		return found != ""
	})
	return found, err
}

// WaitFor looks again and again until something is so.
func WaitFor(t testing.TB, what string, so func() bool) {
	t.Helper()
	if err := Await(what, so); err != nil {
		t.Fatal(err)
	}
}

// Await is WaitFor for tests that have something to do where it never is so.
func Await(what string, so func() bool) error {
	for end := time.Now().Add(patience); !so(); time.Sleep(glance) {
		if time.Now().After(end) {
			return fmt.Errorf("waited %v in vain for %s", patience, what)
		}
	}
	return nil
}
