package core

import "slices"

// How much may wait for an inactive session, in packets and in bytes; one more
// and all of it goes.
const (
	heldMost  = 256
	heldBytes = 64 << 10
)

// held is what waits for an inactive session, in the order in which it came.
type held struct {
	keys    []string
	packets []Packet
	bytes   int
}

// take leaves out the packet that waits with a key, if there is one.
func (h *held) take(key string) {
	i := slices.Index(h.keys, key)
	if i < 0 {
		return
	}
	h.bytes -= h.packets[i].Size()
	h.keys, h.packets = slices.Delete(h.keys, i, i+1), slices.Delete(h.packets, i, i+1)
}

// SetInactive says that nobody looks at the session, or that somebody does
// again, which is how every connection begins (XEP-0352). What waited is queued
// before it returns, and so before all that is pushed from then on. Without a
// connection a session cannot become inactive.
func (s *Session) SetInactive(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		if s.conn != nil && !s.ended {
			s.SetFlag(Inactive, true)
		}
		return
	}
	s.activate()
	s.startWriter()
}

// activate ends the waiting; under mu.
func (s *Session) activate() {
	s.SetFlag(Inactive, false)
	s.unhold()
}

// holdKey is the key with which a packet may wait, "" when it may not. An
// active session is not asked for. What is owed, or is no stanza, never waits.
func (s *Session) holdKey(p Packet) string {
	if !s.Flag(Inactive) || p.Seq != 0 || p.Nonza || p.Prompt || s.router.host.Hold == nil {
		return ""
	}
	return s.router.host.Hold(s, p)
}

// hold keeps a packet back in place of one with the same key, behind all
// others: what a client gets is in the order of what happened, with gaps. False
// when the packet is to be sent; under mu.
func (s *Session) hold(key string, p Packet) bool {
	if !s.Flag(Inactive) {
		return false // since the key was asked for
	}
	if s.held == nil {
		s.held = &held{}
	}
	h := s.held
	h.take(key)
	if len(h.keys) >= heldMost || h.bytes+p.Size() > heldBytes {
		return false
	}
	h.keys, h.packets = append(h.keys, key), append(h.packets, p)
	h.bytes += p.Size()
	return true
}

// unhold queues everything that waits; under mu.
func (s *Session) unhold() {
	if s.held != nil {
		s.release()
	}
}

func (s *Session) release() {
	h := s.held
	s.held = nil
	for _, p := range h.packets {
		s.enqueue(p)
	}
}

// waiting is how many bytes wait; under mu.
func (s *Session) waiting() int {
	if s.held == nil {
		return 0
	}
	return s.held.bytes
}
