package xtok

import "unicode/utf8"

// What an ASCII byte may do in a name.
const (
	nameFollow = 1 << iota
	nameStart
)

// nameASCII is the ASCII part of the Name production, the colon excepted.
// XML-NAMES §3 (NCName)
var nameASCII = [utf8.RuneSelf]uint8{
	'-': nameFollow, '.': nameFollow, '_': nameStart | nameFollow,
	'0': nameFollow, '1': nameFollow, '2': nameFollow, '3': nameFollow, '4': nameFollow,
	'5': nameFollow, '6': nameFollow, '7': nameFollow, '8': nameFollow, '9': nameFollow,
	'A': 3, 'B': 3, 'C': 3, 'D': 3, 'E': 3, 'F': 3, 'G': 3, 'H': 3, 'I': 3, 'J': 3, 'K': 3, 'L': 3, 'M': 3,
	'N': 3, 'O': 3, 'P': 3, 'Q': 3, 'R': 3, 'S': 3, 'T': 3, 'U': 3, 'V': 3, 'W': 3, 'X': 3, 'Y': 3, 'Z': 3,
	'a': 3, 'b': 3, 'c': 3, 'd': 3, 'e': 3, 'f': 3, 'g': 3, 'h': 3, 'i': 3, 'j': 3, 'k': 3, 'l': 3, 'm': 3,
	'n': 3, 'o': 3, 'p': 3, 'q': 3, 'r': 3, 's': 3, 't': 3, 'u': 3, 'v': 3, 'w': 3, 'x': 3, 'y': 3, 'z': 3,
}

// ncName returns the end of the name without a colon that starts at b[i]; i if
// there is none. Every b given to it ends in '>', so no name reaches the end.
func ncName(b []byte, i int) int {
	want := uint8(nameStart)
	for i < len(b) {
		if c := b[i]; c < utf8.RuneSelf {
			if nameASCII[c]&want == 0 {
				return i
			}
			i++
		} else {
			r, n := utf8.DecodeRune(b[i:])
			if !nameRune(r, want) || n == 1 {
				return i
			}
			i += n
		}
		want = nameFollow
	}
	return i
}

// nameRune tells whether r, not ASCII, may stand in a name.
func nameRune(r rune, want uint8) bool {
	if r > 0xffff {
		return false
	}
	return inPairs(nameStarts[:], uint16(r)) || want == nameFollow && inPairs(nameFollows[:], uint16(r))
}

// inPairs looks r up in ordered pairs of first and last.
func inPairs(pairs []uint16, r uint16) bool {
	lo, hi := 0, len(pairs)/2
	for lo < hi {
		m := int(uint(lo+hi) / 2)
		switch {
		case r < pairs[2*m]:
			hi = m
		case r > pairs[2*m+1]:
			lo = m + 1
		default:
			return true
		}
	}
	return false
}

// qname is a name in the buffer. A prefix of size 0 is none.
type qname struct {
	off           int
	prefix, local int // bytes
}

func (q qname) localOff() int {
	if q.prefix == 0 {
		return q.off
	}
	return q.off + q.prefix + 1
}

func (q qname) end() int { return q.localOff() + q.local }

// readName reads a name with at most one colon.
// XML-NAMES §4 (QName)
func (d *doc) readName(b []byte, i int) (qname, *Error) {
	end := ncName(b, i)
	q := qname{off: i, local: end - i}
	if end > i && b[end] == ':' {
		q.prefix = q.local
		q.local = ncName(b, end+1) - (end + 1)
	}
	if q.local == 0 {
		return q, badName(b[q.end():])
	}
	size := q.end() - i
	if d.l.Name > 0 && size > d.l.Name || size > maxName {
		return q, refuse(policyViolation, "name too long")
	}
	return q, nil
}

func badName(rest []byte) *Error {
	if r, n := utf8.DecodeRune(rest); r == utf8.RuneError && n == 1 {
		return refuse(unsupportedEncoding, "invalid UTF-8 in a name")
	}
	return refuse(notWellFormed, "malformed name")
}
