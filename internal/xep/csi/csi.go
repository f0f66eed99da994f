// Package csi spares a device whose user is not looking, XEP-0352 version 1.0.0:
// what can wait does, and goes out together with the next thing that cannot, or
// when the user looks again. It says which stanzas can wait; the waiting is
// internal/core's. It tells nobody who looks and who does not.
//
// What can wait is what the next of its kind makes obsolete: presence of one
// address, chat states of one sender, events of one item of a node. Invariants:
// what a client gets is in the order in which it was sent, with gaps only where
// something newer says the same; what an archive owes never waits; nothing
// that waits is lost when a connection is, or when it is resumed.
package csi

import (
	"bytes"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	ns        = "urn:xmpp:csi:0"
	nsEvent   = "http://jabber.org/protocol/pubsub#event"
	nsRoom    = "http://jabber.org/protocol/muc#user"
	nsCarbons = "urn:xmpp:carbons:2"
	nsForward = "urn:xmpp:forward:0"
)

// CSI is the feature.
type CSI struct{}

// New returns the feature.
func New() *CSI { return &CSI{} }

// Register attaches the feature.
func (c *CSI) Register(h *core.Host) {
	h.Stream(core.StreamFeature{Offer: offer})
	h.Nonza(ns, "active", func(st core.Stream, _ xtok.Elem) error { return c.told(st, true) })
	h.Nonza(ns, "inactive", func(st core.Stream, _ xtok.Elem) error { return c.told(st, false) })
	// XEP-0386#bind-request
	h.Inline(ns, "active", func(s *core.Session, _ xtok.Elem) []byte { c.Set(s, true); return nil })
	h.Inline(ns, "inactive", func(s *core.Session, _ xtok.Elem) []byte { c.Set(s, false); return nil })
	h.Hold = wait
}

// XEP-0352#discovery
func offer(st core.Stream) []byte {
	if st.Account().IsZero() {
		return nil
	}
	return []byte("<csi xmlns='" + ns + "'/>")
}

// told hears what a client says of itself. Nothing is answered.
// XEP-0352#indication
func (c *CSI) told(st core.Stream, active bool) error {
	if s := st.Session(); s != nil {
		c.Set(s, active)
	}
	return nil
}

// Set makes a session active or inactive. When it returns, what waited for an
// active one is queued ahead of all that is pushed later.
// XEP-0352#in-order-processing
func (c *CSI) Set(s *core.Session, active bool) { s.SetInactive(!active) }

// largest is how large, in bytes, a stanza may be that waits.
const largest = 16 << 10

// wait tells whether a packet can wait, and what makes it obsolete: the next
// one with the same key.
func wait(s *core.Session, p core.Packet) (key string) {
	if !bytes.HasPrefix(p.Segments[0], []byte("<presence")) && !bytes.HasPrefix(p.Segments[0], []byte("<message")) {
		return ""
	}
	size := p.Size()
	if size > largest {
		return ""
	}
	raw := make([]byte, 0, size)
	for _, segment := range p.Segments {
		raw = append(raw, segment...)
	}
	st, e, err := stanza.Parse(raw)
	switch {
	case err != nil:
		return ""
	case st.Kind == stanza.Presence:
		return presence(s, &st.Head, e)
	}
	return message(&st.Head, e)
}

// sep stands between the parts of a key; XML cannot carry it.
const sep = "\x00"

// presence can wait where it says that somebody is there or is not. What asks
// for an answer cannot, nor what tells a client that it has entered or left a room.
func presence(s *core.Session, h *stanza.Head, e xtok.Elem) string {
	switch {
	case h.Type != stanza.Available && h.Type != stanza.Unavailable,
		h.From == s.JID, // the client's own, which it may wait for
		e.Child(nsRoom, "x").Child(nsRoom, "status").OK():
		return ""
	}
	return "presence" + sep + h.From.String()
}

// message can wait where its rule says so: a chat state, or a copy of one, or an
// event.
func message(h *stanza.Head, e xtok.Elem) string {
	switch {
	case h.Facts == stanza.CarbonCopy && h.Type != stanza.Error:
		return copied(e)
	case !stanza.RuleOf(h).Waits:
		return ""
	case h.Facts.Any(stanza.PubSubEvent):
		return event(h, e.Child(nsEvent, "event"))
	}
	return "state" + sep + h.From.String()
}

// copied is the key of a copy (XEP-0280): a chat state that went to or came from
// one of the account's other devices.
func copied(e xtok.Elem) string {
	m := e.First().Child(nsForward, "forwarded").Child(stanza.NSClient, "message")
	if !m.OK() || e.First().NS() != nsCarbons {
		return ""
	}
	h, err := stanza.ReadHead(m)
	if err != nil || !h.Facts.Any(stanza.ChatState) || !stanza.RuleOf(&h).Waits {
		return ""
	}
	return "copy" + sep + h.From.String() + sep + h.To.String()
}

// event is the key of a node's event: of those of the same items of a node, be
// they published or retracted, the last tells all (XEP-0060).
func event(h *stanza.Head, e xtok.Elem) string {
	what := e.First()
	if !what.OK() || what.Next().OK() {
		return ""
	}
	key := "event" + sep + h.From.String() + sep + what.Local() + sep + what.Attr("node")
	for item := range what.Children() {
		if what.Local() == "items" {
			key += sep + item.Attr("id")
		}
	}
	return key
}
