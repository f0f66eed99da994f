// Package xtok cuts an XML stream into its top-level elements and reads them,
// accepting only the XML that XMPP allows (RFC 6120 §11). It is not a general
// XML parser: no DTD, processing instruction, comment, CDATA section, or entity
// beyond the five; UTF-8 only.
//
// CDATA sections are legal XML that RFC 6120 does not name; no client is known
// to send them, and a second way to write the same text is a second way for two
// parsers to disagree, so they are refused like comments.
//
// Invariants: the events of a stream, their ranges and its refusal do not
// depend on how the bytes were split; every byte is looked at a bounded number
// of times; what is accepted, expat and encoding/xml read as the same tree.
package xtok

// NSXML is the namespace of xml:lang.
const NSXML = "http://www.w3.org/XML/1998/namespace"

// nsXMLNS is the namespace of the xmlns attributes; nobody may name it.
const nsXMLNS = "http://www.w3.org/2000/xmlns/"

// nsStream is the namespace of the stream header.
const nsStream = "http://etherx.jabber.org/streams"

// Limits bound what one top-level element may cost. Zero means no limit.
type Limits struct {
	Size     int // bytes of one top-level element, or of the stream header
	Depth    int // open elements, the top-level element being 1
	Attrs    int // attributes of one element, namespace declarations included
	Name     int // bytes of one name, prefix included
	Prefixes int // namespace declarations in scope at one time
	Nodes    int // elements in one top-level element, itself included
}

// Event is what Next found.
type Event uint8

// The events of a stream.
const (
	More    Event = iota // nothing complete yet: append bytes to the buffer and call again
	Open                 // the stream header; Root has its name and attributes
	Element              // a whole top-level element; Root is it
	Close                // the stream's end tag
	Space                // white space between elements (RFC 6120 §4.6.1)
)

// Error is a refusal of the peer's bytes; Condition is the stream error to
// answer with (RFC 6120 §4.9.3): not-well-formed, restricted-xml,
// bad-namespace-prefix, policy-violation, invalid-xml, unsupported-encoding.
type Error struct {
	Condition string
	Reason    string // in words, nothing of the peer's bytes in it
}

func (e *Error) Error() string { return e.Condition + ": " + e.Reason }

// The conditions of RFC 6120 §4.9.3 that the peer's XML can meet.
const (
	notWellFormed       = "not-well-formed"
	restrictedXML       = "restricted-xml"
	badNamespacePrefix  = "bad-namespace-prefix"
	policyViolation     = "policy-violation"
	invalidXML          = "invalid-xml"
	unsupportedEncoding = "unsupported-encoding"
)

func refuse(condition, reason string) *Error {
	return &Error{Condition: condition, Reason: reason}
}

// Binding is a namespace prefix and what it stands for.
type Binding struct{ Prefix, NS string }

// Parse reads src as one element and nothing else (white space around it
// excepted). The Elem refers to src, which must not change. Errors are *Error.
func Parse(src []byte, l Limits) (Elem, error) {
	d := new(doc)
	d.begin(modeAlone, l, nil, "")
	d.buf = src
	view, over := limited(src, l.Size)
	done, err := d.run(view)
	switch {
	case err != nil:
		return Elem{}, err
	case over && !done:
		return Elem{}, tooLarge()
	case !done:
		return Elem{}, refuse(notWellFormed, "unfinished element")
	}
	if err := checkTail(src[skipSpace(src, d.pos):]); err != nil {
		return Elem{}, err
	}
	return Elem{d: d}, nil
}

// checkTail refuses what follows an element and the white space behind it.
func checkTail(rest []byte) *Error {
	switch {
	case len(rest) == 0:
		return nil
	case len(rest) > 1 && rest[0] == '<' && (rest[1] == '!' || rest[1] == '?'):
		return forbiddenMarkup()
	}
	return refuse(notWellFormed, "something behind the element")
}

// forbiddenMarkup is the refusal of whatever begins with <! or <?.
// RFC 6120 §11.1
func forbiddenMarkup() *Error {
	return refuse(restrictedXML, "comment, declaration, CDATA section or processing instruction")
}
