package calls

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
	"mirsal/internal/client/seat"
)

// patience is how long anything may take before a test gives up: the machine may be busy.
const patience = 90 * time.Second

// line is one of what `mirsal call --json` prints.
type line struct {
	event string
	call  port.Call // of callChanged
	id    string    // of the others: which call
	media string    // of callHeard
	after time.Duration
	stats seat.Stats // of callStats
}

func readLine(raw []byte) (l line, err error) {
	var head struct{ Event string }
	if err := json.Unmarshal(raw, &head); err != nil {
		return l, err
	}
	l.event = head.Event
	if head.Event == "callChanged" {
		var c port.CallChanged
		err = json.Unmarshal(raw, &c)
		l.call, l.id = c.Call, c.Call.ID
		return l, err
	}
	if head.Event == "status" {
		return l, nil
	}
	var own struct {
		Call, Media string
		After       int64
		seat.Stats
	}
	err = json.Unmarshal(raw, &own)
	l.id, l.media, l.after, l.stats = own.Call, own.Media, time.Duration(own.After)*time.Millisecond, own.Stats
	return l, err
}

// phone is a process of `mirsal call`.
type phone struct {
	t     testing.TB
	name  string
	cmd   *exec.Cmd
	words bytes.Buffer // on standard error; only of one that has ended
	ended chan struct{}

	mu   sync.Mutex
	said []line        // guarded by mu
	more chan struct{} // guarded by mu: closed when there are more
	over bool          // guarded by mu: it says no more
}

// dial starts bin's `mirsal call` on a profile.
func dial(t testing.TB, bin, profile string, env []string, args ...string) *phone {
	t.Helper()
	p := &phone{t: t, name: profile[strings.LastIndexByte(profile, '/')+1:], ended: make(chan struct{}), more: make(chan struct{})}
	p.cmd = exec.Command(bin, append([]string{"call", "--json", "--profile", profile}, args...)...)
	p.cmd.Env = append(os.Environ(), env...)
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

func (p *phone) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		l, err := readLine(lines.Bytes())
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
	p.mu.Lock()
	p.over = true
	close(p.more)
	p.mu.Unlock()
	close(p.ended)
}

// until waits for a line, said already or not.
func (p *phone) until(what string, right func(line) bool) line {
	p.t.Helper()
	give := time.After(patience)
	for seen := 0; ; {
		p.mu.Lock()
		said, more, over := p.said[seen:], p.more, p.over
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
		case <-give:
			p.t.Fatalf("%s waited in vain for %s; it said %+v", p.name, what, p.all())
		}
	}
}

func (p *phone) all() []line {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said
}

// state waits for a call being so.
func (p *phone) state(state string) port.Call {
	p.t.Helper()
	return p.until("a call being "+state, func(l line) bool { return l.call.State == state }).call
}

// interrupt is Ctrl-C.
func (p *phone) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the end and returns the status.
func (p *phone) exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end; it said %+v", p.name, p.all())
	}
	return p.cmd.ProcessState.ExitCode()
}

// exits requires a status.
func (p *phone) exits(want int) {
	p.t.Helper()
	if got := p.exit(); got != want {
		p.t.Errorf("%s ended with %d, not %d: %s\nit said %+v", p.name, got, want, p.words.String(), p.all())
	}
}

// counts are the last numbers of a process that has ended.
func (p *phone) counts() seat.Stats {
	p.t.Helper()
	var last *line
	for _, l := range p.all() {
		if l.event == "callStats" {
			last = &l
		}
	}
	if last == nil {
		p.t.Fatalf("%s has counted nothing; it said %+v", p.name, p.all())
	}
	return last.stats
}

// signIn makes a profile of an account, by way of where clients connect.
func signIn(t testing.TB, s *device.Server, name, folder, server string) *device.Local {
	t.Helper()
	l := device.NewLocal(t, s, name, name+"@"+device.Domain, folder)
	l.SignIn(server)
	return l
}

// meet makes two people contacts.
func meet(t testing.TB, a, b *device.Local) {
	t.Helper()
	becomes := func(p *device.Local, address, state string) {
		p.Until(address+" being "+state, func(ev port.Event) bool {
			c, ok := ev.(*port.ContactChanged)
			return ok && c.Contact.Address == address && c.Contact.State == state
		})
	}
	a.Must(&port.AddContact{Address: b.Address})
	becomes(b, a.Address, "asks")
	b.Must(&port.AddContact{Address: a.Address})
	becomes(a, b.Address, "contact")
	becomes(b, a.Address, "contact")
}

// profile makes a further profile of an account, and none of it runs afterwards.
func profile(t testing.TB, s *device.Server, name, folder string) string {
	t.Helper()
	signIn(t, s, name, folder, s.C2S).Close()
	return folder
}

// answering starts a phone of somebody who waits for calls, and returns when they reach it.
func answering(t testing.TB, bin, profile string, env []string, args ...string) *phone {
	t.Helper()
	p := dial(t, bin, profile, env, args...)
	p.until("being connected", func(l line) bool { return l.event == "status" })
	return p
}
