package people

import (
	"bytes"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// stamp lets the Stamp hooks edit an available presence; under its account's lock.
func (p *People) stamp(t *core.Transit) {
	for _, f := range p.Stamp {
		f(t)
	}
}

// Decorate lets the Stamp hooks edit an available presence that goes to a site: a room
// shows pictures as contacts do.
func (p *People) Decorate(t *core.Transit) {
	defer p.lock(t.Head.From.Bare())()
	p.stamp(t)
}

// Restamp edits the presence of an account's available sessions and broadcasts
// those that changed: what a Stamp hook adds has become another. f returns the
// children that go, in document order, and what comes; ok is false to leave the
// presence as it is. f runs under the account's lock, as Stamp hooks do.
func (p *People) Restamp(owner jid.JID, f func(s *core.Session, e xtok.Elem) (edit stanza.Edit, ok bool)) {
	p.each(owner, func(s *core.Session) {
		was := s.Presence()
		_, e, err := stanza.Parse(was.Stanza.Raw)
		if err != nil {
			return
		}
		edit, ok := f(s, e)
		if !ok {
			return
		}
		now := stanza.Make(was.Stanza.Head, e, edit)
		if bytes.Equal(now.Raw, was.Stanza.Raw) {
			return
		}
		s.SetPresence(&core.Presence{Stanza: now, Priority: was.Priority, Of: was.Sent()})
		if s.Ended() {
			// gone looks at what is there when it is its turn: as in appear
			s.SetPresence(was)
			return
		}
		p.broadcast(owner, now)
	})
}
