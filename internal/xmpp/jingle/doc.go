// Package jingle is the grammar of calls: typed values for the invitations of
// XEP-0353 and the sessions of XEP-0166 with RTP, a strict reader of elements
// and a canonical writer. It is no negotiation, knows no SDP and opens nothing.
//
// Who forwards a call writes it from such a value and never passes on the
// bytes that came. What the grammar does not name (elements, attributes, text)
// is left out; what it names and is wrong is refused, with one of a few
// reasons. docs/protocol/calls.md has the grammar of what is written, as a
// table by which a second reader checks it.
//
// Invariants: what is read and written again is the same value and the same
// bytes; a written invitation has at most MostInvite bytes, a session at most
// MostSession; no text that is written has a control character in it.
package jingle

// Namespaces of what is read and written.
const (
	NSInvite   = "urn:xmpp:jingle-message:0"             // XEP-0353
	NS         = "urn:xmpp:jingle:1"                     // XEP-0166
	NSRTP      = "urn:xmpp:jingle:apps:rtp:1"            // XEP-0167
	NSInfo     = "urn:xmpp:jingle:apps:rtp:info:1"       // XEP-0167 §8
	NSFeedback = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0"    // XEP-0293
	NSExtend   = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0" // XEP-0294
	NSSource   = "urn:xmpp:jingle:apps:rtp:ssma:0"       // XEP-0339
	NSGroup    = "urn:xmpp:jingle:apps:grouping:0"       // XEP-0338
	NSCategory = "urn:xmpp:jingle:apps:category:0"       // XEP-0507
	NSICE      = "urn:xmpp:jingle:transports:ice-udp:1"  // XEP-0176
	NSDTLS     = "urn:xmpp:jingle:apps:dtls:0"           // XEP-0320
	// NSSealed is the draft of Conversations by which a fingerprint is encrypted for
	// one device.
	NSSealed = "http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification"
	// NSOption is the draft of Conversations for a=ice-options.
	NSOption = "http://gultsch.de/xmpp/drafts/jingle/transports/ice-udp/option"
	// NSEnvelope is that of an encrypted fingerprint's envelope.
	NSEnvelope = "eu.siacs.conversations.axolotl"
)

// Limits, beyond which a call is refused.
const (
	MostInvite  = 1 << 10  // bytes of a written invitation
	MostSession = 48 << 10 // bytes of a written session

	MostContents   = 8
	MostGroups     = 4
	MostPayloads   = 64 // of one content
	MostParameters = 32 // of one payload type or source
	MostFeedback   = 32 // of one payload type or content
	MostExtensions = 32 // of one content
	MostSources    = 64 // of one content, and in one source group
	MostCandidates = 32 // of one transport
	MostKeys       = 4  // of one encrypted fingerprint
)
