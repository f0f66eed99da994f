package limits

import (
	"hash/maphash"
	"net"
	"net/netip"
	"time"
)

// source is what is remembered of an address or a prefix.
type source struct {
	connect, handshake, join bucket
	request                  bucket
	fail, stumble            bucket // attempts to log in, as they delay and as they refuse
	strangers                [doors]int32
	waiting                  int32
}

// sourceIdle tells whether a source that is made anew would be the same.
func (l *Limits) sourceIdle(s *source, now int64) bool {
	used := max(s.connect, s.handshake, s.join, s.request, s.fail, s.stumble)
	return used <= bucket(now) && s.strangers == [doors]int32{} && s.waiting == 0
}

// Origin is where somebody comes from. The zero Origin is exempt from what is
// counted by address.
type Origin struct {
	addr, prefix uint64 // hashed
	net          netip.Prefix
}

func (o Origin) exempt() bool { return !o.net.IsValid() }

// Origin finds the address and the prefix that are counted: /32 and /24 of IPv4,
// /64 and /48 of IPv6, which are what one household or one site has.
func (l *Limits) Origin(a netip.Addr) Origin {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || l.isExempt(a) {
		return Origin{}
	}
	host, site := 64, 48
	if a.Is4() {
		host, site = 32, 24
	}
	one, _ := a.Prefix(host)
	all, _ := a.Prefix(site)
	return Origin{addr: l.hash(one), prefix: l.hash(all), net: all}
}

func (l *Limits) isExempt(a netip.Addr) bool {
	for _, p := range l.cfg.Exempt {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func (l *Limits) hash(p netip.Prefix) uint64 {
	b := p.Addr().As16()
	return maphash.Bytes(l.seed, append(b[:], byte(p.Bits())))
}

// AddrOf is the IP address of a connection, invalid where it has none.
func AddrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr()
	}
	if a == nil {
		return netip.Addr{}
	}
	p, _ := netip.ParseAddrPort(a.String())
	return p.Addr()
}

// Peer is a connection without a login. It belongs to the goroutine that
// negotiates; all but Close is for it alone.
type Peer struct {
	l      *Limits
	origin Origin
	since  time.Time

	guests *guests
	// under guests.mu
	place int // among the guests, -1 when it has left
	drop  func()
}

// Connect lets a new connection in, or not: err is a *Refused. The peer holds a place among
// those without a login until Bound or Close.
func (l *Limits) Connect(a netip.Addr) (*Peer, error) { return l.connect(a, Streams) }

// Enter is Connect for a stream whose connection has come through a Listener: that
// was counted there.
func (l *Limits) Enter(a netip.Addr) (*Peer, error) {
	p := l.peer(a, Streams)
	return p, l.seat(p)
}

func (l *Limits) connect(a netip.Addr, d Door) (*Peer, error) {
	p := l.peer(a, d)
	if err := l.mayConnect(p.origin); err != nil {
		return nil, err
	}
	return p, l.seat(p)
}

func (l *Limits) peer(a netip.Addr, d Door) *Peer {
	p := &Peer{l: l, guests: &l.guests[d], since: time.Now(), place: -1}
	if l.cfg.Enabled {
		p.origin = l.Origin(a)
	}
	return p
}

// mayConnect takes a connection from the budgets of address and prefix. What
// neighbours do is not held against an address from which people sign in.
func (l *Limits) mayConnect(o Origin) error {
	r := &l.rates
	ok, scope := l.takeBoth(o, func(s *source, crowded bool, now int64) bool {
		if crowded {
			return s.connect.take(r.crowdConnect, now, 1)
		}
		return s.connect.take(r.connect, now, 1)
	})
	if !ok {
		return l.refuse("connections", scope, o.net)
	}
	return nil
}

// Request takes a request over HTTP from the budgets of the address that asks and
// its prefix. err is a *Refused.
func (l *Limits) Request(a netip.Addr) error {
	if !l.cfg.Enabled {
		return nil
	}
	r, o := &l.rates, l.Origin(a)
	ok, scope := l.takeBoth(o, func(s *source, crowded bool, now int64) bool {
		if crowded {
			return s.request.take(r.crowdConnect, now, 1)
		}
		return s.request.take(r.connect, now, 1)
	})
	if !ok {
		return l.refuse("requests", scope, o.net)
	}
	return nil
}

// takeBoth asks the address and then its prefix; the scope is which refused.
func (l *Limits) takeBoth(o Origin, take func(s *source, crowded bool, now int64) bool) (ok bool, scope string) {
	if o.exempt() {
		return true, ""
	}
	now := l.now()
	l.addrs.with(o.addr, now, func(e *entry[source]) { ok = take(&e.value, false, now) })
	if !ok {
		return false, "address"
	}
	l.prefixes.with(o.prefix, now, func(e *entry[source]) { ok = take(&e.value, true, now) })
	return ok || l.familiar.knows(o.addr), "prefix"
}

// OnDrop sets what ends the connection when it has to make room for another. drop
// must not block.
func (p *Peer) OnDrop(drop func()) {
	p.guests.mu.Lock()
	defer p.guests.mu.Unlock()
	p.drop = drop
}

// Bound gives the place among the guests to others: the peer is one of us.
func (p *Peer) Bound() { p.Close() }

// Close gives the place to others; it may be called more than once, and on nil.
func (p *Peer) Close() {
	if p == nil {
		return
	}
	p.guests.mu.Lock()
	defer p.guests.mu.Unlock()
	p.l.unseat(p)
}

// Strangers is how many streams are without a login.
func (l *Limits) Strangers() int { return l.Held(Streams) }

// Held is how many places of a door are taken.
func (l *Limits) Held(d Door) int { return l.guests[d].len() }

// nameKey hashes an account's name.
func (l *Limits) nameKey(account string) uint64 { return maphash.String(l.seed, account) }
