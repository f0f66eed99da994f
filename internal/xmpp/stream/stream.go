// Package stream is the outer layer of XMPP: stream headers and stream errors
// as bytes. It knows no connection; negotiation is the business of those who
// have one.
package stream

import (
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces of streams and of what is negotiated on them.
const (
	NS        = "http://etherx.jabber.org/streams"
	NSErrors  = "urn:ietf:params:xml:ns:xmpp-streams"
	NSTLS     = "urn:ietf:params:xml:ns:xmpp-tls"
	NSSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	NSSASL2   = "urn:xmpp:sasl:2" // XEP-0388
	NSBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	NSSession = "urn:ietf:params:xml:ns:xmpp-session"
	NSBinding = "urn:xmpp:sasl-cb:0" // XEP-0440
)

// End closes a stream.
const End = "</stream:stream>"

// Header is a stream's start tag.
type Header struct {
	From jid.JID // zero where there is none
	To   jid.JID // zero where there is none
	ID   string
	Lang string
}

// ReadHeader reads a peer's stream header. The error is an *Error: what the
// stream must end with.
func ReadHeader(e xtok.Elem) (h Header, err error) {
	h.ID, h.Lang = e.Attr("id"), e.AttrNS(xtok.NSXML, "lang")
	if !e.Is(NS, "stream") || !speakable(e.DefaultNS()) {
		// RFC 6120 §4.9.3.10
		return h, &Error{Condition: "invalid-namespace"}
	}
	if e.Attr("version") != "1.0" {
		// RFC 6120 §4.7.5
		return h, &Error{Condition: "unsupported-version"}
	}
	if h.To, err = address(e, "to"); err != nil {
		// RFC 6120 §4.9.3.6
		return h, &Error{Condition: "host-unknown"}
	}
	if h.From, err = address(e, "from"); err != nil {
		// RFC 6120 §4.9.3.11
		return h, &Error{Condition: "improper-addressing"}
	}
	return h, nil
}

// speakable tells whether a stream's default namespace is one that clients may
// choose: that of their stanzas, that of streams, or none (RFC 6120 §4.8.3).
func speakable(ns string) bool { return ns == "" || ns == "jabber:client" || ns == NS }

func address(e xtok.Elem, attr string) (jid.JID, error) {
	if v := e.Attr(attr); v != "" {
		return jid.Parse(v)
	}
	return jid.JID{}, nil
}

// Append appends the XML declaration and the start tag of a stream of clients'
// stanzas (RFC 6120 §4.7).
func (h Header) Append(b []byte) []byte {
	b = append(b, "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='"+NS+"'"...)
	b = xtok.AppendAttr(b, "id", h.ID)
	b = xtok.AppendAttr(b, "from", h.From.String())
	b = xtok.AppendAttr(b, "to", h.To.String())
	b = xtok.AppendAttr(b, "xml:lang", h.Lang)
	return append(b, " version='1.0'>"...)
}

// Error ends a stream (RFC 6120 §4.9).
type Error struct {
	Condition string // a defined condition of RFC 6120 §4.9.3
	Text      string // for people, plain English; may be empty
	App       []byte // application-specific condition, self-contained XML
}

func (e *Error) Error() string { return "stream error " + e.Condition + ": " + e.Text }

// Append appends the <stream:error/> element, for a stream whose header
// Header.Append wrote.
func (e *Error) Append(b []byte) []byte {
	b = append(b, "<stream:error><"+e.Condition+" xmlns='"+NSErrors+"'/>"...)
	if e.Text != "" {
		b = append(b, "<text xmlns='"+NSErrors+"' xml:lang='en'>"...)
		b = append(xtok.Escape(b, e.Text), "</text>"...)
	}
	b = append(b, e.App...)
	return append(b, "</stream:error>"...)
}
