package limits

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Door is what connections without a login come through. Each has places of its
// own, so that those of one cannot be taken through another.
type Door int

// The doors.
const (
	Streams Door = iota // XMPP, whatever carries it
	Web                 // HTTP with TLS
	Proxied             // HTTP on this machine, for proxies
	Ops                 // the operator's
	doors
)

// opsPlaces are the places of Ops: those who measure are few.
const opsPlaces = 64

// guests are the connections of a door that are without a login.
type guests struct {
	budget string
	door   Door
	most   int  // 0 for any number
	rush   rate // of those who go before their time, for a place elsewhere

	mu     sync.Mutex // held for moments
	list   []*Peer
	exempt int // of list
	rushed bucket
}

func (g *guests) init(d Door, budget string, most int) {
	few := max(1, most/rushShare)
	g.door, g.budget, g.most, g.rush = d, budget, most, perTime(few, time.Second, few)
}

func (g *guests) len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.list)
}

const (
	// patience is how old a connection without a login is before it makes room for
	// just any other.
	patience = 5 * time.Second
	// samples is how many guests are looked at to find one who leaves: nearly all
	// are an attacker's when the places are taken by one.
	samples = 64
	// a prefix that holds one of so many of all places hoards them
	hoard = 16
	// of so many places, one may be taken in a second from somebody who is new
	rushShare = 64
)

// seat gives the peer a place among the guests. Where there is none, a guest makes
// room: one of the same address or prefix, when that has its share, else one of the
// fullest prefix among a few. See mayGo for who can be that.
func (l *Limits) seat(p *Peer) error {
	g := p.guests
	g.mu.Lock()
	scope, leave := l.makeRoom(p)
	if scope == "" || leave != nil {
		p.place = len(g.list)
		g.list = append(g.list, p)
		l.count(p, 1)
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
		l.notes.add(g.budget, scope, p.origin.net)
		drop()
		return nil
	}
	return l.refuse(g.budget, scope, p.origin.net)
}

// makeRoom tells which bound is reached, if any, and who leaves for it, if
// anybody can. Under guests.mu.
func (l *Limits) makeRoom(p *Peer) (scope string, leave *Peer) {
	g, o, most := p.guests, p.origin, l.cfg.AddressStrangers
	ofAddress := func(o Origin) int { return g.held(l, &l.addrs, o, o.addr) }
	ofPrefix := func(o Origin) int { return g.held(l, &l.prefixes, o, o.prefix) }
	c := choice{l: l, g: g, home: !o.exempt() && l.familiar.knows(o.addr), now: l.now()}
	switch {
	case !o.exempt() && most > 0 && ofAddress(o) >= most:
		c.crowd = func(Origin) int { return 0 }
		return "address", c.of(func(q *Peer) bool { return q.origin.addr == o.addr })
	case !o.exempt() && most > 0 && ofPrefix(o) >= crowd*most:
		c.crowd, c.own = ofAddress, ofAddress(o)
		return "prefix", c.of(func(q *Peer) bool { return q.origin.prefix == o.prefix })
	case g.most > 0 && len(g.list) >= g.most:
		c.crowd, c.own = ofPrefix, ofPrefix(o)
		if c.home { // neighbours do not count
			c.own = ofAddress(o)
		}
		return "server", c.of(func(*Peer) bool { return true })
	}
	return "", nil
}

// held is how many guests there are of an address or a prefix. Exempt ones, who
// cannot be told apart, are one crowd.
func (g *guests) held(l *Limits, t *table[source], o Origin, key uint64) (n int) {
	if o.exempt() {
		return g.exempt
	}
	t.with(key, l.now(), func(e *entry[source]) { n = int(e.value.strangers[g.door]) })
	return n
}

// choice finds the guest who leaves for a newcomer.
type choice struct {
	l     *Limits
	g     *guests
	now   int64
	home  bool             // somebody has signed in from the newcomer's address
	own   int              // the newcomer's crowd
	crowd func(Origin) int // of a guest

	found  *Peer
	weight int
	rushed bool // goes before his time, for the sake of one who has less
}

// of chooses among some. Who is at home is not turned away because a few guests
// do not suit.
func (c *choice) of(some func(*Peer) bool) *Peer {
	look := func(q *Peer) {
		if q.drop != nil && some(q) {
			c.consider(q)
		}
	}
	c.g.sample(samples, look)
	if c.found == nil && c.home {
		c.g.sample(len(c.g.list), look)
	}
	if c.rushed {
		c.g.rushed.take(c.g.rush, c.now, 1)
	}
	return c.found
}

// consider prefers guests of full crowds, a quarter of the blame for those who are at
// home, and then the one who has been here longest.
func (c *choice) consider(q *Peer) {
	n := c.crowd(q.origin)
	known := !q.origin.exempt() && c.l.familiar.knows(q.origin.addr)
	ok, rushed := c.mayGo(q, n, known)
	weight := crowd * n
	if known {
		weight = n
	}
	if ok && (c.found == nil || weight > c.weight || weight == c.weight && q.since.Before(c.found.since)) {
		c.found, c.weight, c.rushed = q, weight, rushed
	}
}

// mayGo tells whether a guest of a crowd of n may be sent away: never for one whose
// crowd is larger. Who has had time to log in may. Who has not may where he is not at home
// and the newcomer is, where his prefix hoards, and where the newcomer's has less than half
// as many: at any rate for somebody at home, and for others rarely enough that
// most have their time.
func (c *choice) mayGo(q *Peer, n int, known bool) (ok, rushed bool) {
	stranger := !known && !q.origin.exempt()
	poor := n >= 2*(c.own+1)
	switch {
	case n < c.own:
		return false, false
	case time.Since(q.since) >= patience, c.home && (stranger || poor):
		return true, false
	case stranger && n > c.own && n >= c.g.most/hoard && c.g.most > 0:
		return true, false
	}
	peek := c.g.rushed
	return poor && peek.take(c.g.rush, c.now, 1), true
}

// sample shows some guests.
func (g *guests) sample(most int, f func(*Peer)) {
	if len(g.list) == 0 {
		return
	}
	at := rand.IntN(len(g.list))
	for range min(most, len(g.list)) {
		at = (at + 1) % len(g.list)
		f(g.list[at])
	}
}

// count changes how many guests an address and its prefix have, and holds on to them.
func (l *Limits) count(p *Peer, n int32) {
	g, o := p.guests, p.origin
	if o.exempt() {
		g.exempt += int(n)
		return
	}
	now := l.now()
	add := func(e *entry[source]) { e.value.strangers[g.door] += n; e.pins += n }
	l.addrs.with(o.addr, now, add)
	l.prefixes.with(o.prefix, now, add)
}

// unseat is called under guests.mu.
func (l *Limits) unseat(p *Peer) {
	if p.place < 0 {
		return
	}
	g := p.guests
	last := len(g.list) - 1
	g.list[p.place] = g.list[last]
	g.list[p.place].place = p.place
	g.list[last] = nil
	g.list, p.place = g.list[:last], -1
	l.count(p, -1)
}
