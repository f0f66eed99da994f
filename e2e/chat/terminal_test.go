package chat

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/foreign"
)

const (
	patience = 30 * time.Second       // how long something may take on a busy machine
	glance   = 100 * time.Millisecond // between two looks
)

// A screen is `mirsal chat` in a tmux of its own.
type screen struct {
	t      *testing.T
	tmux   string
	socket string
	pid    int
}

// open starts the program in a terminal of a size.
func open(t *testing.T, w, h int, argv ...string) *screen {
	t.Helper()
	dir, err := os.MkdirTemp("", "mirsal-chat") // short: a socket's name has 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &screen{t: t, tmux: foreign.Program(t, "tmux"), socket: filepath.Join(dir, "s")}
	args := append([]string{"-S", s.socket, "-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h), "-P", "-F", "#{pane_pid}"}, argv...)
	cmd := exec.Command(s.tmux, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm-256color")
	out, err := cmd.CombinedOutput()
	if _, scan := fmt.Sscan(string(out), &s.pid); err != nil || scan != nil {
		t.Fatalf("tmux: %v: %s", err, out)
	}
	t.Cleanup(s.end)
	return s
}

func (s *screen) end() {
	if s.t.Failed() {
		s.t.Logf("the last screen:\n%s", s.look())
	}
	_ = syscall.Kill(s.pid, syscall.SIGKILL)
	_ = exec.Command(s.tmux, "-S", s.socket, "kill-server").Run()
}

func (s *screen) do(args ...string) {
	s.t.Helper()
	if out, err := exec.Command(s.tmux, append([]string{"-S", s.socket}, args...)...).CombinedOutput(); err != nil {
		s.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
}

// press presses keys as tmux names them.
func (s *screen) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.do("send-keys", k)
	}
}

// back presses Escape and waits for what is to be seen then: a key behind it would be
// taken for one together with Alt.
func (s *screen) back(pattern string) {
	s.t.Helper()
	s.press("Escape")
	s.sees(pattern)
}

// types types a text.
func (s *screen) types(text string) {
	s.t.Helper()
	s.do("send-keys", "-l", "--", text)
}

// look is the whole screen.
func (s *screen) look() string {
	out, err := exec.Command(s.tmux, "-S", s.socket, "capture-pane", "-p").Output()
	if err != nil {
		return "(the terminal is gone: " + err.Error() + ")"
	}
	return string(out)
}

// sees waits until the screen matches, and returns it.
func (s *screen) sees(pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	return s.waits(pattern, re.MatchString)
}

// seesNot waits until the screen no longer matches.
func (s *screen) seesNot(pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	return s.waits("no "+pattern, func(now string) bool { return !re.MatchString(now) })
}

func (s *screen) waits(what string, so func(string) bool) string {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(glance) {
		now := s.look()
		if so(now) {
			return now
		}
		if time.Now().After(end) {
			s.t.Fatalf("waited %v in vain for %s; the screen is\n%s", patience, what, now)
		}
	}
}

// ended waits until the program has ended.
func (s *screen) ended() {
	s.t.Helper()
	for end := time.Now().Add(patience); syscall.Kill(s.pid, 0) == nil; time.Sleep(glance) {
		if time.Now().After(end) {
			s.t.Fatal("the program does not end")
		}
	}
}

// captures are what docs/chat.md shows, by name.
type captures map[string]string

// keep keeps a screen once it has come to rest.
func (c captures) keep(s *screen, name string) {
	before := ""
	now := s.waits("the screen to rest", func(now string) bool {
		rest := now == before
		before = now
		return rest
	})
	lines := strings.Split(strings.TrimRight(now, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	c[name] = strings.Join(lines, "\n")
}

// write puts the captures into a page, between the marks that name them.
func (c captures) write(page string) error {
	raw, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	text := string(raw)
	for name, capture := range c {
		mark := "<!-- capture: " + name + " -->\n"
		before, rest, ok := strings.Cut(text, mark+"```\n")
		_, after, end := strings.Cut("\n"+rest, "\n```\n")
		if !ok || !end {
			return fmt.Errorf("%s has no place for %q", page, name)
		}
		text = before + mark + "```\n" + capture + "\n```\n" + after
	}
	return os.WriteFile(page, []byte(text), 0o644)
}
