package client

import (
	"encoding/hex"
	"io"
	"maps"
	"slices"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// fieldEncrypted is how a Mirsal server is told that a room refuses readable texts
// (docs/protocol/rooms.md).
const fieldEncrypted = "{urn:mirsal:rooms:0}encrypted"

// joinRoom enters a room and keeps it among the bookmarks.
func (e *Engine) joinRoom(c *port.JoinRoom) {
	address := e.roomAddress(c.Address, true)
	if address == "" || c.Nick != "" && !validNick(address, c.Nick) {
		e.fail(c, port.Failf(port.BadCommand, "%q is not a room's address", c.Address))
		return
	}
	known := e.rooms[address] != nil
	r := e.wanted(address, c.Nick)
	e.enter(r, func(err error) {
		if err != nil {
			if !known {
				delete(e.rooms, r.Address)
			}
			e.fail(c, refusalOf(err))
			return
		}
		e.settleIn(r, func() { e.done(c, port.Done{Chat: r.Address}) })
	})
}

// settleIn puts a room among the chats and the bookmarks.
func (e *Engine) settleIn(r *room, then func()) {
	if r.Since.IsZero() {
		r.Since = e.Now()
	}
	if !e.change(e.lines.Begin(r.Address, true, e.Now())) || !e.keepRoom(r) {
		return
	}
	e.bookmark(r, func(error) { then() })
}

// createRoom makes a private room: a name nobody guesses, members only, everybody
// known to each other, so that it can be encrypted.
func (e *Engine) createRoom(c *port.CreateRoom) {
	members := make([]jid.JID, 0, len(c.Members))
	for _, m := range c.Members {
		j, err := jid.Parse(m)
		if err != nil || j.Local() == "" {
			e.fail(c, port.Failf(port.BadCommand, "%q is not somebody's address", m))
			return
		}
		members = append(members, j.Bare())
	}
	var random [10]byte
	if _, err := io.ReadFull(e.Rand, random[:]); err != nil {
		e.breakDown(err)
		return
	}
	e.roomService(func(service jid.JID, err error) {
		if err != nil {
			e.fail(c, port.Failf(port.Missing, "this server has no rooms: %s", words(err)))
			return
		}
		r := e.wanted(hex.EncodeToString(random[:])+"@"+service.String(), "")
		r.making = true
		e.enter(r, func(err error) {
			if err == nil {
				e.configure(c, r, members)
				return
			}
			delete(e.rooms, r.Address)
			e.fail(c, refusalOf(err))
		})
	})
}

// roomService finds the server's rooms. XEP-0045 §6.1
func (e *Engine) roomService(then func(jid.JID, error)) {
	e.service(func(s *conn.Stanza) bool {
		for c := range s.Elem.First().Children() {
			if c.AttrIs("category", "conference") && c.AttrIs("type", "text") {
				return true
			}
		}
		return false
	}, then)
}

// configure makes a new room private; then its members are named and told.
// XEP-0045 §10.1.3
func (e *Engine) configure(c *port.CreateRoom, r *room, members []jid.JID) {
	to, _ := jid.Parse(r.Address)
	e.ask(conn.Request{To: to, Type: stanza.Get, Payload: []byte("<query xmlns='" + nsMUCOwner + "'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			e.fail(c, refusalOf(err))
			return
		}
		asked, _ := form.Read(s.Elem.First().Child(form.NS, "x"))
		f := privateRoom(c.Name, asked)
		payload := append([]byte("<query xmlns='"+nsMUCOwner+"'>"), f.Append(nil)...)
		e.ask(conn.Request{To: to, Type: stanza.Set, Payload: append(payload, "</query>"...)}, func(_ *conn.Stanza, err error) {
			if err != nil {
				e.fail(c, refusalOf(err))
				return
			}
			r.Encrypted, r.Name, r.making = true, c.Name, false
			e.inviteAll(r, members, func() {
				e.askRoom(r, func() { e.settleIn(r, func() { e.done(c, port.Done{Chat: r.Address}) }) })
			})
		})
	})
}

// privateRoom fills in what a private room is, as far as the form asks for it.
func privateRoom(name string, asked form.Form) form.Form {
	f := form.Form{Kind: form.Submit, Of: "http://jabber.org/protocol/muc#roomconfig"}
	for _, want := range [][2]string{
		{"muc#roomconfig_roomname", name}, {"muc#roomconfig_membersonly", "1"}, {"muc#roomconfig_whois", "anyone"},
		{"muc#roomconfig_persistentroom", "1"}, {"muc#roomconfig_publicroom", "0"}, {"muc#roomconfig_enablearchiving", "1"},
		{"mam", "1"}, {fieldEncrypted, "1"},
	} {
		if asked.Field(want[0]) != nil {
			f.Fields = append(f.Fields, form.Field{Var: want[0], Values: []string{want[1]}})
		}
	}
	return f
}

// inviteAll names members, one after the other, and tells each.
func (e *Engine) inviteAll(r *room, members []jid.JID, then func()) {
	if len(members) == 0 {
		then()
		return
	}
	e.inviteOne(r, members[0], func(err error) {
		if err != nil {
			e.change(e.lines.Notice(r.Address, true, "not-invited", []string{members[0].String()}, e.Now()))
		}
		e.inviteAll(r, members[1:], then)
	})
}

// inviteOne makes somebody a member first: who is told must be able to enter.
// XEP-0045 §9.3, §7.8.2
func (e *Engine) inviteOne(r *room, who jid.JID, then func(error)) {
	if !r.joined { // who is not in a room invites nobody into it
		e.enter(r, func(err error) {
			if err != nil {
				then(err)
				return
			}
			e.inviteOne(r, who, then)
		})
		return
	}
	r.naming[who.String()] = true
	e.affiliation(r, who, "member", func(err error) {
		defer delete(r.naming, who.String())
		if err == nil {
			r.affiliate(who.String(), "member")
			e.send([]byte("<message xmlns='jabber:client' to='"+esc(r.Address)+"' id='"+e.newID()+"'><x xmlns='"+nsMUCUser+"'>"+invitation(r, who)+"</x></message>"), 0)
		}
		then(err)
	})
}

// invitation says the room's name as its reason: who is invited sees more than an address, and
// asks the room nothing, which would tell it that somebody is there.
func invitation(r *room, who jid.JID) string {
	if r.Name == "" {
		return "<invite to='" + esc(who.String()) + "'/>"
	}
	return "<invite to='" + esc(who.String()) + "'><reason>" + esc(r.Name) + "</reason></invite>"
}

func (e *Engine) affiliation(r *room, who jid.JID, affiliation string, then func(error)) {
	to, _ := jid.Parse(r.Address)
	payload := "<query xmlns='" + nsMUCAdmin + "'><item affiliation='" + affiliation + "' jid='" + esc(who.String()) + "'/></query>"
	e.ask(conn.Request{To: to, Type: stanza.Set, Payload: []byte(payload)}, func(_ *conn.Stanza, err error) { then(err) })
}

// member finds the room and the person of a command about a member.
func (e *Engine) member(c port.Command, roomAddress, address string) (*room, jid.JID, bool) {
	r := e.rooms[roomAddress]
	if r == nil {
		e.fail(c, port.Failf(port.NoSuchChat, "%q is not one of your rooms", roomAddress))
		return nil, jid.JID{}, false
	}
	who, err := jid.Parse(address)
	if err != nil || who.Local() == "" {
		e.fail(c, port.Failf(port.BadCommand, "%q is not somebody's address", address))
		return nil, jid.JID{}, false
	}
	return r, who.Bare(), true
}

func (e *Engine) invite(c *port.Invite) {
	if r, who, ok := e.member(c, c.Room, c.Address); ok {
		e.inviteOne(r, who, e.roomAnswer(c, r))
	}
}

func (e *Engine) kick(c *port.Kick) {
	if r, who, ok := e.member(c, c.Room, c.Address); ok {
		e.affiliation(r, who, "none", e.roomAnswer(c, r))
	}
}

func (e *Engine) roomAnswer(c port.Command, r *room) func(error) {
	return func(err error) {
		if err != nil {
			e.fail(c, refusalOf(err))
		} else if e.keepRoom(r) {
			e.done(c, port.Done{Chat: r.Address})
		}
	}
}

// leaveRoom leaves for good: membership, presence and bookmark; what was said there goes from
// this device too. A room that one was invited to, and never entered, is declined by it.
func (e *Engine) leaveRoom(c *port.LeaveRoom) {
	r := e.rooms[c.Address]
	if r == nil && !e.invited(c.Address) {
		e.fail(c, port.Failf(port.NoSuchChat, "%q is not one of your rooms", c.Address))
		return
	}
	role := "member"
	if r != nil {
		if role = r.Members[e.own.String()]; r.Asked {
			role = "member" // it is to forget that we asked
		}
		r.Left = true // it is not entered again meanwhile
	}
	e.resign(c.Address, role, func() {
		if r != nil {
			e.send([]byte("<presence xmlns='jabber:client' type='unavailable' to='"+esc(r.Address+"/"+r.Nick)+"'/>"), 0)
		}
		e.unbookmark(c.Address)
		if e.rooms[c.Address] != r || e.forgetRoom(c.Address) {
			e.done(c, port.Done{})
		}
	})
}

// invited tells whether the last that is known of a room is that one was asked into it.
func (e *Engine) invited(address string) bool {
	c, there := e.lines.Chat(address)
	return there && c.Last != nil && c.Last.Notice == "invited"
}

// resign gives up what one is in a room, so that nobody encrypts for who has left. A room that
// does not let one is left all the same.
// XEP-0045 §7.10, §9.4; XEP-0077 §3.2
func (e *Engine) resign(address, role string, then func()) {
	to, err := jid.Parse(address)
	switch {
	case err != nil || role == "":
		then()
	case role == "member":
		e.ask(conn.Request{To: to, Type: stanza.Set, Payload: []byte("<query xmlns='jabber:iq:register'><remove/></query>")}, func(*conn.Stanza, error) { then() })
	default:
		e.affiliation(&room{Address: address}, e.own, "none", func(error) { then() })
	}
}

func (e *Engine) forgetRoom(address string) bool {
	delete(e.rooms, address)
	change, err := e.lines.Remove(address)
	if err != nil {
		e.breakDown(err)
		return false
	}
	if change.Batch == nil {
		change.Batch = &keep.Batch{}
	}
	change.Batch.Delete(roomTable, address)
	if !e.change(change, nil) {
		return false
	}
	e.tell(&port.ChatGone{Address: address})
	return true
}

// bookmark tells one's other devices of a room. XEP-0402 §3.3
func (e *Engine) bookmark(r *room, then func(error)) {
	b := []byte("<pubsub xmlns='" + nsPubsub + "'><publish node='" + nsBookmarks + "'><item id='" + esc(r.Address) + "'><conference xmlns='" + nsBookmarks + "' autojoin='true'")
	b = xtok.AppendAttr(b, "name", r.Name)
	b = append(b, '>')
	b = xtok.AppendElement(b, "nick", r.Nick)
	b = append(b, "</conference></item></publish><publish-options>"...)
	b = append(b, publishOptions...)
	b = append(b, "</publish-options></pubsub>"...)
	e.ask(conn.Request{Type: stanza.Set, Payload: b}, func(_ *conn.Stanza, err error) { then(err) })
}

// unbookmark tells them that it is none any more. XEP-0402 §3.5
func (e *Engine) unbookmark(address string) {
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<pubsub xmlns='" + nsPubsub + "'><retract node='" + nsBookmarks + "' notify='true'><item id='" + esc(address) + "'/></retract></pubsub>")}, nil)
}

// publishOptions keep a node of one's own private and whole. XEP-0402 §3.3, XEP-0490 §3
const publishOptions = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
	"<field var='pubsub#persist_items'><value>true</value></field><field var='pubsub#max_items'><value>max</value></field>" +
	"<field var='pubsub#send_last_published_item'><value>never</value></field><field var='pubsub#access_model'><value>whitelist</value></field></x>"

// askBookmarks enters the rooms that one's devices have agreed to be in.
func (e *Engine) askBookmarks() {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<pubsub xmlns='" + nsPubsub + "'><items node='" + nsBookmarks + "'/></pubsub>")}, func(s *conn.Stanza, err error) {
		if err == nil {
			e.takeBookmarks(s.Elem.Child(nsPubsub, "pubsub").Child(nsPubsub, "items"))
		}
		e.askDisplayed() // rooms have their rows now
		for _, address := range slices.Sorted(maps.Keys(e.rooms)) {
			if r := e.rooms[address]; !r.Left && e.online() {
				e.await(address)
				e.enter(r, nil)
			}
		}
		e.arrived(nsBookmarks)
	})
}

// bookmarkEvent takes what another device has changed. A room that is no bookmark any more
// is left; what was said there stays here, since a server could say so too.
func (e *Engine) bookmarkEvent(items xtok.Elem) {
	for _, r := range e.takeBookmarks(items) {
		e.enter(r, nil)
	}
	for item := range items.Children() {
		if r := e.rooms[item.Attr("id")]; r != nil && item.Local() == "retract" {
			e.leftElsewhere(r)
		}
	}
}

func (e *Engine) leftElsewhere(r *room) {
	if r.joined || r.joining {
		e.send([]byte("<presence xmlns='jabber:client' type='unavailable' to='"+esc(r.Address+"/"+r.Nick)+"'/>"), 0)
	}
	e.lines.Offline(r.Address)
	r.out(stanza.Errorf(stanza.NotAllowed, "the room was left on another device"))
	if r.Left = true; e.keepRoom(r) {
		e.arrived(r.Address)
	}
}

// mostRooms bounds how many rooms one is in.
const mostRooms = 1000

// takeBookmarks reads bookmarks, and returns the rooms to be in. XEP-0402 §3.4
func (e *Engine) takeBookmarks(items xtok.Elem) (rooms []*room) {
	for item := range items.Children() {
		c := item.Child(nsBookmarks, "conference")
		address := e.roomAddress(item.Attr("id"), false)
		known := e.rooms[address] != nil
		in := c.AttrIs("autojoin", "true") || c.AttrIs("autojoin", "1")
		switch {
		case address == "" || !c.OK() || !known && (!in || len(e.rooms) >= mostRooms):
			continue
		case !in:
			if r := e.rooms[address]; !r.Left {
				e.leftElsewhere(r)
			}
			continue
		}
		r := e.wanted(address, c.Child(nsBookmarks, "nick").Text())
		r.Left = false
		if name := c.Attr("name"); name != "" {
			r.Name = name
		}
		if !known && (!e.change(e.lines.Begin(address, true, e.Now())) || !e.keepRoom(r)) {
			return nil
		}
		rooms = append(rooms, r)
	}
	return rooms
}
