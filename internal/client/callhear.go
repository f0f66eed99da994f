package client

import (
	"errors"
	"strings"
	"time"

	"mirsal/internal/client/call"
	"mirsal/internal/client/conn"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// nsCalls is what the server says of calls: docs/protocol/calls.md.
const nsCalls = "urn:mirsal:calls:0"

// said is what was said about a call, and by whom.
type said struct {
	jingle.Invite
	from jid.JID
	peer string // bare: with whom the call is
	own  bool   // another device of ours has said it
	link bool   // our server says that it is by a link of ours
	at   time.Time
}

// callSaid reads what a message says about a call; false: nothing.
func (e *Engine) callSaid(el xtok.Elem) (s said, ok bool) {
	v, ok, err := jingle.InviteIn(el)
	if !ok || err != nil {
		return s, false
	}
	head, err := stanza.ReadHead(el)
	if err != nil || head.Type != stanza.Chat && head.Type != stanza.Normal {
		return s, false
	}
	s = said{Invite: v, from: head.From, own: head.From.Bare() == e.own, link: e.calls.links && el.Child(nsCalls, "link").Attr("id") != ""}
	who := head.From.Bare()
	if s.own {
		who = head.To.Bare()
	}
	s.peer = who.String()
	return s, !head.From.IsZero() && who != e.own && who.Local() != "" && e.rooms[s.peer] == nil
}

// callHeard takes a message about a call as it is said; what comes from an archive goes to callArchived.
func (e *Engine) callHeard(el xtok.Elem, o origin) {
	if el.AttrIs("type", stanza.Error) {
		e.callRefused(el)
		return
	}
	s, ok := e.callSaid(el)
	if !ok || s.from.String() == e.calls.full {
		return
	}
	if s.at = o.time; s.at.IsZero() || s.at.After(e.Now()) {
		s.at = e.Now()
	}
	late := o.source == timeline.Offline && e.Now().Sub(s.at) >= life.RingingIn.Lasts()
	name := callName(s.peer, s.ID)
	switch c := e.calls.on[name]; {
	case c != nil:
		e.carry(c, c.Heard(s.from.String(), s.Invite))
	case e.logged(name) != nil && !e.begins(name, s, late): // it is over
		e.callArchived(el, s.at)
	case len(e.calls.on) >= mostOngoing:
	case s.Kind == jingle.Propose && !s.own:
		e.proposed(s, late)
	case s.Kind == jingle.Proceed && o.source == timeline.Live && el.AttrIs("to", e.calls.full):
		e.forgotten(s)
	case !s.own && !e.listedContact(s.peer): // what did not ring is not taken back either
	default:
		n := e.newCall(s.peer, s.ID)
		n.begun = s.at
		e.carry(n, n.Heard(s.from.String(), s.Invite))
	}
}

// begins tells whether a message is the invitation to a call of which only an archive has told, and no more than
// that it began: a device that comes while it rings may be given the archive's page first.
func (e *Engine) begins(name string, s said, late bool) bool {
	l := e.logged(name)
	return l.Open && s.Kind == jingle.Propose && !s.own && !(late && l.Lined)
}

// forgotten takes that a call of ours was accepted of which this device knows nothing: the program that has called
// was ended in the middle. Who has accepted would wait for its session.
func (e *Engine) forgotten(s said) {
	if e.tellsThatHere(s.peer) {
		e.sendInvite(s.from.String(), jingle.Invite{Kind: jingle.Finish, ID: s.ID, Cause: jingle.Cause{Condition: jingle.Gone}}, "")
	}
}

// callRefused takes an error for an invitation of ours.
func (e *Engine) callRefused(el xtok.Elem) {
	head, err := stanza.ReadHead(el)
	id, ours := strings.CutPrefix(head.ID, callPrefix+jingle.Propose.String()+"-")
	if err != nil || !ours {
		return
	}
	if o := e.calls.on[callName(head.From.Bare().String(), id)]; o != nil && o.View().Mine {
		e.carry(o, o.Refused(words(stanza.ReadError(el))))
	}
}

// proposed rings, or not: strangers without a link of ours, the blocked, and what comes too late are quiet. Of two
// who call each other at once one call is the one (XEP-0353 §4.1).
func (e *Engine) proposed(s said, late bool) {
	if p := e.people[s.peer]; p != nil && p.Blocked {
		return
	}
	stranger := !e.listedContact(s.peer)
	if stranger && !s.link {
		e.logStranger(s)
		return
	}
	as := life.PeerProposes
	for _, o := range e.calls.on {
		ours, theirs := life.Contest(o.Life(), s.ID, s.from.String())
		if ours != life.Unrelated {
			e.carry(o, o.Told(ours))
		}
		if theirs != life.PeerProposes {
			as = theirs
		}
	}
	busy := as == life.PeerProposes && e.present() != nil
	if late || busy {
		as = life.PeerProposesQuietly
	}
	if busy && !late {
		e.busy(s)
	}
	n := e.newCall(s.peer, s.ID)
	n.begun, n.late, n.byLink = s.at, late, stranger
	if e.carry(n, n.HeardAs(s.from.String(), s.Invite, as)) && as == life.PeerProposes {
		n.due = s.at.Add(n.state.Lasts())
		e.askServers()
	}
}

// busy tells a caller that a person is speaking, unless another device of theirs can ring: as Conversations does.
// Here it is a missed call either way.
func (e *Engine) busy(s said) {
	if len(e.calls.beside) == 0 && e.tellsThatHere(s.peer) {
		e.sendInvite(s.from.String(), jingle.Invite{Kind: jingle.Reject, ID: s.ID, Cause: jingle.Cause{Condition: jingle.Busy}}, "")
	}
}

// ownPresence notes which of our other devices are online.
func (e *Engine) ownPresence(s *conn.Stanza) {
	resource := s.From.Resource()
	switch {
	case resource == "" || s.From.String() == e.calls.full:
	case s.Type == "unavailable":
		delete(e.calls.beside, resource)
	case s.Type == stanza.Available && len(e.calls.beside) < mostResources:
		e.calls.beside[resource] = true
	}
}

// callWord takes what our server says of a call, which sees all devices of ours; the caller knows that it is from
// the account itself. False: it is something else.
func (e *Engine) callWord(el xtok.Elem) bool {
	word, on := el.Child(nsCalls, "answered"), life.ServerAnswered
	if !word.OK() {
		word, on = el.Child(nsCalls, "ended"), life.ServerEnded
		if word.AttrIs("why", "rejected") {
			on = life.OwnRejects
		}
	}
	with, err := jid.Parse(word.Attr("with"))
	if !word.OK() {
		return false
	}
	id := word.Attr("id")
	if err != nil || id == "" || len(id) > mostCallID {
		return true
	}
	name := callName(with.Bare().String(), id)
	o := e.calls.on[name]
	switch {
	case o != nil:
		e.carry(o, o.Told(on))
	case e.logged(name) == nil && with.Bare() != e.own:
		n := e.newCall(with.Bare().String(), id)
		e.carry(n, n.Told(on))
	}
	return true
}

// mostCallID bounds a call's id, in bytes, as the grammar does.
const mostCallID = 128

// callRequest answers a request of a session; false: it is of another kind.
func (e *Engine) callRequest(s *conn.Stanza, el xtok.Elem) bool {
	v, err := jingle.ParseSession(el)
	var no *jingle.Refusal
	if errors.As(err, &no) && no.Reason == jingle.NotACall {
		return false
	}
	o := e.calls.on[callName(s.From.Bare().String(), v.SID)]
	switch {
	case o == nil && !e.mayAsk(s.From):
		e.refuseIQ(s)
		return true
	case err != nil:
		e.refuseAs(s, stanza.Errorf(stanza.BadRequest, ""))
		return true
	case o == nil:
		e.refuseAs(s, call.Unknown())
		return true
	}
	do, refusal := o.HeardSession(s.From.String(), v)
	if refusal != nil {
		e.refuseAs(s, refusal)
	} else {
		e.reply(s, nil)
	}
	e.carry(o, do)
	return true
}

func (e *Engine) refuseAs(s *conn.Stanza, refusal *stanza.StanzaError) {
	e.send(stanza.ErrorReply(s.Head, refusal).Raw, 0)
}

// refusalIn is the other side's refusal of a request, nil for none; what the connection did not carry is none.
func refusalIn(err error) *stanza.StanzaError {
	var refusal *stanza.StanzaError
	errors.As(err, &refusal)
	return refusal
}
