package xtok

import (
	"bytes"
	"unicode/utf8"
)

// Classes of ASCII bytes in text and attribute values; 0 needs no thought.
const (
	classRef    = iota + 1 // &
	classLess              // <
	classSquare            // ]
	classSpace             // tab, line feed, carriage return
	classBad               // not an XML Char
	classHigh              // not ASCII
)

var classes = classTable()

func classTable() (t [256]uint8) {
	for c := range t {
		switch {
		case c < ' ':
			t[c] = classBad
		case c >= utf8.RuneSelf:
			t[c] = classHigh
		}
	}
	t['\t'], t['\n'], t['\r'] = classSpace, classSpace, classSpace
	t['&'], t['<'], t[']'] = classRef, classLess, classSquare
	return t
}

// isChar is the Char production for what a reference may name.
// XML 1.0 §2.2
func isChar(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r <= 0xd7ff, 0xe000 <= r && r <= 0xfffd:
		return true
	}
	return 0x10000 <= r && r <= utf8.MaxRune
}

// checkText checks a run of character data up to the next tag.
// RFC 6120 §11.1, XML 1.0 §2.4
func checkText(b []byte) *Error {
	for i := 0; i < len(b); {
		c := classes[b[i]]
		if c == 0 || c == classSpace {
			i++
			continue
		}
		if c == classSquare {
			if bytes.HasPrefix(b[i:], []byte("]]>")) {
				return refuse(notWellFormed, "]]> in text")
			}
			i++
			continue
		}
		n, err := special(b[i:], c)
		if err != nil {
			return err
		}
		i += n
	}
	return nil
}

// checkValue checks an attribute value, its quotes excluded. Cooked tells that
// the value differs from the bytes that were sent.
// XML 1.0 §3.1, §3.3.3
func checkValue(b []byte) (cooked bool, err *Error) {
	for i := 0; i < len(b); {
		c := classes[b[i]]
		if c == 0 || c == classSquare {
			i++
			continue
		}
		cooked = cooked || c == classSpace || c == classRef
		if c == classSpace {
			i++
			continue
		}
		n, err := special(b[i:], c)
		if err != nil {
			return false, err
		}
		i += n
	}
	return cooked, nil
}

// special checks the character or reference at the start of b and returns its size.
func special(b []byte, class uint8) (int, *Error) {
	switch class {
	case classRef:
		_, n, err := reference(b)
		return n, err
	case classHigh:
		return highRune(b)
	case classLess:
		return 0, refuse(notWellFormed, "< in an attribute value")
	}
	return 0, refuse(notWellFormed, "character that XML forbids")
}

// highRune checks one character beyond ASCII. DecodeRune refuses overlong forms
// and surrogates.
// RFC 6120 §4.9.3.22: a violation of UTF-8 is unsupported-encoding.
func highRune(b []byte) (int, *Error) {
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n == 1 {
		return 0, refuse(unsupportedEncoding, "invalid UTF-8")
	}
	if !isChar(r) {
		return 0, refuse(notWellFormed, "character that XML forbids")
	}
	return n, nil
}

// reference reads the character reference or predefined entity at the start of
// b, which starts with &.
// XML 1.0 §4.1, RFC 6120 §11.1
func reference(b []byte) (r rune, n int, err *Error) {
	if len(b) > 1 && b[1] == '#' {
		return charRef(b)
	}
	end := bytes.IndexByte(b[:min(len(b), 6)], ';')
	if end > 0 {
		if r = entity(b[1:end]); r != 0 {
			return r, end + 1, nil
		}
	}
	if stop := ncName(b, 1); stop > 1 && stop < len(b) && b[stop] == ';' {
		return 0, 0, refuse(restrictedXML, "entity that is not predefined")
	}
	return 0, 0, refuse(notWellFormed, "malformed reference")
}

func entity(name []byte) rune {
	switch string(name) {
	case "amp":
		return '&'
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	return 0
}

func charRef(b []byte) (r rune, n int, err *Error) {
	base, i := rune(10), 2
	if len(b) > 2 && b[2] == 'x' {
		base, i = 16, 3
	}
	start := i
	for ; i < len(b); i++ {
		v, ok := digit(b[i], base)
		if !ok {
			break
		}
		r = min(r*base+v, utf8.MaxRune+1)
	}
	if i == start || i == len(b) || b[i] != ';' || !isChar(r) {
		return 0, 0, refuse(notWellFormed, "malformed character reference")
	}
	return r, i + 1, nil
}

func digit(c byte, base rune) (rune, bool) {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0'), true
	case base == 16 && 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case base == 16 && 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}

// cook appends what checked bytes mean: references resolved, line ends as line
// feeds; in an attribute value white space becomes spaces.
// XML 1.0 §2.11, §3.3.3
func cook(dst, b []byte, value bool) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c == '&':
			r, n, err := reference(b[i:])
			if err != nil {
				return dst // cannot be: b was checked
			}
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		case c == '\r':
			if i+1 < len(b) && b[i+1] == '\n' {
				i++
			}
			c = '\n'
		}
		if value && (c == '\n' || c == '\t') {
			c = ' '
		}
		dst = append(dst, c)
		i++
	}
	return dst
}

// needsCook tells whether text differs from the bytes that were sent.
func needsCook(b []byte) bool {
	return bytes.IndexByte(b, '&') >= 0 || bytes.IndexByte(b, '\r') >= 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// skipSpace returns the first offset from i on that is not white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}
