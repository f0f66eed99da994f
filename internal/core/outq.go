package core

// Packet is one thing to write: shared byte segments, never changed by anyone.
type Packet struct {
	Segments [][]byte
	// Seq is the place in the owner's archive, 0 for what is not in it.
	Seq uint64
	// Nonza marks bytes that are no stanza: not counted by XEP-0198, not kept
	// until acknowledged.
	Nonza bool
	// Sole marks what no other session of the account was given: when this one
	// ends without acknowledging it, it is still owed.
	Sole bool
	// Prompt marks what never waits for a session that nobody looks at: who pushes
	// it to many knows, and nobody is asked for each.
	Prompt bool

	fed bool // by a source, or sent once already: paced, so not charged
}

// Size is the number of bytes.
func (p *Packet) Size() int {
	n := 0
	for _, s := range p.Segments {
		n += len(s)
	}
	return n
}

// Bytes makes a packet of one segment.
func Bytes(b []byte) Packet { return Packet{Segments: [][]byte{b}} }

// outq is a session's one ring: unacknowledged packets at the front, unwritten
// ones behind. An empty outq holds no memory.
type outq struct {
	ring    []Packet
	head    int // of the first packet
	n       int // packets in the ring
	written int // how many of them, from head, were given to the connection
	bytes   int // of all packets in the ring …
	waiting int // … that are unwritten
	charged int // … that are not fed, and
	live    int // … of these the unwritten

	keep   bool   // stream management: stanzas stay until acknowledged
	acked  uint32 // stanzas acknowledged by the peer
	unread int    // stanzas written and not yet acknowledged
}

func (q *outq) at(i int) *Packet { return &q.ring[(q.head+i)&(len(q.ring)-1)] }

func (q *outq) push(p Packet) {
	if q.n == len(q.ring) {
		q.grow()
	}
	*q.at(q.n) = p
	q.n++
	size := p.Size()
	q.bytes += size
	q.waiting += size
	if !p.fed {
		q.charged += size
		q.live += size
	}
}

func (q *outq) grow() {
	size := max(8, 2*len(q.ring))
	ring := make([]Packet, size)
	for i := range q.n {
		ring[i] = *q.at(i)
	}
	q.ring, q.head = ring, 0
}

// fill appends unwritten packets to b until it holds at least limit bytes, and
// marks them written. seq is the highest place that left the ring with it.
func (q *outq) fill(b []byte, limit int) (_ []byte, seq uint64) {
	for q.written < q.n && len(b) < limit {
		p := q.at(q.written)
		for _, s := range p.Segments {
			b = append(b, s...)
		}
		q.written++
		size := p.Size()
		q.waiting -= size
		if !p.fed {
			q.live -= size
		}
		if q.keep && !p.Nonza {
			q.unread++
		}
	}
	if !q.keep {
		seq = q.drop(q.written)
	} else if q.unread == 0 {
		seq = q.drop(q.written) // nonzas only
	}
	return b, seq
}

// drop removes n written packets from the front.
func (q *outq) drop(n int) (seq uint64) {
	for range n {
		p := q.at(0)
		seq = max(seq, p.Seq)
		size := p.Size()
		q.bytes -= size
		if !p.fed {
			q.charged -= size
		}
		*p = Packet{}
		q.head = (q.head + 1) & (len(q.ring) - 1)
		q.n--
		q.written--
	}
	if q.n == 0 {
		q.ring, q.head = nil, 0
	}
	return seq
}

// ack drops what the peer has acknowledged by h; ok is false when h counts
// more stanzas than were sent (XEP-0198 §4).
func (q *outq) ack(h uint32) (seq uint64, ok bool) {
	left := h - q.acked // modulo 2^32
	if left > uint32(q.unread) {
		return 0, false
	}
	n := 0
	for taken := uint32(0); n < q.written; n++ {
		if q.at(n).Nonza {
			continue
		}
		if taken == left {
			break
		}
		taken++
	}
	q.acked = h
	q.unread -= int(left)
	return q.drop(n), true
}

// rewind makes every stanza that is unacknowledged unwritten again, for a
// resumed stream, and puts first before them. Nonzas of the old stream go.
func (q *outq) rewind(first Packet) {
	fresh := outq{keep: q.keep, acked: q.acked}
	fresh.push(first)
	for i := range q.n {
		if p := *q.at(i); !p.Nonza {
			p.fed = true
			fresh.push(p)
		}
	}
	*q = fresh
}
