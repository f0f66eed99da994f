package core

import (
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Transit is one stanza on its way through the server.
type Transit struct {
	// Head is the stanza's head with from set by us. Hooks up to Stamp may read
	// it; nobody changes it.
	Head stanza.Head
	// Elem is the parsed stanza. It lives in the connection's read buffer and is
	// valid until Archive.Append has returned, in no later phase.
	Elem xtok.Elem
	// Stanza is nil until Stamp is over and never changes afterwards.
	Stanza *stanza.Stanza
	// Session is the sender's, nil for stanzas that the server makes.
	Session *Session
	// By is the account, bare, whose stanza a site made this of; zero for none.
	By jid.JID
	// Edit collects what Stamp changes.
	Edit stanza.Edit
	// Time is when the stanza was received.
	Time time.Time

	// Owners are those whose archives get the message; set by Keep.
	Owners []Owner
	// Offline tells that an absent recipient will be given the message later.
	Offline bool
	// Seq is the place in the log, 0 for what is not kept.
	Seq uint64
	// Repeats tells that the message was archived before: it is acknowledged
	// again and delivered to nobody.
	Repeats bool
	// H is the value of XEP-0198's h that becomes true with this stanza, for the
	// resumable session Mark; zero Mark when there is none.
	Mark [16]byte
	H    uint32

	also    []*Session // further sessions that it goes to
	number  uint32     // the stanza's number in its session
	release func(*Transit)
	entered bool                 // by Router.Enter: settled when it is released
	reply   func(*stanza.Stanza) // tells a sender without a session; nil tells nobody
}

// Owner is one archive that keeps a message.
type Owner struct {
	JID   jid.JID // bare
	Peer  jid.JID // the other side as this owner sees it, bare
	Flags uint8   // the archive's own
}

// Keep adds an owner.
func (t *Transit) Keep(o Owner) { t.Owners = append(t.Owners, o) }

// Kept tells whether an owner's archive gets the message.
func (t *Transit) Kept(bare jid.JID) bool {
	for i := range t.Owners {
		if t.Owners[i].JID == bare {
			return true
		}
	}
	return false
}

// Release hands the transit on; the archive calls it once, in order.
func (t *Transit) Release() { t.release(t) }

// Answer sends an answer to whoever sent the stanza.
func (t *Transit) Answer(s *stanza.Stanza) {
	switch {
	case t.Session != nil:
		t.Session.PushStanza(s)
	case t.reply != nil:
		t.reply(s)
	}
}

// FromLocal tells whether a session of this server sent the stanza.
func (t *Transit) FromLocal() bool { return t.Session != nil }

// cid names the sender's connection in logs, "" where it has none.
func (t *Transit) cid() string {
	if t.Session == nil {
		return ""
	}
	return t.Session.CID
}
