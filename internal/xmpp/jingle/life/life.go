// Package life is the life of one call at one device, caller's or callee's, as
// one table: in a state, an event leads to a state and to effects. It sends and
// opens nothing itself, knows no time and holds one call: whoever drives it does
// what the effects say, in the order of their bits.
//
// Invariants, which its tests explore to the end: a microphone or camera is
// opened by what a person does at this device and by nothing else; a media
// session is made, and a description or an address of the other side fed to it,
// only after the callee has accepted; every state but Idle and Ended ends by
// Timeout; in Ended nothing rings and nothing is open; every call that was begun
// leaves one log entry.
package life

import "time"

// State is how far a call is.
type State uint8

// The states.
const (
	Idle       State = iota // not heard of
	Proposing               // we call
	RingingOut              // and it rings there
	RingingIn               // they call, and it rings here
	Accepting               // accepted here; their session is to come
	Proceeding              // accepted there; our session is on its way
	Connecting              // media looks for its way
	Active                  // they hear each other
	Elsewhere               // another device of ours calls; we only watch
	Ended                   // for the reason Why

	States = int(Ended) + 1
)

// String is the state as the page docs/protocol/calls.md names it.
func (s State) String() string {
	switch s {
	case Idle:
		return "idle"
	case Proposing:
		return "proposing"
	case RingingOut:
		return "ringing-out"
	case RingingIn:
		return "ringing-in"
	case Accepting:
		return "accepting"
	case Proceeding:
		return "proceeding"
	case Connecting:
		return "connecting"
	case Active:
		return "active"
	case Elsewhere:
		return "elsewhere"
	case Ended:
		return "ended"
	}
	return "unknown"
}

// Lasts is how long a call may be in a state before Timeout; 0 is for ever. It
// counts from the entering of the state: an event that leaves the state as it is
// must not begin it anew, or one who rings again and again would ring for ever.
// XEP-0353 §5 (a day for what nobody has ended)
func (s State) Lasts() time.Duration {
	switch s {
	case Proposing, RingingOut, RingingIn:
		return time.Minute
	case Accepting, Proceeding, Connecting:
		return 30 * time.Second
	case Active, Elsewhere:
		return 24 * time.Hour
	}
	return 0
}

// Why is how a call has ended.
type Why uint8

// The ends.
const (
	NotEnded          Why = iota
	Missed                // nobody here has accepted
	Declined              // here
	DeclinedElsewhere     // at another device of ours
	AnsweredElsewhere     // by another device of ours
	Cancelled             // we called and thought better of it
	Rejected              // they have declined
	Unanswered            // they have not accepted
	HungUp                // by us
	PeerHungUp            // by them
	Failed                // no way for media, no microphone, refused by their program
	Insecure              // their key is not the one it must be
	Migrated              // it goes on as another call
	Tie                   // both called at once, and the other call is the one
	Whys              = int(Tie) + 1
)

// String is the end as the page names it.
func (w Why) String() string {
	switch w {
	case Missed:
		return "missed"
	case Declined:
		return "declined"
	case DeclinedElsewhere:
		return "declined-elsewhere"
	case AnsweredElsewhere:
		return "answered-elsewhere"
	case Cancelled:
		return "cancelled"
	case Rejected:
		return "rejected"
	case Unanswered:
		return "unanswered"
	case HungUp:
		return "hung-up"
	case PeerHungUp:
		return "peer-hung-up"
	case Failed:
		return "failed"
	case Insecure:
		return "insecure"
	case Migrated:
		return "migrated"
	case Tie:
		return "tie"
	}
	return ""
}
