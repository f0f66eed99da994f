package stanza

// Rule says what becomes of a message of one kind: the one place where archive,
// carbons, offline delivery, push and client state have it from. The same table
// for people, with an example of each kind, is docs/protocol/messages.md; a test
// plays it.
type Rule struct {
	// Kind names the row, in words.
	Kind string
	// Archive: both sides' archives keep it (XEP-0313).
	Archive bool
	// Carbon: the other devices of both sides are sent a copy (XEP-0280).
	Carbon bool
	// Offline: a recipient who is away is given it when he is back (XEP-0160). Never
	// without Archive: what waits, waits there.
	Offline bool
	// Push is what a device that is not connected is woken for (XEP-0357).
	Push Push
	// Waits: a device whose user is not looking may be sent it later, and only the
	// last of several that say the same (XEP-0352). Never with Archive.
	Waits bool
}

// Push is what a push notification is for.
type Push uint8

// What a device is woken for.
const (
	NoPush Push = iota
	Notify      // something to read
	Ring        // a call, now
)

// row is a Rule and the messages that it is for: of certain types, and with one
// of some facts (any where 0). Of an "only" row they have no facts besides, but
// for hints.
type row struct {
	Rule
	of    among
	facts Facts
	only  bool
}

// among is a set of message types.
type among uint8

const (
	conversation among = 1 << iota // chat and normal
	chat
	room
	headline
	failed
	every among = 0xff
)

func typesOf(h *Head) among {
	switch h.Type {
	case Chat:
		return chat | conversation
	case Normal:
		return conversation
	case Groupchat:
		return room
	case Headline:
		return headline
	}
	return failed
}

// rows are in order: the first that fits a message decides. The archive keeps what
// a second device must see to show the same conversation: text, what changes or
// answers earlier text, and how far it was received and read.
var rows = [...]row{
	// XEP-0160#types, XEP-0334#rules: what is in an error is somebody else's message
	{Rule{Kind: "error"}, failed, 0, false},

	// XEP-0313#business-storeret-user-archives: a room has an archive of its own
	{Rule{Kind: "else in a room"}, room, Retraction | Reactions, false},
	{Rule{Kind: "text in a room", Push: Notify}, room, File, false},
	{Rule{Kind: "else in a room"}, room, KeysOnly | StandIn, false},
	{Rule{Kind: "text in a room", Push: Notify}, room, HasBody | Encrypted, false},
	{Rule{Kind: "typing in a room", Waits: true}, room, ChatState, true},
	{Rule{Kind: "else in a room"}, room, 0, false},

	// XEP-0060, XEP-0163: the next event of an item makes this one obsolete
	{Rule{Kind: "event", Waits: true}, every, PubSubEvent, true},
	// XEP-0160#types
	{Rule{Kind: "headline"}, headline, 0, false},

	// XEP-0353#usecases. No hint keeps a call out of the archives: who was rung sees it.
	{Rule{Kind: "call", Archive: true, Carbon: true, Offline: true, Push: Ring}, conversation, CallOffer, false},
	{Rule{Kind: "step of a call", Archive: true, Carbon: true, Offline: true}, conversation, CallStep, false},
	// XEP-0249, XEP-0045#invite-mediated
	{Rule{Kind: "invitation", Archive: true, Carbon: true, Offline: true, Push: Notify}, conversation, DirectInvite | RoomInvite, false},

	// XEP-0424#rules, XEP-0444#rules: their bodies are for clients that know neither
	{Rule{Kind: "retraction", Archive: true, Carbon: true, Offline: true}, conversation, Retraction, false},
	{Rule{Kind: "reactions", Archive: true, Carbon: true, Offline: true}, conversation, Reactions, false},
	// XEP-0308: what was read may be wrong now
	{Rule{Kind: "correction", Archive: true, Carbon: true, Offline: true, Push: Notify}, conversation, Correction, false},

	// XEP-0447#file-sharing, XEP-0066: the body may stand in for the file
	{Rule{Kind: "file", Archive: true, Carbon: true, Offline: true, Push: Notify}, conversation, File, false},
	// XEP-0384: what sets up a session is for programs
	{Rule{Kind: "keys", Archive: true, Carbon: true, Offline: true}, conversation, KeysOnly, false},
	{Rule{Kind: "encrypted text", Archive: true, Carbon: true, Offline: true, Push: Notify}, conversation, Encrypted, false},
	// XEP-0428#security: kept, since only clients know what it stands for
	{Rule{Kind: "stand-in", Archive: true, Carbon: true, Offline: true}, conversation, StandIn, false},
	// XEP-0313#business-storeret-user-archives
	{Rule{Kind: "text", Archive: true, Carbon: true, Offline: true, Push: Notify}, conversation, HasBody, false},
	{Rule{Kind: "subject", Archive: true, Carbon: true, Offline: true, Push: Notify}, conversation, HasSubject, false},

	// XEP-0184, XEP-0333: other devices learn from the archive what was received and read
	{Rule{Kind: "receipt", Archive: true, Carbon: true, Offline: true}, conversation, Receipt, false},
	{Rule{Kind: "marker", Archive: true, Carbon: true, Offline: true}, conversation, Marker, false},
	// XEP-0466#implicit-negotiation
	{Rule{Kind: "timer", Archive: true, Carbon: true, Offline: true}, conversation, Timer, false},

	// XEP-0085#bizrules, XEP-0160#types
	{Rule{Kind: "typing", Carbon: true, Waits: true}, conversation, ChatState, true},
	// XEP-0280#recommended-rules
	{Rule{Kind: "else between people", Carbon: true}, chat, 0, false},
	{Rule{Kind: "else between people", Carbon: true}, conversation, ChatState | ReceiptAsked, false},
	{Rule{Kind: "else"}, every, 0, false},
}

// hints are what a sender may ask for besides (XEP-0334), and what says nothing
// about a message's kind.
const hints = NoStore | NoPermanent | NoCopy | Store | CarbonPrivate

// RuleOf is the rule for a message: its kind's, as its hints change it.
func RuleOf(h *Head) Rule {
	of := typesOf(h)
	r := rows[rowOf(of, h.Facts)].Rule
	if of&conversation != 0 {
		r.heed(h.Facts)
	}
	return r
}

// rowOf indexes the row that decides.
func rowOf(of among, f Facts) int {
	for i := range rows {
		if rows[i].of&of != 0 && (rows[i].facts == 0 || f.Any(rows[i].facts)) && !(rows[i].only && f&^(rows[i].facts|hints) != 0) {
			return i
		}
	}
	return len(rows) - 1
}

// heed follows a conversation's hints.
func (r *Rule) heed(f Facts) {
	switch {
	case f.Any(CallOffer | CallStep):
	case f.Any(NoStore | NoPermanent):
		// XEP-0334#hints. What must not be kept for good is not kept at all: there is
		// one place where messages wait.
		r.Archive, r.Offline = false, false
	case f.Any(Store):
		// XEP-0334#hints
		r.Archive, r.Offline, r.Waits = true, true, false
	}
	if f.Any(NoCopy | CarbonPrivate) {
		// XEP-0334#hints, XEP-0280#avoiding
		r.Carbon = false
	}
}
