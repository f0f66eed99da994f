package limits

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
)

// gate is a connection during its TLS handshake: it computes only while it has
// a turn, and gives the turn away while it waits for the network. But for held,
// it belongs to whoever makes the handshake, and to the reader afterwards.
type gate struct {
	net.Conn
	turns *queue          // what turns are taken from; never changed, since Close may be called by any goroutine
	peer  *Peer           // nil when the handshake is over; the handshake's own
	ctx   context.Context // of the handshake; nil before the first turn and after it; the handshake's own
	brief bool            // nobody tells when the handshake is over: turns for hellos only
	retry bool            // the client was asked for another hello
	held  atomic.Bool     // has the turn
}

// Handshaker makes handshakes within the budgets.
type Handshaker struct{ cfg *tls.Config }

// NewHandshaker takes the TLS configuration of a port, or nil.
func NewHandshaker(cfg *tls.Config) *Handshaker {
	if cfg == nil {
		return nil
	}
	inner := cfg.GetConfigForClient
	cfg = cfg.Clone() // once, so that all connections share the keys of its tickets
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if g, ok := hello.Conn.(*gate); ok {
			if err := g.enter(hello.Context()); err != nil {
				return nil, err
			}
		}
		if inner == nil {
			return nil, nil
		}
		return inner(hello)
	}
	return &Handshaker{cfg: cfg}
}

// Config is for servers that make their handshakes themselves, on connections of
// a Listener.
func (h *Handshaker) Config() *tls.Config { return h.cfg }

// Server makes the handshake of a server on nc for a peer. An error that
// wraps *Refused is a budget's.
func (h *Handshaker) Server(ctx context.Context, p *Peer, nc net.Conn) (*tls.Conn, error) {
	if !p.l.cfg.Enabled {
		t := tls.Server(nc, h.cfg)
		return t, t.HandshakeContext(ctx)
	}
	g := &gate{Conn: nc, peer: p, turns: &p.l.queue}
	t := tls.Server(g, h.cfg)
	err := t.HandshakeContext(ctx)
	g.leave()
	g.peer, g.ctx = nil, nil
	return t, err
}

// enter is called when the client's hello is read, before anything is computed.
func (g *gate) enter(ctx context.Context) error {
	if g.peer == nil {
		return errors.New("limits: a second handshake on one connection")
	}
	if err := g.peer.turn(ctx); err != nil {
		return err
	}
	g.ctx = ctx
	g.held.Store(true)
	return nil
}

func (g *gate) leave() {
	if g.held.Load() && g.held.Swap(false) {
		g.turns.leave()
	}
}

// Read gives the turn away until something comes.
func (g *gate) Read(b []byte) (int, error) {
	g.leave()
	n, err := g.Conn.Read(b)
	if err != nil || g.ctx == nil || g.brief && !g.retry {
		return n, err
	}
	if err := g.turns.reenter(g.ctx); err != nil {
		return 0, err
	}
	g.held.Store(true)
	return n, nil
}

// Write gives the turn away too: what is to be computed has been, and the peer
// may not take it.
func (g *gate) Write(b []byte) (int, error) {
	if g.ctx != nil && g.brief {
		g.retry = isRetry(b)
		if !g.retry {
			defer func() { g.ctx = nil }()
		}
	}
	g.leave()
	return g.Conn.Write(b)
}

// ReadFrom is for servers without TLS: handshakes and records are written by Write.
func (g *gate) ReadFrom(r io.Reader) (int64, error) { return io.Copy(g.Conn, r) }

// Close gives the turn away where a handshake failed without a word.
func (g *gate) Close() error {
	g.leave()
	return g.Conn.Close()
}

// isRetry tells whether a record asks for another hello: a ServerHello with
// this for its random bytes (RFC 8446 §4.1.3).
func isRetry(record []byte) bool {
	const at = 5 + 4 + 2 // record, message, version
	return len(record) > at && record[0] == 22 && record[5] == 2 && bytes.HasPrefix(record[at:],
		[]byte("\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"))
}
