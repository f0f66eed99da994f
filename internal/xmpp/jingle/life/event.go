package life

// Event is what happens to a call. Who may cause which is decided before, by
// the address that a stanza came from (Call.Hear): an event of Peer is one of
// the device that the call is with, or of any device of theirs while none is.
type Event uint8

// The events.
const (
	// What a person does at this device.
	Place Event = iota
	PlaceVideo
	Accept
	AcceptVideo
	Decline
	HangUp
	AddVideo
	Migrate // the call that the same person makes from another device was accepted here

	// What this device's media, network and clock do.
	MediaReady  // media flows, and its key is the one that was promised
	MediaFailed // no microphone, no way, or none any more
	Mismatch    // the key is another than the one that was promised
	AddressFound
	NetworkChanged
	Timeout // State.Lasts is over

	// Messages of theirs (XEP-0353).
	PeerProposes
	PeerProposesQuietly // a stranger, or what an archive brought too late to ring
	PeerProposesHigher  // while we call them, with an id that comes behind ours: the other call
	PeerProposesLower   // while we call them, with an id that comes before ours: our call
	PeerRings
	PeerProceeds
	PeerRejects
	PeerRejectsTie
	PeerRetracts
	PeerFinishes
	PeerMigrates // a finish that names another call

	// Stanzas of a session of theirs (XEP-0166).
	PeerInitiates
	PeerAccepts
	PeerTerminates
	PeerSendsWays // addresses
	PeerAdds      // a content
	PeerChanges   // contents, ways or what they are said to be
	PeerTells     // that it is muted, held, or still there
	PeerRefuses   // an error for an answer

	// Messages of another device of ours, as copies.
	OwnProposes
	OwnProceeds
	OwnRejects
	OwnRetracts
	OwnFinishes

	// The word of our server, which sees all devices.
	ServerAnswered // another device of ours is the one
	ServerEnded    // whoever called is gone

	// Of whoever has no part in the call, or not that part.
	Unrelated
	UnrelatedSession

	Events = int(UnrelatedSession) + 1
)

// Session tells whether the event is a request, which must be answered: by an
// error where the table has nothing.
func (e Event) Session() bool {
	return e >= PeerInitiates && e <= PeerTells || e == UnrelatedSession
}

// Person tells whether a person at this device did it.
func (e Event) Person() bool { return e <= Migrate }

// String is the event as the page docs/protocol/calls.md names it.
func (e Event) String() string {
	if e < PeerProposes {
		return e.here()
	}
	if e <= PeerRefuses {
		return "peer: " + e.peers()
	}
	return e.others()
}

func (e Event) here() string {
	switch e {
	case Place:
		return "place"
	case PlaceVideo:
		return "place with video"
	case Accept:
		return "accept"
	case AcceptVideo:
		return "accept with video"
	case Decline:
		return "decline"
	case HangUp:
		return "hang up"
	case AddVideo:
		return "add video"
	case Migrate:
		return "migrate"
	case MediaReady:
		return "media ready"
	case MediaFailed:
		return "media failed"
	case Mismatch:
		return "mismatch"
	case AddressFound:
		return "address found"
	case NetworkChanged:
		return "network changed"
	}
	return "timeout"
}

func (e Event) peers() string {
	switch e {
	case PeerProposes:
		return "propose"
	case PeerProposesQuietly:
		return "propose, quietly"
	case PeerProposesHigher:
		return "propose behind ours"
	case PeerProposesLower:
		return "propose before ours"
	case PeerRings:
		return "ringing"
	case PeerProceeds:
		return "proceed"
	case PeerRejects:
		return "reject"
	case PeerRejectsTie:
		return "reject of a tie"
	case PeerRetracts:
		return "retract"
	case PeerFinishes:
		return "finish"
	case PeerMigrates:
		return "finish, migrated"
	case PeerInitiates:
		return "session-initiate"
	case PeerAccepts:
		return "session-accept"
	case PeerTerminates:
		return "session-terminate"
	case PeerSendsWays:
		return "transport-info"
	case PeerAdds:
		return "content-add"
	case PeerChanges:
		return "changes"
	case PeerTells:
		return "session-info"
	}
	return "error"
}

func (e Event) others() string {
	switch e {
	case OwnProposes:
		return "own: propose"
	case OwnProceeds:
		return "own: proceed or accept"
	case OwnRejects:
		return "own: reject"
	case OwnRetracts:
		return "own: retract"
	case OwnFinishes:
		return "own: finish"
	case ServerAnswered:
		return "server: answered"
	case ServerEnded:
		return "server: ended"
	case Unrelated:
		return "unrelated"
	}
	return "unrelated session"
}

// Effect is a set of what is to be done, in the order of the bits.
type Effect uint32

// The effects.
const (
	StopRinging Effect = 1 << iota
	Ring

	OpenMicrophone
	OpenCamera
	CreateMedia     // the media session, with its sockets
	FeedDescription // what the other side said of its media and ways
	FeedWays        // the other side's addresses
	HoldWays        // keep them until there is a description

	SendPropose // to all their devices; the rest goes to the one that the call is with
	SendRinging
	SendProceed
	SendReject
	SendRetract // to all their devices
	SendInitiate
	SendAccept
	SendContentAdd
	SendContentAccept
	SendWays
	SendRestart
	SendTerminate
	SendFinish

	CloseMedia // media session, microphone and camera, as far as they are open
	Show       // what the other side tells, such as that it rings there
	Refuse     // answer the request with an error
	Log        // an entry of the call, with Why

	EffectBits = 25
)

// String is one effect as the page names it.
func (e Effect) String() string {
	switch e {
	case StopRinging:
		return "stop ringing"
	case Ring:
		return "ring"
	case OpenMicrophone:
		return "open microphone"
	case OpenCamera:
		return "open camera"
	case CreateMedia:
		return "create media"
	case FeedDescription:
		return "feed description"
	case FeedWays:
		return "feed ways"
	case HoldWays:
		return "hold ways"
	case SendPropose:
		return "send propose"
	case SendRinging:
		return "send ringing"
	case SendProceed:
		return "send proceed"
	case SendReject:
		return "send reject"
	case SendRetract:
		return "send retract"
	case SendInitiate:
		return "send session-initiate"
	case SendAccept:
		return "send session-accept"
	case SendContentAdd:
		return "send content-add"
	case SendContentAccept:
		return "send content-accept"
	case SendWays:
		return "send transport-info"
	case SendRestart:
		return "send restart"
	case SendTerminate:
		return "send session-terminate"
	case SendFinish:
		return "send finish"
	case CloseMedia:
		return "close media"
	case Show:
		return "show"
	case Refuse:
		return "refuse"
	case Log:
		return "log"
	}
	return ""
}

// All ranges over the single effects of a set, in the order in which they are to
// be done.
func (e Effect) All(yield func(Effect) bool) {
	for one := Effect(1); one <= Log; one <<= 1 {
		if e&one != 0 && !yield(one) {
			return
		}
	}
}
