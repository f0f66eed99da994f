package conn

import (
	"errors"
	"hash/fnv"
	"slices"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// session counts what goes both ways (XEP-0198 §4). It outlives the streams that
// carry it. It does no I/O and has no lock: Conn.mu guards it.
type session struct {
	epoch uint32 // what a Mark belongs to; grows
	jid   string // full, "" before the first stream
	sm    bool   // the server counts too
	id    string // to resume by, "" where that cannot be
	// restored: it is of an earlier run of the program, which may have sent more than it saved.
	restored bool

	// Inbound, as counts of stanzas that wrap at 2^32.
	settled uint32   // stored, and all before
	seen    uint32   // came
	here    uint32   // came on this stream: behind seen while the server repeats itself
	told    uint32   // what the server was last told
	owed    bool     // it asked, and was told less than seen
	open    []opened // those in (settled, seen]
	repeats []uint64 // stamps of what the server has to repeat first on this stream

	// Outbound.
	acked   uint32    // what the server has, as far as we know
	unacked []pending // sent after that, or to be sent
	bytes   int       // in unacked
	written int       // of unacked, on this stream
	asked   bool      // the server was asked what it has
}

// opened is a stanza that came and is not settled, or is behind one that is not.
type opened struct {
	stamp   uint64
	settled bool
}

// errRepeat is for a server that, resuming, goes on with something else than what
// it was not told of.
var errRepeat = errors.New("conn: the server did not repeat what it was not told of")

type pending struct {
	ticket uint64
	raw    []byte
}

// mostUnacked bounds what waits for the server.
const (
	mostUnacked      = 4096
	mostUnackedBytes = 16 << 20
)

// begin starts a new session and returns the tickets of the former one.
func (s *session) begin(jid string, sm bool, id string) (lost []uint64) {
	lost = tickets(s.unacked)
	*s = session{epoch: s.epoch + 1, jid: jid, sm: sm, id: id}
	return lost
}

// restore takes up a session of an earlier run of the program.
func (s *session) restore(v *Saved) {
	*s = session{epoch: s.epoch + 1, jid: v.JID, sm: true, id: v.ID, restored: true, settled: v.In, seen: v.In, here: v.In, acked: v.Out}
	for _, p := range v.Unacked {
		s.push([]byte(p.Raw), p.Ticket)
	}
}

// resume goes on with the session on a new stream: the server, which has h of our
// stanzas, repeats what it was not told of. Not ok is a count that cannot be.
func (s *session) resume(h uint32) (handled []uint64, ok bool) {
	s.here, s.told, s.owed, s.asked = s.settled, s.settled, false, false
	s.repeats = s.repeats[:0]
	for _, o := range s.open {
		s.repeats = append(s.repeats, o.stamp)
	}
	restored := s.restored
	s.restored = false
	if ahead := h - s.acked - uint32(len(s.unacked)); restored && ahead != 0 && ahead < 1<<31 {
		// sent after the session was saved: what it was is known nowhere
		s.acked += ahead
	}
	s.written = len(s.unacked)
	handled, ok = s.ack(h)
	s.written = 0
	return handled, ok
}

// came counts a stanza. again tells that it was given on already, on the stream
// before this one.
func (s *session) came(stamp uint64) (m Mark, again bool, err error) {
	s.here++
	if len(s.repeats) > 0 {
		if s.repeats[0] != stamp {
			return Mark{}, false, errRepeat
		}
		s.repeats = s.repeats[1:]
		return Mark{}, true, nil
	}
	s.seen = s.here
	s.open = append(s.open, opened{stamp: stamp})
	return Mark{session: s.epoch, n: s.seen}, false, nil
}

// settle notes that all up to m is settled, and tells whether the server is to hear it.
func (s *session) settle(m Mark) (tell bool) {
	n := s.depth(m)
	s.settled += n
	s.open = slices.Delete(s.open, 0, int(n))
	return s.sm && s.countable() != s.told && (s.owed && s.settled == s.seen || s.countable()-s.told >= tellEvery)
}

// tellEvery is after how many stanzas the server is told without having asked.
const tellEvery = 32

// skip settles one stanza that nobody will settle, as soon as those before it are.
func (s *session) skip(m Mark) (tell bool) {
	i := int(m.n - s.settled - 1)
	if m.session != s.epoch || i >= len(s.open) {
		return false
	}
	s.open[i].settled = true
	return s.settle(Mark{session: s.epoch, n: s.settled})
}

// depth is how many of the open stanzas m settles.
func (s *session) depth(m Mark) uint32 {
	n := m.n - s.settled
	if m.session != s.epoch || n > uint32(len(s.open)) {
		n = 0 // of another session, or settled before
	}
	for int(n) < len(s.open) && s.open[n].settled {
		n++
	}
	return n
}

// countable is what the server may be told now: never more than it has sent on
// this stream.
func (s *session) countable() uint32 {
	if s.here-s.settled < 1<<31 {
		return s.settled
	}
	return s.here
}

// tell is the count for an <a/> that is sent now.
func (s *session) tell() uint32 {
	s.told = s.countable()
	s.owed = s.told != s.seen
	return s.told
}

// push queues a stanza.
func (s *session) push(raw []byte, ticket uint64) bool {
	if len(s.unacked) >= mostUnacked || s.bytes+len(raw) > mostUnackedBytes {
		return false
	}
	s.unacked = append(s.unacked, pending{ticket, raw})
	s.bytes += len(raw)
	return true
}

// ack takes the server's count; not ok is a count of what was never sent.
func (s *session) ack(h uint32) (handled []uint64, ok bool) {
	n := h - s.acked
	if n > uint32(s.written) {
		return nil, false
	}
	handled = tickets(s.unacked[:n])
	for _, p := range s.unacked[:n] {
		s.bytes -= len(p.raw)
	}
	s.unacked = slices.Delete(s.unacked, 0, int(n))
	s.written -= int(n)
	s.acked = h
	return handled, true
}

// forget gives the session up: its tickets are lost.
func (s *session) forget() (lost []uint64) {
	lost = tickets(s.unacked)
	*s = session{epoch: s.epoch + 1}
	return lost
}

// saved is the session as it is once all up to m is settled.
func (s *session) saved(m Mark) *Saved {
	if s.id == "" {
		return nil
	}
	v := &Saved{ID: s.id, JID: s.jid, In: s.settled + s.depth(m), Out: s.acked}
	for _, p := range s.unacked {
		v.Unacked = append(v.Unacked, Pending{p.ticket, string(p.raw)})
	}
	return v
}

func tickets(list []pending) (out []uint64) {
	for _, p := range list {
		if p.ticket != 0 {
			out = append(out, p.ticket)
		}
	}
	return out
}

// stampOf tells stanzas apart as far as a server repeats them unchanged: it may
// append when they were delayed.
func stampOf(e xtok.Elem) uint64 {
	h := fnv.New64a()
	for _, a := range []string{"type", "id", "from", "to"} {
		h.Write([]byte(e.Attr(a) + "\x00"))
	}
	first := e.First()
	for _, a := range []string{e.Local(), first.Local(), first.NS(), first.Attr("id"), first.Attr("queryid")} {
		h.Write([]byte(a + "\x00"))
	}
	return h.Sum64()
}

// counts tells whether an element is a stanza, which stream management counts.
// XEP-0198 §4
func counts(e xtok.Elem) bool {
	return e.Is(stanza.NSClient, "message") || e.Is(stanza.NSClient, "presence") || e.Is(stanza.NSClient, "iq")
}
