package c2s

import (
	"net"
	"os"
	"testing"
	"time"

	"mirsal/internal/xmpp/stream"
)

// stuck is a connection whose peer took so many bytes, and no more.
type stuck struct {
	net.Conn
	took int
	said string
}

func (s *stuck) Write(b []byte) (int, error) {
	n := min(len(b), s.took)
	s.took -= n
	s.said += string(b[:n])
	if n < len(b) {
		s.took = 1000 // it reads again, too late
		return n, os.ErrDeadlineExceeded
	}
	return n, nil
}

func (*stuck) SetWriteDeadline(time.Time) error { return nil }
func (*stuck) Close() error                     { return nil }

func TestNothingIsSaidWithinAnElementThatWasNotWrittenToItsEnd(t *testing.T) {
	const element = "<message to='alice'/>"
	for took, want := range map[int]string{
		9:            "<message ",
		len(element): element + "<stream:error><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
	} {
		peer := &stuck{took: took}
		c := &conn{srv: &Server{}, net: peer, tcp: peer, opened: true}
		c.Write([]byte(element))
		peer.took = 1000
		c.finish(&stream.Error{Condition: "resource-constraint"})
		if peer.said != want {
			t.Errorf("with %d bytes taken: %q", took, peer.said)
		}
	}
}
