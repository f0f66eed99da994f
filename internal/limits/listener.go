package limits

import (
	"io"
	"net"
)

// Listener lets connections in at their pace and finds them places of a door, for
// a server that makes handshakes with Handshaker.Config. A connection holds its
// place until it is closed or its PeerBehind leaves.
func (l *Limits) Listener(nl net.Listener, d Door) net.Listener { return &listener{nl, l, d} }

type listener struct {
	net.Listener
	l    *Limits
	door Door
}

func (n *listener) Accept() (net.Conn, error) {
	for {
		c, err := n.Listener.Accept()
		if err != nil {
			return nil, err
		}
		p, err := n.l.connect(AddrOf(c.RemoteAddr()), n.door)
		if err != nil {
			c.Close()
			continue
		}
		p.OnDrop(func() { c.Close() })
		held := &placed{c, p}
		if !n.l.cfg.Enabled {
			return held, nil
		}
		return &gate{Conn: held, peer: p, turns: &p.l.queue, brief: true}, nil
	}
}

// placed is a connection that gives its place back.
type placed struct {
	net.Conn
	peer *Peer
}

// ReadFrom lets the system send a file by itself, where there is no TLS between.
func (c *placed) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

func (c *placed) Close() error {
	c.peer.Close()
	return c.Conn.Close()
}

// PeerBehind is who holds the place of a connection that a Listener has let in,
// also below TLS; nil for other connections.
func PeerBehind(c net.Conn) *Peer {
	for {
		switch t := c.(type) {
		case *placed:
			return t.peer
		case *gate:
			c = t.Conn
		case interface{ NetConn() net.Conn }: // *tls.Conn, or what has one inside
			c = t.NetConn()
		default:
			return nil
		}
	}
}
