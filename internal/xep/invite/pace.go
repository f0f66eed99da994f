package invite

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"mirsal/internal/lru"
)

// How many tries one address has at once, and how soon it has another; and how many
// addresses are remembered: a flood from more than that is forgotten, but a token
// has 130 bits.
const (
	tries     = 20
	nextTry   = 5 * time.Second
	addresses = 10_000
)

// pace lets each address try now and then.
type pace struct {
	mu   sync.Mutex // held for a look-up
	seen *lru.Cache[netip.Prefix, *rate.Limiter]
}

func newPace() *pace { return &pace{seen: lru.New[netip.Prefix, *rate.Limiter](addresses)} }

// allow takes a try from an address, of IPv6 from its /64.
func (p *pace) allow(a netip.Addr) bool {
	a = a.Unmap()
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	from, _ := a.Prefix(bits) // the zero prefix for the zero address
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.seen.Get(from)
	if !ok {
		l = rate.NewLimiter(rate.Every(nextTry), tries)
		p.seen.Put(from, l, 1)
	}
	return l.Allow()
}
