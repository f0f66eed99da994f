package call

import (
	"errors"
	"slices"

	"mirsal/internal/client/call/sdp"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
	"mirsal/internal/xmpp/stanza"
)

// errorsNS is of the conditions of Jingle.
// XEP-0166 §10
const errorsNS = "urn:xmpp:jingle:errors:1"

// Heard takes a message about this call, from whoever: as a copy of what another device of ours has sent, if it is ours.
func (c *Call) Heard(from string, v jingle.Invite) []Do {
	next, do := c.life.Hear(from, v)
	return c.heard(from, v, next, do)
}

// HeardAs is Heard for a propose that is taken as another event: life.Call.HearAs.
func (c *Call) HeardAs(from string, v jingle.Invite, e life.Event) []Do {
	next, do := c.life.HearAs(from, v, e)
	return c.heard(from, v, next, do)
}

func (c *Call) heard(from string, v jingle.Invite, next life.Call, do life.Effect) []Do {
	switch {
	case v.Kind == jingle.Propose && c.life.State == life.Idle:
		c.view.Video = v.Video
		c.mine = next.State == life.Elsewhere
	case v.Kind == jingle.Proceed && next.State == life.Proceeding && c.life.State != life.Proceeding:
		c.device = v.Device
	}
	c.follow(next, do, cause{from: from})
	return c.done()
}

// Told takes the word of our own server, which sees all devices: ServerAnswered, ServerEnded; or what becomes of ours
// where both have called (life.Contest).
func (c *Call) Told(e life.Event) []Do { return c.step(e) }

// HeardSession takes a request of a session. The error is what it is to be answered with.
func (c *Call) HeardSession(from string, s jingle.Session) ([]Do, *stanza.StanzaError) {
	next, do := c.life.HearSession(from, s.SID, s.Action)
	if do&life.Refuse != 0 {
		return nil, c.outOfOrder(from, s)
	}
	why := cause{from: from, s: &s}
	if do&(life.FeedDescription|life.FeedWays) != 0 {
		if ok, refusal := c.understood(next, &why); !ok {
			return c.done(), refusal
		}
	}
	c.follow(next, do, why)
	return c.done(), nil
}

// outOfOrder is the error for a request without a place in the table.
func (c *Call) outOfOrder(from string, s jingle.Session) *stanza.StanzaError {
	if s.SID != c.life.ID || c.life.Device == "" || c.life.Party(from) != life.Peer || c.Over() {
		return Unknown()
	}
	return stanza.Errorf(stanza.UnexpectedRequest, "").WithApp(errorsNS, "out-of-order")
}

// Unknown is the error for a request of a session that is not there.
// XEP-0166 §10
func Unknown() *stanza.StanzaError {
	return stanza.Errorf(stanza.ItemNotFound, "").WithApp(errorsNS, "unknown-session")
}

// understood opens what is sealed in a request and makes of it what the seat can be fed; false: it cannot be taken,
// and the call goes on without it, or has ended for it.
func (c *Call) understood(next life.Call, why *cause) (bool, *stanza.StanzaError) {
	c.begin() // their offer may be the first that there is
	if err := c.unseal(why.s); err != nil {
		c.mismatch(err)
		return false, nil
	}
	if c.pending == offer && c.mine && offers(why.s.Action) {
		return false, tieBreak()
	}
	feed, err := c.hear(*why.s)
	switch {
	case errors.Is(err, sdp.ErrInsecure) && c.begun:
		c.mismatch(errChanged)
		return false, nil
	case errors.Is(err, sdp.ErrCrossed):
		return false, tieBreak()
	case err != nil && (next.State != c.life.State || errors.Is(err, sdp.ErrNothing)): // without it there is no call
		c.explain("their description of the call cannot be used: " + err.Error())
		c.fail()
		return false, stanza.Errorf(stanza.NotAcceptable, "")
	case err != nil:
		return false, stanza.Errorf(stanza.NotAcceptable, "")
	}
	c.stale = c.stale || c.pending == offer && offered(feed)
	why.feed = feed
	return true, nil
}

// hear reads a request. An offer of ours that theirs has crossed is taken back, unless we have called.
// XEP-0166 §7.2.16
func (c *Call) hear(s jingle.Session) (sdp.Feed, error) {
	feed, err := c.talk.Hear(s)
	if !errors.Is(err, sdp.ErrCrossed) || c.mine {
		return feed, err
	}
	back, gone := c.talk.Refused()
	if gone != nil {
		return feed, err
	}
	c.fed(back)
	return c.talk.Hear(s)
}

func (c *Call) mismatch(err error) {
	c.explain(err.Error())
	next, do := c.life.Step(life.Mismatch)
	c.follow(next, do, cause{})
}

func (c *Call) fail() {
	next, do := c.life.Step(life.MediaFailed)
	c.follow(next, do, cause{})
}

func tieBreak() *stanza.StanzaError {
	return stanza.Errorf(stanza.Conflict, "").WithApp(errorsNS, "tie-break")
}

// offers tells whether a request is one that is answered by a description.
func offers(a jingle.Action) bool {
	return a == jingle.ContentAdd || a == jingle.ContentModify || a == jingle.ContentRemove
}

// offered tells whether the seat is to answer.
func offered(f sdp.Feed) bool { return f.SDP != "" && !f.Answer }

// feed gives the seat what they have said.
func (c *Call) feed(why cause) {
	a := why.s.Action
	c.note(*why.s)
	c.begun = c.begun || a == jingle.SessionInitiate
	c.fed(why.feed)
	if offered(why.feed) && a != jingle.SessionInitiate && a != jingle.ContentAdd { // of those the table says it
		c.describe(answer, port.CallMedia{Do: "answer"})
	}
	if a == jingle.SessionInitiate || a == jingle.SessionAccept {
		c.feedHeld()
	}
}

func (c *Call) fed(f sdp.Feed) {
	if f.SDP != "" {
		kind := "offer"
		if f.Answer {
			kind = "answer"
		}
		c.seat(port.CallMedia{Do: "remote", Type: kind, SDP: f.SDP})
	}
	for _, a := range f.Addresses {
		c.seat(port.CallMedia{Do: "address", Mid: a.Mid, Candidate: a.Candidate})
	}
}

// feedHeld feeds what came before their description.
func (c *Call) feedHeld() {
	held := c.ways
	c.ways = nil
	for _, s := range held {
		_ = c.unseal(&s) // of addresses it cannot fail
		if f, err := c.talk.Hear(s); err == nil {
			c.fed(sdp.Feed{Addresses: f.Addresses})
		}
	}
}

// note remembers the contents of a request.
func (c *Call) note(s jingle.Session) {
	for _, x := range s.Contents {
		known := slices.ContainsFunc(c.media, func(m content) bool { return m.name == x.Name && m.creator == x.Creator })
		if x.Description == nil || known || len(c.media) >= 2*jingle.MostContents {
			continue
		}
		c.media = append(c.media, content{x.Creator, x.Name, x.Description.Media})
		c.view.Video = c.view.Video || x.Description.Media == jingle.Video
	}
}

// Described takes the description that the seat was asked for; false: it was asked for none.
func (c *Call) Described(text string) ([]Do, bool) {
	p := c.pending
	c.pending = nothing
	switch {
	case p == nothing && c.stale:
		c.stale = false
		return nil, true
	case p == nothing || c.talk == nil:
		return nil, false
	case p == answer && c.stale: // ours that came to nothing goes first
		c.pending, c.stale = p, false
		return nil, true
	}
	out, feed, err := c.described(p, text)
	switch {
	case errors.Is(err, sdp.ErrCrossed): // theirs was first
		return nil, true
	case err != nil:
		return c.Failed("this device's description of the call cannot be used: " + err.Error()), true
	}
	c.send(out)
	c.fed(feed)
	return c.done(), true
}

func (c *Call) described(p pending, text string) ([]jingle.Session, sdp.Feed, error) {
	if p == answer {
		out, err := c.talk.Answered(text)
		return out, sdp.Feed{}, err
	}
	next, err := c.talk.Offered(text)
	return next.Sessions, next.Feed, err
}

// Address takes an address that the seat has found.
func (c *Call) Address(mid, candidate string) []Do {
	next, do := c.life.Step(life.AddressFound)
	c.follow(next, do, cause{at: address{mid, candidate}})
	return c.done()
}

// mostFound bounds how many addresses wait for our description to leave.
const mostFound = 64

// sendFound sends our addresses, once our description is on its way.
func (c *Call) sendFound() {
	if len(c.found) > mostFound {
		c.found = c.found[:mostFound]
	}
	if !c.begun || c.pending != nothing || c.waits != nil {
		return
	}
	found := c.found
	c.found = nil
	for _, a := range found {
		if s, ok, err := c.talk.Address(a.mid, a.candidate); err == nil && ok {
			c.leave(s)
		}
	}
}

// send seals requests and sends them, or keeps them until there is a key.
func (c *Call) send(all []jingle.Session) {
	if len(all) == 0 {
		c.sendFound()
		return
	}
	if c.waits != nil {
		c.waits = append(c.waits, all...)
		return
	}
	for i := range all {
		err := c.seal(&all[i])
		switch {
		case errors.Is(err, ErrLater):
			c.waits = all[i:]
			return
		case err != nil:
			c.mismatch(err)
			return
		}
		c.leave(all[i])
	}
	c.sendFound()
}

func (c *Call) leave(s jingle.Session) {
	c.begun = c.begun || s.Action == jingle.SessionInitiate
	c.note(s)
	c.request(s)
}

// Keys tells that a key has come, or is not to be had.
func (c *Call) Keys() []Do {
	if c.waits == nil {
		return nil
	}
	all := c.waits
	c.waits = nil
	c.send(all)
	return c.done()
}

// Answered takes the answer to a request: err is nil for a result.
func (c *Call) Answered(a jingle.Action, err *stanza.StanzaError) []Do {
	if err == nil || c.Over() {
		return nil
	}
	switch a {
	case jingle.SessionInitiate, jingle.SessionAccept:
		c.explain("their program has refused the call")
		return c.step(life.PeerRefuses)
	case jingle.ContentAdd, jingle.ContentModify:
		if back, gone := c.talk.Refused(); gone == nil {
			c.fed(back)
		}
		return c.done()
	case jingle.TransportInfo, jingle.SessionInfo:
		if a == jingle.TransportInfo && c.away(err) {
			return nil
		}
		switch err.Condition {
		case stanza.ItemNotFound, stanza.ServiceUnavailable, stanza.RecipientUnavailable: // theirs is over
			return c.step(life.PeerRefuses)
		}
	}
	return nil
}

// Refused takes an error for one of our messages.
func (c *Call) Refused(text string) []Do {
	c.explain(text)
	return c.step(life.PeerRefuses)
}
