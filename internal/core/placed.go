package core

import "net/netip"

// Placed is what a Conn or a Stream is besides when it knows the address of its other end.
type Placed interface {
	Peer() netip.Addr
}

// Peer is the address that a session is connected from, the zero Addr while it is not, or where
// the connection does not know.
func (s *Session) Peer() netip.Addr {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if p, ok := conn.(Placed); ok {
		return p.Peer()
	}
	return netip.Addr{}
}
