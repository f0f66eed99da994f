package people

import "mirsal/internal/xmpp/stanza"

// State is one side's view of a subscription: the nine states of RFC 6121 §A.1.
type State uint8

// The states, in the order of RFC 6121 §A.1. Out is a request that the contact
// has not answered, In one that we have not.
const (
	None State = iota
	NoneOut
	NoneIn
	NoneOutIn
	To
	ToIn
	From
	FromOut
	Both
	states
)

// facts tells of each state what it means; name is how it is kept on disk.
var facts = [states]struct {
	name, subscription string
	to, from, out, in  bool
}{
	None:      {name: "none", subscription: "none"},
	NoneOut:   {name: "none+out", subscription: "none", out: true},
	NoneIn:    {name: "none+in", subscription: "none", in: true},
	NoneOutIn: {name: "none+out+in", subscription: "none", out: true, in: true},
	To:        {name: "to", subscription: "to", to: true},
	ToIn:      {name: "to+in", subscription: "to", to: true, in: true},
	From:      {name: "from", subscription: "from", from: true},
	FromOut:   {name: "from+out", subscription: "from", from: true, out: true},
	Both:      {name: "both", subscription: "both", to: true, from: true},
}

// To tells whether we see the contact's presence.
func (s State) To() bool { return facts[s].to }

// From tells whether the contact sees ours.
func (s State) From() bool { return facts[s].from }

// Out tells whether our request waits for the contact's answer.
func (s State) Out() bool { return facts[s].out }

// In tells whether the contact's request waits for our answer.
func (s State) In() bool { return facts[s].in }

func (s State) String() string { return facts[s].name }

func parseState(name string) (State, bool) {
	for s := range facts {
		if facts[s].name == name {
			return State(s), true
		}
	}
	return None, false
}

// event is a subscription stanza that leaves (out) or arrives.
type event uint8

const (
	subscribe event = iota
	subscribed
	unsubscribe
	unsubscribed
	events
)

func eventOf(presenceType string) event {
	switch presenceType {
	case stanza.Subscribe:
		return subscribe
	case stanza.Subscribed:
		return subscribed
	case stanza.Unsubscribe:
		return unsubscribe
	}
	return unsubscribed
}

func (e event) String() string {
	return [...]string{stanza.Subscribe, stanza.Subscribed, stanza.Unsubscribe, stanza.Unsubscribed}[e]
}

// step is one cell of the tables: the state that follows, and whether the
// stanza goes on: is routed when it leaves, is delivered when it arrives.
type step struct {
	next State
	pass bool
}

const (
	pass = true
	stop = false
)

// outbound is what a stanza does to its sender's side.
// RFC 6121 §A.2
var outbound = [states][events]step{
	//           subscribe           subscribed       unsubscribe       unsubscribed
	None:      {{NoneOut, pass}, {None, stop}, {None, pass}, {None, stop}},
	NoneOut:   {{NoneOut, pass}, {NoneOut, stop}, {None, pass}, {NoneOut, stop}},
	NoneIn:    {{NoneOutIn, pass}, {From, pass}, {NoneIn, pass}, {None, pass}},
	NoneOutIn: {{NoneOutIn, pass}, {FromOut, pass}, {NoneIn, pass}, {NoneOut, pass}},
	To:        {{To, pass}, {To, stop}, {None, pass}, {To, stop}},
	ToIn:      {{ToIn, pass}, {Both, pass}, {NoneIn, pass}, {To, pass}},
	From:      {{FromOut, pass}, {From, stop}, {From, pass}, {None, pass}},
	FromOut:   {{FromOut, pass}, {FromOut, stop}, {From, pass}, {NoneOut, pass}},
	Both:      {{Both, pass}, {Both, stop}, {From, pass}, {To, pass}},
}

// inbound is what a stanza does to its receiver's side. A subscribe from one who
// has the subscription is answered for the user.
// RFC 6121 §A.3
var inbound = [states][events]step{
	//           subscribe           subscribed       unsubscribe       unsubscribed
	None:      {{NoneIn, pass}, {None, stop}, {None, stop}, {None, stop}},
	NoneOut:   {{NoneOutIn, pass}, {To, pass}, {NoneOut, stop}, {None, pass}},
	NoneIn:    {{NoneIn, stop}, {NoneIn, stop}, {None, pass}, {NoneIn, stop}},
	NoneOutIn: {{NoneOutIn, stop}, {ToIn, pass}, {NoneOut, pass}, {NoneIn, pass}},
	To:        {{ToIn, pass}, {To, stop}, {To, stop}, {None, pass}},
	ToIn:      {{ToIn, stop}, {ToIn, stop}, {To, pass}, {NoneIn, pass}},
	From:      {{From, stop}, {From, stop}, {None, pass}, {From, stop}},
	FromOut:   {{FromOut, stop}, {Both, pass}, {NoneOut, pass}, {From, pass}},
	Both:      {{Both, stop}, {Both, stop}, {To, pass}, {From, pass}},
}

// approve is the state after the user's own yes, given beforehand or by the
// server's operator.
func (s State) approve() State {
	switch s {
	case None, NoneIn:
		return From
	case NoneOut, NoneOutIn:
		return FromOut
	case To, ToIn:
		return Both
	}
	return s
}
