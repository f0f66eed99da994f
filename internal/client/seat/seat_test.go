//go:build !js

package seat

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"

	"mirsal/internal/turn"
)

// patience is how long anything may take before a test gives up.
const patience = 60 * time.Second

// end is one end of a call without an engine: what its seat tells is done at the other one's,
// in its order.
type end struct {
	*Seat
	t     *testing.T
	other *end
	do    chan func() error
	done  sync.WaitGroup

	mu        sync.Mutex
	addresses []string      // guarded by mu
	described []string      // guarded by mu
	connected int           // guarded by mu
	failed    string        // guarded by mu
	more      chan struct{} // guarded by mu: closed when one of these is new
	heard     chan string
	deaf      bool // guarded by mu: the other end hears nothing
	offers    bool // what it describes now is an offer
}

func (e *end) tell(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
	close(e.more)
	e.more = make(chan struct{})
}

func (e *end) Described(sdp string) {
	offer := e.offers
	e.offers = false
	deaf := false
	e.tell(func() { e.described, deaf = append(e.described, sdp), e.deaf })
	if deaf {
		return
	}
	e.other.do <- func() error {
		if !offer {
			return e.other.Seat.Remote(sdp, false)
		}
		if e.other.pc == nil {
			if err := e.other.Create(nil, false); err != nil {
				return err
			}
		}
		if err := e.other.Seat.Remote(sdp, true); err != nil {
			return err
		}
		return e.other.Answer()
	}
}

func (e *end) Address(mid, candidate string) {
	deaf := false
	e.tell(func() { e.addresses, deaf = append(e.addresses, candidate), e.deaf })
	if deaf {
		return
	}
	e.other.do <- func() error { return e.other.Seat.Address(mid, candidate) }
}

func (e *end) Connected() { e.tell(func() { e.connected++ }) }
func (e *end) Broken()    {}
func (e *end) Failed(text string) {
	e.tell(func() { e.failed = text })
}

// until waits for what an end was told.
func (e *end) until(what string, right func() bool) {
	e.t.Helper()
	give := time.After(patience)
	for {
		e.mu.Lock()
		ok, failed, more := right(), e.failed, e.more
		e.mu.Unlock()
		switch {
		case ok:
			return
		case failed != "":
			e.t.Fatalf("failed: %s", failed)
		}
		select {
		case <-more:
		case <-give:
			e.t.Fatalf("waited in vain for %s; %+v", what, e.Stats())
		}
	}
}

// counted waits for numbers: there is no event for them.
func (e *end) counted(what string, right func(Stats) bool) {
	e.t.Helper()
	for give := time.Now().Add(patience); !right(e.Stats()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(give) {
			e.t.Fatalf("waited in vain for %s; %+v", what, e.Stats())
		}
	}
}

func newEnd(t *testing.T, cfg Config) *end {
	e := &end{t: t, do: make(chan func() error, 1000), more: make(chan struct{}), heard: make(chan string, 10)}
	cfg.loopback = true
	cfg.Heard = func(kind string) { e.heard <- kind }
	e.Seat = New(cfg, e)
	e.done.Go(func() {
		for f := range e.do {
			if err := f(); err != nil {
				t.Errorf("a step: %v", err)
			}
		}
	})
	return e
}

// two are the ends of a call that are not connected yet.
func two(t *testing.T, a, b Config) (alice, bob *end) {
	alice, bob = newEnd(t, a), newEnd(t, b)
	alice.other, bob.other = bob, alice
	t.Cleanup(func() {
		alice.hangUp()
		bob.hangUp()
		close(alice.do)
		close(bob.do)
		alice.done.Wait()
		bob.done.Wait()
	})
	return alice, bob
}

func (e *end) hangUp() {
	e.t.Helper()
	if err := e.Close(); err != nil {
		e.t.Errorf("close: %v", err)
	}
}

// must does a step on the end's own goroutine.
func (e *end) must(steps ...func() error) {
	e.t.Helper()
	for _, f := range steps {
		done := make(chan error, 1)
		e.do <- func() error { done <- f(); return nil }
		if err := <-done; err != nil {
			e.t.Fatal(err)
		}
	}
}

func (e *end) open(video bool) func() error { return func() error { return e.Open(video) } }
func (e *end) create(servers []Server, relayOnly bool) func() error {
	return func() error { return e.Create(servers, relayOnly) }
}
func (e *end) call() error { e.offers = true; return e.Offer() }
func (e *end) again() error {
	e.offers = true
	return e.Restart()
}

// talk has the two connected.
func talk(t *testing.T, a, b Config, videoA, videoB bool) (alice, bob *end) {
	t.Helper()
	alice, bob = two(t, a, b)
	bob.must(bob.open(videoB))
	alice.must(alice.open(videoA), alice.create(nil, false), alice.call)
	for _, e := range []*end{alice, bob} {
		e.until("a connection", func() bool { return e.connected > 0 })
	}
	return alice, bob
}

func TestTwoHearAndSeeEachOther(t *testing.T) {
	alice, bob := talk(t, Config{}, Config{}, true, true)
	for _, e := range []*end{alice, bob} {
		e.counted("sound and pictures", func(s Stats) bool {
			return s.Audio.Packets > 20 && s.Audio.Frames == s.Audio.Packets && s.Video.Frames > 3 && s.Video.Whole > 3 && s.Path != "" && s.RoundTrip > 0
		})
		if s := e.Stats(); s.Audio.SentFrames == 0 || s.Video.SentFrames == 0 || s.Audio.SentBytes == 0 {
			t.Errorf("what is sent is not counted: %+v", s)
		}
	}
	if a, b := <-bob.heard, <-bob.heard; a == b {
		t.Errorf("heard %s twice", a)
	}
	alice.hangUp()
	if s := alice.Stats(); s.Audio.Packets == 0 || s.Path == "" {
		t.Errorf("behind the end nothing is known: %+v", s)
	}
}

func TestWhoHasNoCameraSeesTheOther(t *testing.T) {
	_, bob := talk(t, Config{}, Config{}, true, false)
	bob.counted("pictures", func(s Stats) bool { return s.Video.Frames > 3 })
	if s := bob.other.Stats(); s.Video.Packets != 0 || bob.Stats().Video.SentFrames != 0 {
		t.Errorf("bob has no camera, and alice sees %+v", s)
	}
}

func TestACameraComesInMidCall(t *testing.T) {
	alice, bob := talk(t, Config{}, Config{}, false, false)
	bob.counted("sound", func(s Stats) bool { return s.Audio.Packets > 5 })
	alice.must(alice.Camera, alice.call)
	bob.counted("pictures", func(s Stats) bool { return s.Video.Frames > 3 })
	bob.must(bob.Camera, bob.call)
	alice.counted("pictures", func(s Stats) bool { return s.Video.Frames > 3 })
	// bob has begun the handshake, in answering; that alice answers now turns no roles round
	alice.mu.Lock()
	defer alice.mu.Unlock()
	if last := alice.described[len(alice.described)-1]; !strings.Contains(last, "a=setup:passive") || strings.Contains(last, "a=setup:active") {
		t.Errorf("alice answered %s", last)
	}
}

func TestARestartKeepsTheCall(t *testing.T) {
	alice, bob := talk(t, Config{}, Config{}, false, false)
	alice.must(alice.again)
	before := bob.Stats().Audio.Packets
	bob.counted("sound behind it", func(s Stats) bool { return s.Audio.Packets > before+100 })
}

func TestARestartThatNobodyHasHeardIsMadeAnew(t *testing.T) {
	alice, bob := talk(t, Config{}, Config{}, false, false)
	alice.mu.Lock()
	alice.deaf = true
	alice.mu.Unlock()
	alice.must(alice.again, alice.again)
	alice.until("its addresses", func() bool { return alice.addresses[len(alice.addresses)-1] == "" })
	alice.mu.Lock()
	alice.deaf = false
	alice.mu.Unlock()
	alice.must(alice.again)
	before := bob.Stats().Audio.Packets
	bob.counted("sound behind it", func(s Stats) bool { return s.Audio.Packets > before+100 })
}

func TestWhoIsMutedSendsNothing(t *testing.T) {
	alice, bob := talk(t, Config{}, Config{}, false, false)
	bob.counted("sound", func(s Stats) bool { return s.Audio.Packets > 5 })
	alice.SetMuted(true, true)
	sent := alice.Stats().Audio.SentFrames
	bob.counted("all that was sent", func(s Stats) bool { return s.Audio.Packets >= sent })
	heard := alice.Stats().Audio.Packets
	alice.counted("a while of bob's sound", func(s Stats) bool { return s.Audio.Packets > heard+30 })
	if s := alice.Stats().Audio.SentFrames; s > sent+1 { // one may be on its way
		t.Errorf("%d frames were sent while muted", s-sent)
	}
	alice.SetMuted(false, false)
	bob.counted("sound again", func(s Stats) bool { return s.Audio.Packets > sent+10 })
}

// voice writes a file of Opus whose packets are all different.
func voice(t *testing.T, name string, packets int) [][]byte {
	t.Helper()
	w, err := oggwriter.New(name, 48000, 2)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for i := range packets {
		p := append([]byte{0xf8}, bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 20+i%200)...)
		all = append(all, p)
		if err := w.WriteRTP(&rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i)}, Payload: p}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// read is what a file holds, once.
func read(t *testing.T, name string, open func(io.Reader) (frames, error)) (all [][]byte) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := open(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, _, err := f.next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.Clone(p))
	}
}

func TestWhatIsPlayedIsWhatIsRecorded(t *testing.T) {
	dir := t.TempDir()
	said := voice(t, filepath.Join(dir, "voice.ogg"), 40)
	a := Config{Audio: filepath.Join(dir, "voice.ogg")}
	b := Config{Record: filepath.Join(dir, "tape")}
	alice, bob := talk(t, a, b, true, false)
	bob.counted("more than the file", func(s Stats) bool { return s.Audio.Packets > 60 && s.Video.Frames > 5 })
	bob.hangUp()
	alice.hangUp()
	heard := read(t, filepath.Join(b.Record, "audio-1.ogg"), newOgg)
	at := -1
	for i, p := range said {
		if bytes.Equal(p, heard[0]) {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("%x was not said", heard[0])
	}
	if lost := bob.Stats().Audio.Lost; lost == 0 {
		for i, p := range heard {
			if want := said[(at+i)%len(said)]; !bytes.Equal(p, want) {
				t.Fatalf("packet %d is %x, not %x", i, p, want)
			}
		}
	}
	seen := read(t, filepath.Join(b.Record, "video-1.ivf"), newIVF)
	if len(seen) < 5 || !bytes.Equal(seen[0], grey(greyWidth, greyHeight)) {
		t.Errorf("%d pictures, the first of %d bytes", len(seen), len(seen[0]))
	}
}

func TestThroughTheRelayAloneNoOtherAddressIsTold(t *testing.T) {
	here := netip.MustParseAddr("127.0.0.1")
	cred := turn.NewCredentials([]byte(strings.Repeat("k", 32)))
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay, err := turn.Start(turn.Config{
		Realm: "example.org", Credentials: cred, Relay: []netip.Addr{here}, Own: []netip.Addr{here}, MinPort: 20000, MaxPort: 60000, AllowPrivate: true,
		PerAccount: 30, PerAddress: 100, Most: 200, Rate: 1 << 20, Volume: 1 << 30, Lifetime: time.Hour, Log: slog.New(slog.DiscardHandler),
	}, udp)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.Close)
	server := func(account string) []Server {
		user, password := cred.Issue(account, time.Now().Add(time.Hour))
		return []Server{{URLs: []string{"turn:" + udp.LocalAddr().String() + "?transport=udp"}, Username: user, Credential: password}}
	}
	alice, bob := two(t, Config{}, Config{})
	bob.must(bob.open(true), bob.create(server("bob@example.org"), true))
	alice.must(alice.open(true), alice.create(server("alice@example.org"), true), alice.call)
	for _, e := range []*end{alice, bob} {
		e.counted("sound and pictures", func(s Stats) bool { return s.Audio.Packets > 20 && s.Video.Frames > 3 })
		if s := e.Stats(); s.Path != "relay-relay" {
			t.Errorf("the way is %s", s.Path)
		}
		e.until("the last address", func() bool { return len(e.addresses) > 0 && e.addresses[len(e.addresses)-1] == "" })
		for _, a := range e.addresses {
			if a != "" && !strings.Contains(a, " typ relay ") {
				t.Errorf("an address was told: %s", a)
			}
		}
	}
	alice.hangUp()
	bob.hangUp()
}

// Nothing that the other side says is looked at before this side has made its media.
func TestNothingIsReadBeforeTheMediaIsThere(t *testing.T) {
	e := newEnd(t, Config{})
	defer close(e.do)
	for _, err := range []error{e.Remote("v=0", true), e.Seat.Address("0", "candidate:x"), e.Answer(), e.Offer(), e.Camera(), e.Create(nil, false)} {
		if err != errOrder {
			t.Errorf("%v", err)
		}
	}
	e.hangUp()
}

// An address that cannot be used is left out, and a description that is none is an error.
func TestWhatIsNoneIsRefused(t *testing.T) {
	e := newEnd(t, Config{})
	defer close(e.do)
	defer e.hangUp()
	e.must(e.open(false), e.create(nil, false))
	for range 2 * mostEarly {
		if err := e.Seat.Address("0", "candidate:nonsense"); err != nil {
			t.Error(err)
		}
	}
	if len(e.early) != mostEarly {
		t.Errorf("%d addresses are kept", len(e.early))
	}
	for _, sdp := range []string{"", "v=0", "m=audio", strings.Repeat("a=\r\n", 1000)} {
		if e.Remote(sdp, true) == nil {
			t.Errorf("%q was taken", sdp)
		}
	}
}

// deaf hears nothing.
type deaf struct{}

func (deaf) Described(string)       {}
func (deaf) Address(string, string) {}
func (deaf) Connected()             {}
func (deaf) Broken()                {}
func (deaf) Failed(string)          {}

// A relay that cannot be reached holds nobody up who hangs up: the system would try for minutes.
func TestARelayThatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	dials, stopped := make(chan struct{}, 1), make(chan struct{})
	s := New(Config{dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		dials <- struct{}{}
		<-ctx.Done()
		close(stopped)
		return nil, ctx.Err()
	}}, deaf{})
	relay := []Server{{URLs: []string{"turn:192.0.2.1:3478?transport=tcp"}, Username: "x", Credential: "x"}}
	if err := errors.Join(s.Open(false), s.Create(relay, true), s.Offer()); err != nil {
		t.Fatal(err)
	}
	<-dials
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-stopped
}
