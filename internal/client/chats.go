package client

import (
	"cmp"
	"strings"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

func compare(a, b string) int { return strings.Compare(a, b) }

// dress fills in a row of the chat list what the timeline does not know.
func (e *Engine) dress(c *port.Chat) {
	c.Lock, c.Name = e.lockOf(c.Address), ""
	if r := e.rooms[c.Address]; r != nil {
		c.Room, c.Joined, c.Name = true, r.joined, r.Name
	} else if p := e.people[c.Address]; p != nil {
		c.Name, c.Online, c.Blocked = p.Name, len(p.here) > 0, p.Blocked
	} else if askedInto(c) {
		c.Room, c.Lock = true, port.Lock{State: port.Broken, Why: whyOutside}
	}
	e.dressFace(c)
	e.dressArranged(c)
	if c.Name == "" {
		c.Name = cmp.Or(invitedTo(c), e.shortName(c.Address))
	}
}

// askedInto tells whether a chat is a room that we are invited to, by the last line of it.
func askedInto(c *port.Chat) bool {
	m := c.Last
	return m != nil && m.Notice == "invited" && len(m.Params) > 0 && m.Params[0] == c.Address
}

// invitedTo is what a room is called by the invitation to it; "" for all other chats. Rooms have
// numbers for addresses, and are not asked before somebody enters.
func invitedTo(c *port.Chat) string {
	if askedInto(c) && len(c.Last.Params) > 2 {
		return c.Last.Params[2]
	}
	return ""
}

// nameOf is what to show for a sender; "" for the name that came with the message.
func (e *Engine) nameOf(chat, sender string) string {
	r := e.rooms[chat]
	if sender == e.own.String() || r != nil && !strings.Contains(sender, "@") { // oneself; a nick
		return ""
	}
	if p := e.people[sender]; p != nil && p.Name != "" {
		return p.Name
	}
	if nick := e.face(sender).Nick; nick != "" {
		return nick
	}
	if r != nil {
		return r.nicks[sender]
	}
	return e.shortName(sender)
}

// shortName is an address without its host, for people who share ours, and for rooms: bob of
// elsewhere is not to be taken for our own.
func (e *Engine) shortName(address string) string {
	name, host, _ := strings.Cut(address, "@")
	if host != "" && host != e.own.Domain() && !strings.HasSuffix(host, "."+e.own.Domain()) && e.rooms[address] == nil {
		return address
	}
	return name
}

func (e *Engine) listChats(c *port.ListChats) {
	list, err := e.lines.Chats()
	if err != nil {
		e.breakDown(err)
		return
	}
	e.tell(&port.ChatList{Ref: c.Ref, Chats: list})
}

// mostPages bounds how many pages are fetched for one of History: an archive that goes on
// without end is not followed.
const mostPages = 20

// history answers with a page; what of it is not here is fetched first, and what
// cannot be fetched now is left out.
func (e *Engine) history(c *port.History) {
	if c.Limit < 1 || c.Limit > 200 {
		e.tell(&port.Page{Ref: c.Ref, Chat: c.Chat, Failure: port.Failf(port.BadCommand, "a page has 1 to 200 messages")})
		return
	}
	if wheres(c) > 1 {
		e.tell(&port.Page{Ref: c.Ref, Chat: c.Chat, Failure: port.Failf(port.BadCommand, "a page is before one message, after one, around one or at a time")})
		return
	}
	e.askKeysOf(c.Chat)
	e.askSeen(c.Chat)
	e.page(c, mostPages)
}

// wheres is how many places are given at which a page is to be.
func wheres(c *port.History) (n int) {
	for _, given := range []bool{c.Before != "", c.After != "", c.Around != "", !c.At.IsZero()} {
		if given {
			n++
		}
	}
	return n
}

func (e *Engine) page(c *port.History, pages int) {
	p := &port.Page{Ref: c.Ref, Chat: c.Chat, Before: c.Before, After: c.After, Around: c.Around}
	var fetch *timeline.Query
	var err error
	switch {
	case !c.At.IsZero():
		var f timeline.Found
		f, fetch, err = e.lines.AtTime(c.Chat, c.At, c.Limit)
		p.Messages, p.More, p.Newer, p.Around, p.Back = f.Messages, f.More, f.Newer, f.ID, f.Back
	case c.Around != "":
		p.Messages, p.More, p.Newer, err = e.lines.Around(c.Chat, c.Around, c.Limit)
	case c.After != "":
		p.Messages, p.Newer, fetch, err = e.lines.PageAfter(c.Chat, c.After, c.Limit)
	default:
		p.Messages, p.More, fetch, err = e.lines.Page(c.Chat, c.Before, c.Limit)
	}
	if p.Failure = composeFailure(err); p.Failure != nil {
		e.tell(p)
		return
	}
	if err != nil {
		e.breakDown(err)
		return
	}
	if fetch == nil || !e.online() {
		p.Back = time.Time{} // it goes no further
	}
	if fetch == nil || !e.online() || pages == 0 {
		e.tell(p)
		return
	}
	e.fetch(*fetch, func(err error) {
		if err != nil {
			p.Back = time.Time{}
			e.tell(p)
			return
		}
		e.page(c, pages-1)
	})
}

func (e *Engine) markRead(c *port.MarkRead) {
	seen, change, err := e.lines.MarkRead(c.Chat, c.Message)
	if f := composeFailure(err); f != nil {
		e.fail(c, f)
		return
	}
	if !e.change(change, err) {
		return
	}
	e.tellSeen(seen)
	e.done(c, port.Done{Chat: c.Chat})
}

// tellSeen tells the sender (a contact, or the room's members) and one's own other devices.
// XEP-0333 §5, XEP-0490 §3
func (e *Engine) tellSeen(s timeline.Seen) {
	kind := "chat"
	if s.Room {
		kind = "groupchat"
	}
	r := e.rooms[s.Chat]
	if s.ID != "" && !e.hidden.ReadMarkers && (s.Room && r != nil && r.joined || !s.Room && e.knows(s.Chat)) {
		head := "<message xmlns='jabber:client' type='" + kind + "' to='" + esc(s.Chat) + "' id='" + e.newID() + "'>"
		e.send(append(timeline.AppendMarker([]byte(head), s.ID), "</message>"...), 0)
	}
	if s.StanzaID == "" {
		return
	}
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<pubsub xmlns='" + nsPubsub + "'><publish node='" + nsDisplayed + "'><item id='" + esc(s.Chat) + "'><displayed xmlns='" + nsDisplayed + "'>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='" + esc(s.By) + "' id='" + esc(s.StanzaID) + "'/></displayed></item></publish><publish-options>" + publishOptions + "</publish-options></pubsub>")}, nil)
}

// askDisplayed asks how far one's other devices have read while this one was away.
// XEP-0490#catchup
func (e *Engine) askDisplayed() {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<pubsub xmlns='" + nsPubsub + "'><items node='" + nsDisplayed + "'/></pubsub>")}, func(s *conn.Stanza, err error) {
		if err == nil {
			e.displayedEvent(s.Elem.Child(nsPubsub, "pubsub").Child(nsPubsub, "items"))
		}
		e.arrived(nsDisplayed)
	})
}

// displayedEvent takes what was read on another device. Whose archive the id is of tells a room from a person.
func (e *Engine) displayedEvent(items xtok.Elem) {
	for item := range items.Children() {
		at := item.Child(nsDisplayed, "displayed").Child("urn:xmpp:sid:0", "stanza-id")
		j, err := jid.Parse(item.Attr("id"))
		if err != nil || at.Attr("id") == "" {
			continue
		}
		chat := j.Bare().String()
		if !e.change(e.lines.Displayed(chat, e.rooms[chat] != nil || at.Attr("by") == chat, at.Attr("id"))) {
			return
		}
	}
}

// typing tells a contact, or a room we are in: to others it would tell that we are here.
// XEP-0085 §5.4
func (e *Engine) typing(c *port.Typing) {
	switch c.State {
	case "composing", "paused", "active":
	default:
		e.fail(c, port.Failf(port.BadCommand, "a chat state is composing, paused or active"))
		return
	}
	chat, ok := e.chatOf(c, c.Chat)
	if !ok {
		return
	}
	r := e.rooms[chat]
	kind := "chat"
	if r != nil {
		kind = "groupchat"
	}
	if !e.hidden.Typing && (r == nil && e.knows(chat) || r != nil && r.joined) {
		head := "<message xmlns='jabber:client' type='" + kind + "' to='" + esc(chat) + "'>"
		e.send(append(timeline.AppendState([]byte(head), c.State), "<no-store xmlns='urn:xmpp:hints'/></message>"...), 0)
	}
	e.done(c, port.Done{Chat: chat})
}

func (e *Engine) setEncryption(c *port.SetEncryption) {
	chat, ok := e.chatOf(c, c.Chat)
	if !ok {
		return
	}
	if r := e.rooms[chat]; r != nil {
		e.encryptRoom(c, r)
		return
	}
	s := e.chats[chat]
	s.Plain = !c.On
	var b keep.Batch
	put(&b, chatTable, chat, s)
	if !e.keepBatch(&b) {
		return
	}
	e.chats[chat] = s
	e.tell(e.lines.Touch(chat)...)
	e.done(c, port.Done{Chat: chat})
	e.pump()
}

// encryptRoom takes what a person decides about a room that is contested; else its own setting does.
func (e *Engine) encryptRoom(c *port.SetEncryption, r *room) {
	before := r.Openly
	r.Openly = false
	switch {
	case e.contested(r):
		r.Openly = !c.On
	case c.On != r.Encrypted:
		e.fail(c, port.Failf(port.Refused, "a room is encrypted, or not, for all: its own setting decides"))
		return
	}
	if before != r.Openly && !e.keepRoom(r) {
		return
	}
	e.tell(e.lines.Touch(r.Address)...)
	e.done(c, port.Done{Chat: r.Address})
	e.pump()
}

func (e *Engine) search(c *port.Search) {
	if c.Limit < 1 || c.Limit > 200 || strings.TrimSpace(c.Query) == "" {
		e.tell(&port.Found{Ref: c.Ref, Failure: port.Failf(port.BadCommand, "a search has words and a limit of 1 to 200")})
		return
	}
	found, err := e.lines.Search(c.Query, c.Chat, c.Limit)
	if err != nil {
		e.breakDown(err)
		return
	}
	e.tell(&port.Found{Ref: c.Ref, Messages: found})
}
