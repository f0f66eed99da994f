package conn

import (
	"bytes"
	"errors"
	"io"

	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// xmlStream is a stream on bytes that follow each other (RFC 6120 §4).
type xmlStream struct {
	rw     io.ReadWriteCloser
	scan   *xtok.Scanner
	buf    []byte
	at     int // buf[at:] is not consumed
	opened bool
}

const readSize = 8 << 10

func newXMLStream(rw io.ReadWriteCloser) *xmlStream {
	return &xmlStream{rw: rw, scan: xtok.New(bounds(false))}
}

// swap goes on over another channel, with nothing of the former one left over.
// RFC 6120 §5.4.3.3: what was said in clear is not said inside TLS
func (s *xmlStream) swap(rw io.ReadWriteCloser) error {
	if len(bytes.TrimSpace(s.buf[s.at:])) > 0 {
		return errors.New("conn: something behind <proceed/>")
	}
	s.rw, s.buf, s.at = rw, nil, 0
	return nil
}

func (s *xmlStream) Open(h stream.Header) error {
	if s.opened {
		s.scan.Restart()
	}
	s.opened = true
	_, err := s.rw.Write(h.Append(nil))
	return err
}

func (s *xmlStream) Read() (xtok.Event, xtok.Elem, error) {
	for {
		ev, n, err := s.scan.Next(s.buf[s.at:])
		if err != nil {
			return ev, xtok.Elem{}, err
		}
		s.at += n
		switch ev {
		case xtok.More:
			if err := s.fill(); err != nil {
				return ev, xtok.Elem{}, err
			}
		case xtok.Space:
		default:
			return ev, s.scan.Root(), nil
		}
	}
}

// fill reads some more behind what is left.
func (s *xmlStream) fill() error {
	if s.at > 0 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.at:])]
		s.at = 0
	}
	if cap(s.buf)-len(s.buf) < readSize/2 {
		s.buf = append(make([]byte, 0, max(readSize, 2*cap(s.buf))), s.buf...)
	}
	n, err := s.rw.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if n > 0 {
		return nil
	}
	return err
}

func (s *xmlStream) Write(elements ...[]byte) error {
	_, err := s.rw.Write(bytes.Join(elements, nil))
	return err
}

func (s *xmlStream) widen() { s.scan.Limit(bounds(true)) }

func (s *xmlStream) End() error {
	_, err := io.WriteString(s.rw, stream.End)
	return err
}

func (s *xmlStream) Close() error { return s.rw.Close() }
