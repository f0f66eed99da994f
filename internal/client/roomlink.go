package client

import (
	"errors"
	"slices"
	"strings"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is coming into a room by its link, and letting people in who did
// (docs/protocol/rooms.md).

const (
	nsRooms      = "urn:mirsal:rooms:0"
	fieldToken   = "{urn:mirsal:rooms:0}token"
	fieldApprove = "{urn:mirsal:rooms:0}approve"
)

// mostKnocking bounds who is told to ask, mostToken a token, in bytes.
const (
	mostKnocking = 500
	mostToken    = 256
)

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// joinByLink shows a room the token of its link. XEP-0045 §7.10
func (e *Engine) joinByLink(c *port.JoinByLink) {
	address := e.roomAddress(c.Room, true)
	if address == "" || c.Token == "" || len(c.Token) > mostToken {
		e.fail(c, port.Failf(port.BadCommand, "a link is a room's address and a token"))
		return
	}
	known := e.rooms[address] != nil
	r := e.wanted(address, "")
	if r.joined {
		e.done(c, port.Done{Chat: r.Address})
		return
	}
	to, _ := jid.Parse(address)
	f := form.Form{Kind: form.Submit, Of: "http://jabber.org/protocol/muc#register", Fields: []form.Field{{Var: fieldToken, Values: []string{c.Token}}}}
	payload := append(f.Append([]byte("<query xmlns='jabber:iq:register'>")), "</query>"...)
	e.ask(conn.Request{To: to, Type: stanza.Set, Payload: payload}, func(s *conn.Stanza, err error) {
		switch {
		case e.rooms[address] != r:
			e.fail(c, port.Failf(port.Canceled, "the room was left meanwhile"))
		case err != nil:
			e.forgetUnknown(r, known)
			e.fail(c, linkRefusal(err))
		case s.Elem.Child("jabber:iq:register", "query").Child(nsRooms, "waits").OK():
			e.waitsOutside(c, r)
		default:
			e.enterByLink(c, r, known)
		}
	})
}

// linkRefusal tells a link that leads nowhere from what the room has decided about us.
func linkRefusal(err error) *port.Failure {
	f := refusalOf(err)
	if no := (*stanza.StanzaError)(nil); errors.As(err, &no) && no.Condition == stanza.ItemNotFound {
		f.Code = port.Missing
	}
	return f
}

func (e *Engine) forgetUnknown(r *room, known bool) {
	if !known {
		delete(e.rooms, r.Address)
	}
}

func (e *Engine) enterByLink(c *port.JoinByLink, r *room, known bool) {
	e.enter(r, func(err error) {
		if err != nil {
			e.forgetUnknown(r, known)
			e.fail(c, refusalOf(err))
			return
		}
		e.settleIn(r, func() { e.done(c, port.Done{Chat: r.Address}) })
	})
}

// waitsOutside puts the room among the chats, with a line that says that we wait.
func (e *Engine) waitsOutside(c *port.JoinByLink, r *room) {
	if r.Name == "" {
		r.Name = strings.TrimSpace(c.Name)
	}
	again := r.Asked
	r.Asked, r.Left = true, false
	if !e.change(e.lines.Begin(r.Address, true, e.Now())) || !e.keepRoom(r) {
		return
	}
	if again || e.change(e.lines.Notice(r.Address, true, "asked-in", nil, e.Now())) {
		e.done(c, port.Done{Chat: r.Address, Waiting: true})
	}
}

// roomAnswers takes what a room has decided about us, who asked; true: nothing of it is for the timeline.
func (e *Engine) roomAnswers(address string, el xtok.Elem) bool {
	a, r := el.Child(nsRooms, "answer"), e.rooms[address]
	if r == nil || !a.OK() {
		return false
	}
	switch {
	case !r.Asked:
	case a.AttrIs("is", "accepted"):
		e.enter(r, nil) // cameInside follows
	case a.AttrIs("is", "declined"):
		r.Asked, r.Left = false, true
		if e.change(e.lines.Notice(r.Address, true, "declined", nil, e.Now())) {
			e.keepRoom(r)
		}
	}
	return true
}

// cameInside follows on our being in a room that we have waited for.
func (e *Engine) cameInside(r *room) bool {
	if !r.Asked {
		return true
	}
	r.Asked = false
	if r.Since.IsZero() {
		r.Since = e.Now()
	}
	if !e.change(e.lines.Notice(r.Address, true, "let-in", nil, e.Now())) {
		return false
	}
	e.bookmark(r, func(error) {})
	return true
}

// membersChanged tells whoever has looked at who is here that it is not so any more.
func (e *Engine) membersChanged(r *room) {
	if r.listed {
		r.listed = false
		e.tell(&port.MembersChanged{Room: r.Address})
	}
}

// leads tells whether we are one of those who let people in.
func (e *Engine) leads(r *room) bool {
	role := r.Members[e.own.String()]
	return role == "owner" || role == "admin"
}

// askDoor asks who wants to be let in, where that is ours to decide. One question is under way at a time.
func (e *Engine) askDoor(r *room) {
	if !r.linked || !e.leads(r) || r.knocked {
		return
	}
	r.knocked = true
	e.askAccess(r, stanza.Get, "", func(_ xtok.Elem, err error) { r.knocked = false })
}

// askAccess asks for a room's link and who asks, or changes it.
func (e *Engine) askAccess(r *room, kind, inside string, then func(xtok.Elem, error)) {
	to, _ := jid.Parse(r.Address)
	payload := []byte("<access xmlns='" + nsRooms + "'>" + inside + "</access>")
	e.ask(conn.Request{To: to, Type: kind, Payload: payload}, func(s *conn.Stanza, err error) {
		if err != nil {
			then(xtok.Elem{}, err)
			return
		}
		access := s.Elem.Child(nsRooms, "access")
		if access.OK() && !e.takeAsking(r, access) {
			return
		}
		then(access, nil)
	})
}

// takeAsking notes who asks; a line in the room's chat tells of each who is new.
func (e *Engine) takeAsking(r *room, access xtok.Elem) bool {
	var now []string
	for _, a := range askingOf(access) {
		now = append(now, a.Address)
		if !slices.Contains(r.Asking, a.Address) && len(now) <= mostMemberLines &&
			!e.change(e.lines.Notice(r.Address, true, "asks-in", []string{a.Address, a.Nick}, e.Now())) {
			return false
		}
	}
	if slices.Equal(now, r.Asking) {
		return true
	}
	r.Asking = now
	return e.keepRoom(r)
}

func askingOf(access xtok.Elem) (list []port.Asking) {
	for c := range access.Children() {
		who, err := jid.Parse(c.Attr("jid"))
		if !c.Is(nsRooms, "request") || err != nil || len(list) >= mostKnocking {
			continue
		}
		a := port.Asking{Address: who.Bare().String(), Nick: c.Attr("nick")}
		a.Time, _ = time.Parse(time.RFC3339, c.Attr("at"))
		list = append(list, a)
	}
	return list
}

// roomAccess shows and changes how people come into a room.
func (e *Engine) roomAccess(c *port.RoomAccess) {
	answer := &port.RoomDoor{Ref: c.Ref, Room: c.Room}
	r := e.rooms[c.Room]
	if r == nil {
		answer.Failure = port.Failf(port.NoSuchChat, "%q is not one of your rooms", c.Room)
		e.tell(answer)
		return
	}
	kind, inside := stanza.Set, map[string]string{"new": "<make/>", "none": "<revoke/>"}[c.Link]
	if inside == "" {
		kind = stanza.Get
	}
	e.askAccess(r, kind, inside, func(access xtok.Elem, err error) {
		if err != nil {
			answer.Failure = refusalOf(err)
		} else {
			readDoor(answer, access)
		}
		e.tell(answer)
	})
}

func readDoor(d *port.RoomDoor, access xtok.Elem) {
	d.Approve, d.Asking = access.AttrIs("approve", "1"), askingOf(access)
	l := access.Child(nsRooms, "link")
	for _, text := range []string{l.Attr("uri"), l.Attr("url")} {
		if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "xmpp:") {
			d.Link = text
		}
	}
	d.Account = l.AttrIs("account", "1")
	if until, err := time.Parse(time.RFC3339, l.Attr("expires")); err == nil {
		d.Until = until
	}
}

// admit answers somebody who asks.
func (e *Engine) admit(c *port.Admit) {
	r, who, ok := e.member(c, c.Room, c.Address)
	if !ok {
		return
	}
	what := "decline"
	if c.Accept {
		what = "accept"
	}
	e.askAccess(r, stanza.Set, "<"+what+" jid='"+esc(who.String())+"'/>", func(_ xtok.Elem, err error) {
		if err != nil {
			e.fail(c, linkRefusal(err))
			e.askDoor(r) // another admin was faster
			return
		}
		r.Asking = slices.DeleteFunc(slices.Clone(r.Asking), func(a string) bool { return a == who.String() })
		if c.Accept {
			r.affiliate(who.String(), "member")
		}
		e.roomAnswer(c, r)(nil)
	})
}
