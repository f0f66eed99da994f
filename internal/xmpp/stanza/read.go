package stanza

import (
	"strings"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// ReadHead reads the head of a stanza from a parsed top-level element. It
// returns a *StanzaError where the sender must be told (jid-malformed,
// bad-request), with the head filled as far as it could be read, and Kind None
// where the element is no stanza of the namespace jabber:client.
func ReadHead(e xtok.Elem) (Head, error) {
	h := Head{Kind: kindOf(e)}
	if !plainDefault(e) {
		h.Kind = None
	}
	if h.Kind == None {
		return h, nil
	}
	h.ID = e.Attr("id")
	h.Lang = e.AttrNS(xtok.NSXML, "lang")
	h.Type = typeOf(h.Kind, e)
	if err := readAddresses(&h, e); err != nil {
		return h, err
	}
	if h.Type == invalid {
		h.Type = ""
		return h, Errorf(BadRequest, "unknown type attribute")
	}
	if h.Kind == IQ {
		return h, checkIQ(&h, e)
	}
	if h.Kind == Message {
		h.Facts = factsOf(e)
	}
	return h, nil
}

func kindOf(e xtok.Elem) Kind {
	switch {
	case e.Is(NSClient, "message"):
		return Message
	case e.Is(NSClient, "presence"):
		return Presence
	case e.Is(NSClient, "iq"):
		return IQ
	}
	return None
}

// plainDefault tells whether the default namespace inside the element is that of
// the stream. <c:message xmlns:c='jabber:client' xmlns='urn:x'><body/> is legal XML
// that nobody sends but to have us read another <body/> than we pass on.
func plainDefault(e xtok.Elem) bool {
	for _, d := range e.Declared() {
		if d.Prefix == "" && d.NS != NSClient {
			return false
		}
	}
	return true
}

// readAddresses reads both, also where one is malformed: who answers needs the other.
func readAddresses(h *Head, e xtok.Elem) error {
	var badTo, badFrom *StanzaError
	h.To, badTo = address(e, "to")
	h.From, badFrom = address(e, "from")
	switch {
	case badTo != nil:
		badTo.Asked = asked(e.Attr("to"))
		return badTo
	case badFrom != nil:
		return badFrom
	}
	return nil
}

// RFC 6120 §8.3.3.8
func address(e xtok.Elem, attr string) (jid.JID, *StanzaError) {
	v := e.Attr(attr)
	if v == "" {
		return jid.JID{}, nil
	}
	j, err := jid.Parse(v)
	if err != nil {
		return jid.JID{}, Errorf(JIDMalformed, "malformed %s address", attr)
	}
	return j, nil
}

// asked is what an error says to come from that was sent to no address: the same, as the
// sender knows what he asked for, and him alone it is told; of one too long what
// comes before the resource.
// RFC 6120 §8.3.1
func asked(to string) string {
	if len(to) <= jid.MaxLen {
		return to
	}
	bare, _, _ := strings.Cut(to, "/")
	j, err := jid.Parse(bare)
	if err != nil {
		return ""
	}
	return j.String()
}

const invalid = "\x00"

var types = [...][]string{
	Message:  {Chat, Normal, Groupchat, Headline, Error},
	Presence: {Unavailable, Subscribe, Subscribed, Unsubscribe, Unsubscribed, Probe, Error},
	IQ:       {Get, Set, Result, Error},
}

func typeOf(k Kind, e xtok.Elem) string {
	for _, t := range types[k] {
		if e.AttrIs("type", t) {
			return t
		}
	}
	switch {
	case k == Message:
		// RFC 6121 §5.2.2
		return Normal
	case k == Presence && !e.HasAttr("type"):
		return Available
	}
	return invalid
}

// checkIQ holds an IQ to its form: an id, and one child in a request
// (RFC 6120 §8.2.3).
func checkIQ(h *Head, e xtok.Elem) error {
	if h.ID == "" {
		return Errorf(BadRequest, "an iq needs an id")
	}
	if h.IsRequest() {
		first := e.First()
		if !first.OK() || first.Next().OK() {
			return Errorf(BadRequest, "a request has exactly one child element")
		}
	}
	return nil
}
