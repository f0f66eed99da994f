package call

import (
	"errors"
	"strings"

	"mirsal/internal/client/call/sdp"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
)

// Config is what a call is made of.
type Config struct {
	ID         string // XEP-0353 §3.1
	Name       string // what the port calls it
	Self, Peer string // bare addresses
	Full       string // our own full address, "" if it is not known
	Seals      Seals
	// Sealed: keys of theirs were compared by a person. Then what is not sealed is as good as forged.
	Sealed bool
	// WasSealed: calls with them were sealed before, of which an open lock reminds.
	WasSealed bool
	// RelayOnly: none of our addresses may be known to them.
	RelayOnly bool
	Limits    sdp.Limits // of the seat's descriptions
}

// Seals binds fingerprints of media to devices' keys.
type Seals interface {
	// Own is the number of this device.
	Own() uint32
	// Seal encrypts a fingerprint for one device of theirs. Errors: ErrLater, ErrDistrusted; with any other it
	// cannot be done.
	Seal(device uint32, text string) (jingle.Sealed, error)
	// Open is what a device of theirs has sealed for this one, and what its key is worth. Errors: ErrDistrusted;
	// with any other it cannot be read.
	Open(s *jingle.Sealed) (text string, lock port.Lock, err error)
}

// What a Seals refuses for.
var (
	// ErrLater: a key is on its way. Call.Keys asks again.
	ErrLater = errors.New("call: a key is on its way")
	// ErrDistrusted: a person has refused the key, or must decide about it.
	ErrDistrusted = errors.New("call: the key is not trusted")
)

// The reasons of an open lock: nothing binds the media's key to a device, though with calls before something did.
const (
	WhyUnsealed  = "call-unsealed"
	WhyWasSealed = "call-was-sealed"
)

// Do is one thing that is to be done: exactly one of its fields but To is set.
type Do struct {
	To      string          // of Message and Session
	Message *jingle.Invite  // a message, to be stored (XEP-0353 §3)
	Session *jingle.Session // a request, whose answer goes to Answered
	Media   *port.CallMedia // for the seat
}

// Call is one call. Make it with New.
type Call struct {
	cfg  Config
	life life.Call
	mine bool // we have called
	view port.Call
	out  []Do

	// The seat.
	opened  bool // microphone, at least
	ready   bool // the servers are known
	servers []port.CallServer
	queue   []port.CallMedia // until they are

	// The session.
	begun   bool // there is one at both sides
	talk    *sdp.Exchange
	pending pending
	stale   bool             // the seat's next description is for nothing: theirs was first
	media   []content        // of both sides
	ways    []jingle.Session // theirs, before their description
	found   []address        // ours, before our description has left
	waits   []jingle.Session // what cannot be sealed yet
	unsent  []jingle.Session // what is to be said again
	again   bool             // a restart of ours is to be made again

	// Keys.
	device uint32 // theirs, that was promised or has sealed; 0 none
	sealed bool   // fingerprints of this call are sealed
}

// pending is what the seat's next description is for.
type pending uint8

const (
	nothing pending = iota
	offer
	answer
)

// content is one medium, as both sides name it.
type content struct {
	creator jingle.Role
	name    string
	media   jingle.Media
}

// address is one of ours.
type address struct{ mid, candidate string }

// New is a call that nobody has heard of yet.
func New(c Config) *Call {
	return &Call{cfg: c, life: life.Call{ID: c.ID, Self: c.Self, Peer: c.Peer}, view: port.Call{ID: c.Name, Chat: c.Peer}}
}

// Life is the call as the table knows it.
func (c *Call) Life() life.Call { return c.life }

// View is the call as people see it, but for its times; State is "" for one that only another device of ours has.
func (c *Call) View() port.Call {
	v := c.view
	v.Mine, v.State, v.Why = c.mine, shown(c.life.State), c.life.Why.String()
	return v
}

func shown(s life.State) string {
	switch s {
	case life.Proposing:
		return "calling"
	case life.RingingOut:
		return "ringing"
	case life.RingingIn:
		return "incoming"
	case life.Accepting:
		return "answering"
	case life.Proceeding, life.Connecting:
		return "connecting"
	case life.Active:
		return "active"
	case life.Ended:
		return "ended"
	}
	return ""
}

// Over tells whether the call has ended.
func (c *Call) Over() bool { return c.life.State == life.Ended }

// Place begins it. What a person does here takes effect in Idle alone.
func (c *Call) Place(video bool, seat string) []Do {
	c.mine, c.view.Video, c.view.Seat = true, video, seat
	e := life.Place
	if video {
		e = life.PlaceVideo
	}
	return c.step(e)
}

// Answer accepts a call that rings.
func (c *Call) Answer(video bool, seat string) []Do {
	if c.life.State != life.RingingIn {
		return nil
	}
	c.view.Seat = seat
	c.view.Video = c.view.Video || video
	e := life.Accept
	if video {
		e = life.AcceptVideo
	}
	return c.step(e)
}

// HangUp ends it, whatever it is: one that rings is declined.
func (c *Call) HangUp() []Do {
	if c.life.State == life.RingingIn {
		return c.step(life.Decline)
	}
	return c.step(life.HangUp)
}

// AddVideo opens the camera of an active call, once what was asked of the seat before is done; false: not now.
func (c *Call) AddVideo() ([]Do, bool) {
	if c.life.State != life.Active || c.pending != nothing {
		return nil, false
	}
	c.view.Video = true
	return c.step(life.AddVideo), true
}

// Timeout tells that the time of the state is over.
func (c *Call) Timeout() []Do { return c.step(life.Timeout) }

// Connected is the seat's word that media flows by the key of their description.
func (c *Call) Connected() []Do { return c.step(life.MediaReady) }

// Failed is the seat's word that there is no media; text is for people.
func (c *Call) Failed(text string) []Do {
	c.explain(text)
	return c.step(life.MediaFailed)
}

// Network is the seat's word that another way is needed. While something else is asked of the seat, it waits
// for that.
func (c *Call) Network() []Do {
	if c.pending != nothing {
		return nil
	}
	return c.step(life.NetworkChanged)
}

// mostWords bounds words of others for people, in bytes.
const mostWords = 500

func (c *Call) explain(text string) {
	if c.life.State != life.Ended && c.view.Text == "" {
		c.view.Text = strings.ToValidUTF8(text[:min(len(text), mostWords)], "")
	}
}

// Mute says what we do not send from now on.
// XEP-0167 §8
func (c *Call) Mute(m port.CallMuted) []Do {
	before := c.view.Muted
	c.view.Muted = m
	if c.Over() || before == m {
		return nil
	}
	if c.opened {
		c.seat(port.CallMedia{Do: "mute", Audio: m.Audio, Video: m.Video})
	}
	c.tellMuted(jingle.Audio, before.Audio, m.Audio)
	c.tellMuted(jingle.Video, before.Video, m.Video)
	return c.done()
}

func (c *Call) tellMuted(m jingle.Media, was, is bool) {
	if was == is || !c.begun || c.life.State != life.Connecting && c.life.State != life.Active {
		return
	}
	kind := jingle.Unmute
	if is {
		kind = jingle.Mute
	}
	for _, x := range c.media {
		if x.media == m {
			c.request(jingle.Session{Action: jingle.SessionInfo, Info: jingle.Info{Kind: kind, Creator: x.creator, Name: x.name}})
		}
	}
}

// done is what is to be done.
func (c *Call) done() []Do {
	out := c.out
	c.out = nil
	return out
}

// step takes an event that brings nothing along.
func (c *Call) step(e life.Event) []Do {
	next, do := c.life.Step(e)
	c.follow(next, do, cause{})
	return c.done()
}
