package clients

import (
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

// A terminal is one program in a tmux of its own.
type terminal struct {
	t      *testing.T
	name   string
	tmux   string
	socket string
	pid    int // of the program
}

// newTerminal starts the command (a shell line) with nothing in its
// environment but env, HOME and what a terminal needs.
func newTerminal(t *testing.T, name, home, command string, env ...string) *terminal {
	t.Helper()
	term := &terminal{t: t, name: name, tmux: foreign.Program(t, "tmux"), socket: shortSocket(t)}
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
func shortSocket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mirsal-tmux")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func (term *terminal) end() {
	if term.t.Failed() {
		term.t.Logf("the last screen of %s:\n%s", term.name, term.screen())
	}
	// the program first: it must not write to its home while that is removed
	_ = syscall.Kill(term.pid, syscall.SIGKILL)
	waitFor(term.t, term.name+" to end", func() bool { return syscall.Kill(term.pid, 0) != nil })
	_ = exec.Command(term.tmux, "-S", term.socket, "kill-server").Run()
}

// enter types one line and the enter key.
func (term *terminal) enter(line string) {
	term.t.Helper()
	for _, args := range [][]string{{"-l", "--", line}, {"Enter"}} {
		args = append([]string{"-S", term.socket, "send-keys"}, args...)
		if out, err := exec.Command(term.tmux, args...).CombinedOutput(); err != nil {
			term.t.Fatalf("%s: typing %q: %v: %s", term.name, line, err, out)
		}
	}
}

// screen returns what is to be seen, without empty lines.
func (term *terminal) screen() string {
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

// sees waits until the screen matches the pattern, and returns the match.
func (term *terminal) sees(pattern string) string {
	term.t.Helper()
	re := regexp.MustCompile(pattern)
	var found string
	waitFor(term.t, term.name+" to see "+pattern, func() bool {
		found = re.FindString(term.screen())
		return found != ""
	})
	return found
}

// waitFor looks again and again until something is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(glance) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}
