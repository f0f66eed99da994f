//go:build linux

package nat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mirsal/e2e/netns"
	"mirsal/internal/client/port"
	"mirsal/internal/foreign"
)

// patience is how long anything may take before the test gives up: the machine may be busy.
const patience = 60 * time.Second

// tab is a Chromium in somebody's place with an RTCPeerConnection, the seat of an engine beside it (../node/peer.mjs).
type tab struct {
	*person
	cmd   *exec.Cmd
	ended chan struct{} // closed when Chromium has, and all it said was heard

	mu   sync.Mutex
	in   io.WriteCloser // guarded by mu
	call string         // guarded by mu: its name
	last struct {       // guarded by mu: what was counted
		Way   string
		Stats map[string]struct{ Packets, Frames, Samples int }
	}
	words []string // guarded by mu: all but what was counted, for messages of the test
}

// tab starts Chromium and the engine.
func (p *person) tab(t *testing.T) *tab {
	t.Helper()
	chromium, node := foreign.Program(t, "chromium"), foreign.Node(t, "../../browser")
	b := &tab{person: p, ended: make(chan struct{})}
	script, err := filepath.Abs("../node/peer.mjs")
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.MkdirTemp("", "tab") // Chromium has sockets there, whose paths are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	b.cmd = exec.Command(p.space.Program(node, "TMPDIR="+home, "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home), script, chromium)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.cmd.Stderr = os.Stderr
	out, err := b.cmd.StdoutPipe()
	if err == nil {
		b.in, err = b.cmd.StdinPipe()
	}
	if err == nil {
		err = b.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() { defer close(b.ended); b.listen(out) }()
	t.Cleanup(func() {
		b.in.Close()
		give := time.AfterFunc(patience, func() { _ = b.cmd.Process.Kill() })
		<-b.ended
		_ = b.cmd.Wait()
		give.Stop()
	})
	p.Start(b.event)
	t.Cleanup(p.Kill)
	p.Synced()
	return b
}

// event has Chromium do what the engine says to its seat.
func (b *tab) event(ev port.Event) {
	m, ok := ev.(*port.CallMedia)
	if !ok || m.Do == "close" {
		return
	}
	raw, err := json.Marshal(m)
	// for UDP it looks names up by DNS, which is not here
	raw = bytes.ReplaceAll(raw, []byte(":"+host+":"), []byte(":"+serverAddr+":"))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.call = m.Call
	if err == nil {
		_, _ = b.in.Write(append(raw, '\n'))
	}
}

// listen tells the engine what Chromium says.
func (b *tab) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s struct{ Said, SDP, Mid, Candidate, State string }
		_ = json.Unmarshal(lines.Bytes(), &s)
		b.mu.Lock()
		name := b.call
		if s.Said == "stats" {
			_ = json.Unmarshal(lines.Bytes(), &b.last)
		} else {
			b.words = append(b.words, lines.Text())
		}
		b.mu.Unlock()
		switch {
		case s.Said == "described":
			_, _ = b.Call(&port.CallDescribed{Call: name, SDP: s.SDP})
		case s.Said == "address":
			_, _ = b.Call(&port.CallAddress{Call: name, Mid: s.Mid, Candidate: s.Candidate})
		case s.Said == "state" && s.State == "connected":
			_, _ = b.Call(&port.CallConnected{Call: name})
		}
	}
}

// goes waits until sound and pictures come by the right way: Chromium takes the first that it finds, and then a better one.
func (b *tab) goes(t *testing.T, right func(way string) bool) {
	t.Helper()
	give, tick := time.After(2*patience), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		b.mu.Lock()
		_, _ = b.in.Write([]byte(`{"do":"stats"}` + "\n"))
		now, words := b.last, b.words
		b.mu.Unlock()
		if now.Stats["audio"].Packets > 20 && now.Stats["video"].Frames > 3 && now.Way != "" && right(now.Way) {
			return
		}
		select {
		case <-tick.C:
			continue
		case <-b.ended:
		case <-give:
		}
		t.Fatalf("too little comes to %s: %+v\n%s", b.name, now, strings.Join(words, "\n"))
	}
}

// TestChromiumsFindTheirWay: browsers' own ICE, directly and by the relay.
func TestChromiumsFindTheirWay(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, c := range []struct {
		kind    netns.Kind
		relayed bool
	}{{netns.Restricted, false}, {netns.Symmetric, true}} {
		t.Run(c.kind.String(), func(t *testing.T) {
			s.routers(c.kind, c.kind)
			a, b := s.alice.tab(t), s.bob.tab(t)
			call := a.Must(&port.PlaceCall{Chat: b.Address, Video: true, Seat: "tab"}).(*port.Done).Call
			ev := b.Until("a call", func(ev port.Event) bool {
				c, ok := ev.(*port.CallChanged)
				return ok && c.Call.State == "incoming"
			})
			b.Must(&port.AnswerCall{Call: ev.(*port.CallChanged).Call.ID, Video: true, Seat: "tab"})
			for _, one := range []*tab{a, b} {
				one.goes(t, func(way string) bool { return strings.Contains(way, "relay") == c.relayed })
			}
			a.Must(&port.HangUpCall{Call: call})
			b.Until("the end", func(ev port.Event) bool {
				c, ok := ev.(*port.CallChanged)
				return ok && c.Call.State == "ended"
			})
		})
	}
}
