// Package caps knows what connected clients can do: XEP-0115, 1.6.0, Entity
// Capabilities, and XEP-0390, 0.3.2, its second edition, as a server needs them
// for its own decisions. It reads <c/> of presence and asks a client by disco#info
// where the hash is new. It does not make the server's own <c/> and strips nothing
// from presence.
//
// Invariants, each with a test: what all clients with a hash are believed to
// support was verified against that hash; what could not be verified counts for
// the one session that said it; nobody is asked twice at a time, and of many
// clients with one unknown hash one is asked.
package caps

import (
	"slices"
	"sync"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/xtok"
)

const (
	nsCaps  = "http://jabber.org/protocol/caps"
	nsDisco = "http://jabber.org/protocol/disco#info"
)

// Caps is what is known of clients. Make it with New.
type Caps struct {
	// OnKnown hears that a session's features became known. interests are the
	// nodes, without "+notify", that the session has not shown an interest in
	// since it became available. On the session's reader or, when another client
	// was asked, on that one's; it must not block. Added before start.
	OnKnown []func(s *core.Session, interests []string)

	router *core.Router

	mu       sync.Mutex // guards all below, never held while asking or telling
	sessions map[*core.Session]*client
	shared   *cache
	waiting  map[string][]*core.Session // by identity.key; the first of each is being asked
}

// client is what is known of one session.
type client struct {
	id     identity
	info   *info // nil while unknown
	told   *info // what OnKnown was last told of since the session is available
	asking bool
	failed time.Time // when it last gave no answer
}

// patience is how long a client that gave no answer is not asked again.
const patience = 5 * time.Minute

// New makes an empty knowledge.
func New(r *core.Router) *Caps {
	return &Caps{
		router: r, sessions: map[*core.Session]*client{}, shared: newCache(),
		waiting: map[string][]*core.Session{},
	}
}

// Register attaches the hooks. The owner of presence calls Presence.
func (c *Caps) Register(h *core.Host) {
	h.Gone = append(h.Gone, c.gone)
	h.Bound = append(h.Bound, c.bound)
}

// Features is the set of what a session's client supports; known is false as
// long as nobody has said. The set is shared: nobody changes it.
func (c *Caps) Features(s *core.Session) (set map[string]struct{}, known bool) {
	c.mu.Lock()
	cl := c.sessions[s]
	if cl != nil && cl.info != nil {
		defer c.mu.Unlock()
		return cl.info.features, true
	}
	c.mu.Unlock()
	c.ask(s) // a session of an earlier run of the server was not asked yet
	return nil, false
}

// Notify tells whether a session's client wants events of a node.
// XEP-0060 §9.2
func (c *Caps) Notify(s *core.Session, node string) bool {
	set, _ := c.Features(s)
	_, yes := set[node+notifySuffix]
	return yes
}

// Presence takes the <c/> of an available presence that a session broadcast, on
// the session's reader. initial tells that it was unavailable before.
func (c *Caps) Presence(s *core.Session, e xtok.Elem, initial bool) {
	id, ok := readIdentity(e)
	if !ok {
		if initial || !c.second(s) {
			c.gone(s)
		}
		return
	}
	known := c.note(s, id, initial)
	switch {
	case s.Ended():
		c.gone(s) // it ended meanwhile, and was forgotten too early
	case known:
		c.tell(s)
	default:
		c.ask(s)
	}
}

// turn asks a session in place of another one that wore the same hash; next may
// be nil.
func (c *Caps) turn(next *core.Session, id identity) {
	if next != nil {
		c.query(next, id)
	}
}

// note remembers what a session says of itself, and tells whether its features
// are known.
func (c *Caps) note(s *core.Session, id identity, initial bool) (known bool) {
	var next *core.Session
	var was identity
	defer func() { c.turn(next, was) }() // when mu is free again
	c.mu.Lock()
	defer c.mu.Unlock()
	cl := c.sessions[s]
	if cl == nil {
		cl = &client{}
		c.sessions[s] = cl
	}
	if was = cl.id; was != id {
		next = c.leave(s, was)
		*cl = client{id: id, told: cl.told}
	}
	if initial {
		cl.told, cl.failed = nil, time.Time{}
	}
	if cl.info == nil && id.verifiable() {
		cl.info = c.shared.get(id.key())
	}
	return cl.info != nil
}

// tell calls the hooks when there is something new to tell.
func (c *Caps) tell(s *core.Session) {
	c.mu.Lock()
	cl := c.sessions[s]
	if cl == nil || cl.info == nil || cl.info == cl.told {
		c.mu.Unlock()
		return
	}
	interests := cl.info.news(cl.told)
	cl.told = cl.info
	c.mu.Unlock()
	for _, f := range c.OnKnown {
		f(s, interests)
	}
}

// ask asks a session's client, unless that is under way or another one with the
// same hash is being asked. A hibernating session is left in peace.
func (c *Caps) ask(s *core.Session) {
	if _, asleep := s.Hibernating(); asleep {
		return
	}
	c.mu.Lock()
	cl := c.sessions[s]
	if cl == nil || cl.info != nil || cl.asking || time.Since(cl.failed) < patience {
		c.mu.Unlock()
		return
	}
	cl.asking = true
	id := cl.id
	first := true
	if id.verifiable() {
		key := id.key()
		c.waiting[key] = append(c.waiting[key], s)
		first = len(c.waiting[key]) == 1
	}
	c.mu.Unlock()
	if first {
		c.query(s, id)
	}
}

// query sends the question.
// XEP-0115 §6.2, XEP-0390#usecases-hash-query
func (c *Caps) query(s *core.Session, id identity) {
	b := append([]byte(nil), "<query xmlns='"+nsDisco+"' node='"...)
	b = xtok.Escape(b, id.question())
	b = append(b, "'/>"...)
	c.router.Ask(s.JID, b, func(result xtok.Elem, err error) { c.answer(s, id, result, err) })
}

// answer takes what a client said of itself, or that it said nothing.
// XEP-0115 §5.4, XEP-0390#algorithm-verify
func (c *Caps) answer(s *core.Session, id identity, result xtok.Elem, err error) {
	var got *info
	verified := false
	if q := result.Child(nsDisco, "query"); err == nil && q.OK() {
		got, verified = read(q, id)
	}
	learned, next := c.settle(s, id, got, verified)
	for _, l := range learned {
		c.tell(l)
	}
	c.turn(next, id)
}

// settle notes an answer: a verified one serves all who wait, another one the
// session that gave it. next is who is to be asked instead.
func (c *Caps) settle(s *core.Session, id identity, got *info, verified bool) (learned []*core.Session, next *core.Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	learned = []*core.Session{s}
	key := id.key()
	if verified {
		c.shared.put(key, got)
		for _, w := range c.waiting[key] {
			if w != s {
				learned = append(learned, w)
			}
		}
		delete(c.waiting, key)
	} else {
		next = c.leave(s, id)
	}
	for _, l := range learned {
		if cl := c.sessions[l]; cl != nil && (cl.id == id || verified && cl.id.key() == key && cl.id.verifiable()) {
			cl.info, cl.asking = got, false
			if got == nil {
				cl.failed = time.Now()
			}
		}
	}
	return learned, next
}

// leave takes a session out of those that wait, under mu; next is who is to be
// asked in its place, if it was the one asked.
func (c *Caps) leave(s *core.Session, id identity) (next *core.Session) {
	if !id.verifiable() {
		return nil
	}
	key := id.key()
	w := c.waiting[key]
	i := slices.Index(w, s)
	if i < 0 {
		return nil
	}
	w = slices.Delete(slices.Clone(w), i, i+1)
	if len(w) == 0 {
		delete(c.waiting, key)
		return nil
	}
	c.waiting[key] = w
	if i > 0 {
		return nil
	}
	return w[0]
}

// gone forgets a session.
func (c *Caps) gone(s *core.Session) {
	c.mu.Lock()
	var next *core.Session
	var id identity
	if cl := c.sessions[s]; cl != nil {
		id = cl.id
		next = c.leave(s, id)
		delete(c.sessions, s)
	}
	c.mu.Unlock()
	c.turn(next, id)
}

// bound takes up a session that an earlier run of the server left: its presence
// is known, its client is asked when someone wants to know.
func (c *Caps) bound(s *core.Session) {
	pr := s.Presence()
	if pr == nil {
		return
	}
	if e, err := pr.Stanza.Elem(); err == nil {
		if id, ok := readIdentity(e); ok {
			c.note(s, id, true)
		}
	}
}

// Known is for tests and the ops page: how many hashes are shared.
func (c *Caps) Known() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shared.order.Len()
}
