//go:build !js

// Package seat is the terminal's place in a call: what has microphone, camera and
// sockets there. It does what the engine says step by step (open, create, offer,
// remote, answer, address, camera, restart, close), and tells it what came of it. The
// microphone is a file of Opus in Ogg or silence, the camera a file of VP8 in IVF or a
// grey picture; what comes can be recorded in the same formats, and is counted. The
// protocols are those of github.com/pion/webrtc.
//
// It is not the engine: it knows no address of a person and decides nothing. It is not for
// browsers, which have their own. Invariants: nothing of the media library is called before
// Create, and nothing that comes from the other side is given to it before Remote (R13);
// nothing is played before there is a connection; what was started has ended when Close
// returns.
package seat

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// Reports is who hears what the seat finds out: the engine. Its methods do not block and
// may be called by any goroutine; a description comes before the addresses that belong
// to it.
type Reports interface {
	// Described has the session description that Offer, Answer or Restart made.
	Described(sdp string)
	// Address is a way to reach us: a line of ICE, for the content of that name; "" is
	// that there are no more.
	Address(mid, candidate string)
	// Connected is that media can flow, also again behind a break.
	Connected()
	// Broken is that nothing comes through any more: another way may be found (Restart).
	Broken()
	// Failed is the end.
	Failed(text string)
}

// Config says what is played and where what comes is put.
type Config struct {
	Audio  string // a file of Opus in Ogg, played over and over; "" is silence
	Video  string // a file of VP8 in IVF, played over and over; "" is a grey picture
	Record string // a folder, made if need be; "" records nothing
	// Heard is told of the first packet of a kind, "audio" or "video"; it may be nil. It
	// does not block.
	Heard func(kind string)

	loopback bool // tests: use the loopback too
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

// Seat is one call's. Its methods are called by one goroutine, but for Stats and SetMuted,
// which any may call.
type Seat struct {
	cfg   Config
	to    Reports
	audio source
	video source // nil without a camera

	pc                *webrtc.PeerConnection
	net               *network                  // of pc
	answered, passive bool                      // the first offer has an answer; by it, they have begun the handshake
	alone             bool                      // they know no bundles
	early             []webrtc.ICECandidateInit // of theirs, before their description
	counts            [2]*count                 // by kind
	sent              [2]flow
	tape              *tape
	muted             [2]atomic.Bool
	life              context.Context // until Close
	leave             context.CancelFunc
	run               sync.WaitGroup

	mu        sync.Mutex // held for moments
	described bool       // guarded by mu: ours is told
	found     [][2]string
	begun     bool          // guarded by mu
	connected chan struct{} // closed when media can flow for the first time
	closed    bool          // guarded by mu
	last      Stats
}

// The two kinds of media.
const (
	audioKind = iota
	videoKind
)

var kinds = [2]string{"audio", "video"}

// Server is one that helps to connect: STUN or TURN.
type Server struct {
	URLs                 []string
	Username, Credential string
}

// New makes a seat; nothing is opened yet.
func New(cfg Config, to Reports) *Seat {
	s := &Seat{cfg: cfg, to: to, connected: make(chan struct{})}
	s.life, s.leave = context.WithCancel(context.Background())
	for k := range s.counts {
		s.counts[k] = &count{}
	}
	return s
}

// errOrder is a step that cannot come now.
var errOrder = errors.New("the media was asked for something out of its order")

// Open opens the microphone and, with video, the camera: files are looked at here, so that
// what is wrong with them is said before anybody is called.
func (s *Seat) Open(video bool) (err error) {
	if s.audio == nil {
		if s.audio, err = openAudio(s.cfg.Audio); err != nil {
			return err
		}
	}
	if video && s.video == nil {
		if s.video, err = openVideo(s.cfg.Video); err != nil {
			return err
		}
	}
	if s.cfg.Record != "" && s.tape == nil {
		s.tape, err = newTape(s.cfg.Record)
	}
	return err
}

// SetMuted stops what we say, what we show, or both, and lets it go on.
func (s *Seat) SetMuted(audio, video bool) {
	s.muted[audioKind].Store(audio)
	s.muted[videoKind].Store(video)
}

// Close ends it all and returns when it has ended; more than once is nothing.
func (s *Seat) Close() error {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if was {
		return nil
	}
	last := s.stats()
	s.leave()
	var err error
	if s.pc != nil {
		late := time.AfterFunc(farewell, s.net.cut)
		err = s.pc.GracefulClose()
		late.Stop()
	}
	s.run.Wait()
	s.mu.Lock()
	s.last = last
	s.mu.Unlock()
	for _, p := range []source{s.audio, s.video} {
		if p != nil {
			err = errors.Join(err, p.Close())
		}
	}
	return errors.Join(err, s.tape.close())
}

// started runs f on a goroutine that Close waits for; not when that has begun.
func (s *Seat) started(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.run.Go(f)
	}
}
