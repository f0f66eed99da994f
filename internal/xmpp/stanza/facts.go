package stanza

import "mirsal/internal/xmpp/xtok"

// Facts is what a message carries, told by its direct children: all that RuleOf,
// blocking and the demand for encryption look at.
type Facts uint32

// The facts. The comment names what sets them.
const (
	HasBody       Facts = 1 << iota // <body/> with text
	HasSubject                      // <subject/>
	Encrypted                       // OMEMO (either namespace), XEP-0373, XEP-0027
	KeysOnly                        // OMEMO without a payload: sets up a session, says nothing
	Fallback                        // XEP-0428: some of the body stands for something else
	StandIn                         // XEP-0428: all of the body does
	File                            // XEP-0447, XEP-0066: a file is shared
	Correction                      // XEP-0308
	Retraction                      // XEP-0424
	Reactions                       // XEP-0444
	Timer                           // XEP-0466: how long the message is to be shown
	ReceiptAsked                    // XEP-0184 <request/>
	Receipt                         // XEP-0184 <received/>
	Marker                          // XEP-0333 <received/>, <displayed/>, <acknowledged/>
	ChatState                       // XEP-0085
	CallOffer                       // XEP-0353 <propose/>, XEP-0482 <invite/>: a device should ring
	CallStep                        // everything else of XEP-0353 and XEP-0482
	NoStore                         // XEP-0334 <no-store/>
	NoPermanent                     // XEP-0334 <no-permanent-store/>
	NoCopy                          // XEP-0334 <no-copy/>
	Store                           // XEP-0334 <store/>
	CarbonPrivate                   // XEP-0280 <private/>
	CarbonCopy                      // XEP-0280 <sent/>, <received/>
	RoomUser                        // XEP-0045 <x xmlns='…muc#user'/>
	RoomInvite                      // the same with <invite/> or <decline/>
	DirectInvite                    // XEP-0249
	PubSubEvent                     // XEP-0060 <event/>
	ArchiveResult                   // XEP-0313 <result/>
	OtherChild                      // a child that none of the above names
)

// Has tells whether all of f are set, Any whether one is.
func (f Facts) Has(want Facts) bool { return f&want == want }

// Any tells whether at least one of want is set.
func (f Facts) Any(want Facts) bool { return f&want != 0 }

type childName struct{ ns, local string }

// known gives the fact of each child; "" as the local name stands for any in
// the namespace.
var known = map[childName]Facts{
	{NSClient, "subject"}:                                HasSubject,
	{"eu.siacs.conversations.axolotl", "encrypted"}:      Encrypted,
	{"urn:xmpp:omemo:2", "encrypted"}:                    Encrypted,
	{"urn:xmpp:openpgp:0", "openpgp"}:                    Encrypted,
	{"jabber:x:encrypted", "x"}:                          Encrypted,
	{"urn:xmpp:fallback:0", "fallback"}:                  Fallback,
	{"urn:xmpp:receipts", "request"}:                     ReceiptAsked,
	{"urn:xmpp:receipts", "received"}:                    Receipt,
	{"urn:xmpp:chat-markers:0", "received"}:              Marker,
	{"urn:xmpp:chat-markers:0", "displayed"}:             Marker,
	{"urn:xmpp:chat-markers:0", "acknowledged"}:          Marker,
	{"http://jabber.org/protocol/chatstates", ""}:        ChatState,
	{"urn:xmpp:hints", "no-store"}:                       NoStore,
	{"urn:xmpp:hints", "no-permanent-store"}:             NoPermanent,
	{"urn:xmpp:hints", "no-copy"}:                        NoCopy,
	{"urn:xmpp:hints", "store"}:                          Store,
	{"urn:xmpp:carbons:2", "private"}:                    CarbonPrivate,
	{"urn:xmpp:carbons:2", "sent"}:                       CarbonCopy,
	{"urn:xmpp:carbons:2", "received"}:                   CarbonCopy,
	{"http://jabber.org/protocol/muc#user", "x"}:         RoomUser,
	{"jabber:x:conference", "x"}:                         DirectInvite,
	{"http://jabber.org/protocol/pubsub#event", "event"}: PubSubEvent,
	{"urn:xmpp:mam:2", "result"}:                         ArchiveResult,
	{"urn:xmpp:message-correct:0", "replace"}:            Correction,
	{"urn:xmpp:message-retract:1", "retract"}:            Retraction,
	{"urn:xmpp:message-retract:1", "retracted"}:          Retraction,
	{"urn:xmpp:reactions:0", "reactions"}:                Reactions,
	{"urn:xmpp:ephemeral:0", "ephemeral"}:                Timer,
	{"urn:xmpp:sfs:0", "file-sharing"}:                   File,
	{"jabber:x:oob", "x"}:                                File,
	{"urn:xmpp:jingle-message:0", "propose"}:             CallOffer,
	{"urn:xmpp:jingle-message:0", ""}:                    CallStep,
	{"urn:xmpp:call-invites:0", "invite"}:                CallOffer,
	{"urn:xmpp:call-invites:0", ""}:                      CallStep,
	// these accompany others and say nothing by themselves
	{"urn:xmpp:eme:0", "encryption"}:            0,
	{"urn:xmpp:reply:0", "reply"}:               0,
	{"urn:xmpp:sid:0", "origin-id"}:             0,
	{"urn:xmpp:sid:0", "stanza-id"}:             0,
	{NSClient, "thread"}:                        0,
	{"urn:xmpp:chat-markers:0", "markable"}:     0,
	{"http://jabber.org/protocol/nick", "nick"}: 0,
	{"jabber:x:delay", "x"}:                     0,
	{"urn:xmpp:delay", "delay"}:                 0,
}

func factsOf(e xtok.Elem) Facts {
	var f Facts
	for c := e.First(); c.OK(); c = c.Next() {
		if c.Is(NSClient, "body") {
			if c.HasText() {
				f |= HasBody
			}
			continue
		}
		child := factOf(c.NS(), c.Local())
		if child.Any(Encrypted | Fallback | RoomUser) {
			child |= within(c, child)
		}
		f |= child
	}
	if f.Any(HasBody) {
		return f &^ KeysOnly
	}
	return f &^ StandIn
}

func factOf(ns, local string) Facts {
	if f, ok := known[childName{ns, local}]; ok {
		return f
	}
	if f, ok := known[childName{ns, ""}]; ok {
		return f
	}
	return OtherChild
}

// within is what the inside of a child tells.
func within(c xtok.Elem, f Facts) Facts {
	switch {
	case f == Encrypted && isOMEMO(c) && !c.Child(c.NS(), "payload").OK():
		// XEP-0384#usecases-messagesend
		return KeysOnly
	case f == Fallback && coversBody(c):
		return StandIn
	case f == RoomUser && (c.Child(c.NS(), "invite").OK() || c.Child(c.NS(), "decline").OK()):
		// XEP-0045#invite-mediated
		return RoomInvite
	}
	return 0
}

func isOMEMO(c xtok.Elem) bool { return c.Local() == "encrypted" }

// coversBody tells whether a fallback is about the body as a whole. A quotation in
// front of a reply is not.
// XEP-0428#overview
func coversBody(fallback xtok.Elem) bool {
	if !fallback.First().OK() {
		return true
	}
	body := fallback.Child(fallback.NS(), "body")
	return body.OK() && !body.HasAttr("start") && !body.HasAttr("end")
}
