package rooms

import (
	"slices"
	"strconv"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces of rooms.
const (
	nsMUC      = "http://jabber.org/protocol/muc"
	nsUser     = "http://jabber.org/protocol/muc#user"
	nsAdmin    = "http://jabber.org/protocol/muc#admin"
	nsOwner    = "http://jabber.org/protocol/muc#owner"
	nsOccupant = "urn:xmpp:occupant-id:0"
	nsSID      = "urn:xmpp:sid:0"
	nsOldDelay = "jabber:x:delay"
)

// Status codes of XEP-0045 that the engine uses itself.
// XEP-0045#registrar-statuscodes
const (
	statusNonAnonymous = 100
	statusSelf         = 110
	statusLogged       = 170
	statusCreated      = 201
	statusNickChanged  = 210
	statusBanned       = 301
	statusNewNick      = 303
	statusKicked       = 307
	statusAffiliation  = 321
	statusMembersOnly  = 322
	statusShutdown     = 332
	statusError        = 333
)

// notice is one presence of an occupant as the room tells it: his state at the
// moment when it was decided. It is never changed.
type notice struct {
	from    jid.JID // room/nick
	real    jid.JID // full
	aff     Affiliation
	role    Role
	gone    bool   // unavailable
	id      string // of the presence that caused it
	lang    string
	content []byte // what his client said, with the occupant id
	newNick string // with 303
	actor   string // nick of who did it, "" for nobody named
	reason  string
	codes   []int
	extra   []byte // further children of <x/>: <destroy/>
}

// noticeOf is an occupant's presence as it is; under the room's lock.
func (r *room) noticeOf(o *occupant, st *seat) notice {
	return notice{from: o.addr, real: st.session.JID, aff: r.affiliation(o.real), role: o.role, content: st.content, lang: st.lang}
}

// face is an occupant's presence as newcomers see it, rendered once.
type face struct {
	notice  notice
	stanzas [2]*stanza.Stanza // without and with the real address
}

// faceOf is the presence of an occupant as it is; under the room's lock.
func (r *room) faceOf(o *occupant, open bool) *stanza.Stanza {
	n, v := r.noticeOf(o, o.seats[0]), 0
	if !o.face.notice.same(&n) {
		o.face = face{notice: n}
	}
	if open {
		v = 1
	}
	if o.face.stanzas[v] == nil {
		o.face.stanzas[v] = n.stanza(open)
	}
	return o.face.stanzas[v]
}

// same tells whether two notices of what an occupant is are one. Content is made anew
// whenever it changes, and is never empty.
func (n *notice) same(m *notice) bool {
	return n.from == m.from && n.real == m.real && n.aff == m.aff && n.role == m.role && n.lang == m.lang &&
		len(n.content) == len(m.content) && len(n.content) > 0 && &n.content[0] == &m.content[0]
}

// stanza renders the presence without a to. open: with the real address.
// XEP-0045#enter-pres, XEP-0045#enter-nonanon
func (n *notice) stanza(open bool) *stanza.Stanza {
	h := stanza.Head{Kind: stanza.Presence, From: n.from, ID: n.id, Lang: n.lang}
	if n.gone {
		h.Type = stanza.Unavailable
	}
	b := append(make([]byte, 0, len(n.content)+160), n.content...)
	b = append(b, "<x xmlns='"+nsUser+"'><item affiliation='"...)
	b = append(append(append(b, n.aff.String()...), "' role='"...), n.role.String()...)
	b = append(b, '\'')
	if open {
		b = xtok.AppendAttr(b, "jid", n.real.String())
	}
	b = xtok.AppendAttr(b, "nick", n.newNick)
	b = n.appendWhy(b)
	for _, c := range n.codes {
		b = append(strconv.AppendInt(append(b, "<status code='"...), int64(c), 10), "'/>"...)
	}
	b = append(b, n.extra...)
	return stanza.New(h, append(b, "</x>"...))
}

// appendWhy closes the item, with who did it and why.
func (n *notice) appendWhy(b []byte) []byte {
	if n.actor == "" && n.reason == "" {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	if n.actor != "" {
		b = append(xtok.AppendAttr(append(b, "<actor"...), "nick", n.actor), "/>"...)
	}
	return append(xtok.AppendElement(b, "reason", n.reason), "</item>"...)
}

// spoken tells whether a child of a stanza speaks in the room's name, or is for
// the room alone: it is not reflected.
// XEP-0421#rules, XEP-0359#rules, XEP-0045#security
func (r *room) spoken(c xtok.Elem) bool {
	switch {
	case c.NS() == nsMUC, c.NS() == nsUser, c.NS() == nsAdmin, c.NS() == nsOwner, c.NS() == nsOccupant:
		return true
	case c.Is(nsSID, "stanza-id"):
		return r.ours(c.Attr("by"))
	case c.Is(stanza.NSDelay, "delay"), c.Is(nsOldDelay, "x"):
		// COMPAT: Dino says of a text that waited for keys that it is late, and takes
		// whatever is late for history, of which it does not know who wrote it
		return !c.HasAttr("from") || r.ours(c.Attr("from"))
	case c.NS() == "urn:xmpp:carbons:2", c.Is("urn:xmpp:mam:2", "result"):
		return true // in a room these are nothing but forgeries
	}
	return false
}

// ours tells whether an address is the room's or the server's, or is none.
func (r *room) ours(address string) bool {
	j, err := jid.Parse(address)
	return err != nil || j.Bare() == r.jid || r.svc.router.Local(j) || j.DomainOnly() == r.svc.site.Name
}

// clean cuts what speaks in the room's name.
func (r *room) clean(t *core.Transit) {
	t.Edit.Cut = t.Edit.Cut[:0]
	for c := t.Elem.First(); c.OK(); c = c.Next() {
		if r.spoken(c) {
			t.Edit.Cut = append(t.Edit.Cut, c)
		}
	}
}

// said is the content of a stanza as the room shows it, self-contained:
// cleaned and edited, with the occupant id.
func (r *room) said(t *core.Transit) []byte {
	raw := plain(t.Elem)
	b := make([]byte, 0, len(t.Elem.Content())+96)
	for c := t.Elem.First(); c.OK(); c = c.Next() {
		switch {
		case r.spoken(c), slices.ContainsFunc(t.Edit.Cut, func(cut xtok.Elem) bool { return cut.Start() == c.Start() }):
		case raw:
			b = append(b, c.Raw()...)
		default:
			b = c.AppendUnspoken(b)
		}
	}
	return r.appendID(append(b, t.Edit.Append...), t.Head.From.Bare())
}

// plain tells whether a stanza's children mean the same without its start tag.
func plain(e xtok.Elem) bool {
	for _, d := range e.Declared() {
		if d.Prefix != "" {
			return false
		}
	}
	return len(e.Borrowed()) == 0
}

// statusMessage is how a room tells of changes that concern all.
// XEP-0045#roomconfig-notify
func statusMessage(room jid.JID, codes []int) *stanza.Stanza {
	b := []byte("<x xmlns='" + nsUser + "'>")
	for _, c := range codes {
		b = append(strconv.AppendInt(append(b, "<status code='"...), int64(c), 10), "'/>"...)
	}
	return stanza.New(stanza.Head{Kind: stanza.Message, Type: stanza.Groupchat, From: room}, append(b, "</x>"...))
}
