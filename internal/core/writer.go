package core

import (
	"sync"
	"time"
)

// writeBatch is how many bytes a writer gathers before it writes: one TLS
// record's worth.
const writeBatch = 16 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, writeBatch+4<<10); return &b }}

// write empties the queue into the connection and ends. At most one runs for a
// session.
func (s *Session) write(conn Conn) {
	buf := buffers.Get().(*[]byte)
	for s.writeOnce(conn, buf) {
	}
	if cap(*buf) <= 2*writeBatch {
		buffers.Put(buf)
	}
}

// writeOnce writes one batch; false ends the writer.
func (s *Session) writeOnce(conn Conn, buf *[]byte) bool {
	s.mu.Lock()
	if s.conn != conn || s.ended {
		s.writing = false
		s.startWriter() // for a connection that took over
		s.mu.Unlock()
		return false
	}
	b, seq := s.out.fill((*buf)[:0], writeBatch)
	if len(b) == 0 {
		more := s.nextSource()
		s.mu.Unlock()
		return more
	}
	b = s.askForAck(b)
	s.mu.Unlock()
	*buf = b
	if _, err := conn.Write(b); err != nil {
		conn.Abort(nil)
		s.mu.Lock()
		s.writing = false
		if s.conn != conn {
			s.startWriter()
		}
		s.mu.Unlock()
		return false
	}
	if seq > 0 {
		s.router.delivered(s, seq)
	}
	return true
}

// nextSource takes more from the first source; under mu, which it gives up
// meanwhile. False means that there is nothing to write now and the writer ends.
func (s *Session) nextSource() bool {
	if len(s.sources) == 0 || s.out.bytes > s.router.limits.Queue/4 {
		s.writing = false
		return false
	}
	src := s.sources[0]
	s.mu.Unlock()
	packets := src.Next()
	s.mu.Lock()
	if s.ended || len(s.sources) == 0 || s.sources[0] != src {
		return true
	}
	for _, p := range packets {
		p.fed = true
		s.out.push(p)
	}
	if packets == nil {
		s.sources[0] = nil
		s.sources = s.sources[1:]
		for _, p := range src.then {
			s.behind -= p.Size()
			s.out.push(p)
		}
	}
	return true
}

// How much may be unacknowledged before we ask at once, and how long we wait
// before we ask for less.
const (
	askStanzas  = 24
	askAfter    = 250 * time.Millisecond
	ackPatience = 90 * time.Second
)

var askBytes = []byte("<r xmlns='" + NSStreamManagement + "'/>")

// askForAck appends an <r/> when much is unacknowledged, or enough at the end
// of a burst, else sees to it that one follows; under mu.
func (s *Session) askForAck(b []byte) []byte {
	if !s.out.keep || s.out.unread == 0 || s.sm.asked {
		return b
	}
	much := s.out.bytes-s.out.waiting > s.router.limits.Queue/8
	last := s.out.written == s.out.n
	if !much && !last {
		return b
	}
	if !much && s.out.unread < askStanzas && len(s.sources) == 0 {
		if s.sm.timer == nil {
			s.sm.timer = time.AfterFunc(askAfter, s.askLate)
		}
		return b
	}
	s.asking()
	return append(b, askBytes...)
}

// askForRest sees to it that what an answer left open is asked for again: at
// once when a source waits for room; under mu.
func (s *Session) askForRest() {
	switch {
	case s.out.unread == 0:
	case len(s.sources) > 0 && s.out.written == s.out.n:
		s.asking()
		s.out.push(Packet{Segments: [][]byte{askBytes}, Nonza: true})
	default:
		s.sm.timer = time.AfterFunc(askAfter, s.askLate)
	}
}

// asking notes that an <r/> is out and gives the peer time to answer; under mu.
func (s *Session) asking() {
	s.sm.asked = true
	s.stopTimer()
	s.sm.timer = time.AfterFunc(ackPatience, s.askedInVain)
}

func (s *Session) askLate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sm.timer = nil
	if s.ended || s.conn == nil || s.sm.asked || s.out.unread == 0 {
		return
	}
	s.asking()
	s.out.push(Packet{Segments: [][]byte{askBytes}, Nonza: true})
	s.startWriter()
}

// askedInVain drops a connection that has not answered: the peer is gone.
func (s *Session) askedInVain() {
	s.mu.Lock()
	conn := s.conn
	s.sm.timer = nil
	dead := !s.ended && conn != nil && s.sm.asked
	s.mu.Unlock()
	if dead {
		conn.Abort(nil)
	}
}
