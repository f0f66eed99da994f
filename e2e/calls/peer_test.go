package calls

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/client/seat"
	"mirsal/internal/foreign"
)

// These have the terminal's seat and Chromium's RTCPeerConnection at the two ends of a call, without engine and server.

// said is what Chromium's end says.
type said struct {
	Said, Type, SDP, Mid, Candidate, State, Text string
	ID                                           int
	Stats                                        map[string]struct{ Packets, Frames, Samples int }
}

// peer is Chromium's end, and the seat that it speaks with.
type peer struct {
	*seat.Seat
	t    *testing.T
	in   io.WriteCloser
	tell sync.Mutex // of writing to in

	mu        sync.Mutex
	stats     map[string]struct{ Packets, Frames, Samples int } // guarded by mu
	asked     int
	connected chan struct{}
	once      sync.Once
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	chromium, node := foreign.Program(t, "chromium"), foreign.Node(t, "../browser")
	p := &peer{t: t, connected: make(chan struct{})}
	p.Seat = seat.New(seat.Config{}, p)
	cmd := exec.Command(node, "node/peer.mjs", chromium)
	home, err := os.MkdirTemp("", "peer") // Chromium has sockets there, whose paths are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	cmd.Env = append(os.Environ(), "TMPDIR="+home, "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	var out io.Reader
	if out, err = cmd.StdoutPipe(); err == nil {
		p.in, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{})
	go func() { defer close(heard); p.listen(out) }()
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		p.in.Close()
		give := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		<-heard
		_ = cmd.Wait()
		give.Stop()
	})
	return p
}

// do has Chromium take a step.
func (p *peer) do(what string, how map[string]any) {
	if how == nil {
		how = map[string]any{}
	}
	how["do"] = what
	raw, err := json.Marshal(how)
	if err != nil {
		p.t.Error(err)
	}
	p.tell.Lock()
	defer p.tell.Unlock()
	_, _ = p.in.Write(append(raw, '\n'))
}

// listen does what Chromium says at the seat.
func (p *peer) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s said
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			p.t.Errorf("Chromium said %q", lines.Text())
			continue
		}
		if err := p.take(s); err != nil {
			p.t.Errorf("%s: %v", s.Said, err)
		}
	}
}

func (p *peer) take(s said) error {
	switch s.Said {
	case "described":
		if err := p.Remote(s.SDP, s.Type == "offer"); err != nil || s.Type != "offer" {
			return err
		}
		return p.Answer()
	case "address":
		return p.Seat.Address(s.Mid, s.Candidate)
	case "stats":
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stats = s.Stats
	case "trouble":
		p.t.Errorf("Chromium: %s", s.Text)
	}
	return nil
}

// Described is of seat.Reports: what the seat offers, Chromium answers.
func (p *peer) Described(sdp string) {
	kind := "answer"
	if p.offering() {
		kind = "offer"
	}
	p.do("remote", map[string]any{"type": kind, "sdp": sdp})
	if kind == "offer" {
		p.do("answer", nil)
	}
}

func (p *peer) offering() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.asked > 0
	if was {
		p.asked--
	}
	return was
}

// offer has the seat make an offer.
func (p *peer) offer(make func() error) {
	p.t.Helper()
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	p.step(make())
}

func (p *peer) Address(mid, candidate string) {
	p.do("address", map[string]any{"mid": mid, "candidate": candidate})
}
func (p *peer) Connected()         { p.once.Do(func() { close(p.connected) }) }
func (p *peer) Broken()            {}
func (p *peer) Failed(text string) { p.t.Errorf("the seat failed: %s", text) }

func (p *peer) step(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// flows waits until sound, and pictures where there should be some, come at both ends.
func (p *peer) flows(seen, shown bool) {
	p.t.Helper()
	for give := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		p.do("stats", nil)
		p.mu.Lock()
		theirs := p.stats
		p.mu.Unlock()
		ours := p.Stats()
		if ours.Audio.Packets > 20 && theirs["audio"].Packets > 20 && theirs["audio"].Samples > 0 && (!seen || ours.Video.Frames > 3 && ours.Video.Whole > 0) &&
			(!shown || theirs["video"].Frames > 3) {
			return
		}
		if time.Now().After(give) {
			p.t.Fatalf("too little flows: here %+v, in Chromium %+v", ours, theirs)
		}
	}
}

func TestChromiumCallsTheTerminalsSeat(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	p.step(p.Open(true))
	p.step(p.Create(nil, false))
	p.do("open", map[string]any{"video": true})
	p.do("create", nil)
	p.do("offer", nil)
	p.flows(true, true)
}

func TestTheTerminalsSeatCallsChromiumAndACameraComesLater(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	p.do("open", nil)
	p.do("create", nil)
	p.step(p.Open(false))
	p.step(p.Create(nil, false))
	p.offer(p.Offer)
	p.flows(false, false)
	p.step(p.Camera())
	p.offer(p.Offer)
	p.flows(false, true)
	p.offer(p.Restart)
	p.do("camera", nil)
	p.do("offer", nil)
	p.flows(true, true)
}
