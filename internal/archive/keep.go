package archive

import (
	"slices"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
)

// Flags of an owner's entry.
const (
	Outgoing uint8 = 1 << iota // the owner sent it
	Incoming                   // the owner was sent it
	Offline                    // an owner who was away gets it when he comes back (XEP-0160)
)

// verdict is what the rules say of a message.
type verdict uint8

const (
	nobody  verdict = iota // in no archive; who is away never hears of it
	archive                // in both sides' archives, and waits for who is away
)

// rule is one row of the table below: it decides on messages of its types (any
// when nil) that carry one of its facts (any when 0).
type rule struct {
	what  string
	types []string
	facts stanza.Facts
	keep  verdict
}

var conversation = []string{stanza.Chat, stanza.Normal}

// rules decide which messages are archived; the first that fits decides.
//
// Archived is what a second device must see to show the same conversation:
// text, what changes or answers earlier text, and how far it was read and
// received. What is archived also waits for recipients who are away: XEP-0160
// excepts only chat states, and the sender's other devices need receipts too.
var rules = []rule{
	// XEP-0160#types, XEP-0334#rules: hints in errors mean nothing
	{"errors", []string{stanza.Error}, 0, nobody},
	// XEP-0313#business-storeret-user-archives: a room has an archive of its own
	{"room messages", []string{stanza.Groupchat}, 0, nobody},
	// XEP-0160#types
	{"headlines", []string{stanza.Headline}, 0, nobody},
	// XEP-0334#no-store. What must not be kept for good is not kept at all: there
	// is one place where messages wait.
	{"asked not to be stored", conversation, stanza.NoStore | stanza.NoPermanent, nobody},
	// XEP-0334#hints
	{"asked to be stored", conversation, stanza.Store, archive},
	// XEP-0313#business-storeret-user-archives
	{"text, readable or encrypted", conversation, stanza.HasBody | stanza.Encrypted, archive},
	{"corrections, retractions, reactions", conversation, stanza.Modern, archive},
	// XEP-0184, XEP-0333: other devices learn from the archive what was read
	{"receipts and markers", conversation, stanza.Receipt | stanza.Marker, archive},
	// XEP-0249, XEP-0045#invite-mediated
	{"invitations", conversation, stanza.DirectInvite | stanza.RoomUser, archive},
	{"a change of subject", conversation, stanza.HasSubject, archive},
	// XEP-0085#security: chat states, and anything that only programs read
	{"all else", nil, 0, nobody},
}

// decide finds the rule for a message; the last one fits all.
func decide(h *stanza.Head) verdict {
	for _, r := range rules {
		if (r.types == nil || slices.Contains(r.types, h.Type)) && (r.facts == 0 || h.Facts.Any(r.facts)) {
			return r.keep
		}
	}
	return nobody
}

// keep is the archive's core.KeepFunc: both local sides own what is archived,
// as far as their preferences allow; never one who has blocked the sender.
func (a *Archive) keep(r *core.Router, t *core.Transit) {
	if decide(&t.Head) == nobody {
		return
	}
	from, to := t.Head.From.Bare(), t.Head.To.Bare()
	if from == to {
		// XEP-0313#business-storeret-user-archives: once in an archive
		if a.prefs.allow(from, t.Head.To, a.cfg.Contact) {
			t.Keep(core.Owner{JID: from, Peer: to, Flags: Outgoing | Incoming | Offline})
			t.Offline = true
		}
		return
	}
	if t.FromLocal() && a.prefs.allow(from, t.Head.To, a.cfg.Contact) {
		t.Keep(core.Owner{JID: from, Peer: to, Flags: Outgoing})
	}
	if r.Exists(to) && !r.Blocked(to, t.Head.From) && a.prefs.allow(to, t.Head.From, a.cfg.Contact) {
		t.Keep(core.Owner{JID: to, Peer: from, Flags: Incoming | Offline})
		t.Offline = true
	}
}
