package client

import (
	"maps"
	"slices"
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

// contact is somebody on the roster, or who asks to be. Exported fields are kept.
type contact struct {
	Name         string `json:"name,omitempty"`
	Subscription string `json:"subscription,omitempty"` // none, to, from, both; "" not on the roster
	Asked        bool   `json:"asked,omitempty"`        // we have asked
	Asks         bool   `json:"asks,omitempty"`         // they have asked
	Blocked      bool   `json:"blocked,omitempty"`

	here      []string // resources that are available
	seenAsked time.Time
	face      face // also the engine's, which has those of others too
}

func (e *Engine) person(address string) *contact {
	c := e.people[address]
	if c == nil {
		c = &contact{face: e.faces[address]}
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
	var seen time.Time
	if len(c.here) == 0 && c.face.Seen > 0 {
		seen = time.Unix(c.face.Seen, 0).UTC()
	}
	return port.Contact{Seen: seen, Address: address, Name: c.Name, State: state, Online: len(c.here) > 0, Blocked: c.Blocked, Nick: c.face.Nick, Avatar: c.face.Avatar}
}

// keepContacts stores contacts in one transaction, and tells of them and of their chats.
func (e *Engine) keepContacts(addresses ...string) {
	var b keep.Batch
	shown := make([]port.Contact, 0, len(addresses))
	for _, address := range addresses {
		c := e.people[address]
		shown = append(shown, c.shown(address))
		if *c.kept() != (contactKept{}) {
			put(&b, contactTable, address, c)
			continue
		}
		b.Delete(contactTable, address)
		delete(e.people, address)
	}
	if len(addresses) == 0 || !e.keepBatch(&b) {
		return
	}
	for _, c := range shown {
		e.tell(&port.ContactChanged{Contact: c})
		e.tell(e.lines.Touch(c.Address)...)
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

// askRoster takes the whole list; who is on it no more is no contact. RFC 6121 §2.1.3
func (e *Engine) askRoster() {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<query xmlns='jabber:iq:roster'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			return
		}
		q := s.Elem.Child("jabber:iq:roster", "query")
		if !q.OK() {
			return // it tells nothing
		}
		changed, listed := e.rosterItems(q)
		for address, c := range e.people {
			if !listed[address] && c.Subscription != "" {
				c.Name, c.Subscription, c.Asked, c.here = "", "", false, nil
				changed = append(changed, address)
			}
		}
		slices.Sort(changed)
		e.keepContacts(changed...)
		e.payReceipts(changed)
		if e.signup != nil {
			e.meet(changed, nil)
		}
	})
}

// rosterPush takes what has changed. RFC 6121 §2.1.6
func (e *Engine) rosterPush(q xtok.Elem) {
	before := e.friends(q)
	changed, _ := e.rosterItems(q)
	e.keepContacts(changed...)
	e.payReceipts(changed)
	e.meet(changed, before)
}

// mostPeople bounds how many contacts are remembered.
const mostPeople = 50_000

// rosterItems reads rows of the roster: whose has changed, and whose there are.
func (e *Engine) rosterItems(q xtok.Elem) (changed []string, listed map[string]bool) {
	listed = map[string]bool{}
	for item := range q.Children() {
		j, err := jid.Parse(item.Attr("jid"))
		address := j.Bare().String()
		if err != nil || item.Local() != "item" || listed[address] || e.people[address] == nil && len(e.people) >= mostPeople {
			continue
		}
		listed[address] = true
		c := e.person(address)
		before := *c.kept()
		c.read(item)
		if *c.kept() != before {
			changed = append(changed, address)
		}
	}
	return changed, listed
}

// read takes one row of the roster.
func (c *contact) read(item xtok.Elem) {
	c.Name, c.Subscription, c.Asked = timeline.CleanName(item.Attr("name")), item.Attr("subscription"), item.AttrIs("ask", "subscribe")
	switch c.Subscription {
	case "both", "from":
		c.Asks = false
	case "to", "none":
	case "remove":
		c.Name, c.Subscription, c.Asked, c.Asks = "", "", false, false
	default:
		c.Subscription = "none"
	}
	if !c.sees() {
		c.here = nil
	}
}

// sees tells whether we may know when they are online.
func (c *contact) sees() bool { return c.Subscription == "both" || c.Subscription == "to" }

// presenceFrom takes who comes and goes, who asks, and who is in a room.
func (e *Engine) presenceFrom(s *conn.Stanza) {
	address := s.From.Bare().String()
	if r := e.rooms[address]; r != nil {
		e.occupant(r, s)
		return
	}
	if s.From.IsZero() || s.From.Bare() == e.own {
		e.ownPresence(s)
		return
	}
	switch s.Type {
	case "subscribe":
		e.asksUs(address)
	case "unsubscribe":
		if c := e.people[address]; c != nil && c.Asks {
			c.Asks = false
			e.keepContacts(address)
		}
	case stanza.Available, "unavailable":
		e.comesAndGoes(address, s)
	}
}

// mostAsking bounds how many people who ask are remembered; the server keeps the rest
// until these are answered.
const mostAsking = 500

// asksUs notes that somebody wants to know when we are online. Who is asked by us
// already is let in at once: both want it.
// RFC 6121 §3.1.3
func (e *Engine) asksUs(address string) {
	c := e.people[address]
	switch {
	case c == nil:
		if e.asking() >= mostAsking {
			return
		}
		c = e.person(address)
	case c.Blocked, c.Asks, c.Subscription == "both", c.Subscription == "from":
		return
	case c.Subscription == "to", c.Asked:
		e.subscription(address, "subscribed")
		return
	}
	c.Asks = true
	e.keepContacts(address)
}

// asking is how many ask who are nobody else.
func (e *Engine) asking() (n int) {
	for _, c := range e.people {
		if c.Asks && c.Subscription == "" {
			n++
		}
	}
	return n
}

// mostResources bounds what is remembered of who is online with how many devices.
const mostResources = 32

// comesAndGoes notes who is online, of those who let us know.
func (e *Engine) comesAndGoes(address string, s *conn.Stanza) {
	c := e.people[address]
	if c == nil || !c.sees() {
		return
	}
	was, resource := len(c.here) > 0, s.From.Resource()
	c.here = slices.DeleteFunc(c.here, func(r string) bool { return r == resource || resource == "" })
	if s.Type == stanza.Available && len(c.here) < mostResources {
		c.here = append(c.here, resource)
	}
	if is := len(c.here) > 0; is != was {
		if was {
			e.wasHere(address, e.Now())
		}
		e.tell(&port.ContactChanged{Contact: c.shown(address)})
		e.tell(e.lines.Touch(address)...)
	}
}

// allGone notes that with its session all is over that we knew of who is online.
func (e *Engine) allGone() {
	for _, address := range slices.Sorted(maps.Keys(e.people)) {
		if c := e.people[address]; len(c.here) > 0 {
			c.here = nil
			e.tell(&port.ContactChanged{Contact: c.shown(address)})
			e.tell(e.lines.Touch(address)...)
		}
	}
}

func (e *Engine) subscription(address, kind string) {
	e.send([]byte("<presence xmlns='jabber:client' type='"+kind+"' to='"+esc(address)+"'/>"), 0)
}

// subscribe asks somebody, with the token of an invitation of theirs if there is one.
// XEP-0379 §3.4
func (e *Engine) subscribe(address, token string) {
	if token == "" || len(token) > mostSecret {
		e.subscription(address, "subscribe")
		return
	}
	e.send([]byte("<presence xmlns='jabber:client' type='subscribe' to='"+esc(address)+"'><preauth xmlns='urn:xmpp:pars:0' token='"+esc(token)+"'/></presence>"), 0)
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
			e.fail(c, refusalOf(err))
			return
		}
		if p := e.people[address]; p != nil && p.Asks {
			e.subscription(address, "subscribed")
		}
		e.subscribe(address, c.Token)
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
		e.keepContacts(address)
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
			e.fail(c, refusalOf(err))
			return
		}
		e.done(c, port.Done{})
	}
}

// askBlocked takes the whole list of who is blocked. XEP-0191 §3.2
func (e *Engine) askBlocked() {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<blocklist xmlns='urn:xmpp:blocking'/>")}, func(s *conn.Stanza, err error) {
		if err != nil || !s.Elem.First().Is("urn:xmpp:blocking", "blocklist") {
			return
		}
		listed := blockItems(s.Elem.First())
		still := make(map[string]bool, len(listed))
		for _, address := range listed {
			still[address] = true
		}
		var free []string
		for address, c := range e.people {
			if c.Blocked && !still[address] {
				free = append(free, address)
			}
		}
		e.setBlocked(free, false)
		e.setBlocked(listed, true)
	})
}

// blockPush takes what another device has changed. XEP-0191 §3.3–3.5
func (e *Engine) blockPush(q xtok.Elem) {
	items := blockItems(q)
	if len(items) == 0 && q.Local() == "unblock" {
		items = slices.Collect(maps.Keys(e.people))
	}
	e.setBlocked(items, q.Local() == "block")
}

func blockItems(q xtok.Elem) (items []string) {
	for item := range q.Children() {
		if j, err := jid.Parse(item.Attr("jid")); err == nil {
			items = append(items, j.String())
		}
	}
	return items
}

func (e *Engine) setBlocked(addresses []string, on bool) {
	var changed []string
	for _, address := range addresses {
		if c := e.people[address]; c == nil && (!on || len(e.people) >= mostPeople) || c != nil && c.Blocked == on {
			continue
		}
		e.person(address).Blocked = on
		changed = append(changed, address)
	}
	slices.Sort(changed)
	e.keepContacts(changed...)
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
