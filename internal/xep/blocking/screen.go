package blocking

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const nsErrors = "urn:xmpp:blocking:errors"

// screen is the feature's core.ScreenFunc, for stanzas with an address.
func (b *Blocking) screen(t *core.Transit) error {
	from, to := t.Head.From, t.Head.To
	switch {
	case b.leaves(t):
		return nil
	case b.Blocks(from.Bare(), to):
		// XEP-0191#block
		return stanza.Errorf(stanza.NotAcceptable, "you have blocked this address").WithApp(nsErrors, "blocked")
	case t.Head.Kind == stanza.Presence:
		return nil // what comes in is people's: its sender's own side changes as ever
	case b.Blocks(to.Bare(), from):
		return away(&t.Head)
	case t.Head.Kind == stanza.Message && b.invites(to.Bare(), t):
		// who hands the invitation on is not blocked, and hears nothing of it
		return core.ErrSilently
	}
	return nil
}

// leaves tells whether one goes from a room: also from one that one has blocked.
func (b *Blocking) leaves(t *core.Transit) bool {
	return t.Head.Kind == stanza.Presence && t.Head.Type == stanza.Unavailable && b.router.Site(t.Head.To) != nil
}

// away is what one hears of an account that is not there: to the word, or a
// blocked contact could tell. Errors and results are not answered by core.
// XEP-0191#block, RFC 6121 §8.5.1
func away(h *stanza.Head) error {
	if h.Kind == stanza.Message {
		return core.Absent(h)
	}
	return stanza.Errorf(stanza.ServiceUnavailable, "")
}

// invites tells whether a message is an invitation by one, or into a room, that
// owner has blocked.
// XEP-0045#invite-mediated, XEP-0249 §2
func (b *Blocking) invites(owner jid.JID, t *core.Transit) bool {
	if !t.Head.Facts.Any(stanza.RoomUser|stanza.DirectInvite) || b.of(owner) == nil {
		return false
	}
	for x := t.Elem.First(); x.OK(); x = x.Next() {
		switch {
		case x.Is("jabber:x:conference", "x"):
			if b.blocksText(owner, x.Attr("jid")) {
				return true
			}
		case x.Is(nsRoomUser, "x") && b.inviter(owner, x):
			return true
		}
	}
	return false
}

const nsRoomUser = "http://jabber.org/protocol/muc#user"

func (b *Blocking) inviter(owner jid.JID, x xtok.Elem) bool {
	for c := x.First(); c.OK(); c = c.Next() {
		if (c.Is(nsRoomUser, "invite") || c.Is(nsRoomUser, "decline")) && b.blocksText(owner, c.Attr("from")) {
			return true
		}
	}
	return false
}

func (b *Blocking) blocksText(owner jid.JID, address string) bool {
	j, err := jid.Parse(address)
	return err == nil && b.Blocks(owner, j)
}
