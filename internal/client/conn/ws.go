package conn

import (
	"bytes"
	"context"
	"errors"

	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// WebSocket connects by WebSocket (RFC 7395).
type WebSocket struct {
	URL string // wss://…
	webSocketTrust
}

// nsFraming is the namespace of <open/> and <close/>.
const nsFraming = "urn:ietf:params:xml:ns:xmpp-framing"

// frames is a WebSocket: messages of text.
type frames interface {
	read() ([]byte, error) // a new slice each time
	write(b []byte) error
	close() error
}

// framed is a stream where each element is a frame.
type framed struct {
	frames   frames
	security Security
	limits   xtok.Limits
}

// errFrame is for a peer that sends what is no frame.
var errFrame = errors.New("conn: a frame that is not one element")

// Open says <open/>, RFC 7395 §3.4.
func (f *framed) Open(h stream.Header) error {
	b := []byte("<open xmlns='" + nsFraming + "'")
	b = xtok.AppendAttr(b, "from", h.From.String())
	b = xtok.AppendAttr(b, "to", h.To.String())
	b = xtok.AppendAttr(b, "xml:lang", h.Lang)
	return f.frames.write(append(b, " version='1.0'/>"...))
}

func (f *framed) Read() (xtok.Event, xtok.Elem, error) {
	b, err := f.frames.read()
	if err != nil {
		return xtok.More, xtok.Elem{}, err
	}
	if len(b) == 0 || b[0] != '<' { // RFC 7395 §3.3.3
		return xtok.More, xtok.Elem{}, errFrame
	}
	e, err := xtok.Parse(b, f.limits)
	switch {
	case err != nil:
		return xtok.More, xtok.Elem{}, err
	case e.Is(nsFraming, "open"):
		return xtok.Open, e, nil
	case e.Is(nsFraming, "close"):
		return xtok.Close, e, nil
	}
	return xtok.Element, e, nil
}

func (f *framed) Write(elements ...[]byte) error {
	for _, e := range elements {
		if err := f.frames.write(bytes.TrimSpace(e)); err != nil {
			return err
		}
	}
	return nil
}

// StartTLS is not for WebSockets: RFC 7395 §3.10.
func (f *framed) StartTLS(context.Context) error {
	return &Refusal{Reason: Misbehaved, Words: "the server asks for encryption inside a WebSocket"}
}

func (f *framed) Security() Security { return f.security }

func (f *framed) widen() { f.limits = bounds(true) }

func (f *framed) End() error { return f.frames.write([]byte("<close xmlns='" + nsFraming + "'/>")) }

func (f *framed) Close() error { return f.frames.close() }
