package call

import (
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
	"mirsal/internal/xmpp/stanza"
)

// mostUnsent bounds what waits to be said again.
const mostUnsent = 64

// Unsent takes that a request has not gone, or that nobody knows whether it has: there is no connection to the
// server, or not the one by which it went. Ways can be said twice.
func (c *Call) Unsent(s jingle.Session) {
	switch {
	case c.Over() || s.Action != jingle.TransportInfo || c.talk == nil:
	case c.talk.Restarting():
		c.again = true
	case len(c.unsent) < mostUnsent:
		c.unsent = append(c.unsent, s)
	}
}

// away takes a refusal for ways of a restart: the device that they speak with is not there, and may come back.
func (c *Call) away(err *stanza.StanzaError) bool {
	gone := err.Condition == stanza.ServiceUnavailable || err.Condition == stanza.RecipientUnavailable
	if !gone || c.life.State != life.Active || c.talk == nil || !c.talk.Restarting() {
		return false
	}
	c.again = true
	return true
}

// Waits tells whether something is to be said again, by Again.
func (c *Call) Waits() bool { return !c.Over() && (c.again || len(c.unsent) > 0) }

// Again says what was not heard. A restart is made anew: ways that were found without a server are without its relay.
func (c *Call) Again() []Do {
	unsent, again := c.unsent, c.again
	c.unsent, c.again = nil, false
	switch {
	case c.Over():
		return nil
	case again && c.talk.Restarting():
		return c.Network()
	}
	for _, s := range unsent {
		c.request(s)
	}
	return c.done()
}
