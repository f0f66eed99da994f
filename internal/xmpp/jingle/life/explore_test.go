package life

import (
	"fmt"
	"slices"
	"testing"
)

// cell is what a grid has for an event in a state.
type cell struct {
	to  State
	why Why
	do  Effect
}

// grid is a table with all its cells, to be explored and to be mutated.
type grid [States][Events]cell

func newGrid() *grid {
	g := new(grid)
	for s := range State(States) {
		for e := range Event(Events) {
			r, _ := look(s, e)
			g[s][e] = cell{r.to, r.why, r.do}
		}
	}
	return g
}

// watch is a call and what was done about it: all that the invariants ask about.
type watch struct {
	state                      State
	why                        Why
	placed, proposed           bool // here, by a person; to them
	rung                       bool // it has rung here
	accepted                   bool // by a person here, or by them
	begun                      bool // a session is there for both sides to end
	described                  bool // their description was fed
	ringing, mic, camera, live bool // open, as of now
	logged                     bool
}

// violation is what an invariant says of one step.
type violation string

// step is a watch after an event, or what is wrong with it.
func (w watch) step(g *grid, e Event) (watch, violation) {
	c := g[w.state][e]
	n := w
	n.state = c.to
	if c.why != NotEnded {
		n.why = c.why
	}
	n.note(e, c.do)
	for _, check := range invariants {
		if v := check(w, n, e, c.do); v != "" {
			return n, v
		}
	}
	return n, ""
}

// note is what effects do to the world. What counts as consent comes from the
// events, not from the table.
func (w *watch) note(e Event, do Effect) {
	switch {
	case (e == Place || e == PlaceVideo) && do&SendPropose != 0:
		w.placed, w.proposed = true, true
	case (e == Accept || e == AcceptVideo) && w.ringing, e == PeerProceeds && w.proposed:
		w.accepted = true
	}
	w.rung = w.rung || do&Ring != 0
	w.ringing = (w.ringing || do&Ring != 0) && do&StopRinging == 0
	w.mic = (w.mic || do&OpenMicrophone != 0) && do&CloseMedia == 0
	w.camera = (w.camera || do&OpenCamera != 0) && do&CloseMedia == 0
	w.live = (w.live || do&CreateMedia != 0) && do&CloseMedia == 0
	w.begun = w.begun || do&(SendInitiate|SendAccept) != 0
	w.described = w.described || do&FeedDescription != 0
	w.logged = w.logged || do&Log != 0
}

// invariants are asked of every step: before, after, the event and what is done.
var invariants = []func(w, n watch, e Event, do Effect) violation{
	consent, order, quiet, ending, hearing, words, duties, standing,
}

func when(bad bool, v violation) violation {
	if bad {
		return v
	}
	return ""
}

func first(all ...violation) violation {
	for _, v := range all {
		if v != "" {
			return v
		}
	}
	return ""
}

func in(e Event, set ...Event) bool {
	for _, x := range set {
		if e == x {
			return true
		}
	}
	return false
}

// consent: R19.
func consent(w, n watch, e Event, do Effect) violation {
	return first(
		when(do&OpenMicrophone != 0 && !in(e, Place, PlaceVideo, Accept, AcceptVideo), "a microphone is opened by nobody here"),
		when(do&OpenCamera != 0 && !in(e, PlaceVideo, AcceptVideo, AddVideo), "a camera is opened by nobody here"),
		when(do&(CreateMedia|FeedDescription|FeedWays|HoldWays) != 0 && !n.accepted, "media is touched before it was accepted"),
		when(in(e, Accept, AcceptVideo) && do != 0 && !w.ringing, "accepted what does not ring"),
		when(n.live && !n.mic, "a media session without a person"),
		when(do&OpenMicrophone != 0 && w.mic, "the microphone is opened twice"),
		when(do&CreateMedia != 0 && w.live, "the media session is made twice"),
	)
}

// order: what is fed, and when.
func order(w, n watch, e Event, do Effect) violation {
	return first(
		when(do&(FeedDescription|FeedWays|HoldWays|SendWays|SendRestart|SendContentAdd|SendContentAccept) != 0 && !n.live, "fed or sent without a media session"),
		when(do&FeedDescription != 0 && !in(e, PeerInitiates, PeerAccepts, PeerAdds, PeerChanges), "a description from nowhere"),
		when(do&(FeedWays|HoldWays) != 0 && e != PeerSendsWays, "ways from nowhere"),
		when(do&FeedWays != 0 && !w.described, "ways before the description"),
		when(do&HoldWays != 0 && w.described, "ways are kept though there is a description"),
		when(do&FeedWays != 0 && do&HoldWays != 0, "ways are fed and kept"),
		when(in(e, PeerAdds, PeerChanges) && do&FeedDescription != 0 && !w.described, "a change before the description"),
		when(e == PeerAccepts && do != Refuse && (!w.begun || w.rung || w.described), "their accept of what was not offered"),
		when(e == PeerInitiates && do != Refuse && (!w.rung || w.begun), "their session in our call, or twice"),
		when(n.state == Active && !(n.described && n.begun && n.live), "active without a session"),
		when(n.state == Active && w.state != Active && e != MediaReady, "active without media"),
		when(n.state == Connecting && w.state != Connecting && !in(e, PeerAccepts, PeerInitiates), "connecting without a session"),
	)
}

// quiet: what rings, and that it stops.
func quiet(w, n watch, e Event, do Effect) violation {
	return first(
		when(do&Ring != 0 && (e != PeerProposes || w.ringing || w.rung), "it rings for nothing"),
		when((do&Ring != 0) != (do&SendRinging != 0), "it rings and they do not hear of it, or the other way round"),
		when(do&StopRinging != 0 && !w.ringing, "what does not ring stops"),
		when(n.ringing != (n.state == RingingIn), "it rings in another state, or not in this"),
		when(n.state == RingingIn && (n.mic || n.camera || n.live), "something is open while it rings"),
	)
}

// ending: a call ends once, with one entry, and nothing is left open.
func ending(w, n watch, e Event, do Effect) violation {
	ended := n.state == Ended
	return first(
		when(w.state == Ended && !ended, "it comes back"),
		when(w.state == Ended && do&^Refuse != 0, "something is done after the end"),
		when((do&Log != 0) != (ended && w.state != Ended), "an entry is too many, or there is none"),
		when(ended != (n.why != NotEnded) || w.why != NotEnded && w.why != n.why, "an end without a reason, or two"),
		when(ended && (n.ringing || n.mic || n.camera || n.live), "something is open after the end"),
		when(!ended && do&CloseMedia != 0, "media is closed though the call goes on"),
		when(do&CloseMedia != 0 && !w.mic, "what is not open is closed"),
		when(e == Timeout && w.state != Idle && !ended, "it never ends"),
		when(e == Mismatch && do != 0 && n.why != Insecure, "another key, and it is not said"),
		when(ended && w.state != Ended && n.why != reason(w, e), "it ends for another reason than it does"),
		when(ended && w.state != Ended && do&(Ring|SendRinging|OpenMicrophone|OpenCamera|CreateMedia|FeedDescription|FeedWays|HoldWays|Show) != 0, "something is begun at the end"),
	)
}

// reason is how a call ends by an event.
func reason(w watch, e Event) Why {
	switch e {
	case HangUp:
		return choose(w.accepted, HungUp, Cancelled)
	case Decline:
		return Declined
	case Timeout:
		return choose(w.accepted, Failed, choose(w.proposed, Unanswered, choose(w.ringing, Missed, AnsweredElsewhere)))
	case MediaFailed, PeerRefuses:
		return Failed
	case Mismatch:
		return Insecure
	case Migrate:
		return Migrated
	case PeerMigrates:
		return choose(w.ringing, Missed, Migrated)
	case PeerRejects:
		return choose(w.accepted, PeerHungUp, Rejected)
	case PeerRejectsTie, PeerProposesLower, PeerProposesHigher:
		return Tie
	case PeerRetracts, PeerTerminates:
		return choose(w.accepted, PeerHungUp, Missed)
	case PeerFinishes:
		return choose(w.accepted, PeerHungUp, choose(w.ringing, Missed, AnsweredElsewhere))
	case OwnProceeds, OwnFinishes, ServerAnswered:
		return AnsweredElsewhere
	case OwnRejects:
		return DeclinedElsewhere
	case OwnRetracts:
		return Cancelled
	case PeerProposesQuietly, ServerEnded:
		return Missed
	}
	return NotEnded
}

func choose(is bool, yes, no Why) Why {
	if is {
		return yes
	}
	return no
}

// hearing: who has a say in the end of a call, and that it is heard.
func hearing(w, n watch, e Event, do Effect) violation {
	if n.state == Ended {
		return ""
	}
	waits, watches := w.proposed && !w.accepted, w.state == Elsewhere
	return first(
		when(e == HangUp && w.mic, "hanging up does not"),
		when(e == MediaFailed && w.mic, "no media, and it goes on"),
		when(in(e, Mismatch, Migrate) && w.accepted, "another key or another call, and it goes on"),
		when(in(e, PeerRejects, PeerRejectsTie) && (waits || watches), "their no is not heard"),
		when(e == PeerRejects && w.state == Proceeding, "their second thought is not heard"),
		when(e == PeerProposesLower && waits, "both call on"),
		when(e == PeerRefuses && w.mic && !(w.accepted && !w.begun) && w.state != Active, "an error is not heard"),
		when(e == PeerRetracts && (w.ringing || w.accepted && !w.begun), "their retract is not heard"),
		when(in(e, PeerFinishes, PeerMigrates) && (w.ringing || w.accepted || watches), "their finish is not heard"),
		when(e == PeerTerminates && w.begun, "the end of their session is not heard"),
		when(e == OwnFinishes && (w.ringing || watches), "our own end is not heard"),
		when(e == OwnRetracts && watches, "our own retract is not heard"),
		when(in(e, OwnProceeds, OwnRejects) && (w.ringing || w.state == Idle), "our own answer is not heard"),
		when(e == ServerAnswered && (w.ringing || w.state == Idle || w.accepted && !w.begun), "the server is not heard"),
		when(e == ServerEnded && w.ringing, "the server is not heard"),
	)
}

// words: what may be said, and on what occasion.
func words(w, n watch, e Event, do Effect) violation {
	ends := n.state == Ended && w.state != Ended
	return first(
		when(do&SendPropose != 0 && (!in(e, Place, PlaceVideo) || w.state != Idle), "a call that nobody places"),
		when(do&SendProceed != 0 && !in(e, Accept, AcceptVideo), "accepted by nobody"),
		when(do&SendReject != 0 && !(e == Decline && w.ringing || e == PeerProposesHigher && w.state == Idle), "rejected by nobody"),
		when(e == PlaceVideo && (do&OpenCamera != 0) != (do&SendPropose != 0), "a camera for no call"),
		when(e == AcceptVideo && (do&OpenCamera != 0) != (do&SendProceed != 0), "a camera for no call"),
		when(do&SendRetract != 0 && (!ends || !w.proposed || w.accepted), "a retract of what was not proposed, or was accepted"),
		when(do&SendInitiate != 0 && e != PeerProceeds, "a session that they did not ask for"),
		when(do&SendAccept != 0 && e != PeerInitiates, "an answer without a session"),
		when(do&SendWays != 0 && e != AddressFound, "an address from nowhere"),
		when(do&SendRestart != 0 && (e != NetworkChanged || !w.described), "a restart for nothing"),
		when(do&SendContentAdd != 0 && e != AddVideo, "content that nobody adds"),
		when((do&SendContentAdd != 0) != (do&OpenCamera != 0 && e == AddVideo), "video without a camera"),
		when(do&SendContentAccept != 0 && (e != PeerAdds || do&FeedDescription == 0), "an answer to content that was not added"),
		when(do&SendTerminate != 0 && (!ends || !w.begun), "the end of no session"),
		when(do&SendFinish != 0 && (!ends || !w.accepted), "the end of no call"),
		when((do&Refuse != 0) != (e.Session() && do == Refuse && n == w), "a refusal of what is no request, or was taken"),
		when(e.Session() && do == 0, "a request without an answer or use"),
		when(do&Show != 0 && !in(e, PeerRings, PeerTells) || e == PeerRings && do&Show != 0 && w.state != Proposing, "nothing is told"),
		when(in(e, Unrelated, UnrelatedSession) && (n != w || do&^Refuse != 0), "a stranger has a say"),
	)
}

// duties: what the other side, and our own devices, must be told.
func duties(w, n watch, e Event, do Effect) violation {
	ends := n.state == Ended && w.state != Ended
	theirs := in(e, PeerRejects, PeerRejectsTie, PeerRefuses, PeerRetracts, PeerFinishes, PeerMigrates, ServerAnswered)
	return first(
		when(ends && w.proposed && !w.accepted && !theirs && do&SendRetract == 0, "it rings on at theirs"),
		when(ends && w.proposed && !w.accepted && theirs && do&SendRetract != 0, "a retract of what they have ended"),
		when(ends && w.begun && !in(e, PeerTerminates, PeerRefuses) && do&SendTerminate == 0, "they are left in a session"),
		when(ends && in(e, PeerTerminates, PeerRefuses) && do&SendTerminate != 0, "a session is ended twice"),
		when(ends && w.accepted && (w.begun || !theirs) && do&SendFinish == 0, "nobody hears of the end"),
		when(ends && w.accepted && !w.begun && theirs && do&SendFinish != 0, "an end that they have told us of"),
		when(ends && w.mic && do&CloseMedia == 0, "media stays open"),
		when(e == Decline && ends && do&SendReject == 0, "they are not told that it is declined"),
		when(n.accepted && !w.accepted && w.rung && do&SendProceed == 0, "accepted, and they do not hear of it"),
		when(n.accepted && !w.accepted && w.proposed && n.state == Proceeding && do&SendInitiate == 0, "they wait for a session"),
		when(n.state == Connecting && w.state == Accepting && do&SendAccept == 0, "they wait for an answer"),
		when(do&(SendInitiate|SendAccept) != 0 && do&CreateMedia == 0, "a session without media"),
	)
}

// standing: what each state means.
func standing(w, n watch, e Event, do Effect) violation {
	if n.state < w.state {
		return "it goes back"
	}
	switch n.state {
	case Idle:
		return when(n != watch{}, "idle, and something has been")
	case Proposing, RingingOut:
		return first(when(!n.proposed || n.accepted || !n.mic, "proposing what was not placed"), when(n.state == RingingOut && w.state != RingingOut && e != PeerRings, "ringing there unheard"))
	case Accepting:
		return when(!n.rung || !n.accepted || n.begun || !n.mic, "accepting what has not rung")
	case Proceeding:
		return when(!n.proposed || !n.accepted || !n.begun || n.described, "proceeding without them")
	case Elsewhere:
		return first(when(n.mic || n.rung || n.proposed, "elsewhere and here"), when(w.state == Idle && e != OwnProposes, "elsewhere without a device"))
	}
	return ""
}

// place is a cell of the table.
type place struct {
	in State
	on Event
}

// explore goes wherever events lead, in any order and number, until there is
// nothing new. It returns what it has seen with the shortest way to it, and the
// first violation.
func explore(g *grid) (seen map[watch][]place, found string) {
	seen = map[watch][]place{{}: nil}
	queue := []watch{{}}
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		for e := range Event(Events) {
			n, v := w.step(g, e)
			if v != "" {
				return seen, fmt.Sprintf("%s in %s: %s", e, w.state, v)
			}
			if _, ok := seen[n]; !ok {
				seen[n] = append(slices.Clone(seen[w]), place{w.state, e})
				queue = append(queue, n)
			}
		}
	}
	return seen, lost(seen)
}

// lost is a state or an end that nothing leads to.
func lost(seen map[watch][]place) string {
	var states [States]bool
	var whys [Whys]bool
	for w := range seen {
		states[w.state], whys[w.why] = true, true
	}
	for s, ok := range states {
		if !ok {
			return "nothing leads to " + State(s).String()
		}
	}
	for w, ok := range whys {
		if !ok {
			return "nothing ends as " + Why(w).String()
		}
	}
	return ""
}

// Any events at any time, hostile ones among them: duplicated, out of order,
// with roles swapped. What is found is all that there is, at any depth.
func TestNoOrderOfEventsBreaksAnInvariant(t *testing.T) {
	seen, found := explore(newGrid())
	if found != "" {
		t.Error(found)
	}
	deepest := 0
	for _, way := range seen {
		deepest = max(deepest, len(way))
	}
	t.Logf("%d different calls, the farthest %d steps away, each with all %d events", len(seen), deepest, Events)
}
