package life

import (
	"strings"

	"mirsal/internal/xmpp/jingle"
)

// Call is one call at one device: a value, to be kept and compared. Addresses
// are as jid.JID.String writes them.
type Call struct {
	ID   string // XEP-0353 §3.1, and the session's sid
	Self string // our bare address
	Peer string // theirs, bare
	// Device is the device of theirs that the call is with: the one that has called, or
	// that has accepted. "" while there is none.
	Device string
	State  State
	Why    Why // in Ended
}

// Step is what an event makes of a call. For what came from others, Hear and
// HearSession say which event it is.
func (c Call) Step(e Event) (Call, Effect) {
	r, _ := look(c.State, e)
	c.State = r.to
	if r.why != NotEnded {
		c.Why = r.why
	}
	return c, r.do
}

// Party is who speaks.
type Party uint8

// The parties.
const (
	Stranger   Party = iota // somebody else
	Peer                    // the device that the call is with; any of theirs while there is none
	PeersOther              // another device of theirs
	Own                     // another device of ours
)

// Party says who speaks from an address, which the server vouches for.
func (c Call) Party(from string) Party {
	bare, _, _ := strings.Cut(from, "/")
	switch {
	case from == "":
		return Stranger
	case bare == c.Self:
		return Own // to oneself one does not call, so this goes first
	case bare != c.Peer:
		return Stranger
	case c.Device == "" || from == c.Device:
		return Peer
	}
	return PeersOther
}

// Hear is what a message makes of a call: v came from this address, as a copy of
// what our other device has sent if it is ours. An error for an answer is
// PeerRefuses, by Step.
func (c Call) Hear(from string, v jingle.Invite) (Call, Effect) {
	if v.ID != c.ID {
		return c.Step(Unrelated)
	}
	e := heard(c.Party(from), v)
	return c.with(from, e)
}

// HearAs is Hear for a propose that is to be taken as another event: quietly, or
// as one side of a tie.
func (c Call) HearAs(from string, v jingle.Invite, e Event) (Call, Effect) {
	if v.ID != c.ID || v.Kind != jingle.Propose || c.Party(from) != Peer {
		return c.Step(Unrelated)
	}
	return c.with(from, e)
}

// with notes the device that the call is with from now on.
func (c Call) with(from string, e Event) (Call, Effect) {
	next, do := c.Step(e)
	binds := e == PeerProposes || e == PeerProceeds
	if binds && next.State != c.State {
		next.Device = from
	}
	return next, do
}

// heard is the event that a message is.
func heard(p Party, v jingle.Invite) Event {
	switch p {
	case Peer:
		return heardOfPeer(v)
	case Own:
		switch v.Kind {
		case jingle.Propose:
			return OwnProposes
		case jingle.Proceed, jingle.Accept:
			return OwnProceeds
		case jingle.Reject:
			return OwnRejects
		case jingle.Retract:
			return OwnRetracts
		case jingle.Finish:
			return OwnFinishes
		}
	}
	return Unrelated
}

func heardOfPeer(v jingle.Invite) Event {
	switch v.Kind {
	case jingle.Propose:
		return PeerProposes
	case jingle.Ringing:
		return PeerRings
	case jingle.Proceed:
		return PeerProceeds
	case jingle.Reject:
		if v.TieBreak {
			return PeerRejectsTie
		}
		return PeerRejects
	case jingle.Retract:
		return PeerRetracts
	case jingle.Finish:
		if v.Migrated != "" {
			return PeerMigrates
		}
		return PeerFinishes
	}
	return Unrelated
}

// HearSession is what a stanza of a session makes of a call. While no device is
// the one that the call is with, no session is of this call. Whoever can tell
// that the key in it is not the one that was promised takes it as Mismatch, by
// Step, in place of this.
func (c Call) HearSession(from, sid string, a jingle.Action) (Call, Effect) {
	if sid != c.ID || c.Device == "" || c.Party(from) != Peer {
		return c.Step(UnrelatedSession)
	}
	return c.Step(action(a))
}

func action(a jingle.Action) Event {
	switch a {
	case jingle.SessionInitiate:
		return PeerInitiates
	case jingle.SessionAccept:
		return PeerAccepts
	case jingle.SessionTerminate:
		return PeerTerminates
	case jingle.TransportInfo:
		return PeerSendsWays
	case jingle.ContentAdd:
		return PeerAdds
	case jingle.SessionInfo:
		return PeerTells
	}
	return PeerChanges
}

// Said is the event that a message shows which the device itself sends, to one who
// watches it from outside, as its server does; false if it shows none. Such a
// watcher's call goes the same way, but that it knows neither of media nor of
// what ends in silence.
func Said(v jingle.Invite) (Event, bool) {
	switch v.Kind {
	case jingle.Propose:
		if v.Video {
			return PlaceVideo, true
		}
		return Place, true
	case jingle.Proceed:
		return Accept, true
	case jingle.Reject:
		return Decline, true
	case jingle.Retract, jingle.Finish:
		return HangUp, true
	}
	return Unrelated, false
}

// Contest says what becomes of our call and of theirs where they propose while
// ours is not answered yet: the events for ours (Unrelated: it goes on) and for
// theirs. by is the address that theirs came from, bare or full.
// XEP-0353 §4.1
func Contest(ours Call, theirs, by string) (our, their Event) {
	bare, _, _ := strings.Cut(by, "/")
	switch {
	case bare != ours.Peer || theirs == ours.ID || ours.State != Proposing && ours.State != RingingOut:
		return Unrelated, PeerProposes
	case jingle.Lower(ours.ID, theirs, ours.Self, ours.Peer):
		return Unrelated, PeerProposesHigher
	}
	return PeerProposesLower, PeerProposes
}

// Cause is what a call's last messages say of its end. It tells no more than the
// other side knows: declined is said as busy (XEP-0353 §6).
func (w Why) Cause() jingle.Condition {
	switch w {
	case Declined:
		return jingle.Busy
	case Cancelled, Unanswered:
		return jingle.Cancel
	case Tie, Migrated:
		return jingle.Expired
	case Failed:
		return jingle.ConnectivityError
	case Insecure:
		return jingle.SecurityError
	case HungUp, PeerHungUp:
		return jingle.Success
	}
	return jingle.NoCondition
}
