// Package carbons shows a conversation on all devices of its people, XEP-0280
// version 1.0.1. Copies are wrapped as XEP-0297 says.
//
// A copy shares the bytes of the message; only the wrapper's start tag is made
// for each receiver. Invariants: a session gets a message at most once, itself or
// as a copy. Wrappers that clients make up are taken out by xep/sid.
package carbons

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const ns = "urn:xmpp:carbons:2"

// Register attaches the feature.
func Register(h *core.Host, r *core.Router) {
	h.IQ(core.Account, ns, "enable", func(q *core.Query) ([]byte, error) { return turn(q, true) })
	h.IQ(core.Account, ns, "disable", func(q *core.Query) ([]byte, error) { return turn(q, false) })
	// XEP-0386 §3.2
	h.Inline(ns, "enable", func(s *core.Session, _ xtok.Elem) []byte { s.SetFlag(core.Carbons, true); return nil })
	h.Spread = append(h.Spread, func(t *core.Transit, d *core.Delivery) { spread(r, t, d) })
	h.Disco(core.Server, ns)
	h.Disco(core.Account, ns)
}

// turn switches copies for the asking session.
// XEP-0280#enabling, XEP-0280#disabling
func turn(q *core.Query, on bool) ([]byte, error) {
	switch {
	case !q.Own():
		// as for an account that is not there
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	case !q.Set():
		return nil, stanza.Errorf(stanza.BadRequest, "copies are turned on and off by an iq of type set")
	}
	q.Session.SetFlag(core.Carbons, on)
	return nil, nil
}

// spread copies a message to the other devices of both sides.
func spread(r *core.Router, t *core.Transit, d *core.Delivery) {
	// XEP-0280#recommended-rules
	if !stanza.RuleOf(&t.Head).Carbon {
		return
	}
	from, to := t.Head.From.Bare(), t.Head.To.Bare()
	if t.FromLocal() {
		// XEP-0280#outbound
		copyTo(r, t, d, from, sentHead, sentTail)
	}
	if to != from && r.Local(to) && !whispered(r, &t.Head) {
		// XEP-0280#inbound
		copyTo(r, t, d, to, receivedHead, receivedTail)
	}
}

// whispered tells whether a message came from somebody in a room, privately: the
// room sends it to every device that joined, and to others it would come from nobody.
// XEP-0280#which-messages
func whispered(r *core.Router, h *stanza.Head) bool {
	return (h.Type == stanza.Chat || h.Type == stanza.Normal) && h.Facts.Any(stanza.RoomUser) && h.From.IsFull() && !r.Local(h.From)
}

const (
	forwarded    = "<forwarded xmlns='urn:xmpp:forward:0'>"
	sentHead     = "<sent xmlns='" + ns + "'>" + forwarded
	sentTail     = "</forwarded></sent></message>"
	receivedHead = "<received xmlns='" + ns + "'>" + forwarded
	receivedTail = "</forwarded></received></message>"
)

// copyTo copies a message to those of an account's sessions that want copies
// and have not been given the message itself.
func copyTo(r *core.Router, t *core.Transit, d *core.Delivery, owner jid.JID, head, tail string) {
	var body core.Packet // the message as this owner sees it, the same for all
	for _, s := range r.Directory().Sessions(owner) {
		if !s.Flag(core.Carbons) || s == t.Session || !d.MayCopy(s) {
			continue
		}
		if body.Segments == nil {
			body = r.Packet(t.Stanza, t.SeqFor(owner), owner)
		}
		segments := make([][]byte, 0, len(body.Segments)+2)
		segments = append(segments, wrapper(&t.Head, owner, s.JID, head))
		segments = append(segments, body.Segments...)
		d.Give(s, core.Packet{Segments: append(segments, []byte(tail)), Seq: body.Seq})
	}
}

// wrapper is everything in front of the message.
func wrapper(h *stanza.Head, owner, to jid.JID, head string) []byte {
	b := make([]byte, 0, 160+len(owner.String())+len(to.String()))
	b = append(b, "<message xmlns='jabber:client' from='"...)
	b = xtok.Escape(b, owner.String())
	b = append(b, "' to='"...)
	b = xtok.Escape(b, to.String())
	if h.Type != stanza.Normal {
		b = append(b, "' type='"...)
		b = append(b, h.Type...)
	}
	b = append(b, "'>"...)
	return append(b, head...)
}
