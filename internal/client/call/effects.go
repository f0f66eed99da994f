package call

import (
	"mirsal/internal/client/call/sdp"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
)

// cause is what has brought effects about.
type cause struct {
	from string          // who has sent it, "" for what happened here
	s    *jingle.Session // of a session
	feed sdp.Feed        // what it comes to
	at   address         // that was found
}

// follow does what the table says, in its order.
func (c *Call) follow(next life.Call, do life.Effect, why cause) {
	c.life = next
	for one := range do.All {
		switch {
		case one <= life.HoldWays:
			c.here(one, do, why)
		case one <= life.SendRetract:
			c.invite(one, why)
		case one <= life.SendFinish:
			c.session(one, why)
		case one == life.CloseMedia:
			c.close()
		case one == life.Show && why.s != nil:
			c.show(why.s.Info)
		}
	}
}

// here is what is done at this device.
func (c *Call) here(one, all life.Effect, why cause) {
	switch one {
	case life.OpenMicrophone:
		c.opened = true
		c.seat(port.CallMedia{Do: "open", Video: all&life.OpenCamera != 0})
	case life.OpenCamera:
		if all&life.OpenMicrophone == 0 {
			c.seat(port.CallMedia{Do: "camera"})
		}
	case life.CreateMedia:
		c.create()
	case life.FeedDescription, life.FeedWays:
		c.feed(why)
	case life.HoldWays:
		if len(c.ways) < mostWays {
			c.ways = append(c.ways, *why.s)
		}
	}
}

// mostWays bounds how many addresses are held for a description that does not come.
const mostWays = 64

// create makes the media session, once the servers are known.
func (c *Call) create() {
	c.begin()
	if !c.ready {
		c.queue = append(c.queue, port.CallMedia{Do: "create"})
		return
	}
	c.seat(port.CallMedia{Do: "create"})
}

// begin makes what maps descriptions.
func (c *Call) begin() {
	if c.talk != nil {
		return
	}
	x := &sdp.Exchange{Side: jingle.Responder, SID: c.life.ID, Initiator: c.life.Device, Responder: c.cfg.Full, Limits: c.cfg.Limits, RelayOnly: c.cfg.RelayOnly}
	if c.mine {
		x.Side, x.Initiator, x.Responder = jingle.Initiator, x.Responder, x.Initiator
	}
	c.talk = x
}

// Gave says which servers help the media; until then it waits.
func (c *Call) Gave(servers []port.CallServer) []Do {
	if c.ready {
		return nil
	}
	c.ready, c.servers = true, servers
	queue := c.queue
	c.queue = nil
	for _, m := range queue {
		c.seat(m)
	}
	return c.done()
}

// seat is a word to the seat.
func (c *Call) seat(m port.CallMedia) {
	if len(c.queue) > 0 && m.Do != "close" {
		c.queue = append(c.queue, m)
		return
	}
	m.Call, m.Seat = c.view.ID, c.view.Seat
	if m.Do == "create" {
		m.Servers, m.RelayOnly = c.servers, c.cfg.RelayOnly
	}
	c.out = append(c.out, Do{Media: &m})
}

// close ends all that the seat has of this call; what waits for it comes to nothing.
func (c *Call) close() {
	c.queue, c.waits, c.found, c.ways, c.unsent, c.pending = nil, nil, nil, nil, nil, nothing
	if c.opened {
		c.opened = false
		c.seat(port.CallMedia{Do: "close"})
	}
}

// invite sends what is said before and behind a session.
// XEP-0353 §3
func (c *Call) invite(one life.Effect, why cause) {
	v, to := jingle.Invite{ID: c.life.ID}, c.life.Device
	switch one {
	case life.SendPropose:
		v.Kind, v.Audio, v.Video, to = jingle.Propose, true, c.view.Video, c.life.Peer
	case life.SendRinging:
		v.Kind = jingle.Ringing
	case life.SendProceed:
		v.Kind, v.Device = jingle.Proceed, c.cfg.Seals.Own()
	case life.SendReject:
		v.Kind, v.Cause.Condition = jingle.Reject, c.life.Why.Cause()
	case life.SendRetract:
		v.Kind, v.Cause.Condition, to = jingle.Retract, c.life.Why.Cause(), c.life.Peer
	default:
		return
	}
	v.TieBreak = c.life.Why == life.Tie && (v.Kind == jingle.Reject || v.Kind == jingle.Retract)
	if to == "" {
		to = why.from
	}
	c.out = append(c.out, Do{To: to, Message: &v})
}

// session sends what belongs to one, or has the seat describe it first.
func (c *Call) session(one life.Effect, why cause) {
	switch one {
	case life.SendInitiate, life.SendContentAdd:
		c.describe(offer, port.CallMedia{Do: "offer"})
	case life.SendAccept, life.SendContentAccept:
		c.describe(answer, port.CallMedia{Do: "answer"})
	case life.SendRestart:
		c.describe(offer, port.CallMedia{Do: "offer", Restart: true})
	case life.SendWays:
		c.found = append(c.found, why.at)
		c.sendFound()
	case life.SendTerminate:
		if c.begun { // before, there is nothing to end
			c.request(jingle.Session{Action: jingle.SessionTerminate, Cause: c.last()})
		}
	case life.SendFinish:
		c.out = append(c.out, Do{To: c.life.Device, Message: &jingle.Invite{Kind: jingle.Finish, ID: c.life.ID, Cause: c.last()}})
	}
}

// last is why it ends, for them: words for people stay here.
func (c *Call) last() jingle.Cause { return jingle.Cause{Condition: c.life.Why.Cause()} }

// describe asks the seat for a description.
func (c *Call) describe(p pending, m port.CallMedia) {
	c.pending = p
	c.seat(m)
}

// request sends a stanza of the session to the device that the call is with.
func (c *Call) request(s jingle.Session) {
	s.SID = c.life.ID
	c.out = append(c.out, Do{To: c.life.Device, Session: &s})
}

// show takes what they tell of themselves.
func (c *Call) show(i jingle.Info) {
	if i.Kind != jingle.Mute && i.Kind != jingle.Unmute {
		return
	}
	muted, all := i.Kind == jingle.Mute, true
	for _, x := range c.media {
		if x.name != i.Name {
			continue
		}
		all = false
		if x.media == jingle.Video {
			c.view.TheirMuted.Video = muted
		} else {
			c.view.TheirMuted.Audio = muted
		}
	}
	if all && i.Name == "" {
		c.view.TheirMuted = port.CallMuted{Audio: muted, Video: muted}
	}
}
