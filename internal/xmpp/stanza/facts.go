package stanza

import "mirsal/internal/xmpp/xtok"

// Facts is what a message carries, told by its direct children: all that the
// rules for archives, carbons, offline delivery and encryption look at.
type Facts uint32

// The facts. The comment names what sets them.
const (
	HasBody       Facts = 1 << iota // <body/> with text
	HasSubject                      // <subject/>
	Encrypted                       // OMEMO (either namespace), XEP-0373, XEP-0027
	Fallback                        // XEP-0428: the body stands for something else
	ReceiptAsked                    // XEP-0184 <request/>
	Receipt                         // XEP-0184 <received/>
	Marker                          // XEP-0333 <received/>, <displayed/>, <acknowledged/>
	ChatState                       // XEP-0085
	NoStore                         // XEP-0334 <no-store/>
	NoPermanent                     // XEP-0334 <no-permanent-store/>
	NoCopy                          // XEP-0334 <no-copy/>
	Store                           // XEP-0334 <store/>
	CarbonPrivate                   // XEP-0280 <private/>
	CarbonCopy                      // XEP-0280 <sent/>, <received/>
	RoomUser                        // XEP-0045 <x xmlns='…muc#user'/>
	DirectInvite                    // XEP-0249
	PubSubEvent                     // XEP-0060 <event/>
	ArchiveResult                   // XEP-0313 <result/>
	Modern                          // XEP-0308, 0424, 0425, 0444: changes an earlier message
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
	{"urn:xmpp:message-correct:0", "replace"}:            Modern,
	{"urn:xmpp:message-retract:1", "retract"}:            Modern,
	{"urn:xmpp:message-retract:1", "retracted"}:          Modern,
	{"urn:xmpp:reactions:0", "reactions"}:                Modern,
	// these accompany others and say nothing by themselves
	{"urn:xmpp:eme:0", "encryption"}:            0,
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
		f |= factOf(c.NS(), c.Local())
	}
	return f
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
