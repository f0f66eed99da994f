//go:build !js

package seat

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

// network is the machine's, as the library reaches it. By itself the library would wait at the end of a
// call for servers that do not answer, for as long as the system or it tries to reach them, and would
// know only those interfaces that were there when the call began.
type network struct {
	transport.Net
	life context.Context // until the seat is closed
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu   sync.Mutex
	open []io.Closer // guarded by mu: what was opened, also what is closed since; nil behind cut
	over bool        // guarded by mu
}

func newNetwork(life context.Context, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*network, error) {
	n, err := stdnet.NewNet()
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &network{Net: n, life: life, dial: dial}, err
}

// farewell is how long sockets are left open at the end, so that relays are told that they may go.
const farewell = 250 * time.Millisecond

// cut closes all sockets, and those that are opened later: who waits on one goes on.
func (n *network) cut() {
	n.mu.Lock()
	all := n.open
	n.open, n.over = nil, true
	n.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

// opened has cut close a socket.
func opened[C io.Closer](n *network, c C, err error) (C, error) {
	if err != nil {
		return c, err
	}
	n.mu.Lock()
	over := n.over
	if !over {
		n.open = append(n.open, c)
	}
	n.mu.Unlock()
	if over {
		_ = c.Close()
	}
	return c, nil
}

// ListenPacket is of transport.Net.
func (n *network) ListenPacket(name, at string) (net.PacketConn, error) {
	c, err := n.Net.ListenPacket(name, at)
	return opened(n, c, err)
}

// ListenUDP is of transport.Net.
func (n *network) ListenUDP(name string, at *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.ListenUDP(name, at)
	return opened(n, c, err)
}

// DialUDP is of transport.Net.
func (n *network) DialUDP(name string, at, remote *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.DialUDP(name, at, remote)
	return opened(n, c, err)
}

// DialTCP is given up when the seat is closed.
func (n *network) DialTCP(name string, _, remote *net.TCPAddr) (transport.TCPConn, error) {
	c, err := n.dial(n.life, name, remote.String())
	if err != nil {
		return nil, err
	}
	return opened(n, transport.TCPConn(c.(*net.TCPConn)), nil)
}

// Interfaces are those that there are now: a restart is for when they are others than before.
func (n *network) Interfaces() ([]*transport.Interface, error) {
	now, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	return now.Interfaces()
}
