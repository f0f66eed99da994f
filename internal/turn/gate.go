package turn

import (
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of what strangers may have answered over UDP, where addresses can be forged: an
// answer of ours is up to five times the size of its question.
const (
	strangerRate  = 20 // packets a second from one address
	strangerBurst = 100
	strangersRate = 2000 // from all
	buckets       = 4096
)

// gate is a UDP socket that drops what strangers send too fast, before anything looks
// into it. Who has an allocation is no stranger. Its memory is fixed: addresses share
// buckets by a hash that nobody can foresee.
type gate struct {
	net.PacketConn
	known   func(netip.AddrPort) bool
	dropped func()
	settle  func(client net.Addr)
	last    net.Addr // whose packet was read last; the reader's

	seed maphash.Seed
	mu   sync.Mutex // held for moments
	all  *rate.Limiter
	each [buckets]*rate.Limiter
}

func newGate(c net.PacketConn, known func(netip.AddrPort) bool, dropped func(), settle func(net.Addr)) *gate {
	return &gate{PacketConn: c, known: known, dropped: dropped, settle: settle, seed: maphash.MakeSeed(), all: rate.NewLimiter(strangersRate, strangersRate)}
}

// ReadFrom reads the next packet that is let through.
func (g *gate) ReadFrom(b []byte) (int, net.Addr, error) {
	if g.last != nil {
		g.settle(g.last)
	}
	for {
		n, from, err := g.PacketConn.ReadFrom(b)
		if err != nil {
			return n, from, err
		}
		if addr := addrOf(from); n > 0 && addr.IsValid() && (g.known(addr) || g.admit(from, time.Now())) {
			g.last = from
			return n, from, nil
		}
		g.dropped()
	}
}

// WriteTo sends a packet to a client.
func (g *gate) WriteTo(p []byte, to net.Addr) (int, error) {
	if isResponse(p) {
		g.settle(to)
	}
	return g.PacketConn.WriteTo(p, to)
}

// admit tells whether a stranger's packet may be looked at.
func (g *gate) admit(from net.Addr, now time.Time) bool {
	p := placeOf(from)
	b := p.Addr().As16()
	i := maphash.Bytes(g.seed, b[:]) % buckets
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.each[i] == nil {
		g.each[i] = rate.NewLimiter(strangerRate, strangerBurst)
	}
	// the one first, so that a single flood does not use up what is for all
	return g.each[i].AllowN(now, 1) && g.all.AllowN(now, 1)
}
