package client

import (
	"time"

	"mirsal/internal/client/call"
	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
	"mirsal/internal/xmpp/stanza"
)

// phone is all that is known of calls: those that are not over, of which a device has one, and the log.
type phone struct {
	on      map[string]*ongoing // by name
	full    string              // our full address, as of the last session
	beside  map[string]bool     // resources of our other devices that are online
	log     map[string]*logged  // by name; nil before it was read
	silent  []port.Call         // those that only the server has seen
	news    int64               // calls begun before this time (Unix seconds) are no news
	lines   time.Time           // when those are no more about to ring that have no line for that; zero for none
	servers []port.CallServer
	until   time.Time // how long these are good
	asking  bool
	links   bool // our server has call links: it alone says who rings by one
}

// ongoing is a call and its times.
type ongoing struct {
	*call.Call
	name     string
	begun    time.Time
	answered time.Time
	state    life.State
	due      time.Time // when its state is over
	again    time.Time // when it says again what was not heard; zero for not, or when there is a connection
	late     bool      // it was over before it was heard of
	told     port.Call // as it was told last
	token    string    // of their link, by which we call
	byLink   bool      // they call by one of ours
}

// mostOngoing bounds how many are watched: those of one's other devices, beside the one of this.
const mostOngoing = 32

// callName is what the port calls a call. Whoever calls gives it its id, so two may have the same.
func callName(peer, id string) string { return peer + " " + id }

// callCommand carries out what is about calls.
func (e *Engine) callCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.PlaceCall:
		e.placeCall(c)
	case *port.AnswerCall:
		e.answerCall(c)
	case *port.DeclineCall:
		e.withCall(c, c.Call, func(o *ongoing) []call.Do {
			if o.Life().State != life.RingingIn {
				return nil
			}
			return o.HangUp()
		})
	case *port.HangUpCall:
		e.withCall(c, c.Call, func(o *ongoing) []call.Do { return o.HangUp() })
	case *port.MuteCall:
		e.withCall(c, c.Call, func(o *ongoing) []call.Do { return o.Mute(c.CallMuted) })
	case *port.AddVideo:
		e.addVideo(c)
	case *port.ListCalls:
		e.listCalls(c)
	case *port.CallLinks:
		e.callLinks(c)
	default:
		return e.seatCommand(c)
	}
	return true
}

// seatCommand takes what who has the microphone tells.
func (e *Engine) seatCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.CallDescribed:
		e.described(c)
	case *port.CallAddress:
		e.withCall(c, c.Call, func(o *ongoing) []call.Do { return o.Address(c.Mid, c.Candidate) })
	case *port.CallConnected:
		e.withCall(c, c.Call, func(o *ongoing) []call.Do { return o.Connected() })
	case *port.CallFailed:
		e.withCall(c, c.Call, func(o *ongoing) []call.Do { return o.Failed(c.Text) })
	case *port.CallNetwork:
		if e.link != nil {
			e.link.conn.Kick() // what is to carry the offer is likely to be gone with the old network
		}
		e.withCall(c, c.Call, func(o *ongoing) []call.Do { return o.Network() })
	default:
		return false
	}
	return true
}

// withCall has a call take something, and answers.
func (e *Engine) withCall(c port.Command, name string, take func(*ongoing) []call.Do) {
	o := e.calls.on[name]
	if o == nil {
		e.fail(c, port.Failf(port.Missing, "this call is over"))
		return
	}
	if e.carry(o, take(o)) {
		e.done(c, port.Done{Call: name, Chat: o.Life().Peer})
	}
}

func (e *Engine) described(c *port.CallDescribed) {
	o := e.calls.on[c.Call]
	if o == nil {
		e.fail(c, port.Failf(port.Missing, "this call is over"))
		return
	}
	do, asked := o.Described(c.SDP)
	if !e.carry(o, do) {
		return
	}
	if !asked {
		e.fail(c, port.Failf(port.BadCommand, "no description was asked for"))
		return
	}
	e.done(c, port.Done{Call: c.Call})
}

func (e *Engine) addVideo(c *port.AddVideo) {
	o := e.calls.on[c.Call]
	if o == nil {
		e.fail(c, port.Failf(port.Missing, "this call is over"))
		return
	}
	do, now := o.AddVideo()
	switch {
	case !now:
		e.fail(c, port.Failf(port.BadCommand, "video can be added once they hear each other"))
	case e.carry(o, do):
		e.done(c, port.Done{Call: c.Call})
	}
}

// present is the call that this device has; nil for none.
func (e *Engine) present() *ongoing {
	for _, o := range e.calls.on {
		if o.Life().State != life.Elsewhere {
			return o
		}
	}
	return nil
}

func (e *Engine) placeCall(c *port.PlaceCall) {
	chat, ok := e.chatOf(c, c.Chat)
	if !ok {
		return
	}
	who, _ := jid.Parse(chat)
	switch p := e.people[chat]; {
	case e.rooms[chat] != nil || who.Local() == "" || who == e.own:
		e.fail(c, port.Failf(port.NoSuchChat, "only a person can be called"))
		return
	case c.Link != "" && !linkToken(c.Link):
		e.fail(c, port.Failf(port.BadCommand, "this is not the token of a call link"))
		return
	case p != nil && p.Blocked:
		e.fail(c, port.Failf(port.Refused, "%s is blocked", chat))
		return
	case e.NoCalls:
		e.fail(c, port.Failf(port.Refused, "this program has no microphone"))
		return
	case !e.online():
		e.fail(c, port.Failf(port.Unreachable, "there is no connection to the server"))
		return
	case e.present() != nil:
		e.fail(c, port.Failf(port.Busy, "another call is on"))
		return
	}
	o := e.newCall(chat, e.newID())
	o.token = c.Link
	e.askKeysFor(who)
	if e.carry(o, o.Place(c.Video, c.Seat)) {
		e.done(c, port.Done{Call: o.name, Chat: chat})
		e.askServers()
	}
}

func (e *Engine) answerCall(c *port.AnswerCall) {
	o := e.calls.on[c.Call]
	switch {
	case e.NoCalls:
		e.fail(c, port.Failf(port.Refused, "this program has no microphone"))
	case o == nil || o.Life().State != life.RingingIn:
		e.fail(c, port.Failf(port.Missing, "this call does not ring any more"))
	case !e.online():
		e.fail(c, port.Failf(port.Unreachable, "there is no connection to the server"))
	case e.carry(o, o.Answer(c.Video, c.Seat)):
		e.done(c, port.Done{Call: o.name, Chat: o.Life().Peer})
		e.askServers()
	}
}

// newCall is a call with somebody, of which nothing has happened yet.
func (e *Engine) newCall(peer, id string) *ongoing {
	who, _ := jid.Parse(peer)
	o := &ongoing{name: callName(peer, id), begun: e.Now()}
	o.Call = call.New(call.Config{
		ID: id, Name: o.name, Self: e.own.String(), Peer: peer, Full: e.calls.full,
		Seals: callSeals{e, who}, Sealed: e.keys.Compared(who), WasSealed: e.sealedBefore(peer),
		RelayOnly: e.hidden.Address || !e.listedContact(peer),
	})
	return o
}

// sealedBefore tells whether the key of a call with somebody was sealed before.
func (e *Engine) sealedBefore(peer string) bool {
	for _, l := range e.calls.log {
		if l.Chat == peer && (l.Lock.State == port.Locked || l.Lock.State == port.Verified) {
			return true
		}
	}
	return false
}

// hangUp ends what this device has, in good order: not what only rings, which other devices may take.
func (e *Engine) hangUp() {
	if o := e.present(); o != nil && o.Life().State != life.RingingIn && e.broken == nil {
		e.carry(o, o.HangUp())
	}
}

// listedContact tells whether somebody is on our contact list, and not blocked: who may ring, and learn our addresses.
func (e *Engine) listedContact(address string) bool {
	c := e.people[address]
	return c != nil && c.Subscription != "" && !c.Blocked
}

// carry does what a call says, and tells of it: of its end when all is closed; false: the profile is broken.
func (e *Engine) carry(o *ongoing, all []call.Do) bool {
	over := o.Over()
	if !over && !e.moved(o) {
		return false
	}
	for _, d := range all {
		switch {
		case d.Message != nil:
			e.sendInvite(d.To, *d.Message, o.token)
		case d.Session != nil:
			e.sendSession(o, d.To, *d.Session)
		case d.Media != nil:
			e.tell(d.Media)
		}
		if e.broken != nil {
			return false
		}
	}
	if o.Waits() && o.again.IsZero() {
		o.again = e.Now().Add(sayAgain)
	}
	return !over || e.moved(o)
}

// sayAgain is how long until what was not heard in a call is said again. Their device may not be back yet when ours
// is, behind a restart of the server.
const sayAgain = 2 * time.Second

// callsUp says again what was not heard: there is a connection.
func (e *Engine) callsUp() {
	for _, o := range e.calls.on {
		e.saysAgain(o)
	}
}

func (e *Engine) saysAgain(o *ongoing) {
	o.again = time.Time{}
	if o.Waits() && e.online() && e.broken == nil {
		e.carry(o, o.Again())
	}
}

// moved notes what has become of a call.
func (e *Engine) moved(o *ongoing) bool {
	now, is := e.Now(), o.Life().State
	if is == life.Ended && o.state == is {
		return true // it is in the log
	}
	if is != o.state {
		o.state, o.due = is, time.Time{}
		if lasts := is.Lasts(); lasts > 0 {
			o.due = now.Add(lasts)
		}
		if is == life.Active {
			o.answered = now
		}
	}
	switch is {
	case life.Idle:
		return true
	case life.Ended:
		delete(e.calls.on, o.name)
		return e.logCall(o, now)
	}
	e.calls.on[o.name] = o
	if v := e.viewOf(o); v.State != "" && !sameCall(v, o.told) {
		o.told = v
		e.tell(&port.CallChanged{Call: v})
	}
	return e.broken == nil
}

func (e *Engine) viewOf(o *ongoing) port.Call {
	v := o.View()
	v.At, v.Answered, v.Link = o.begun, o.answered, o.byLink
	return v
}

// sameCall tells whether two views show the same.
func sameCall(a, b port.Call) bool {
	locks := a.Lock == nil && b.Lock == nil || a.Lock != nil && b.Lock != nil && a.Lock.State == b.Lock.State && a.Lock.Why == b.Lock.Why
	a.Lock, b.Lock = nil, nil
	return locks && a == b
}

// sendInvite sends what is said before and behind a session, a propose with the token of a link by which we call.
// XEP-0353 §3: of type chat, to be stored
func (e *Engine) sendInvite(to string, v jingle.Invite, token string) {
	if v.Kind == jingle.Ringing && (e.NoCalls || !e.tellsThatHere(to)) {
		return
	}
	raw := []byte("<message xmlns='jabber:client' type='chat' to='" + esc(to) + "' id='" + callPrefix + v.Kind.String() + "-" + v.ID + "'>")
	raw = v.Append(raw)
	if v.Kind == jingle.Propose && token != "" {
		raw = append(raw, "<link xmlns='"+nsCalls+"' token='"+token+"'/>"...)
	}
	raw = append(raw, "<store xmlns='urn:xmpp:hints'/></message>"...)
	e.send(raw, 0)
}

// tellsThatHere tells whether somebody may learn that this device is there without a person's doing: who hears so
// anyhow.
// XEP-0353#security
func (e *Engine) tellsThatHere(to string) bool {
	who, err := jid.Parse(to)
	return err == nil && e.knows(who.Bare().String())
}

// callPrefix begins the ids of messages about calls, by which errors name them.
const callPrefix = "call-"

// sendSession asks the device that the call is with.
func (e *Engine) sendSession(o *ongoing, to string, s jingle.Session) {
	who, err := jid.Parse(to)
	if err != nil {
		return
	}
	e.ask(conn.Request{To: who, Type: stanza.Set, Payload: s.Append(nil)}, func(_ *conn.Stanza, err error) {
		switch {
		case e.calls.on[o.name] != o:
		case errorsLost(err):
			o.Unsent(s)
			e.carry(o, nil)
		default:
			e.carry(o, o.Answered(s.Action, refusalIn(err)))
		}
	})
}

// callsDue is when the first state of a call is over, zero for never.
func (e *Engine) callsDue() time.Time {
	next := e.calls.lines
	for _, o := range e.calls.on {
		next = sooner(sooner(next, o.due), o.again)
	}
	return next
}

// endCalls ends what has lasted too long.
func (e *Engine) endCalls() {
	now := e.Now()
	for _, o := range e.calls.on {
		if !o.due.IsZero() && !now.Before(o.due) && e.broken == nil {
			e.carry(o, o.Timeout())
		}
		if !o.again.IsZero() && !now.Before(o.again) {
			e.saysAgain(o)
		}
	}
	if due := e.calls.lines; !due.IsZero() && !now.Before(due) && e.broken == nil {
		e.lineCalls()
	}
}

// callsAgain goes on in a new session. Under another address than before, what has begun under that one
// cannot be: the other side does not know us by it. Who speaks already needs no server.
func (e *Engine) callsAgain(full jid.JID) {
	before := e.calls.full
	e.calls.full = full.String()
	clear(e.calls.beside)
	if before == "" || before == e.calls.full {
		return
	}
	for _, o := range e.calls.on {
		switch o.Life().State {
		case life.RingingIn, life.Active, life.Elsewhere:
		default:
			e.carry(o, o.Failed("the connection to the server was lost"))
		}
	}
}
