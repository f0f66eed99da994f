package foreign

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
	"mirsal/internal/client/seat"
	"mirsal/internal/foreign"
)

// person is somebody with an engine and a place for media, which makes and takes descriptions as in any call. Whoever is at the
// other end here has no media: that it flows is what a test says.
type person struct {
	*device.Local
	t *testing.T

	mu   sync.Mutex    // guards what follows
	call port.Call     // as it was told last
	fed  int           // descriptions of theirs that the seat has taken
	more chan struct{} // closed when any of this has changed
	did  []string

	seat place
}

// sits has the seat do what the engine says, until the test ends.
func (p *person) sits() {
	p.more = make(chan struct{})
	t := p.T // of them all: it hears what goes wrong between
	ctx, end := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			ev, err := p.Next(ctx)
			if err != nil {
				return
			}
			p.hears(t, ev)
		}
	}()
	t.Cleanup(func() { end(); <-over })
}

func (p *person) hears(t testing.TB, ev port.Event) {
	switch ev := ev.(type) {
	case *port.CallChanged:
		p.note(func() { p.call = ev.Call })
	case *port.CallMedia:
		p.note(func() { p.did = append(p.did, ev.Do+" "+ev.Type) })
		if err := p.seat.does(p, ev); err != nil {
			t.Errorf("the seat cannot %s %s: %v\n%s", ev.Do, ev.Type, err, ev.SDP)
		}
	}
}

// note changes what is known, and wakes who waits for it.
func (p *person) note(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.more)
	p.more = make(chan struct{})
}

// place is where a person's media are made: what the engine asks for is done there, in order.
type place interface {
	does(p *person, m *port.CallMedia) error
}

// terminal is the place of `mirsal call`.
type terminal struct{ *seat.Seat }

func (s *terminal) does(p *person, m *port.CallMedia) error {
	switch m.Do {
	case "open":
		s.Seat = seat.New(seat.Config{}, mouth{p, m.Call})
		return s.Open(m.Video)
	case "create":
		return s.Create(nil, m.RelayOnly)
	case "offer":
		if m.Restart {
			return s.Restart()
		}
		return s.Offer()
	case "answer":
		return s.Answer()
	case "remote":
		if err := s.Remote(m.SDP, m.Type == "offer"); err != nil {
			return err
		}
		p.note(func() { p.fed++ })
	case "address":
		return s.Address(m.Mid, m.Candidate)
	case "camera":
		return s.Camera()
	case "close":
		return s.Close()
	}
	return nil
}

// mouth tells the engine what the terminal has made; whether there is a way, the test says.
type mouth struct {
	p    *person
	call string
}

func (m mouth) Described(sdp string) { m.p.Do(&port.CallDescribed{Call: m.call, SDP: sdp}) }
func (m mouth) Address(mid, candidate string) {
	m.p.Do(&port.CallAddress{Call: m.call, Mid: mid, Candidate: candidate})
}
func (m mouth) Connected()    {}
func (m mouth) Broken()       {}
func (m mouth) Failed(string) {}

// browser is RTCPeerConnection of Chromium, made as the screen makes it (e2e/calls/node/peer.mjs).
type browser struct {
	in   io.Writer
	mu   sync.Mutex
	call string // guarded by mu: the one that is on
}

// openBrowser starts Chromium, which tells the engine of p what it makes.
func openBrowser(t *testing.T, p *person) *browser {
	t.Helper()
	chromium, node := foreign.Program(t, "chromium"), foreign.Node(t, "../../browser")
	b := &browser{}
	in, out := run(t, node, "../node/peer.mjs", chromium)
	b.in = in
	heard := make(chan struct{})
	go func() { defer close(heard); b.listen(t, p, out) }()
	t.Cleanup(func() { in.Close(); <-heard })
	return b
}

func (b *browser) listen(t *testing.T, p *person, out io.Reader) {
	for lines := json.NewDecoder(out); ; {
		var said struct{ Said, SDP, Mid, Candidate, Text string }
		if lines.Decode(&said) != nil {
			return
		}
		b.mu.Lock()
		call := b.call
		b.mu.Unlock()
		switch said.Said {
		case "described":
			p.Do(&port.CallDescribed{Call: call, SDP: said.SDP})
		case "address":
			p.Do(&port.CallAddress{Call: call, Mid: said.Mid, Candidate: said.Candidate})
		case "fed":
			p.note(func() { p.fed++ })
		case "trouble":
			t.Errorf("Chromium: %s", said.Text)
		}
	}
}

func (b *browser) does(_ *person, m *port.CallMedia) error {
	b.mu.Lock()
	b.call = m.Call
	b.mu.Unlock()
	return json.NewEncoder(b.in).Encode(map[string]any{
		"do": m.Do, "video": m.Video, "relayOnly": m.RelayOnly, "bundle": "balanced", "restart": m.Restart,
		"type": m.Type, "sdp": m.SDP, "mid": m.Mid, "candidate": m.Candidate,
	})
}

// until waits for something to be true, which is asked with mu held.
func (p *person) until(what string, is func() bool) {
	p.t.Helper()
	give := time.NewTimer(patience)
	defer give.Stop()
	for {
		p.mu.Lock()
		ok, more := is(), p.more
		call, did := p.call, p.did
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-more:
		case <-give.C:
			p.t.Fatalf("waited in vain for %s; the call is %+v, the seat did %q", what, call, did)
		}
	}
}
