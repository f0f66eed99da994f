package xtok

import (
	"bytes"
	"math"
)

// Scanner finds the top-level elements of one stream. An idle Scanner holds
// under 300 bytes.
type Scanner struct {
	l     Limits
	d     *doc      // the element being read or last read; nil when idle
	scope []Binding // declared on the stream header
	lang  string    // xml:lang of the stream header
	name  string    // of the stream header, as its end tag must repeat it
	err   *Error    // the refusal that ended the stream
	at    place
	busy  bool // d holds a part of an element
}

// place is where in a stream a Scanner stands.
type place uint8

const (
	atStart   place = iota // before the first header
	atRestart              // before the header of a restarted stream
	atHeader               // as atStart, but an XML declaration comes too late
	inStream
	atEnd
)

// New returns a Scanner at the start of a stream.
func New(l Limits) *Scanner { return &Scanner{l: l} }

// Limit replaces the limits from the next top-level element on.
func (s *Scanner) Limit(l Limits) { s.l = l }

// Restart expects a new stream header next (RFC 6120 §4.3.3). What was scanned
// of an unfinished element is forgotten.
func (s *Scanner) Restart() {
	s.drop()
	s.scope, s.lang, s.name, s.err = nil, "", "", nil
	s.at = atRestart
}

// Release gives back the memory behind Root, which is no longer valid. A part of
// an element that was scanned is kept. Call it, or Next with an empty buffer,
// before waiting for more bytes.
func (s *Scanner) Release() {
	if !s.busy {
		s.drop()
	}
}

func (s *Scanner) drop() {
	if s.d != nil {
		s.d.free()
	}
	s.d, s.busy = nil, false
}

// Next looks for one event at the start of buf, the bytes not yet consumed.
// It returns the bytes that the event covers (0 for More). After More the
// caller calls again with at least one more byte behind the same bytes, in
// this or another array; what was scanned is not scanned again. Root is valid
// until the next call and refers to buf. An error is final, an *Error.
func (s *Scanner) Next(buf []byte) (ev Event, n int, err error) {
	if s.err != nil {
		return More, 0, s.err
	}
	if !s.busy {
		if len(buf) == 0 || isSpace(buf[0]) {
			s.drop()
			return s.space(buf)
		}
		if refusal := s.begin(buf); refusal != nil {
			return s.fail(refusal)
		}
	}
	s.d.buf = buf
	view, over := limited(buf, s.d.l.Size)
	done, refusal := s.d.run(view)
	switch {
	case refusal != nil:
		return s.fail(refusal)
	case done:
		return s.finish()
	case over:
		return s.fail(tooLarge())
	}
	return More, 0, nil
}

// Root is the element of the last Open or Element event.
func (s *Scanner) Root() Elem {
	if s.d == nil || s.busy || len(s.d.nodes) == 0 {
		return Elem{}
	}
	return Elem{d: s.d}
}

// limited is the part of buf that an element may fill; over tells that there is
// more.
func limited(buf []byte, size int) (view []byte, over bool) {
	if size <= 0 || size > math.MaxInt32 {
		size = math.MaxInt32 // offsets are 32 bits wide
	}
	if len(buf) <= size {
		return buf, false
	}
	return buf[:size], true
}

func tooLarge() *Error { return refuse(policyViolation, "element too large") }

func (s *Scanner) fail(e *Error) (Event, int, error) {
	s.err = e
	s.drop()
	return More, 0, e
}

// space covers the white space that buf starts with.
func (s *Scanner) space(buf []byte) (Event, int, error) {
	n := skipSpace(buf, 0)
	if n == 0 {
		return More, 0, nil
	}
	// COMPAT: clients that end what they send with a line feed may have one in
	// flight when the stream restarts, so there it may precede a declaration.
	if s.at == atStart {
		s.at = atHeader
	}
	return Space, n, nil
}

// begin starts to read an element at buf, which neither is empty nor starts
// with white space.
func (s *Scanner) begin(buf []byte) *Error {
	if buf[0] != '<' {
		return s.notATag(buf[0])
	}
	if s.at == atEnd {
		return refuse(notWellFormed, "something behind the end of the stream")
	}
	if s.d == nil {
		s.d = newDoc()
	}
	m := modeHeader
	switch s.at {
	case inStream:
		m = modeStream
	case atHeader:
		m = modeBareHeader
	}
	s.d.begin(m, s.l, s.scope, s.lang)
	s.d.streamName = s.name
	s.busy = true
	return nil
}

func (s *Scanner) notATag(c byte) *Error {
	switch {
	case s.at == inStream:
		return refuse(invalidXML, "text between elements")
	case c >= 0xfe:
		// The first byte of UTF-16 with a byte order mark.
		return refuse(unsupportedEncoding, "not UTF-8")
	}
	return refuse(notWellFormed, "not XML")
}

// finish turns what run has found into an event.
func (s *Scanner) finish() (Event, int, error) {
	s.busy = false
	n := s.d.pos
	switch {
	case s.d.closed:
		s.at = atEnd
		s.drop()
		return Close, n, nil
	case s.at == inStream:
		return Element, n, nil
	}
	s.at = inStream
	s.keepHeader()
	return Open, n, nil
}

// keepHeader copies from the stream header what its elements inherit.
func (s *Scanner) keepHeader() {
	d := s.d
	root := Elem{d: d}
	s.lang = root.AttrNS(NSXML, "lang")
	s.name = intern(d.rawName(&d.nodes[0]))
	s.scope = nil
	if n := len(d.binds); n > 0 {
		s.scope = make([]Binding, 0, n)
	}
	for i := range d.binds {
		s.scope = append(s.scope, Binding{Prefix: intern(d.prefixOf(int32(i))), NS: d.binds[i].ns})
	}
}

// sameName tells whether an end tag, its brackets taken off, closes name.
// XML 1.0 §3.1
func sameName(tag []byte, name []byte) bool {
	return bytes.HasPrefix(tag, name) && skipSpace(tag, len(name)) == len(tag)
}
