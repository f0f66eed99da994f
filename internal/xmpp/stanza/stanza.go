// Package stanza holds messages, presence and IQs as bytes with a parsed head.
//
// A Stanza's Raw is self-contained: it declares its namespaces, carries the
// language it inherited from the stream, and means the same inside a wrapper,
// an archive result or a WebSocket frame. Once made, Raw is never written
// again, so any number of goroutines may hold it.
package stanza

import (
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces of stanzas on the wire.
const (
	NSClient  = "jabber:client"
	NSStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
	NSStream  = "http://etherx.jabber.org/streams"
)

// Kind is what a stanza is. The zero Kind is no stanza.
type Kind uint8

// The three kinds (RFC 6120 §8.2).
const (
	None Kind = iota
	Message
	Presence
	IQ
)

func (k Kind) String() string {
	return [...]string{"", "message", "presence", "iq"}[k]
}

// Values of the type attribute that code branches on.
const (
	Get    = "get"
	Set    = "set"
	Result = "result"
	Error  = "error"

	Normal    = "normal"
	Chat      = "chat"
	Groupchat = "groupchat"
	Headline  = "headline"

	Available    = "" // presence without a type
	Unavailable  = "unavailable"
	Subscribe    = "subscribe"
	Subscribed   = "subscribed"
	Unsubscribe  = "unsubscribe"
	Unsubscribed = "unsubscribed"
	Probe        = "probe"
)

// Head is the part of a stanza that routing reads.
type Head struct {
	Kind Kind
	// Type is the type attribute; a message without one, or with one that is not
	// known, is Normal (RFC 6121 §5.2.2).
	Type string
	ID   string
	From jid.JID
	To   jid.JID
	Lang string // xml:lang, "" when none
	// Facts tells what a message carries, by its children.
	Facts Facts
}

// Stanza is a head and the bytes it was read from.
type Stanza struct {
	Head
	// Raw is the whole stanza: start tag, content, end tag.
	Raw []byte
	// open and end bound the content in Raw.
	open, end int
}

// Content is what stands between the stanza's tags.
func (s *Stanza) Content() []byte { return s.Raw[s.open:s.end] }

// Opening is the start tag and the content: everything a child can be
// appended to.
func (s *Stanza) Opening() []byte { return s.Raw[:s.end] }

// Closing is the end tag.
func (s *Stanza) Closing() []byte { return s.Raw[s.end:] }

// Elem parses Raw. Handlers on the way in are given the tree that the
// connection parsed already; this is for later.
func (s *Stanza) Elem() (xtok.Elem, error) {
	return xtok.Parse(s.Raw, xtok.Limits{})
}

// IsRequest tells whether an IQ asks for an answer.
func (h *Head) IsRequest() bool { return h.Kind == IQ && (h.Type == Get || h.Type == Set) }
