package turn

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	pion "github.com/pion/turn/v5"
)

// Bounds of one allocation. A browser has some ten candidates to try.
const (
	permissionsMost = 128
	channelsMost    = 128
	portTries       = 32
)

// Errors of allocations that cannot be made.
var (
	errNotUDP  = errors.New("only UDP is relayed")
	errFamily  = errors.New("there is no relay address of this family")
	errPort    = errors.New("no particular port is given out")
	errNoPorts = errors.New("no port is free")
)

// relays gives out relay addresses and knows those that are in use.
type relays struct {
	cfg     *Config
	rules   *rules
	read    func(user string) (claim, bool)
	metrics *Metrics

	mu   sync.Mutex // held for moments
	live map[netip.AddrPort]*relay
}

// Validate is for the library.
func (*relays) Validate() error { return nil }

// AllocateListener refuses to relay TCP: no call needs it.
func (*relays) AllocateListener(pion.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNotUDP
}

// AllocateConn refuses to relay TCP.
func (*relays) AllocateConn(pion.AllocateConnConfig) (net.Conn, error) { return nil, errNotUDP }

// AllocatePacketConn opens a relay address for whom the quotas have let in. Nobody
// chooses a port: pairs of them are for RTP of old (RFC 8656 §7.2), and looking for them
// would open and close sockets at a stranger's wish.
func (r *relays) AllocatePacketConn(c pion.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	cl, ok := r.read(c.UserID)
	if !ok || c.RequestedPort != 0 {
		return nil, nil, errPort
	}
	i := slices.IndexFunc(r.rules.told, func(a netip.Addr) bool { return a.Is4() == (c.Network == "udp4") })
	if i < 0 {
		return nil, nil, errFamily
	}
	told := r.rules.told[i]
	for range portTries {
		port := r.cfg.MinPort + rand.IntN(r.cfg.MaxPort-r.cfg.MinPort+1)
		conn, err := net.ListenUDP(c.Network, &net.UDPAddr{IP: r.bindTo(told), Port: port})
		if err == nil {
			one := r.open(conn, netip.AddrPortFrom(told, uint16(port)), cl)
			return one, net.UDPAddrFromAddrPort(one.told), nil
		}
	}
	return nil, nil, errNoPorts
}

// bindTo is the address itself where this machine has it; else a router leads it here.
func (r *relays) bindTo(told netip.Addr) net.IP {
	if slices.Contains(r.rules.own, told) || told.IsLoopback() {
		return told.AsSlice()
	}
	return nil
}

func (r *relays) open(conn *net.UDPConn, told netip.AddrPort, cl claim) *relay {
	one := &relay{
		conn: conn, told: told, account: cl.account, all: r, left: r.cfg.Volume,
		pace:  relayPace(r.cfg.Rate),
		peers: map[netip.Addr]struct{}{}, channels: map[uint16]netip.Addr{},
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[told] = one
	one.end = time.AfterFunc(min(r.cfg.Lifetime, time.Until(cl.until)), func() { one.Close() })
	return one
}

func (r *relays) isLive(p netip.AddrPort) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live[p] != nil
}

// at is the allocation with a relay address, nil where there is none any more.
func (r *relays) at(a net.Addr) *relay {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live[addrOf(a)]
}

// drop ends all allocations that are meant.
func (r *relays) drop(meant func(*relay) bool) {
	var list []*relay
	r.mu.Lock()
	for _, one := range r.live {
		if meant(one) {
			list = append(list, one)
		}
	}
	r.mu.Unlock()
	for _, one := range list {
		one.Close()
	}
}

// relay is the socket of one allocation: it looks at each packet, whatever the library
// thinks of it.
type relay struct {
	conn    *net.UDPConn
	told    netip.AddrPort
	account who
	all     *relays
	end     *time.Timer
	pace    *rate.Limiter

	mu       sync.Mutex // held for moments
	left     int64      // bytes that may still pass
	peers    map[netip.Addr]struct{}
	channels map[uint16]netip.Addr
}

// WriteTo relays a packet to a peer, or drops it: of UDP nobody hears more.
func (r *relay) WriteTo(p []byte, to net.Addr) (int, error) {
	dst := addrOf(to)
	if !r.all.rules.place(dst, r.all.isLive) {
		r.all.metrics.dropped.WithLabelValues("peer").Inc()
		return len(p), nil
	}
	if !r.afford(len(p)) {
		return len(p), nil
	}
	r.all.metrics.sent.Add(float64(len(p)))
	r.conn.WriteToUDPAddrPort(p, r.inward(dst)) // what cannot be sent is lost, as on any way
	return len(p), nil
}

// ReadFrom waits for the next packet of a peer that the client has named.
func (r *relay) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(p)
		if err != nil {
			r.Close()
			return 0, nil, err
		}
		from = r.outward(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		if !r.named(from.Addr()) || !r.all.rules.place(from, r.all.isLive) {
			r.all.metrics.dropped.WithLabelValues("peer").Inc()
			continue
		}
		if r.afford(n) {
			r.all.metrics.received.Add(float64(n))
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}

// inward leads to another allocation of ours whose public address is at a router,
// which need not lead back.
func (r *relay) inward(dst netip.AddrPort) netip.AddrPort {
	if dst.Addr() != r.told.Addr() || r.all.bindTo(r.told.Addr()) != nil {
		return dst
	}
	loop := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if dst.Addr().Is6() {
		loop = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(loop, dst.Port())
}

// outward is the address that a peer's allocation has for others.
func (r *relay) outward(from netip.AddrPort) netip.AddrPort {
	if !from.Addr().IsLoopback() || r.all.bindTo(r.told.Addr()) != nil {
		return from
	}
	if p := netip.AddrPortFrom(r.told.Addr(), from.Port()); r.all.isLive(p) {
		return p
	}
	return from
}

// afford takes a packet from the budgets. Over the pace it is dropped; over the volume
// the allocation ends.
func (r *relay) afford(n int) bool {
	if !r.pace.AllowN(time.Now(), n) {
		r.all.metrics.dropped.WithLabelValues("rate").Inc()
		return false
	}
	r.mu.Lock()
	r.left -= int64(n)
	over := r.left < 0
	r.mu.Unlock()
	if over {
		r.Close()
	}
	return !over
}

// named tells whether the client has a permission or a channel for a host.
func (r *relay) named(a netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.peers[a]; ok {
		return true
	}
	for _, c := range r.channels {
		if c == a {
			return true
		}
	}
	return false
}

// permit and bind note whom the client has named; forbid and unbind take that back.
// Whoever names too many loses the allocation.
func (r *relay) permit(a netip.Addr) {
	r.mu.Lock()
	r.peers[a] = struct{}{}
	over := len(r.peers) > permissionsMost
	r.mu.Unlock()
	if over {
		r.Close()
	}
}

func (r *relay) forbid(a netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.peers, a)
}

func (r *relay) bind(number uint16, a netip.Addr) {
	r.mu.Lock()
	r.channels[number] = a
	over := len(r.channels) > channelsMost
	r.mu.Unlock()
	if over {
		r.Close()
	}
}

func (r *relay) unbind(number uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.channels, number)
}

// Close ends the allocation: the library finds its socket closed. More than once is
// no error: the library would leave others open.
func (r *relay) Close() error {
	r.all.mu.Lock()
	r.end.Stop()
	if r.all.live[r.told] == r {
		delete(r.all.live, r.told)
	}
	r.all.mu.Unlock()
	r.conn.Close()
	return nil
}

// LocalAddr is the relay address.
func (r *relay) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(r.told) }

// SetDeadline is for the library.
func (r *relay) SetDeadline(t time.Time) error { return r.conn.SetDeadline(t) }

// SetReadDeadline is for the library.
func (r *relay) SetReadDeadline(t time.Time) error { return r.conn.SetReadDeadline(t) }

// SetWriteDeadline is for the library.
func (r *relay) SetWriteDeadline(t time.Time) error { return r.conn.SetWriteDeadline(t) }

// relayPace is a budget of bytes a second, with two seconds' worth at once.
func relayPace(n int) *rate.Limiter { return rate.NewLimiter(rate.Limit(n), 2*n) }
