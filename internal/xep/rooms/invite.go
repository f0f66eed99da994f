package rooms

import (
	"fmt"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/lru"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// How many people one message may invite, how many one account may invite at once,
// and how long it takes until it may invite another.
const (
	maxInvitees = 20
	inviteBurst = 30
	invitePause = 20 * time.Second
)

// invites remembers how fast accounts invite, and who invited whom, so that only
// those who were invited can decline.
type invites struct {
	pace *paced[jid.JID]
	open *lru.Cache[invited, jid.JID] // the inviter
}

type invited struct{ room, who jid.JID }

// mostOpen is how many invitations are remembered.
const mostOpen = 16_384

func newInvites() invites {
	return invites{newPaced[jid.JID](inviteBurst, invitePause), lru.New[invited, jid.JID](mostOpen)}
}

// invitations takes mediated invitations and answers to them.
// XEP-0045#invite-mediated
func (r *room) invitations(t *core.Transit, st *seat) (taken bool, err error) {
	x := t.Elem.Child(nsUser, "x")
	if !x.OK() {
		return false, nil
	}
	if d := x.Child(nsUser, "decline"); d.OK() {
		return true, r.decline(t, d)
	}
	var list []invitation
	for c := range x.Children() {
		if !c.Is(nsUser, "invite") {
			continue
		}
		i, err := readInvitation(c)
		if err != nil {
			return true, err
		}
		list = append(list, i)
	}
	if len(list) == 0 {
		return false, nil
	}
	return true, r.inviteAll(t, st, list)
}

// invitation is one <invite/>.
type invitation struct {
	who      jid.JID // bare
	reason   string
	goesOn   bool // <continue/>: of a conversation between two
	thread   string
	isMember bool // of the room already, or not in need of it
}

func readInvitation(e xtok.Elem) (i invitation, err error) {
	who, err := jid.Parse(e.Attr("to"))
	if err != nil || who.Local() == "" {
		return i, stanza.Errorf(stanza.JIDMalformed, "an invitation needs the address of somebody")
	}
	i.who, i.reason = who.Bare(), e.Child(nsUser, "reason").Text()
	c := e.Child(nsUser, "continue")
	i.goesOn, i.thread = c.OK(), c.Attr("thread")
	if len(i.reason) > maxReason || len(i.thread) > maxReason {
		return i, stanza.Errorf(stanza.NotAcceptable, "this invitation is too long")
	}
	return i, nil
}

// inviteAll checks all invitations of a message, then sends them.
func (r *room) inviteAll(t *core.Transit, st *seat, list []invitation) error {
	if len(list) > maxInvitees {
		return stanza.Errorf(stanza.NotAcceptable, "one message invites at most %d people", maxInvitees)
	}
	me := t.Session.JID.Bare()
	for n := range list {
		if err := r.mayInvite(me, st, &list[n]); err != nil {
			return err
		}
	}
	if wait := r.svc.extras.invites.pace.take(me, len(list)); wait > 0 {
		return stanza.Errorf(stanza.ResourceConstraint, "you invite too many people: wait %s", wait.Round(time.Second))
	}
	for n := range list {
		if err := r.invite(t, st, &list[n]); err != nil {
			return err
		}
	}
	return nil
}

// mayInvite decides who may invite whom: those in the room and its members, and
// to a room for members only who may make members. To one with a password, which
// goes with the invitation, members only while they are inside.
// XEP-0045#modifymember
func (r *room) mayInvite(me jid.JID, st *seat, i *invitation) error {
	by, of := r.affiliation(me), r.affiliation(i.who)
	i.isMember = !r.cfg.MembersOnly || of >= Member
	switch {
	case st == nil && (by < Member || by < Admin && r.cfg.Password != ""):
		return notInside()
	case of == Outcast:
		return stanza.Errorf(stanza.Forbidden, "somebody whom you invite is banned from this room")
	case r.cfg.MembersOnly && by < Admin && !(r.cfg.MembersInvite && by == Member):
		return stanza.Errorf(stanza.Forbidden, "only admins invite to this room")
	case !i.isMember && len(r.affs) >= maxAffiliations:
		return stanza.Errorf(stanza.ResourceConstraint, "this room knows too many people")
	}
	return nil
}

// invite makes a member of who needs it, and sends the invitation. Whether somebody
// has blocked the inviter, or is there at all, the inviter does not hear.
func (r *room) invite(t *core.Transit, st *seat, i *invitation) error {
	me := t.Session.JID.Bare()
	if !i.isMember {
		why := departure{reason: i.reason}
		if st != nil {
			why.actor = st.who.nick
		}
		is := r.known(i.who)
		is.Affiliation = Member
		if err := r.becomes(i.who, is, why); err != nil {
			return err
		}
	}
	if r.svc.router.Blocked(i.who, me) {
		return nil
	}
	r.svc.extras.invites.open.Put(invited{r.jid, i.who}, me, 1)
	h := stanza.Head{Type: stanza.Normal, ID: t.Head.ID, From: r.jid, To: i.who}
	password := r.cfg.Password
	if st == nil && i.who == me {
		password = "" // who invites himself learns nothing
	}
	return silently(r.svc.router.Post(h, i.content(me, password)))
}

func (i *invitation) content(from jid.JID, password string) []byte {
	b := xtok.AppendAttr([]byte("<x xmlns='"+nsUser+"'><invite"), "from", from.String())
	b = xtok.AppendElement(append(b, '>'), "reason", i.reason)
	if i.goesOn {
		b = append(xtok.AppendAttr(append(b, "<continue"...), "thread", i.thread), "/>"...)
	}
	b = xtok.AppendElement(append(b, "</invite>"...), "password", password)
	return append(b, "</x>"...)
}

// silently keeps from the sender what a recipient made of it, but not what is wrong
// with this server, or with the address.
func silently(err error) error {
	if err == nil {
		return nil
	}
	switch c := stanza.AsError(err).Condition; c {
	case stanza.InternalServerError, stanza.RemoteServerNotFound:
		return fmt.Errorf("invitation: %w", err)
	}
	return nil
}

// decline tells who invited somebody that he will not come. What nobody was
// invited to goes nowhere.
func (r *room) decline(t *core.Transit, d xtok.Elem) error {
	me, open := t.Session.JID.Bare(), r.svc.extras.invites.open
	reason := d.Child(nsUser, "reason").Text()
	if len(reason) > maxReason {
		return stanza.Errorf(stanza.NotAcceptable, "this reason is too long")
	}
	by, ok := open.Get(invited{r.jid, me})
	to, err := jid.Parse(d.Attr("to"))
	if !ok || err != nil || to.Bare() != by {
		return nil
	}
	open.Drop(invited{r.jid, me})
	if r.svc.router.Blocked(by, me) {
		return nil
	}
	b := xtok.AppendAttr([]byte("<x xmlns='"+nsUser+"'><decline"), "from", me.String())
	b = append(xtok.AppendElement(append(b, '>'), "reason", reason), "</decline></x>"...)
	return silently(r.svc.router.Post(stanza.Head{Type: stanza.Normal, ID: t.Head.ID, From: r.jid, To: by}, b))
}
