package limits

import (
	"context"
	"crypto/tls"
	"net"
)

// gate is a connection during its TLS handshake: it computes only while it has
// a turn, and gives the turn away while it waits for the network.
type gate struct {
	net.Conn
	peer *Peer
	ctx  context.Context // of the handshake; nil before the first turn and after it
	done func()          // while it has the turn
}

// Handshaker makes handshakes within the budgets.
type Handshaker struct{ cfg *tls.Config }

// NewHandshaker takes the TLS configuration of a port.
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

// Server makes the handshake of a server on nc for a peer. An error that
// wraps *Refused is a budget's.
func (h *Handshaker) Server(ctx context.Context, p *Peer, nc net.Conn) (*tls.Conn, error) {
	if !p.l.cfg.Enabled {
		t := tls.Server(nc, h.cfg)
		return t, t.HandshakeContext(ctx)
	}
	g := &gate{Conn: nc, peer: p}
	t := tls.Server(g, h.cfg)
	err := t.HandshakeContext(ctx)
	g.leave()
	g.peer, g.ctx = nil, nil
	return t, err
}

// enter is called when the client's hello is read, before anything is computed.
func (g *gate) enter(ctx context.Context) (err error) {
	if g.peer == nil {
		return nil
	}
	if g.done, err = g.peer.Handshake(ctx); err == nil {
		g.ctx = ctx
	}
	return err
}

func (g *gate) leave() {
	if g.done != nil {
		g.done()
		g.done = nil
	}
}

// Read gives the turn away until something comes. It belongs to the reader, who
// made the handshake.
func (g *gate) Read(b []byte) (int, error) {
	if g.ctx == nil {
		return g.Conn.Read(b)
	}
	g.leave()
	n, err := g.Conn.Read(b)
	if err != nil {
		return n, err
	}
	q := &g.peer.l.queue
	if err := q.reenter(g.ctx); err != nil {
		return 0, err
	}
	g.done = q.leave
	return n, nil
}

// Write gives the turn away too: what is to be computed has been, and the peer
// may not take it.
func (g *gate) Write(b []byte) (int, error) {
	g.leave()
	return g.Conn.Write(b)
}
