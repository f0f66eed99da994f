package life

// row is a line of the table.
type row struct {
	in  State
	on  Event
	to  State
	why Why // where to is Ended
	do  Effect
}

// table is the whole life. What has no row changes nothing; a request among it
// is refused.
//
// Placing a call is the caller's consent to the microphone and the camera, for a
// preview; the media session waits for their proceed. A call of somebody whom we
// are speaking with (XEP-0353 §4.2) rings like any other, though the XEP would
// have it accepted by itself: nothing opens without a person.
var table = []row{
	{Idle, Place, Proposing, 0, OpenMicrophone | SendPropose},
	{Idle, PlaceVideo, Proposing, 0, OpenMicrophone | OpenCamera | SendPropose},
	{Idle, PeerProposes, RingingIn, 0, Ring | SendRinging},
	{Idle, PeerProposesQuietly, Ended, Missed, Log},
	{Idle, PeerProposesHigher, Ended, Tie, SendReject | Log}, // XEP-0353 §4.1
	{Idle, PeerRetracts, Ended, Missed, Log},                 // it has overtaken its propose
	{Idle, OwnProposes, Elsewhere, 0, 0},
	{Idle, OwnProceeds, Ended, AnsweredElsewhere, Log},
	{Idle, OwnRejects, Ended, DeclinedElsewhere, Log},
	{Idle, ServerAnswered, Ended, AnsweredElsewhere, Log},

	{Proposing, PeerRings, RingingOut, 0, Show},
	{Proposing, PeerProceeds, Proceeding, 0, CreateMedia | SendInitiate},
	{Proposing, PeerRejects, Ended, Rejected, CloseMedia | Log},
	{Proposing, PeerRejectsTie, Ended, Tie, CloseMedia | Log},
	{Proposing, PeerProposesLower, Ended, Tie, SendRetract | CloseMedia | Log}, // XEP-0353 §4.1
	{Proposing, PeerRefuses, Ended, Failed, CloseMedia | Log},
	{Proposing, HangUp, Ended, Cancelled, SendRetract | CloseMedia | Log},
	{Proposing, MediaFailed, Ended, Failed, SendRetract | CloseMedia | Log},
	{Proposing, Timeout, Ended, Unanswered, SendRetract | CloseMedia | Log},

	{RingingOut, PeerProceeds, Proceeding, 0, CreateMedia | SendInitiate},
	{RingingOut, PeerRejects, Ended, Rejected, CloseMedia | Log},
	{RingingOut, PeerRejectsTie, Ended, Tie, CloseMedia | Log},
	{RingingOut, PeerProposesLower, Ended, Tie, SendRetract | CloseMedia | Log},
	{RingingOut, PeerRefuses, Ended, Failed, CloseMedia | Log},
	{RingingOut, HangUp, Ended, Cancelled, SendRetract | CloseMedia | Log},
	{RingingOut, MediaFailed, Ended, Failed, SendRetract | CloseMedia | Log},
	{RingingOut, Timeout, Ended, Unanswered, SendRetract | CloseMedia | Log},

	{RingingIn, Accept, Accepting, 0, StopRinging | OpenMicrophone | SendProceed},
	{RingingIn, AcceptVideo, Accepting, 0, StopRinging | OpenMicrophone | OpenCamera | SendProceed},
	{RingingIn, Decline, Ended, Declined, StopRinging | SendReject | Log},
	{RingingIn, PeerRetracts, Ended, Missed, StopRinging | Log},
	{RingingIn, PeerFinishes, Ended, Missed, StopRinging | Log},
	{RingingIn, PeerMigrates, Ended, Missed, StopRinging | Log},
	{RingingIn, OwnProceeds, Ended, AnsweredElsewhere, StopRinging | Log},
	{RingingIn, OwnFinishes, Ended, AnsweredElsewhere, StopRinging | Log},
	{RingingIn, OwnRejects, Ended, DeclinedElsewhere, StopRinging | Log},
	{RingingIn, ServerAnswered, Ended, AnsweredElsewhere, StopRinging | Log},
	{RingingIn, ServerEnded, Ended, Missed, StopRinging | Log},
	{RingingIn, Timeout, Ended, Missed, StopRinging | Log},

	// Two devices of ours may accept at once: each hears of the other, and the caller
	// or the server says which is the one.
	{Accepting, PeerInitiates, Connecting, 0, CreateMedia | FeedDescription | SendAccept},
	{Accepting, PeerRetracts, Ended, PeerHungUp, CloseMedia | Log},
	{Accepting, PeerFinishes, Ended, PeerHungUp, CloseMedia | Log},
	{Accepting, PeerMigrates, Ended, Migrated, CloseMedia | Log},
	{Accepting, ServerAnswered, Ended, AnsweredElsewhere, CloseMedia | Log},
	{Accepting, HangUp, Ended, HungUp, SendFinish | CloseMedia | Log},
	{Accepting, Migrate, Ended, Migrated, SendFinish | CloseMedia | Log},
	{Accepting, Mismatch, Ended, Insecure, SendFinish | CloseMedia | Log},
	{Accepting, MediaFailed, Ended, Failed, SendFinish | CloseMedia | Log},
	{Accepting, Timeout, Ended, Failed, SendFinish | CloseMedia | Log},

	{Proceeding, PeerAccepts, Connecting, 0, FeedDescription},
	{Proceeding, PeerSendsWays, Proceeding, 0, HoldWays},
	{Proceeding, PeerTells, Proceeding, 0, Show},
	{Proceeding, PeerRejects, Ended, PeerHungUp, SendTerminate | SendFinish | CloseMedia | Log}, // they have thought better of it (Conversations)
	{Proceeding, AddressFound, Proceeding, 0, SendWays},
	{Proceeding, PeerRefuses, Ended, Failed, SendFinish | CloseMedia | Log},
	{Proceeding, PeerTerminates, Ended, PeerHungUp, SendFinish | CloseMedia | Log},
	{Proceeding, PeerFinishes, Ended, PeerHungUp, SendTerminate | SendFinish | CloseMedia | Log},
	{Proceeding, PeerMigrates, Ended, Migrated, SendTerminate | SendFinish | CloseMedia | Log},
	{Proceeding, HangUp, Ended, HungUp, SendTerminate | SendFinish | CloseMedia | Log},
	{Proceeding, Migrate, Ended, Migrated, SendTerminate | SendFinish | CloseMedia | Log},
	{Proceeding, Mismatch, Ended, Insecure, SendTerminate | SendFinish | CloseMedia | Log},
	{Proceeding, MediaFailed, Ended, Failed, SendTerminate | SendFinish | CloseMedia | Log},
	{Proceeding, Timeout, Ended, Failed, SendTerminate | SendFinish | CloseMedia | Log},

	{Connecting, MediaReady, Active, 0, 0},
	{Connecting, PeerSendsWays, Connecting, 0, FeedWays},
	{Connecting, PeerChanges, Connecting, 0, FeedDescription},
	{Connecting, PeerTells, Connecting, 0, Show},
	{Connecting, AddressFound, Connecting, 0, SendWays},
	{Connecting, NetworkChanged, Connecting, 0, SendRestart},
	{Connecting, PeerRefuses, Ended, Failed, SendFinish | CloseMedia | Log},
	{Connecting, PeerTerminates, Ended, PeerHungUp, SendFinish | CloseMedia | Log},
	{Connecting, PeerFinishes, Ended, PeerHungUp, SendTerminate | SendFinish | CloseMedia | Log},
	{Connecting, PeerMigrates, Ended, Migrated, SendTerminate | SendFinish | CloseMedia | Log},
	{Connecting, HangUp, Ended, HungUp, SendTerminate | SendFinish | CloseMedia | Log},
	{Connecting, Migrate, Ended, Migrated, SendTerminate | SendFinish | CloseMedia | Log},
	{Connecting, Mismatch, Ended, Insecure, SendTerminate | SendFinish | CloseMedia | Log},
	{Connecting, MediaFailed, Ended, Failed, SendTerminate | SendFinish | CloseMedia | Log},
	{Connecting, Timeout, Ended, Failed, SendTerminate | SendFinish | CloseMedia | Log},

	{Active, PeerSendsWays, Active, 0, FeedWays},
	{Active, PeerAdds, Active, 0, FeedDescription | SendContentAccept}, // shown; our camera stays as it is
	{Active, PeerChanges, Active, 0, FeedDescription},
	{Active, PeerTells, Active, 0, Show},
	{Active, AddVideo, Active, 0, OpenCamera | SendContentAdd},
	{Active, AddressFound, Active, 0, SendWays},
	{Active, NetworkChanged, Active, 0, SendRestart},
	{Active, PeerTerminates, Ended, PeerHungUp, SendFinish | CloseMedia | Log},
	{Active, PeerFinishes, Ended, PeerHungUp, SendTerminate | SendFinish | CloseMedia | Log},
	{Active, PeerMigrates, Ended, Migrated, SendTerminate | SendFinish | CloseMedia | Log},
	{Active, HangUp, Ended, HungUp, SendTerminate | SendFinish | CloseMedia | Log},
	{Active, Migrate, Ended, Migrated, SendTerminate | SendFinish | CloseMedia | Log},
	{Active, Mismatch, Ended, Insecure, SendTerminate | SendFinish | CloseMedia | Log},
	{Active, MediaFailed, Ended, Failed, SendTerminate | SendFinish | CloseMedia | Log},
	{Active, Timeout, Ended, Failed, SendTerminate | SendFinish | CloseMedia | Log},

	{Elsewhere, PeerRejects, Ended, Rejected, Log},
	{Elsewhere, PeerRejectsTie, Ended, Tie, Log},
	{Elsewhere, PeerFinishes, Ended, AnsweredElsewhere, Log},
	{Elsewhere, PeerMigrates, Ended, Migrated, Log},
	{Elsewhere, OwnFinishes, Ended, AnsweredElsewhere, Log},
	{Elsewhere, OwnRetracts, Ended, Cancelled, Log},
	{Elsewhere, Timeout, Ended, AnsweredElsewhere, Log},
}

// look is the row for an event in a state, if there is one.
func look(s State, e Event) (row, bool) {
	for _, r := range table {
		if r.in == s && r.on == e {
			return r, true
		}
	}
	return row{in: s, on: e, to: s, do: otherwise(e)}, false
}

// otherwise is what is done where the table has nothing.
func otherwise(e Event) Effect {
	if e.Session() {
		return Refuse
	}
	return 0
}

// Table is the table as text, a line for each row: what the page
// docs/protocol/calls.md shows.
func Table() string {
	out := ""
	for _, r := range table {
		line := pad(r.in.String(), 13) + pad(r.on.String(), 27) + pad(r.to.String(), 13) + pad(r.why.String(), 20)
		for one := range r.do.All {
			line += one.String() + ", "
		}
		out += trim(line) + "\n"
	}
	return out
}

func pad(s string, width int) string {
	for len(s) < width {
		s += " "
	}
	return s
}

// trim takes off what separates from something that does not follow.
func trim(s string) string {
	for s[len(s)-1] == ' ' || s[len(s)-1] == ',' {
		s = s[:len(s)-1]
	}
	return s
}
