package core

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
)

// Flag is a fact about a session that any goroutine may read.
type Flag uint32

// The flags.
const (
	Carbons     Flag = 1 << iota // XEP-0280 enabled
	Interested                   // asked for its roster: gets pushes (RFC 6121 §2.1.6)
	ArchiveRead                  // has queried its archive: gets no offline copies
	Modern                       // bound by Bind 2
	Inactive                     // XEP-0352; set by SetInactive only
	BlockList                    // has asked for its block list: gets pushes (XEP-0191 §3.3)
	Blocks                       // its account has blocked somebody: only then Router.Blocked need be asked
)

// Session is one bound resource. It outlives its connection while it
// hibernates (XEP-0198 §5).
type Session struct {
	JID  jid.JID // full
	CID  string  // names the connection in logs; of the first one
	Born time.Time
	// Device is the client installation that signed in, as its account knows it;
	// "" where that is not known.
	Device string

	router   *Router
	lang     string // the stream's xml:lang; the reader's
	flags    atomic.Uint32
	presence atomic.Pointer[Presence]

	mu      sync.Mutex
	conn    Conn // nil while hibernating
	out     outq
	writing bool // a writer goroutine runs
	ended   bool
	in      window
	flying  int           // messages in the archive's pipeline
	wake    chan struct{} // the reader waits on it, for the window or the pipeline
	sm      smState
	sources []*sourced
	behind  int // bytes behind the sources
	held    *held
}

// sourced is a source and what was pushed after it: it waits, so that nothing
// overtakes what the source has still to give.
type sourced struct {
	Source
	then []Packet
}

// Presence is a session's current availability.
type Presence struct {
	Stanza   *stanza.Stanza // as broadcast, from the session, without to
	Priority int8
	// Of is the presence that the session sent, where this is that one with other additions of
	// ours; nil: this is it.
	Of *Presence
}

// Sent is the presence that the session itself sent; nil for nil.
func (p *Presence) Sent() *Presence {
	if p == nil || p.Of == nil {
		return p
	}
	return p.Of
}

// smState is XEP-0198's part of a session, under mu.
type smState struct {
	on      bool
	resume  bool
	id      [16]byte
	turn    chan struct{} // holds one while a connection takes the session over
	base    uint32        // window number of the last stanza before <enable/>
	early   bool          // stanzas from before <enable/> are still on their way
	marked  uint32        // the h that is durable
	owed    int           // answers to <r/> that wait …
	owedAt  uint32        // … for handled to reach this number
	marking bool          // a mark is on its way to disk
	idle    time.Time     // when the connection was lost; zero while there is one
	asked   bool          // our <r/> is unanswered
	timer   *time.Timer
}

// Source feeds a session in portions, as its queue drains.
type Source interface {
	// Next returns more packets, nil when there are none left. It runs on the
	// session's writer and may block on storage.
	Next() []Packet
}

// Flag tells whether a flag is set.
func (s *Session) Flag(f Flag) bool { return Flag(s.flags.Load())&f != 0 }

// SetFlag sets or clears a flag.
func (s *Session) SetFlag(f Flag, on bool) {
	if on {
		s.flags.Or(uint32(f))
	} else {
		s.flags.And(^uint32(f))
	}
}

// Presence is nil while the session is not available.
func (s *Session) Presence() *Presence { return s.presence.Load() }

// SetPresence is for the one presence handler.
func (s *Session) SetPresence(p *Presence) { s.presence.Store(p) }

// Online tells whether the session is available with a priority that gets
// messages for the bare JID (RFC 6121 §8.5.2.1).
func (s *Session) Online() bool {
	p := s.presence.Load()
	return p != nil && p.Priority >= 0
}

// Push queues a packet. It never blocks: a session whose queue is over its
// budget is closed, and the archive has what it missed.
func (s *Session) Push(p Packet) {
	key := s.holdKey(p)
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	if s.overflows(p.Size() + s.waiting()) {
		s.mu.Unlock()
		s.router.metrics.overflows.Inc()
		s.Close(&stream.Error{Condition: "resource-constraint", Text: "too much is waiting for this connection"})
		return
	}
	if key == "" || !s.hold(key, p) {
		s.unhold() // nothing overtakes what waited
		s.enqueue(p)
		s.startWriter()
	}
	asleep := s.conn == nil
	s.mu.Unlock()
	if asleep {
		s.asleep(p)
	}
}

// enqueue puts a packet behind everything; under mu.
func (s *Session) enqueue(p Packet) {
	n := len(s.sources)
	if n == 0 {
		s.out.push(p)
		return
	}
	s.sources[n-1].then = append(s.sources[n-1].then, p)
	s.behind += p.Size()
}

// How many times its budget for what is unwritten a session may hold of what
// is unacknowledged, and of everything, what sources fed included.
const (
	unackedMost = 4
	allMost     = 16
)

// overflows tells whether size more bytes are over the budget. What sources
// feed is paced by itself, so a peer that reads a long answer is not charged
// for it. One oversized packet may enter an empty queue; under mu.
func (s *Session) overflows(size int) bool {
	budget := s.router.limits.Queue
	more := s.behind + size
	return s.out.n+s.behind > 0 &&
		(s.out.live+more > budget || s.out.charged+more > unackedMost*budget || s.out.bytes+more > allMost*budget)
}

// greet queues what is said before anything else, not counted by XEP-0198
// when that was turned on with it. Before the session is known.
func (s *Session) greet(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.push(Packet{Segments: [][]byte{b}, Nonza: true})
}

// PushStanza queues a whole stanza.
func (s *Session) PushStanza(st *stanza.Stanza) { s.Push(Bytes(st.Raw)) }

// Feed queues a source behind what is queued now; what is pushed later comes
// behind the source.
func (s *Session) Feed(src Source) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	full := len(s.sources) >= sourcesMost
	if !full {
		s.unhold()
		s.sources = append(s.sources, &sourced{Source: src})
		s.startWriter()
	}
	s.mu.Unlock()
	if full {
		s.Close(&stream.Error{Condition: "policy-violation", Text: "too many long answers are waiting to be read"})
	}
}

// sourcesMost is how many sources may wait for one session.
const sourcesMost = 64

// startWriter is called under mu.
func (s *Session) startWriter() {
	if s.writing || s.conn == nil || s.ended {
		return
	}
	if s.out.written < s.out.n || len(s.sources) > 0 {
		s.writing = true
		go s.write(s.conn)
	}
}

// receive numbers the next stanza, waiting while the window is full. It
// returns false when the session ended meanwhile. Reader only.
func (s *Session) receive() (n uint32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waitFor(func() bool { return !s.in.full() || s.conn == nil })
	if s.ended || s.conn == nil {
		return 0, false
	}
	s.in.received++
	return s.in.received, true
}

// settleFlight waits until none of the session's messages is in the archive's
// pipeline, so that what comes next cannot overtake them. Reader only.
func (s *Session) settleFlight() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waitFor(func() bool { return s.flying == 0 })
}

// waitFor waits, under mu, for a condition or the session's end.
func (s *Session) waitFor(done func() bool) {
	for !done() && !s.ended {
		wake := make(chan struct{})
		s.wake = wake
		s.mu.Unlock()
		<-wake
		s.mu.Lock()
	}
}

// signal wakes a waiting reader; under mu.
func (s *Session) signal() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

// fly counts a message into the pipeline and tells whether one was there before.
func (s *Session) fly() {
	s.mu.Lock()
	s.flying++
	s.mu.Unlock()
}

// flyIfBusy joins the pipeline only when messages are in it.
func (s *Session) flyIfBusy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flying == 0 {
		return false
	}
	s.flying++
	return true
}

// Settle says that stanza n needs no more of the server: everything up to the
// lowest unsettled one may be acknowledged.
func (s *Session) settle(n uint32) {
	s.mu.Lock()
	if s.in.settle(n) {
		s.signal()
		s.payAcks()
	}
	s.mu.Unlock()
}

// landed settles stanza n as it leaves the pipeline. h is the count that is
// durable with it, meaningful when marked.
func (s *Session) landed(n uint32, marked bool, h uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying--
	if marked {
		s.mark(h)
	}
	moved := s.in.settle(n)
	if s.flying == 0 || moved {
		s.signal()
	}
	if moved {
		s.payAcks()
	}
}

// h is XEP-0198's count of handled stanzas; under mu.
func (s *Session) h() uint32 {
	if s.sm.early {
		if int32(s.in.handled-s.sm.base) < 0 {
			return 0
		}
		s.sm.early = false
	}
	return s.in.handled - s.sm.base
}

func (s *Session) mark(h uint32) {
	if int32(h-s.sm.marked) > 0 {
		s.sm.marked = h
	}
}

// payAcks answers the peer's <r/> once everything before it is settled and, on
// a resumable session, the count that it will hear is on disk; under mu.
func (s *Session) payAcks() {
	if s.sm.owed == 0 || int32(s.in.handled-s.sm.owedAt) < 0 {
		return
	}
	h := s.h()
	if s.sm.resume && int32(h-s.sm.marked) > 0 {
		s.persistMark(h)
		return
	}
	for ; s.sm.owed > 0; s.sm.owed-- {
		s.out.push(ackPacket(h))
	}
	s.startWriter()
}

// persistMark sends a mark through the archive; under mu.
func (s *Session) persistMark(h uint32) {
	if s.sm.marking {
		return
	}
	s.sm.marking = true
	t := &Transit{Session: s, Mark: s.sm.id, H: h, Time: time.Now(), release: s.marked}
	go s.router.archive.Append(t)
}

func (s *Session) marked(t *Transit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sm.marking = false
	s.mark(t.H)
	s.signal()
	s.payAcks()
}

// NSStreamManagement is XEP-0198's namespace.
const NSStreamManagement = "urn:xmpp:sm:3"

func ackPacket(h uint32) Packet {
	b := make([]byte, 0, 48)
	b = append(b, "<a xmlns='"+NSStreamManagement+"' h='"...)
	b = strconv.AppendUint(b, uint64(h), 10)
	return Packet{Segments: [][]byte{append(b, "'/>"...)}, Nonza: true}
}

// Close ends the session for good: its connection hears the reason, features
// hear that it is gone. It may be called by anyone, more than once.
func (s *Session) Close(reason *stream.Error) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	conn := s.conn
	s.conn = nil
	s.sources = nil
	s.held = nil
	s.stopTimer()
	s.signal()
	s.mu.Unlock()
	if conn != nil {
		conn.Abort(reason)
	}
	s.router.gone(s)
}

// Owed are the places of messages that this session alone was given and has
// not acknowledged. For Gone hooks: meaningful once it has ended.
func (s *Session) Owed() (seqs []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.out.n {
		if p := s.out.at(i); p.Sole && p.Seq != 0 {
			seqs = append(seqs, p.Seq)
		}
	}
	return seqs
}

// Ended tells whether the session is over.
func (s *Session) Ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *Session) stopTimer() {
	if s.sm.timer != nil {
		s.sm.timer.Stop()
		s.sm.timer = nil
	}
}
