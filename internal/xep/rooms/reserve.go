package rooms

import (
	"slices"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// reserve gives a person the nick that an item names, "" for none any more. Who sits
// under it, or under one that looks like it, is to be removed; but nobody whom the
// asker does not outrank.
// XEP-0045#modifymember
func (d *draft) reserve(who jid.JID, nick string) (string, error) {
	if nick == "" {
		return "", nil
	}
	addr, err := d.r.jid.WithResource(nick)
	if err != nil {
		return "", stanza.Errorf(stanza.NotAcceptable, "this cannot be a nick")
	}
	nick = addr.Resource()
	if err := checkNick(nick); err != nil {
		return "", err
	}
	var out []*occupant
	for _, l := range looks(nick) {
		if d.taken(who, l) {
			return "", stanza.Errorf(stanza.Conflict, "the nick %s, or one that looks like it, belongs to somebody else", nick)
		}
		for _, o := range d.r.looks[l] {
			if o.real != who && !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	for _, o := range out {
		if d.r.affiliation(o.real) >= d.by.Affiliation {
			return "", stanza.Errorf(stanza.Conflict, "somebody of your rank is here as %s", o.nick)
		}
		d.steps = append(d.steps, step{of: o, role: Nobody, reason: "this name belongs to somebody else"})
	}
	return nick, nil
}

// taken tells whether what a nick looks like will be somebody else's.
func (d *draft) taken(who jid.JID, look string) bool {
	if owner, ok := d.r.reserved[look]; ok && owner != who {
		if _, planned := d.affs[owner]; !planned {
			return true
		}
	}
	for other, a := range d.affs {
		if other != who && a.Nick != "" && slices.Contains(looks(a.Nick), look) {
			return true
		}
	}
	return false
}

// absent is what an occupant who asks is told of a nick that nobody sits under: what
// the person is whose it is, where the asker may read that.
// XEP-0045#bizrules-presence
func (r *room) absent(addr jid.JID, asker Standing) notice {
	n := notice{from: addr, aff: None, gone: true}
	for _, l := range looks(addr.Resource()) {
		who, ok := r.reserved[l]
		if a := r.known(who); ok && a.Nick == addr.Resource() && r.mayRead(asker, a.Affiliation) {
			n.aff, n.real = a.Affiliation, who
		}
	}
	return n
}
