package conn

import (
	"context"

	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// Dialer connects to a server.
type Dialer interface {
	// Dial connects once; ctx bounds that. The error is best a *Refusal.
	Dial(ctx context.Context) (Transport, error)
}

// Redirecter is a Dialer that can connect elsewhere for the same account, asking
// for the same certificate.
type Redirecter interface {
	Redirect(hostport string) Dialer
}

// Transport carries one XML stream. One goroutine reads and another one writes;
// Close may be called by any, and ends both.
type Transport interface {
	// Open begins a stream: the first one, or another after TLS or SASL
	// (RFC 6120 §4.3.3). It says the header and does not wait for the peer's.
	Open(h stream.Header) error
	// Read waits for what comes next: Open, Element or Close. What it returns is
	// valid until the next Read.
	Read() (ev xtok.Event, e xtok.Elem, err error)
	// Write sends whole top-level elements, self-contained.
	Write(elements ...[]byte) error
	// StartTLS makes the TLS handshake behind <proceed/>.
	StartTLS(ctx context.Context) error
	// Security tells how private the channel is; it changes by StartTLS.
	Security() Security
	// End says that the stream is over.
	End() error
	Close() error
}

// Security is what the transport knows of its channel.
type Security struct {
	Private  bool // nobody on the way can read or change it
	StartTLS bool // it is not private yet and can become so
	// Binding is the channel's tls-exporter (RFC 9266), zero where it has none.
	Binding sasl.Binding
	// Direct: the other end of the channel is the XMPP server itself, not a proxy
	// before it, which could not bind to it.
	Direct bool
	TLS    uint16 // version as crypto/tls numbers it, 0 when unknown
}

// bounds hold what a server may send, before and after it has proved to know the
// account.
func bounds(proved bool) xtok.Limits {
	l := xtok.Limits{Size: 64 << 10, Depth: 32, Attrs: 64, Name: 256, Prefixes: 64, Nodes: 2000}
	if proved {
		l = xtok.Limits{Size: 1 << 20, Depth: 100, Attrs: 256, Name: 1024, Prefixes: 256, Nodes: 50_000}
	}
	return l
}

// own is a copy of an element that lives on its own.
func own(e xtok.Elem) xtok.Elem {
	if !e.OK() {
		return e
	}
	c, err := xtok.Parse(e.AppendTo(nil), xtok.Limits{}) // its limits were applied when it came
	if err != nil {
		return xtok.Elem{}
	}
	return c
}
