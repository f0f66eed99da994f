// Package phone runs `mirsal call` for end-to-end tests: a process that calls, or answers calls, and what it says of them. It
// knows the command line and what that prints with --json.
//
// Invariants: every process has ended when its test has.
package phone

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

// patience is how long anything may take before a test gives up: the machine may be busy.
const patience = 2 * time.Minute

// Line is one of what is printed. Which fields are set follows from Event.
type Line struct {
	Event string
	Call  port.Call // of callChanged
	Media string    // of callHeard: audio, video
	Stats Stats     // of callStats
}

// Stats is what was counted.
type Stats struct {
	Path         string // as "host-relay": our end's address and theirs
	Audio, Video Media
}

// Media is what has come and gone of one kind. Frames are packets of audio, and pictures of video, of which Whole need
// no other to be shown.
type Media struct{ SentFrames, Packets, Frames, Whole int }

// Phone is one process.
type Phone struct {
	t     testing.TB
	name  string
	cmd   *exec.Cmd
	words bytes.Buffer  // on standard error; only of one that has ended
	ended chan struct{} // closed when it has, and all it said was heard

	mu   sync.Mutex
	said []Line        // guarded by mu
	more chan struct{} // guarded by mu: closed when there is more
}

// Dial starts bin's `mirsal call` on a profile, which counts five times a second.
func Dial(t testing.TB, bin, profile string, args ...string) *Phone {
	t.Helper()
	p := &Phone{t: t, name: filepath.Base(profile), ended: make(chan struct{}), more: make(chan struct{})}
	p.cmd = exec.Command(bin, append([]string{"call", "--json", "--stats", "200ms", "--profile", profile}, args...)...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	p.cmd.Stderr = &p.words
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go p.listen(out)
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); <-p.ended })
	return p
}

// Answer is Dial for who waits for calls: it returns when calls come through.
func Answer(t testing.TB, bin, profile string, args ...string) *Phone {
	t.Helper()
	p := Dial(t, bin, profile, append([]string{"--answer", "--count", "1"}, args...)...)
	p.Until("being connected", func(l Line) bool { return l.Event == "status" })
	return p
}

func (p *Phone) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		l, err := read(lines.Bytes())
		if err != nil {
			p.t.Errorf("%s said %q", p.name, lines.Text())
			continue
		}
		p.mu.Lock()
		p.said = append(p.said, l)
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
	_ = p.cmd.Wait()
	close(p.ended)
}

func read(raw []byte) (l Line, err error) {
	var head struct{ Event, Media string }
	if err = json.Unmarshal(raw, &head); err != nil {
		return l, err
	}
	l.Event, l.Media = head.Event, head.Media
	switch l.Event {
	case "callChanged":
		var c port.CallChanged
		err = json.Unmarshal(raw, &c)
		l.Call = c.Call
	case "callStats":
		err = json.Unmarshal(raw, &l.Stats)
	}
	return l, err
}

// Until waits for a line, said already or not.
func (p *Phone) Until(what string, right func(Line) bool) Line {
	p.t.Helper()
	give := time.NewTimer(patience)
	defer give.Stop()
	for seen := 0; ; {
		over := p.over() // before what was said is looked at: nothing comes behind it
		p.mu.Lock()
		said, more := p.said[seen:], p.more
		p.mu.Unlock()
		for _, l := range said {
			seen++
			if right(l) {
				return l
			}
		}
		if over {
			p.t.Fatalf("%s ended before %s; it said %+v\n%s", p.name, what, p.all(), p.words.String())
		}
		select {
		case <-more:
		case <-p.ended:
		case <-give.C:
			p.t.Fatalf("%s waited in vain for %s; it said %+v", p.name, what, p.all())
		}
	}
}

func (p *Phone) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *Phone) all() []Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said
}

// State waits for a call being so.
func (p *Phone) State(state string) port.Call {
	p.t.Helper()
	return p.Until("a call being "+state, func(l Line) bool { return l.Call.State == state }).Call
}

// Flows waits until sound, and pictures where some are shown, have come here and gone from here.
func (p *Phone) Flows(video bool) Stats {
	p.t.Helper()
	return p.Until("what is said", func(l Line) bool {
		a, v := l.Stats.Audio, l.Stats.Video
		return a.Packets >= 20 && a.SentFrames >= 20 && (!video || v.Frames >= 5 && v.Whole >= 1 && v.SentFrames >= 5)
	}).Stats
}

// Interrupt is Ctrl-C: it hangs up.
func (p *Phone) Interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
}

// Exits waits for the end and requires a status.
func (p *Phone) Exits(want int) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end; it said %+v", p.name, p.all())
	}
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		p.t.Errorf("%s ended with %d, not %d: %s\nit said %+v", p.name, got, want, p.words.String(), p.all())
	}
}

// Counts are the last numbers of a process that has ended.
func (p *Phone) Counts() (last Stats) {
	for _, l := range p.all() {
		if l.Event == "callStats" {
			last = l.Stats
		}
	}
	return last
}
