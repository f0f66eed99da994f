package limits

import (
	"hash/maphash"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// source is what is remembered of an address or a prefix.
type source struct {
	connect, handshake, join bucket
	fail, stumble            bucket // attempts to log in, as they delay and as they refuse
	strangers, waiting       int32
}

// sourceIdle tells whether a source that is made anew would be the same.
func (l *Limits) sourceIdle(s *source, now int64) bool {
	return max(s.connect, s.handshake, s.fail, s.stumble, s.join) <= bucket(now) && s.strangers == 0 && s.waiting == 0
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

	// under l.guests.mu
	place int // among the guests, -1 when it has left
	drop  func()
}

// guests are the connections without a login.
type guests struct {
	mu   sync.Mutex // held for moments
	list []*Peer
}

// Connect lets a new connection in, or not: err is a *Refused. The peer holds a place among
// those without a login until Bound or Close.
func (l *Limits) Connect(a netip.Addr) (*Peer, error) {
	p := &Peer{l: l, since: time.Now(), place: -1}
	if l.cfg.Enabled {
		p.origin = l.Origin(a)
		if err := l.mayConnect(p.origin); err != nil {
			return nil, err
		}
	}
	return p, l.seat(p)
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

// seat gives the peer a place among the guests. Where there is none, the guest
// who has been here longest makes room: of the same address or prefix, when that
// has its share, else of the fullest prefix among a few. Guests have time to log
// in before they go, but not where the newcomer is at home and they are not, and
// not those of a prefix that hoards.
func (l *Limits) seat(p *Peer) error {
	g := &l.guests
	g.mu.Lock()
	budget, scope, leave := l.makeRoom(p)
	if scope == "" || leave != nil {
		p.place = len(g.list)
		g.list = append(g.list, p)
		l.count(p.origin, 1)
	}
	var drop func()
	if leave != nil {
		drop = leave.drop
		l.unseat(leave)
	}
	g.mu.Unlock()
	if scope == "" {
		return nil
	}
	if drop != nil {
		l.metrics.displaced.WithLabelValues(scope).Inc()
		l.notes.add(budget, scope, p.origin.net)
		drop()
		return nil
	}
	return l.refuse(budget, scope, p.origin.net)
}

// makeRoom tells which bound is reached, if any, and who leaves for it, if
// anybody can. Under guests.mu.
func (l *Limits) makeRoom(p *Peer) (budget, scope string, leave *Peer) {
	o, most := p.origin, l.cfg.AddressStrangers
	home := !o.exempt() && l.familiar.knows(o.addr)
	switch {
	case !o.exempt() && most > 0 && l.strangers(&l.addrs, o.addr) >= most:
		scope = "address"
		leave = l.oldest(false, func(q *Peer) bool { return q.origin.addr == o.addr })
	case !o.exempt() && most > 0 && l.strangers(&l.prefixes, o.prefix) >= crowd*most:
		scope = "prefix"
		leave = l.oldest(home, func(q *Peer) bool { return q.origin.prefix == o.prefix })
	case l.cfg.Strangers > 0 && len(l.guests.list) >= l.cfg.Strangers:
		scope = "server"
		leave = l.fullest(o, home)
	}
	return "strangers", scope, leave
}

func (l *Limits) strangers(t *table[source], key uint64) (n int) {
	t.with(key, l.now(), func(e *entry[source]) { n = int(e.value.strangers) })
	return n
}

const (
	// samples is how many guests are looked at to find one who leaves: nearly all
	// are an attacker's when the places are taken by one.
	samples = 64
	// a prefix that holds one of so many of all places hoards them
	hoard = 16
)

// oldest finds, among some, the guest who has been here longest.
func (l *Limits) oldest(urgent bool, of func(*Peer) bool) (found *Peer) {
	l.sample(func(q *Peer) {
		if of(q) && l.mayGo(q, urgent) && (found == nil || q.since.Before(found.since)) {
			found = q
		}
	})
	return found
}

// fullest finds, among some, a guest whose prefix has no fewer guests than the
// newcomer's: of the fullest, the oldest.
func (l *Limits) fullest(newcomer Origin, home bool) (found *Peer) {
	crowdOf := func(o Origin) int {
		if o.exempt() {
			return 1
		}
		return l.strangers(&l.prefixes, o.prefix)
	}
	most, own := 0, crowdOf(newcomer)
	if home { // neighbours do not count
		own = l.strangers(&l.addrs, newcomer.addr)
	}
	l.sample(func(q *Peer) {
		n := crowdOf(q.origin)
		urgent := home || n > own && n >= l.cfg.Strangers/hoard
		if n >= own && l.mayGo(q, urgent) && (n > most || n == most && q.since.Before(found.since)) {
			found, most = q, n
		}
	})
	return found
}

// mayGo tells whether a guest may be sent away: who has had time to log in, or,
// when it is urgent, whom nobody knows here.
func (l *Limits) mayGo(q *Peer, urgent bool) bool {
	if q.drop == nil {
		return false
	}
	unknown := !q.origin.exempt() && !l.familiar.knows(q.origin.addr)
	return time.Since(q.since) >= patience || urgent && unknown
}

// sample shows some guests.
func (l *Limits) sample(f func(*Peer)) {
	list := l.guests.list
	if len(list) == 0 {
		return
	}
	at := rand.IntN(len(list))
	for range min(samples, len(list)) {
		at = (at + 1) % len(list)
		f(list[at])
	}
}

// count changes how many guests an address and its prefix have, and holds on to them.
func (l *Limits) count(o Origin, n int32) {
	if o.exempt() {
		return
	}
	now := l.now()
	add := func(e *entry[source]) { e.value.strangers += n; e.pins += n }
	l.addrs.with(o.addr, now, add)
	l.prefixes.with(o.prefix, now, add)
}

// unseat is called under guests.mu.
func (l *Limits) unseat(p *Peer) {
	if p.place < 0 {
		return
	}
	g := &l.guests
	last := len(g.list) - 1
	g.list[p.place] = g.list[last]
	g.list[p.place].place = p.place
	g.list[last] = nil
	g.list, p.place = g.list[:last], -1
	l.count(p.origin, -1)
}

// OnDrop sets what ends the connection when it has to make room for another. drop
// must not block.
func (p *Peer) OnDrop(drop func()) {
	p.l.guests.mu.Lock()
	defer p.l.guests.mu.Unlock()
	p.drop = drop
}

// Bound gives the place among the guests to others: the peer is one of us.
func (p *Peer) Bound() { p.Close() }

// Close gives the place to others; it may be called more than once, and on nil.
func (p *Peer) Close() {
	if p == nil {
		return
	}
	p.l.guests.mu.Lock()
	defer p.l.guests.mu.Unlock()
	p.l.unseat(p)
}

// Strangers is how many connections are without a login.
func (l *Limits) Strangers() int {
	l.guests.mu.Lock()
	defer l.guests.mu.Unlock()
	return len(l.guests.list)
}

// nameKey hashes an account's name.
func (l *Limits) nameKey(account string) uint64 { return maphash.String(l.seed, account) }
