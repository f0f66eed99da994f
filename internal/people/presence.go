package people

import (
	"strconv"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// maxDirected is to how many addresses a session may direct its presence.
const maxDirected = 1_000

// presence handles a presence stanza of a session, on its reader.
func (p *People) presence(t *core.Transit) error {
	to := t.Head.To
	if !to.IsZero() && !p.router.Local(to) {
		return stanza.Errorf(stanza.RemoteServerNotFound, "this server does not federate yet")
	}
	switch t.Head.Type {
	case stanza.Available, stanza.Unavailable:
		if !to.IsZero() {
			return p.direct(t)
		}
		if t.Head.Type == stanza.Unavailable {
			return p.unavailable(t)
		}
		return p.available(t)
	case stanza.Probe:
		return p.probe(t)
	case stanza.Error:
		p.deliver(t)
		return nil
	}
	return p.subscription(t)
}

// available takes a session's broadcast of its availability.
// RFC 6121 §4.2, §4.4
func (p *People) available(t *core.Transit) error {
	priority, err := readPriority(t.Elem)
	if err != nil {
		return err
	}
	s, me := t.Session, t.Head.From.Bare()
	if _, err := p.load(background(), me); err != nil {
		return err
	}
	initial, live := p.appear(t, priority)
	if !live {
		return nil
	}
	if initial {
		s.Feed(&arrival{people: p, session: s, contacts: p.Watched(me)})
	}
	for _, f := range p.OnPresence {
		f(s, t.Elem, initial)
	}
	if initial {
		for _, f := range p.OnAvailable {
			f(s)
		}
	}
	return nil
}

// appear makes a presence the session's and tells it: to the watchers, to the
// account's other sessions, and these to the session when it is new.
func (p *People) appear(t *core.Transit, priority int8) (initial, live bool) {
	s, me := t.Session, t.Session.JID.Bare()
	defer p.lock(me)()
	p.stamp(t)
	now := &core.Presence{Stanza: stanza.Make(t.Head, t.Elem, t.Edit), Priority: priority}
	was := s.Presence()
	s.SetPresence(now)
	if s.Ended() {
		// gone was called, and looked at what was there before or will wait for us:
		// asked in this order, one of us two sees the other
		s.SetPresence(was)
		return false, false
	}
	initial = was == nil
	p.broadcast(me, now.Stanza)
	if !initial {
		return false, true
	}
	for _, o := range p.router.Directory().Sessions(me) {
		if pr := o.Presence(); pr != nil && o != s {
			s.Push(addressed(pr.Stanza, me))
		}
	}
	return true, true
}

// broadcast pushes a presence to all who may see it, the account itself
// included; under its lock. One packet serves all sessions of a recipient.
// RFC 6121 §4.4.2
func (p *People) broadcast(me jid.JID, st *stanza.Stanza) {
	p.show(st, me)
	for _, w := range p.Watchers(me) {
		p.show(st, w)
	}
}

// show pushes a presence to the available sessions of an account, but to none
// that a block keeps apart from its sender.
func (p *People) show(st *stanza.Stanza, to jid.JID) {
	all := p.router.Directory().Sessions(to)
	if len(all) == 0 {
		return
	}
	packet := addressed(st, to)
	for _, s := range all {
		if available(s) && !p.router.Apart(st.From, s.JID) {
			s.Push(packet)
		}
	}
}

// addressed is a presence without a to, for one recipient. The bytes of the
// presence are shared, not copied.
func addressed(st *stanza.Stanza, to jid.JID) core.Packet {
	const name = len("<presence")
	b := append(make([]byte, 0, 8+len(to.String())), " to='"...)
	b = append(xtok.Escape(b, to.String()), '\'')
	return core.Packet{Segments: [][]byte{st.Raw[:name], b, st.Raw[name:]}}
}

// readPriority reads <priority/>; without one it is 0.
// RFC 6121 §4.7.2.3
func readPriority(e xtok.Elem) (int8, error) {
	text := strings.TrimSpace(childText(e, "priority"))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 8)
	if err != nil {
		return 0, stanza.Errorf(stanza.BadRequest, "a priority is a number from -128 to 127")
	}
	return int8(n), nil
}

// unavailable takes a session's leave: it stays bound and may come back.
// RFC 6121 §4.5.2
func (p *People) unavailable(t *core.Transit) error {
	s := t.Session
	st := stanza.Make(t.Head, t.Elem, stanza.Edit{})
	defer p.lock(s.JID.Bare())()
	p.disappear(s, st)
	return nil
}

// disappear tells all who knew of the session that it is not available; under
// its account's lock.
// RFC 6121 §4.5.2, §4.6.3
func (p *People) disappear(s *core.Session, st *stanza.Stanza) {
	me := s.JID.Bare()
	told := p.takeDirected(s)
	if s.Presence() != nil {
		p.broadcast(me, st)
		s.SetPresence(nil)
		for _, f := range p.OnUnavailable {
			f(s, st)
		}
	}
	for _, f := range p.OnFarewell {
		f(s, st)
	}
	for to := range told {
		p.showOne(st, to)
	}
}

// gone tells that a session ended, in its own time: it may end on any goroutine.
// RFC 6121 §4.5.3
func (p *People) gone(s *core.Session) {
	if s.Presence() == nil && !p.hasDirected(s) {
		return
	}
	p.run.Go(func() {
		defer p.lock(s.JID.Bare())()
		if o := p.router.Directory().Session(s.JID); o != nil && o.Presence() != nil {
			// a new connection under the same name has appeared meanwhile
			s.SetPresence(nil)
		}
		h := stanza.Head{Kind: stanza.Presence, Type: stanza.Unavailable, From: s.JID}
		p.disappear(s, stanza.New(h, nil))
	})
}

// direct takes presence to one address, and remembers who must hear of the end.
// RFC 6121 §4.6
func (p *People) direct(t *core.Transit) error {
	s, to := t.Session, t.Head.To
	defer p.lock(s.JID.Bare())()
	fresh := false
	if t.Head.Type == stanza.Unavailable {
		p.untrack(s, to)
	} else {
		var err error
		if fresh, err = p.track(s, to); err != nil {
			return err
		}
		p.stamp(t)
	}
	if s.Ended() {
		if fresh {
			p.untrack(s, to) // gone may have missed it
		}
		return nil
	}
	p.deliver(t)
	return nil
}

// deliver hands a directed presence to the sessions of its address.
// RFC 6121 §8.5.2, §8.5.3
func (p *People) deliver(t *core.Transit) {
	if t.Head.To.IsZero() || t.Head.Type == stanza.Error && t.Head.To.IsBare() {
		return
	}
	h := t.Head
	h.To = jid.JID{}
	p.showOne(stanza.Make(h, t.Elem, t.Edit), t.Head.To)
}

// showOne pushes a presence to a session by its full address, or to the
// available sessions of a bare one.
func (p *People) showOne(st *stanza.Stanza, to jid.JID) {
	if !to.IsFull() {
		p.show(st, to)
		return
	}
	if s := p.router.Directory().Session(to); s != nil && !p.router.Apart(st.From, to) {
		s.Push(addressed(st, to))
	}
}

// track remembers an address; fresh tells that it is new.
func (p *People) track(s *core.Session, to jid.JID) (fresh bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.directed[s]
	_, there := m[to]
	if !there && len(m) >= maxDirected {
		return false, stanza.Errorf(stanza.ResourceConstraint, "presence is directed to too many addresses")
	}
	if m == nil {
		m = map[jid.JID]struct{}{}
		p.directed[s] = m
	}
	m[to] = struct{}{}
	return !there, nil
}

func (p *People) untrack(s *core.Session, to jid.JID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.directed[s], to)
	if len(p.directed[s]) == 0 {
		delete(p.directed, s)
	}
}

func (p *People) hasDirected(s *core.Session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.directed[s]) > 0
}

// takeDirected hands out, and forgets, those who were sent directed presence
// and do not hear the broadcast.
func (p *People) takeDirected(s *core.Session) map[jid.JID]struct{} {
	p.mu.Lock()
	told := p.directed[s]
	delete(p.directed, s)
	p.mu.Unlock()
	if s.Presence() == nil {
		return told
	}
	for to := range told {
		if p.Subscribed(s.JID.Bare(), to.Bare()) {
			delete(told, to)
		}
	}
	return told
}

// probe answers a session that asks for a contact's presence. One who may not
// see it hears at most what ends a subscription that his own roster wrongly shows.
// One who is blocked finds nobody there, as with an account that is offline. One whose
// roster shows none hears nothing, whether there is such an account or not: his server,
// which is this one, drops an unsubscribed that ends nothing.
// RFC 6121 §4.3.2, §3.2.3
func (p *People) probe(t *core.Transit) error {
	owner, watcher := t.Head.To.Bare(), t.Head.From.Bare()
	if owner.IsZero() {
		return stanza.Errorf(stanza.BadRequest, "a probe needs an address")
	}
	apart := p.router.Blocked(owner, t.Head.From)
	if !p.Subscribed(owner, watcher) && !(apart && p.item(watcher, owner).State.To()) {
		return p.arrive(background(), watcher, owner, unsubscribed, plain(unsubscribed, owner, watcher))
	}
	defer p.lock(owner)()
	found := false
	for _, s := range p.router.Directory().Sessions(owner) {
		if pr := s.Presence(); !apart && pr != nil && (t.Head.To == owner || t.Head.To == s.JID) {
			t.Session.Push(addressed(pr.Stanza, watcher))
			found = true
		}
	}
	if !found {
		t.Session.PushStanza(unavailableOf(t.Head.To, watcher))
	}
	return nil
}

// introduce shows owner's sessions to one who may see them from now on.
// RFC 6121 §3.1.5
func (p *People) introduce(owner, watcher jid.JID) {
	p.each(owner, func(s *core.Session) { p.show(s.Presence().Stanza, watcher) })
	for _, f := range p.OnSubscribed {
		f(owner, watcher)
	}
}

// depart hides owner's sessions from one who may not see them any more.
// RFC 6121 §3.2.2, §3.3.3
func (p *People) depart(owner, watcher jid.JID) {
	p.each(owner, func(s *core.Session) { p.show(unavailableOf(s.JID, jid.JID{}), watcher) })
}

// each calls f with owner's available sessions, under owner's lock.
func (p *People) each(owner jid.JID, f func(s *core.Session)) {
	defer p.lock(owner)()
	for _, s := range p.router.Directory().Sessions(owner) {
		if available(s) {
			f(s)
		}
	}
}
