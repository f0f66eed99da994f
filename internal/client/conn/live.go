package conn

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// live is a stream with a session on it: a reader, which is Run's goroutine, a
// writer, and a watch for a peer that is gone.
type live struct {
	t    Transport
	csi  bool
	more chan struct{} // holds one when there is something to write
	done chan struct{} // closed when the reader has ended

	heard   atomic.Int64 // when something came, Unix nanoseconds
	count   atomic.Uint64
	telling atomic.Bool // the reader waits for the engine: silence means nothing

	// These are Conn.mu's.
	nonzas [][]byte // to be written
	tell   bool     // an <a/> is to be written
	ask    bool     // the server is to be asked what it has, also if there is nothing to know
	hold   bool     // not yet: it was asked a moment ago, and had nothing more
	ended  bool     // the end of the stream was written
	dead   error    // why the transport was closed by us
}

func newLive(t Transport, csi bool) *live {
	l := &live{t: t, csi: csi, more: make(chan struct{}, 1), done: make(chan struct{})}
	l.heard.Store(time.Now().UnixNano())
	return l
}

// wake has the writer look.
func (l *live) wake() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// nonza queues what is no stanza. It needs Conn.mu.
func (l *live) nonza(b []byte) {
	l.nonzas = append(l.nonzas, b)
	l.wake()
}

// abandon ends the stream for a reason of ours.
func (c *Conn) abandon(l *live, why error) {
	c.mu.Lock()
	if l.dead == nil {
		l.dead = why
	}
	c.mu.Unlock()
	l.t.Close()
}

// serve reads a stream until it ends, and waits for its goroutines.
func (c *Conn) serve(ctx context.Context, l *live) error {
	stop := context.AfterFunc(ctx, func() { l.t.Close() })
	defer stop()
	idle := make(chan struct{})
	go func() { defer close(idle); c.watch(l) }()
	wrote := make(chan struct{})
	go func() { defer close(wrote); c.write(l) }()
	err := c.read(l)
	close(l.done)
	l.t.Close()
	<-idle
	<-wrote
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.dead != nil {
		err = l.dead
	}
	return err
}

func (c *Conn) read(l *live) error {
	for {
		ev, e, err := l.t.Read()
		l.heard.Store(time.Now().UnixNano())
		l.count.Add(1)
		switch {
		case err != nil:
			return err
		case ev == xtok.Close:
			return io.EOF
		case ev == xtok.Open:
			return nonsense("the server begins a stream in a stream")
		}
		l.telling.Store(true)
		err = c.element(l, e)
		l.heard.Store(time.Now().UnixNano())
		l.telling.Store(false)
		if err != nil {
			return err
		}
	}
}

// element takes what came. An error ends the stream.
func (c *Conn) element(l *live, e xtok.Elem) error {
	switch {
	case counts(e):
		return c.stanza(l, e)
	case e.Is(stream.NS, "error"):
		return streamRefusal(e)
	case e.Is(nsSM, "r"):
		c.mu.Lock()
		defer c.mu.Unlock()
		c.acknowledge()
	case e.Is(nsSM, "a"):
		return c.acked(l, e)
	}
	return nil // what is not known is not meant for us
}

// stanza counts one and gives it to who waits for it.
func (c *Conn) stanza(l *live, e xtok.Elem) error {
	head, bad := stanza.ReadHead(e)
	if head.Kind == stanza.IQ && isOwnPing(head.ID) && !head.IsRequest() && c.ponged(l, head) {
		return nil
	}
	c.mu.Lock()
	m, again, err := c.s.came(stampOf(e))
	if err != nil {
		c.mu.Unlock()
		return &Refusal{Reason: Misbehaved, Words: "the server lost count of what it had sent", Err: err}
	}
	c.mu.Unlock()
	if again {
		return nil
	}
	if bad == nil && head.Kind != stanza.None {
		s := stanza.Make(head, e, stanza.Edit{})
		own := &Stanza{Head: head, Raw: s.Raw, Mark: m}
		if own.Elem, err = s.Elem(); err != nil {
			return err
		}
		if c.route(own) {
			return nil
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.s.skip(m) {
		c.acknowledge()
	}
	return nil
}

// route gives a stanza on, and tells whether somebody will settle it.
func (c *Conn) route(s *Stanza) bool {
	switch {
	case s.Kind == stanza.IQ && !s.IsRequest():
		c.answer(s)
		return false
	case s.Kind == stanza.IQ && c.pinged(s):
		return false
	}
	c.emit(s)
	return true
}

// acked takes the server's count. XEP-0198 §4
func (c *Conn) acked(l *live, e xtok.Elem) error {
	h, err := strconv.ParseUint(e.Attr("h"), 10, 32)
	if err != nil {
		return nonsense("the server does not say what it has received")
	}
	c.mu.Lock()
	handled, ok := c.progress(l, uint32(h))
	c.mu.Unlock()
	if !ok {
		return nonsense("the server has received more than was sent")
	}
	c.emitHandled(handled)
	return nil
}

// askAgain is how long a server is left alone that was asked and had nothing more.
const askAgain = time.Second

// progress takes a count, and has the server asked again where something is left.
// It needs the lock.
func (c *Conn) progress(l *live, h uint32) (handled []uint64, ok bool) {
	c.s.asked = false
	moved := h != c.s.acked
	if handled, ok = c.s.ack(h); !ok {
		return nil, false
	}
	if !moved && len(c.s.unacked) > 0 {
		l.hold = true
		time.AfterFunc(askAgain, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			l.hold = false
			l.wake()
		})
	}
	l.wake()
	return handled, true
}

// ponged takes the answer to a ping of ours as what an <a/> says: a server without
// stream management handles in order what comes (RFC 6120 §10.1).
func (c *Conn) ponged(l *live, h stanza.Head) bool {
	n, err := strconv.ParseUint(h.ID[len(ownPing):], 10, 32)
	c.mu.Lock()
	if err != nil || c.s.sm || !c.s.asked || !c.from(c.cfg.Address, h.From) && h.From != c.cfg.Address.DomainOnly() {
		c.mu.Unlock()
		return false
	}
	handled, _ := c.progress(l, uint32(n))
	c.mu.Unlock()
	c.emitHandled(handled)
	return true
}

// burst bounds what is written at one time.
const burst = 64 << 10

// write writes what there is until the reader ends.
func (c *Conn) write(l *live) {
	for {
		select {
		case <-l.done:
			return
		case <-l.more:
		}
		for {
			out := c.batch(l)
			if len(out) == 0 {
				break
			}
			if err := l.t.Write(out...); err != nil {
				l.t.Close() // the reader hears of it
				return
			}
		}
		if c.farewell(l) {
			l.t.End()
		}
	}
}

// batch takes what is to be written next.
func (c *Conn) batch(l *live) (out [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.s
	out, l.nonzas = l.nonzas, nil
	if l.tell {
		l.tell = false
		out = append(out, fmt.Appendf(nil, "<a xmlns='%s' h='%d'/>", nsSM, s.tell()))
	}
	size := 0
	for s.written < len(s.unacked) && size < burst {
		b := s.unacked[s.written].raw
		s.written++
		size += len(b)
		out = append(out, b)
	}
	if (s.written > 0 && !l.hold || l.ask) && !s.asked {
		s.asked, l.ask = true, false
		out = append(out, s.question())
	}
	return out
}

// question asks the server how far it is.
func (s *session) question() []byte {
	if s.sm {
		return []byte("<r xmlns='" + nsSM + "'/>")
	}
	n := s.acked + uint32(s.written)
	return fmt.Appendf(nil, "<iq xmlns='jabber:client' type='get' id='%s%d'><ping xmlns='urn:xmpp:ping'/></iq>", ownPing, n)
}

// farewell tells, once, that the stream is to be ended: we leave, and the server
// has everything.
func (c *Conn) farewell(l *live) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving == nil || l.ended || len(c.s.unacked) > 0 {
		return false
	}
	l.ended = true
	return true
}

// kickPatience is how long a stream may take to prove that it has survived a change
// of the network.
const kickPatience = 5 * time.Second

// partingTime is how long a server may take to let us go.
const partingTime = 5 * time.Second

// watch asks a server that is silent for a sign of life, and gives the stream up
// when none comes. It is one loop over three clocks: silence, an answer, leaving.
func (c *Conn) watch(l *live) {
	asked, hurry, before, parted := false, false, uint64(0), c.parted
	defer func() {
		if hurry { // it was gone, as somebody thought
			c.Kick()
		}
	}()
	timer, patience := time.NewTimer(c.cfg.Idle), c.cfg.Patience
	defer timer.Stop()
	for {
		kicked := false
		select {
		case <-l.done:
			return
		case <-parted:
			parted = nil
			defer context.AfterFunc(c.leave(), func() { l.t.Close() })()
			defer time.AfterFunc(partingTime, func() { l.t.Close() }).Stop()
			continue
		case <-c.kicked:
			kicked = true
		case <-timer.C:
		}
		quiet := time.Since(time.Unix(0, l.heard.Load()))
		switch {
		case l.telling.Load(), asked && !kicked && l.count.Load() != before, !asked && !kicked && quiet < c.cfg.Idle:
			asked, hurry, patience = false, false, c.cfg.Patience
			timer.Reset(max(c.cfg.Idle-quiet, time.Millisecond))
		case asked && !kicked:
			c.abandon(l, &Refusal{Reason: Unreachable, Words: "the server does not answer any more"})
			return
		default:
			if kicked {
				hurry = true
				patience = min(kickPatience, c.cfg.Patience)
			}
			asked, before = true, l.count.Load()
			c.probe(l)
			timer.Reset(patience)
		}
	}
}

// probe asks the server for anything at all.
func (c *Conn) probe(l *live) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.asked, l.hold, l.ask = false, false, true
	l.wake()
}

// leave is the context of Leave, which was called.
func (c *Conn) leave() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaving
}
