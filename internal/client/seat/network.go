//go:build !js

package seat

import (
	"context"
	"net"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

// network is the machine's, as the library reaches it. By itself the library would wait at the end of a
// call for relays that do not answer, for as long as the system tries to reach them, and would
// know only those interfaces that were there when the call began.
type network struct {
	transport.Net
	life context.Context // until the seat is closed
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func newNetwork(life context.Context, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*network, error) {
	n, err := stdnet.NewNet()
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &network{Net: n, life: life, dial: dial}, err
}

// DialTCP is given up when the seat is closed.
func (n *network) DialTCP(name string, _, remote *net.TCPAddr) (transport.TCPConn, error) {
	c, err := n.dial(n.life, name, remote.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// Interfaces are those that there are now: a restart is for when they are others than before.
func (n *network) Interfaces() ([]*transport.Interface, error) {
	now, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	return now.Interfaces()
}
