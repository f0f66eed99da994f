package component

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// mostDirected is to how many addresses of one component a session may direct
// its presence.
const mostDirected = 1_000

// directed remembers which sessions sent a component presence, and to which of
// its addresses: those must hear when the session goes. Under the name's lock.
// RFC 6121 §4.6.3
type directed struct {
	of map[*core.Session]map[jid.JID]struct{}
}

func (d *directed) note(t *core.Transit) error {
	to := d.of[t.Session]
	switch t.Head.Type {
	case stanza.Unavailable:
		delete(to, t.Head.To)
		if len(to) == 0 {
			delete(d.of, t.Session)
		}
	case stanza.Available:
		if len(to) >= mostDirected {
			return stanza.Errorf(stanza.ResourceConstraint, "presence to more than %d addresses", mostDirected)
		}
		if to == nil {
			to = map[jid.JID]struct{}{}
			d.of[t.Session] = to
		}
		to[t.Head.To] = struct{}{}
	}
	return nil
}

// take hands out, and forgets, where a session is known.
func (d *directed) take(s *core.Session) map[jid.JID]struct{} {
	to := d.of[s]
	delete(d.of, s)
	return to
}

func (d *directed) clear() { clear(d.of) }
