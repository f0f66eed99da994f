package client

import (
	"slices"
	"strings"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// contact is somebody on the roster, or who asks to be. Exported fields are kept.
type contact struct {
	Name         string `json:"name,omitempty"`
	Subscription string `json:"subscription,omitempty"` // none, to, from, both; "" not on the roster
	Asked        bool   `json:"asked,omitempty"`        // we have asked
	Asks         bool   `json:"asks,omitempty"`         // they have asked
	Blocked      bool   `json:"blocked,omitempty"`

	here []string // resources that are available
}

func (e *Engine) person(address string) *contact {
	c := e.people[address]
	if c == nil {
		c = &contact{}
		e.people[address] = c
	}
	return c
}

// knows tells whether somebody is a contact who may know when we are online.
func (e *Engine) knows(address string) bool {
	c := e.people[address]
	return c != nil && (c.Subscription == "both" || c.Subscription == "from")
}

// shown is a contact as the port tells of it.
func (c *contact) shown(address string) port.Contact {
	state := "none"
	switch {
	case c.Asks && c.Subscription != "both" && c.Subscription != "from":
		state = "asks"
	case c.Asked && c.Subscription != "both" && c.Subscription != "to":
		state = "asked"
	case c.Subscription != "" && c.Subscription != "none":
		state = "contact"
	}
	return port.Contact{Address: address, Name: c.Name, State: state, Online: len(c.here) > 0, Blocked: c.Blocked}
}

// keepContact stores a contact, and tells of it and of its chat.
func (e *Engine) keepContact(address string) {
	c := e.people[address]
	var b keep.Batch
	if *c.kept() == (contactKept{}) {
		b.Delete(contactTable, address)
		if len(c.here) == 0 {
			delete(e.people, address)
		}
	} else {
		put(&b, contactTable, address, c)
	}
	if e.keepBatch(&b) {
		e.tell(&port.ContactChanged{Contact: c.shown(address)})
		e.tell(e.lines.Touch(address)...)
	}
}

// contactKept is what of a contact is worth a row.
type contactKept struct {
	name, subscription   string
	asked, asks, blocked bool
}

func (c *contact) kept() *contactKept {
	return &contactKept{c.Name, c.Subscription, c.Asked, c.Asks, c.Blocked}
}

// RFC 6121 §2.1.3
func (e *Engine) askRoster() {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<query xmlns='jabber:iq:roster'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			return
		}
		listed := map[string]bool{}
		for item := range s.Elem.Child("jabber:iq:roster", "query").Children() {
			listed[e.rosterItem(item)] = true
		}
		for address, c := range e.people {
			if !listed[address] && c.Subscription != "" {
				c.Name, c.Subscription, c.Asked = "", "", false
				e.keepContact(address)
			}
		}
	})
}

// RFC 6121 §2.1.6
func (e *Engine) rosterPush(q xtok.Elem) {
	for item := range q.Children() {
		e.rosterItem(item)
	}
}

// rosterItem takes one row of the roster, and returns whose it is.
func (e *Engine) rosterItem(item xtok.Elem) string {
	j, err := jid.Parse(item.Attr("jid"))
	if err != nil || item.Local() != "item" {
		return ""
	}
	address := j.Bare().String()
	c := e.person(address)
	before := *c.kept()
	c.Name, c.Subscription, c.Asked = item.Attr("name"), item.Attr("subscription"), item.AttrIs("ask", "subscribe")
	switch c.Subscription {
	case "remove":
		c.Name, c.Subscription, c.Asked, c.Asks = "", "", false, false
	case "both", "from":
		c.Asks = false
	case "":
		c.Subscription = "none"
	}
	if *c.kept() != before {
		e.keepContact(address)
	}
	return address
}

// presenceFrom takes who comes and goes, who asks, and who is in a room.
func (e *Engine) presenceFrom(s *conn.Stanza) {
	address := s.From.Bare().String()
	if r := e.rooms[address]; r != nil {
		e.occupant(r, s)
		return
	}
	if s.From.IsZero() || s.From.Bare() == e.own {
		return
	}
	switch s.Type {
	case "subscribe":
		e.asksUs(address)
	case stanza.Available, "unavailable":
		e.comesAndGoes(address, s)
	}
}

// asksUs notes that somebody wants to know when we are online. Who is asked by us
// already is let in at once: both want it.
// RFC 6121 §3.1.3
func (e *Engine) asksUs(address string) {
	c := e.person(address)
	switch {
	case c.Blocked, c.Subscription == "both", c.Subscription == "from":
		return
	case c.Subscription == "to", c.Asked:
		e.subscription(address, "subscribed")
		return
	}
	if !c.Asks {
		c.Asks = true
		e.keepContact(address)
	}
}

// mostResources bounds what is remembered of who is online with how many devices.
const mostResources = 32

func (e *Engine) comesAndGoes(address string, s *conn.Stanza) {
	c := e.people[address]
	if c == nil {
		return
	}
	was, resource := len(c.here) > 0, s.From.Resource()
	c.here = slices.DeleteFunc(c.here, func(r string) bool { return r == resource || resource == "" })
	if s.Type == stanza.Available && len(c.here) < mostResources {
		c.here = append(c.here, resource)
	}
	if is := len(c.here) > 0; is != was {
		e.tell(&port.ContactChanged{Contact: c.shown(address)})
		e.tell(e.lines.Touch(address)...)
	}
}

func (e *Engine) subscription(address, kind string) {
	e.send([]byte("<presence xmlns='jabber:client' type='"+kind+"' to='"+esc(address)+"'/>"), 0)
}

// addContact asks somebody, or lets in who has asked, and puts them on the list.
func (e *Engine) addContact(c *port.AddContact) {
	j, err := jid.Parse(strings.TrimSpace(c.Address))
	if err != nil || j.Local() == "" || j.Bare() == e.own {
		e.fail(c, port.Failf(port.BadCommand, "%q is not somebody's address", c.Address))
		return
	}
	address := j.Bare().String()
	item := "<item jid='" + esc(address) + "'/>"
	if c.Name != "" {
		item = "<item jid='" + esc(address) + "' name='" + esc(c.Name) + "'/>"
	}
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<query xmlns='jabber:iq:roster'>" + item + "</query>")}, func(_ *conn.Stanza, err error) {
		if err != nil {
			e.fail(c, port.Failf(port.Refused, "%s", words(err)))
			return
		}
		if p := e.person(address); p.Asks {
			e.subscription(address, "subscribed")
		}
		e.subscription(address, "subscribe")
		if e.change(e.lines.Begin(address, false, e.Now())) {
			e.done(c, port.Done{Chat: address})
		}
	})
}

// removeContact ends it in both directions; who only asked is declined.
func (e *Engine) removeContact(c *port.RemoveContact) {
	j, err := jid.Parse(c.Address)
	if err != nil {
		e.fail(c, port.Failf(port.BadCommand, "%q is not an address", c.Address))
		return
	}
	address := j.Bare().String()
	if p := e.people[address]; p != nil && p.Asks {
		e.subscription(address, "unsubscribed")
		p.Asks = false
		e.keepContact(address)
	}
	if p := e.people[address]; p == nil || p.Subscription == "" {
		e.done(c, port.Done{})
		return
	}
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<query xmlns='jabber:iq:roster'><item jid='" + esc(address) + "' subscription='remove'/></query>")}, e.plainAnswer(c))
}

// plainAnswer answers a command by what the server said.
func (e *Engine) plainAnswer(c port.Command) func(*conn.Stanza, error) {
	return func(_ *conn.Stanza, err error) {
		if err != nil {
			e.fail(c, port.Failf(port.Refused, "%s", words(err)))
			return
		}
		e.done(c, port.Done{})
	}
}

// XEP-0191 §3.2
func (e *Engine) askBlocked() {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<blocklist xmlns='urn:xmpp:blocking'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			return
		}
		listed := blockItems(s.Elem.First())
		for address, c := range e.people {
			if c.Blocked && !slices.Contains(listed, address) {
				e.setBlocked(address, false)
			}
		}
		for _, address := range listed {
			e.setBlocked(address, true)
		}
	})
}

// blockPush takes what another device has changed. XEP-0191 §3.3–3.5
func (e *Engine) blockPush(q xtok.Elem) {
	items := blockItems(q)
	if len(items) == 0 && q.Local() == "unblock" {
		for address := range e.people {
			items = append(items, address)
		}
	}
	for _, address := range items {
		e.setBlocked(address, q.Local() == "block")
	}
}

func blockItems(q xtok.Elem) (items []string) {
	for item := range q.Children() {
		if j, err := jid.Parse(item.Attr("jid")); err == nil {
			items = append(items, j.String())
		}
	}
	return items
}

func (e *Engine) setBlocked(address string, on bool) {
	if c := e.person(address); c.Blocked != on {
		c.Blocked = on
		e.keepContact(address)
	}
}

func (e *Engine) block(c *port.Block) {
	j, err := jid.Parse(c.Address)
	if err != nil {
		e.fail(c, port.Failf(port.BadCommand, "%q is not an address", c.Address))
		return
	}
	name := "unblock"
	if c.On {
		name = "block"
	}
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<" + name + " xmlns='urn:xmpp:blocking'><item jid='" + esc(j.Bare().String()) + "'/></" + name + ">")}, e.plainAnswer(c))
}
