// Package e2ee asks for end-to-end encryption between accounts: with the
// setting e2ee = "required" a readable text is sent back to its author. Which
// encryption is used is declared by XEP-0384, XEP-0373 or XEP-0027.
//
// It guards against mistakes and proves nothing: whoever wants to can wrap a
// readable text so that it passes. Rooms follow settings of their own.
package e2ee

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
)

// Mode is the setting e2ee, which config reads.
type Mode string

// The modes; Required is the default.
const (
	Required Mode = "required"
	Optional Mode = "optional"
)

// remedy is what the author of a refused message is told.
const remedy = "Messages between people here must be end-to-end encrypted, and this one was not, so it was not sent. " +
	"Turn on OMEMO encryption in this conversation and send it again."

// Register attaches the feature.
func Register(h *core.Host, r *core.Router, m Mode) {
	if m == Optional {
		return
	}
	h.Screen = append(h.Screen, func(t *core.Transit) error {
		if betweenAccounts(r, t) && readable(&t.Head) {
			return stanza.Errorf(stanza.PolicyViolation, remedy)
		}
		return nil
	})
}

// betweenAccounts tells whether a stanza goes from one account to another. Whether
// the other exists makes no difference, and so is not told.
func betweenAccounts(r *core.Router, t *core.Transit) bool {
	to := t.Head.To
	return t.Head.Kind == stanza.Message && t.FromLocal() &&
		r.Local(to) && to.Local() != "" && to.Bare() != t.Head.From.Bare()
}

// readable tells whether a message of people carries a text for all to read.
func readable(h *stanza.Head) bool {
	if h.Type != stanza.Chat && h.Type != stanza.Normal {
		return false
	}
	if !h.Facts.Has(stanza.HasBody) || h.Facts.Any(stanza.Encrypted|stanza.DirectInvite) {
		return false
	}
	// XEP-0428#overview: a quotation in front of a reply does not make it a stand-in
	return !h.Facts.Has(stanza.StandIn)
}
