package client

import (
	"strconv"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// seenAgain is how long what the server has said of when somebody was here is not asked again.
const seenAgain = 10 * time.Minute

// wasHere keeps when a contact was last online.
func (e *Engine) wasHere(address string, at time.Time) {
	f := e.faces[address]
	if now := at.Unix(); now > f.Seen {
		f.Seen = now
		e.setFace(address, f)
	}
}

// askSeen asks when a contact was last here whose chat is looked at: the server tells those who
// may see the contact's presence.
// XEP-0012 §4
func (e *Engine) askSeen(address string) {
	c, now := e.people[address], e.Now()
	if c == nil || !c.sees() || c.Blocked || len(c.here) > 0 || now.Sub(c.seenAsked) < seenAgain || !e.online() {
		return
	}
	c.seenAsked = now
	to, err := jid.Parse(address)
	if err != nil {
		return
	}
	e.ask(conn.Request{To: to, Type: stanza.Get, Payload: []byte("<query xmlns='jabber:iq:last'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			return
		}
		n, err := strconv.ParseUint(s.Elem.Child("jabber:iq:last", "query").Attr("seconds"), 10, 31)
		if err == nil && e.people[address] == c && len(c.here) == 0 {
			e.wasHere(address, now.Add(-time.Duration(n)*time.Second))
		}
	})
}
