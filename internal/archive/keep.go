package archive

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
)

const nsRetract = "urn:xmpp:message-retract:1"

// Flags of an owner's entry.
const (
	Outgoing uint8 = 1 << iota // the owner sent it
	Incoming                   // the owner was sent it
	Offline                    // an owner who was away gets it when he comes back (XEP-0160)
	Named                      // of a room's: all who were there saw the sender's address
)

// keep is the archive's core.KeepFunc: both local sides own what the rule for the
// message archives, as far as their preferences allow; never one who has blocked
// the sender.
func (a *Archive) keep(r *core.Router, t *core.Transit) {
	rule := stanza.RuleOf(&t.Head)
	if !rule.Archive {
		return
	}
	incoming := Incoming
	if rule.Offline {
		incoming |= Offline
	}
	from, to := t.Head.From.Bare(), t.Head.To.Bare()
	if from == to {
		// XEP-0313#business-storeret-user-archives: once in an archive
		if a.prefs.allow(from, t.Head.To, a.cfg.Contact) {
			t.Keep(core.Owner{JID: from, Peer: to, Flags: Outgoing | incoming})
			t.Offline = rule.Offline
		}
		return
	}
	if t.FromLocal() && a.prefs.allow(from, t.Head.To, a.cfg.Contact) {
		t.Keep(core.Owner{JID: from, Peer: to, Flags: Outgoing})
	}
	if r.Exists(to) && !r.Blocked(to, t.Head.From) && a.prefs.allow(to, t.Head.From, a.cfg.Contact) {
		t.Keep(core.Owner{JID: to, Peer: from, Flags: incoming})
		t.Offline = rule.Offline
	}
}
