// Package sid keeps stanza ids honest, XEP-0359 version 0.7.0: what a client
// sends as if this server had said it is taken out before anybody reads it. That
// goes for ids, for delays (XEP-0203) and for what wraps a message of somebody
// else: carbon copies (XEP-0280) and results of an archive (XEP-0313). Clients are
// to ignore those from others, and not all have done so.
//
// The server's own ids are added on delivery, by internal/core, from the
// archive. Invariant: none of these reaches anybody as if it came from an address
// of this domain unless the server put it there.
package sid

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	ns          = "urn:xmpp:sid:0"
	nsOldDelays = "jabber:x:delay"
	nsCarbons   = "urn:xmpp:carbons:2"
	nsArchive   = "urn:xmpp:mam:2"
)

// Register attaches the feature.
func Register(h *core.Host, r *core.Router) {
	h.Stamp = append(h.Stamp, func(t *core.Transit) { strip(r, t) })
	h.Disco(core.Server, ns)
	h.Disco(core.Account, ns)
}

// strip cuts the children of a message that speak in our name.
// XEP-0359#rules
func strip(r *core.Router, t *core.Transit) {
	for c := t.Elem.First(); c.OK(); c = c.Next() {
		if forged(r, c) {
			t.Edit.Cut = append(t.Edit.Cut, c)
		}
	}
}

func forged(r *core.Router, c xtok.Elem) bool {
	switch {
	case c.Is(nsCarbons, "sent"), c.Is(nsCarbons, "received"), c.Is(nsArchive, "result"):
		// XEP-0280#security, XEP-0313#security
		return true
	case c.Is(ns, "stanza-id"):
		return ours(r, c.Attr("by"))
	case c.Is(stanza.NSDelay, "delay"), c.Is(nsOldDelays, "x"):
		// a client may say that it sent late, but not who says so
		return c.HasAttr("from") && ours(r, c.Attr("from"))
	}
	return false
}

// ours tells whether an address is of this domain, or is none: a client that
// reads more loosely than we do could still take it for ours.
func ours(r *core.Router, address string) bool {
	j, err := jid.Parse(address)
	return err != nil || r.Local(j)
}
