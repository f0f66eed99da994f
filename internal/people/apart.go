package people

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Part puts a block into force by calling set, and makes those apart that newly
// names: each sees the other go, as if it had become unavailable. It keeps
// subscriptions as they are. newly is asked about full addresses; both run
// under owner's lock, newly once more without it, and must not block.
// XEP-0191#block
func (p *People) Part(owner jid.JID, newly func(jid.JID) bool, set func()) {
	p.vanish(owner, newly, set)
	for _, c := range p.Watched(owner) {
		if len(p.router.Directory().Sessions(c)) == 0 || !p.Subscribed(c, owner) {
			continue
		}
		p.each(c, func(s *core.Session) {
			if newly(s.JID) {
				p.pushTo(owner, unavailableOf(s.JID, jid.JID{}), available)
			}
		})
	}
}

// vanish is owner's side of Part: whoever was shown one of his sessions, by
// subscription or because he directed presence to them, sees it go.
func (p *People) vanish(owner jid.JID, newly func(jid.JID) bool, set func()) {
	defer p.lock(owner)()
	set()
	watchers := p.Watchers(owner)
	for _, s := range p.router.Directory().Sessions(owner) {
		told := p.takeThose(s, newly)
		if available(s) {
			told = append(told, watchers...)
		}
		gone := unavailableOf(s.JID, jid.JID{})
		seen := map[*core.Session]bool{}
		for _, to := range told {
			p.pushTo(to, gone, func(o *core.Session) bool {
				first := (available(o) || o.JID == to) && newly(o.JID) && !seen[o]
				seen[o] = seen[o] || first
				return first
			})
		}
	}
}

// pushTo pushes a presence to those sessions of an address that want accepts.
func (p *People) pushTo(to jid.JID, st *stanza.Stanza, want func(*core.Session) bool) {
	for _, s := range p.router.Directory().Sessions(to.Bare()) {
		if (to.IsBare() || to == s.JID) && want(s) {
			s.Push(addressed(st, to))
		}
	}
}

// takeThose hands out, and forgets, those to whom a session directed presence
// and whom want names, or may name by one of their resources.
func (p *People) takeThose(s *core.Session, want func(jid.JID) bool) (told []jid.JID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for to := range p.directed[s] {
		told = append(told, to)
		if want(to) {
			delete(p.directed[s], to)
		}
	}
	if len(p.directed[s]) == 0 {
		delete(p.directed, s)
	}
	return told
}

// Reunite ends a block by calling set, and shows to each other those that again
// names, as far as they are subscribed. Subscriptions that one of them ended
// meanwhile, of which the other was not to hear, end for both now. freed are the
// addresses that were named in the block.
// XEP-0191#unblock
func (p *People) Reunite(owner jid.JID, freed []jid.JID, again func(jid.JID) bool, set func()) {
	unlock := p.lock(owner)
	set()
	unlock()
	for _, c := range p.regained(owner, freed, again) {
		if err := p.mend(owner, c); err != nil {
			p.log.Error("subscription not mended", "jid", owner.String(), "contact", c.String(), "err", err)
			continue
		}
		p.reveal(owner, c, again)
		p.reveal(c, owner, nil)
	}
}

// regained are the accounts that a block kept apart from owner, and that may know
// of him: his contacts, and those that the block named.
func (p *People) regained(owner jid.JID, freed []jid.JID, again func(jid.JID) bool) []jid.JID {
	seen := map[jid.JID]bool{}
	var out []jid.JID
	add := func(c jid.JID) {
		if !seen[c] && p.router.Exists(c) && !p.router.Apart(owner, c) {
			seen[c] = true
			out = append(out, c)
		}
	}
	for _, j := range freed {
		add(j.Bare())
	}
	if r, ok := p.look(owner); ok {
		for _, i := range r.list(func(i *Item) bool { return again(i.JID) }) {
			add(i.JID)
		}
	}
	return out
}

// mend makes two rosters agree: a subscription that only one of them knows of
// has ended while the other could not be told.
// RFC 6121 §3.2.3, §3.3.3
func (p *People) mend(a, b jid.JID) error {
	for _, side := range [][2]jid.JID{{a, b}, {b, a}} {
		x, y := p.item(side[0], side[1]).State, p.item(side[1], side[0]).State
		if x.To() && !y.From() {
			if err := p.arrive(background(), side[0], side[1], unsubscribed, plain(unsubscribed, side[1], side[0])); err != nil {
				return err
			}
		}
		if x.From() && !y.To() {
			if err := p.arrive(background(), side[0], side[1], unsubscribe, plain(unsubscribe, side[1], side[0])); err != nil {
				return err
			}
		}
	}
	return nil
}

// reveal shows owner's sessions to those of a watcher that again names, any when
// it is nil.
func (p *People) reveal(owner, watcher jid.JID, again func(jid.JID) bool) {
	if !p.Subscribed(owner, watcher) {
		return
	}
	p.each(owner, func(s *core.Session) {
		p.pushTo(watcher, s.Presence().Stanza, func(o *core.Session) bool {
			return available(o) && !p.router.Apart(s.JID, o.JID) && (again == nil || again(o.JID))
		})
	})
	for _, f := range p.OnSubscribed {
		f(owner, watcher)
	}
}
