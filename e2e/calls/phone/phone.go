// Package phone runs `mirsal call` for end-to-end tests: a process that calls, or answers calls, and what it says of them. It
// knows the command line and what that prints with --json.
//
// Invariants: every process has ended when its test has.
package phone

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
	Event  string
	Call   port.Call     // of callChanged
	Status port.Status   // of status
	Media  string        // of callHeard: audio, video
	After  time.Duration // of callHeard: since the call was placed, or accepted
	Stats  Stats         // of callStats
	raw    string
}

// Stats is what was counted, as far as tests look at it: what reads media, and counts it, is known to commands alone.
type Stats struct {
	Path  string `json:"path"` // as "host-relay": our end's address and theirs
	Audio Media  `json:"audio"`
	Video Media  `json:"video"`
}

// Media is what has come and gone of one kind. Frames are packets of audio, and pictures of video, of which Whole need
// no other to be shown.
type Media struct {
	SentFrames int `json:"sentFrames"`
	Packets    int `json:"packets"`
	Frames     int `json:"frames"`
	Whole      int `json:"whole"`
	Lost       int `json:"lost"`
}

// Phone is one process.
type Phone struct {
	Name string // the profile's, for messages of the test

	t     testing.TB
	cmd   *exec.Cmd
	words bytes.Buffer  // on standard error; only of one that has ended
	err   error         // how it has ended; only of one that has
	ended chan struct{} // closed when it has, and all it said was heard

	mu   sync.Mutex
	said []Line        // guarded by mu
	more chan struct{} // guarded by mu: closed when there is more
}

// Dial starts bin's `mirsal call` on a profile, which counts ten times a second unless the arguments say otherwise.
func Dial(t testing.TB, bin, profile string, args ...string) *Phone {
	t.Helper()
	p := &Phone{Name: filepath.Base(profile), t: t, ended: make(chan struct{}), more: make(chan struct{})}
	p.cmd = exec.Command(bin, append([]string{"call", "--json", "--stats", "100ms", "--profile", profile}, args...)...)
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

// Ready is Dial that returns when the phone is connected: from then on calls come through.
func Ready(t testing.TB, bin, profile string, args ...string) *Phone {
	t.Helper()
	p := Dial(t, bin, profile, args...)
	p.Until("being connected", func(l Line) bool { return l.Event == "status" })
	return p
}

func (p *Phone) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		l, err := read(lines.Bytes())
		if err != nil {
			p.t.Errorf("%s said %q", p.Name, lines.Text())
			continue
		}
		p.mu.Lock()
		p.said = append(p.said, l)
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

func read(raw []byte) (Line, error) {
	var own struct {
		Event, Media string
		After        int64 // milliseconds
		Stats
	}
	err := json.Unmarshal(raw, &own)
	l := Line{Event: own.Event, Media: own.Media, After: time.Duration(own.After) * time.Millisecond, Stats: own.Stats, raw: string(raw)}
	switch {
	case err != nil:
	case l.Event == "callChanged":
		var c port.CallChanged
		err = json.Unmarshal(raw, &c)
		l.Call = c.Call
	case l.Event == "status":
		err = json.Unmarshal(raw, &l.Status)
	}
	return l, err
}

// Await waits for something to be true of all that was said until now.
func (p *Phone) Await(what string, is func(said []Line) bool) {
	p.t.Helper()
	give := time.NewTimer(patience)
	defer give.Stop()
	for {
		over := p.over() // before what was said is looked at: nothing comes behind it
		said, more := p.all()
		if is(said) {
			return
		}
		if over {
			p.t.Fatalf("%s ended before %s%s", p.Name, what, p.story())
		}
		select {
		case <-more:
		case <-p.ended:
		case <-give.C:
			p.t.Fatalf("%s waited in vain for %s%s", p.Name, what, p.story())
		}
	}
}

// Until waits for a line, said already or not.
func (p *Phone) Until(what string, right func(Line) bool) (found Line) {
	p.t.Helper()
	seen := 0
	p.Await(what, func(said []Line) bool {
		i := slices.IndexFunc(said[seen:], right)
		if i >= 0 {
			found = said[seen+i]
		}
		seen = len(said)
		return i >= 0
	})
	return found
}

// Wait waits for something beside the phone, while that goes on.
func (p *Phone) Wait(done <-chan struct{}, what string) {
	p.t.Helper()
	select {
	case <-done:
	case <-p.ended:
		p.t.Fatalf("%s ended before %s%s", p.Name, what, p.story())
	case <-time.After(patience):
		p.t.Fatalf("waited in vain for %s%s", what, p.story())
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

// Said is all that was said until now.
func (p *Phone) Said() []Line {
	said, _ := p.all()
	return said
}

func (p *Phone) all() (said []Line, more <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said, p.more
}

// story is what it has said, on standard error too if it has ended, and how: for messages of the test, below them. Of what was
// counted it is the last: all would be too much to be read.
func (p *Phone) story() string {
	var out strings.Builder
	counted, over := "", p.over()
	for _, l := range p.Said() {
		if l.Event == "callStats" {
			counted = l.raw
			continue
		}
		out.WriteString("\n" + l.raw)
	}
	if counted != "" {
		out.WriteString("\n" + counted)
	}
	if over {
		out.WriteString("\n" + p.cmd.ProcessState.String() + "\n" + p.words.String())
	}
	return out.String()
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

// Exit waits for the end, and is the exit status.
func (p *Phone) Exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it tells what it is at
		<-p.ended
		p.t.Fatalf("%s did not end%s", p.Name, p.story())
	}
	if _, exited := errors.AsType[*exec.ExitError](p.err); p.err != nil && !exited {
		p.t.Fatal(p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Exits waits for the end and requires a status.
func (p *Phone) Exits(want int) {
	p.t.Helper()
	if got := p.Exit(); got != want {
		p.t.Errorf("%s ended with %d, not %d%s", p.Name, got, want, p.story())
	}
}

// Counts are the last numbers of a process that has ended.
func (p *Phone) Counts() Stats {
	p.t.Helper()
	for _, l := range slices.Backward(p.Said()) {
		if l.Event == "callStats" {
			return l.Stats
		}
	}
	p.t.Fatalf("%s has counted nothing%s", p.Name, p.story())
	return Stats{}
}
