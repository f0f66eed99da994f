// Package xtok cuts an XML stream into its top-level elements and reads them,
// accepting only the XML that XMPP allows (RFC 6120 §11). It is not a general
// XML parser: no DTD, processing instruction, comment, or entity beyond the
// five; UTF-8 only.
package xtok

import "iter"

// NSXML is the namespace of xml:lang.
const NSXML = "http://www.w3.org/XML/1998/namespace"

// Limits bound what one top-level element may cost. Zero means no limit.
type Limits struct {
	Size     int // bytes of one top-level element, or of the stream header
	Depth    int // open elements, the top-level element being 1
	Attrs    int // attributes of one element, namespace declarations included
	Name     int // bytes of one name, prefix included
	Prefixes int // namespace declarations in scope at one time
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
	Reason    string
}

func (e *Error) Error() string { return e.Condition + ": " + e.Reason }

// Scanner finds the top-level elements of one stream. An idle Scanner holds
// under 300 bytes.
type Scanner struct{ l Limits }

// New returns a Scanner at the start of a stream.
func New(l Limits) *Scanner { return &Scanner{l: l} }

// Limit replaces the limits from the next top-level element on.
func (s *Scanner) Limit(l Limits) { s.l = l }

// Restart expects a new stream header next (RFC 6120 §4.3.3).
func (s *Scanner) Restart() { panic("xtok: to be written") }

// Next looks for one event at the start of buf, the bytes not yet consumed.
// It returns the bytes that the event covers (0 for More). After More the
// caller calls again with at least one more byte behind the same bytes, in
// this or another array; what was scanned is not scanned again. Root is valid
// until the next call and refers to buf. An error is final, an *Error.
func (s *Scanner) Next(buf []byte) (ev Event, n int, err error) { panic("xtok: to be written") }

// Root is the element of the last Open or Element event.
func (s *Scanner) Root() Elem { panic("xtok: to be written") }

// Parse reads src as one element and nothing else (white space around it
// excepted). The Elem refers to src, which must not change.
func Parse(src []byte, l Limits) (Elem, error) { panic("xtok: to be written") }

// Elem is one element of a parsed tree: a small value, to be passed by value.
// The zero Elem is "no such element"; all its methods answer empty.
type Elem struct {
	d *doc
	i int32
}

type doc struct{}

// Binding is a namespace prefix and what it stands for.
type Binding struct{ Prefix, NS string }

// OK tells whether there is an element.
func (e Elem) OK() bool { return e.d != nil }

// Is tells whether the element has this namespace and local name.
func (e Elem) Is(ns, local string) bool { panic("xtok: to be written") }

// NS is the element's namespace. It does not allocate for the namespaces of Known.
func (e Elem) NS() string { panic("xtok: to be written") }

// Local is the element's local name. It does not allocate for common names.
func (e Elem) Local() string { panic("xtok: to be written") }

// Attr is the value of the attribute without a namespace, unescaped, or "".
func (e Elem) Attr(local string) string { panic("xtok: to be written") }

// HasAttr tells whether the attribute without a namespace is there, even empty.
func (e Elem) HasAttr(local string) bool { panic("xtok: to be written") }

// AttrIs compares an attribute without allocating.
func (e Elem) AttrIs(local, value string) bool { panic("xtok: to be written") }

// AttrNS is the value of an attribute in a namespace, unescaped, or "".
func (e Elem) AttrNS(ns, local string) string { panic("xtok: to be written") }

// Child is the first child element with this name.
func (e Elem) Child(ns, local string) Elem { panic("xtok: to be written") }

// First is the first child element, Next the following sibling element.
func (e Elem) First() Elem { panic("xtok: to be written") }

// Next is the following sibling element.
func (e Elem) Next() Elem { panic("xtok: to be written") }

// Children ranges over the child elements.
func (e Elem) Children() iter.Seq[Elem] { panic("xtok: to be written") }

// Text is the character data directly inside the element, unescaped.
func (e Elem) Text() string { panic("xtok: to be written") }

// HasText tells whether there is any character data but white space.
func (e Elem) HasText() bool { panic("xtok: to be written") }

// Raw is the element as it was received, Content what stands between its
// tags. Both are slices of the scanned buffer, not copies.
func (e Elem) Raw() []byte { panic("xtok: to be written") }

// Content is what stands between the element's tags, as received.
func (e Elem) Content() []byte { panic("xtok: to be written") }

// Borrowed lists the prefixes that the element or one inside it uses and that
// are declared outside the top-level element: on the stream header.
// Nil in the common case.
func (e Elem) Borrowed() []Binding { panic("xtok: to be written") }

// AppendTo appends the element so that it means the same in any context: every
// namespace and prefix it inherits, and an inherited xml:lang, is declared on it.
func (e Elem) AppendTo(dst []byte) []byte { panic("xtok: to be written") }

// Escape appends s as character data that is safe in text and in an attribute
// value under either quote. Bytes that XML cannot carry become U+FFFD.
func Escape(dst []byte, s string) []byte { panic("xtok: to be written") }
