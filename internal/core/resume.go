package core

import (
	"crypto/rand"
	"errors"
	"time"

	"mirsal/internal/xmpp/stream"
)

// This file is what XEP-0198 needs of a session; the nonzas are in xep/sm.

// EnableSM turns stream management on, from the next stanza on. hello makes
// what the peer is told at that point, from the resumption id, which is zero
// unless resumable; nil where the peer is told otherwise. It returns false when
// it is on already. Reader only.
func (s *Session) EnableSM(resumable bool, hello func(id [16]byte) []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sm.on || s.ended {
		return false
	}
	for i := range s.out.n {
		s.out.at(i).Nonza = true // sent before <enabled/>, counted by nobody
	}
	s.sm.on, s.sm.resume = true, resumable
	s.sm.base, s.sm.early = s.in.received, s.in.handled != s.in.received
	s.out.keep = true
	if resumable {
		rand.Read(s.sm.id[:])
		s.sm.turn = make(chan struct{}, 1)
		s.router.resumable(s.sm.id, s)
	}
	if b := hello(s.sm.id); b != nil {
		s.out.push(Packet{Segments: [][]byte{b}, Nonza: true})
		s.startWriter()
	}
	return true
}

// SM tells whether stream management is on, and whether it is resumable.
func (s *Session) SM() (on, resumable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sm.on, s.sm.resume
}

// AckRequested owes the peer an <a/>, sent once everything received so far is
// settled. Reader only.
func (s *Session) AckRequested() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sm.owed >= Window {
		return // a flood of <r/>; those owed cover it
	}
	s.sm.owed++
	s.sm.owedAt = s.in.received
	s.payAcks()
}

// Acked hears the peer's h. It returns false when the peer counts more than
// was sent. Reader only.
func (s *Session) Acked(h uint32) bool {
	s.mu.Lock()
	seq, ok := s.out.ack(h)
	if !ok {
		s.mu.Unlock()
		return false
	}
	s.sm.asked = false
	s.stopTimer()
	s.askForRest()
	s.startWriter() // a source may have waited for room
	s.mu.Unlock()
	if seq > 0 {
		s.router.delivered(s, seq)
	}
	return true
}

// Detach takes the connection off: a resumable session hibernates, another
// ends. It does nothing when conn is not the session's any more.
func (s *Session) Detach(conn Conn) {
	s.mu.Lock()
	if s.ended || s.conn != conn {
		s.mu.Unlock()
		return
	}
	if !s.sm.resume {
		s.mu.Unlock()
		s.Close(nil)
		return
	}
	s.dropConn()
	left := s.unreceived()
	s.mu.Unlock()
	s.router.hibernated(s)
	s.asleep(left...)
}

// unreceived are the stanzas that the peer has not acknowledged, where anybody
// asks for them; under mu.
func (s *Session) unreceived() (left []Packet) {
	if len(s.router.host.Asleep) == 0 {
		return nil
	}
	for i := range s.out.n {
		if p := *s.out.at(i); !p.Nonza {
			left = append(left, p)
		}
	}
	return left
}

// asleep tells of packets that wait for a session without a connection.
func (s *Session) asleep(packets ...Packet) {
	for _, f := range s.router.host.Asleep {
		for _, p := range packets {
			f(s, p)
		}
	}
}

// dropConn leaves the session without a connection; under mu. What waited
// because nobody looked is from now on unacknowledged like all else, and who
// resumes is active (XEP-0352#stream-resumption).
func (s *Session) dropConn() {
	s.conn = nil
	s.activate()
	s.sm.idle = time.Now()
	s.sm.asked = false
	s.stopTimer()
	s.signal()
}

// Hibernating tells whether the session is without a connection, and since when.
func (s *Session) Hibernating() (since time.Time, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sm.idle, !s.ended && s.conn == nil
}

// Resume gives a resumable session a new connection (XEP-0198 §5): TakeOver, then
// Attach. Of several at once the last one has it; each earlier one hears a
// conflict.
func (s *Session) Resume(conn Conn, h uint32, lang string, hello func(handled uint32) []byte) error {
	s.sm.turn <- struct{}{}
	defer func() { <-s.sm.turn }()
	if err := s.TakeOver(); err != nil {
		return err
	}
	return s.Attach(conn, h, lang, hello)
}

// TakeOver ends the session's connection, if there is one, and waits until its
// reader is through and everything that it received is settled and durable.
// Then the session waits for Attach.
func (s *Session) TakeOver() error {
	s.mu.Lock()
	conn := s.conn
	if conn != nil {
		s.dropConn()
	}
	s.mu.Unlock()
	if conn != nil {
		conn.Abort(&stream.Error{Condition: "conflict", Text: "resumed on another connection"})
		<-conn.Done()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waitFor(func() bool { return s.flying == 0 && s.in.handled == s.in.received })
	if int32(s.h()-s.sm.marked) > 0 {
		s.persistMark(s.h())
		s.waitFor(func() bool { return s.h() == s.sm.marked })
	}
	if s.ended {
		return ErrGone
	}
	return nil
}

// Attach gives a session a connection after TakeOver. What the peer, by h, has
// not received is sent again, behind hello: bytes that are no stanza.
func (s *Session) Attach(conn Conn, h uint32, lang string, hello func(handled uint32) []byte) error {
	s.mu.Lock()
	if s.ended || s.conn != nil {
		s.mu.Unlock()
		return ErrGone
	}
	seq, ok := s.out.ack(h)
	if !ok {
		s.mu.Unlock()
		return ErrCount
	}
	s.out.rewind(Packet{Segments: [][]byte{hello(s.h())}, Nonza: true})
	s.sm.owed = 0
	s.sm.idle = time.Time{}
	s.conn, s.lang = conn, lang
	s.startWriter()
	s.mu.Unlock()
	if seq > 0 {
		s.router.delivered(s, seq)
	}
	return nil
}

// Errors of Attach.
var (
	ErrGone  = errors.New("the session has ended")
	ErrCount = errors.New("the peer counts more stanzas than were sent")
)
