package precis

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// username is UsernameCaseMapped; nfc gives the normal form C of a string that has no
// character besides those of the table and Hangul's letters.
// RFC 8265 §3.3.3
func username(s string, nfc func(string) string) (string, error) {
	plain := ascii(s)
	var b strings.Builder
	for _, c := range s {
		lower(&b, narrowed(c))
	}
	s = b.String()
	if !plain {
		if !known(s) {
			return "", ErrRefused
		}
		if s = nfc(s); !directed(s) {
			return "", ErrRefused
		}
	}
	if !allowed(s, valid) {
		return "", ErrRefused
	}
	return s, nil
}

// opaque is OpaqueString.
// RFC 8265 §4.2.2
func opaque(s string, nfc func(string) string) (string, error) {
	if !ascii(s) {
		s = strings.Map(func(c rune) rune {
			if unicode.Is(unicode.Zs, c) {
				return ' '
			}
			return c
		}, s)
		if !known(s) {
			return "", ErrRefused
		}
		s = nfc(s)
	}
	if s == "" || !allowed(s, free) {
		return "", ErrRefused
	}
	return s, nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lower writes a character in lower case: two, where the mark above the letter stays.
func lower(b *strings.Builder, c rune) {
	if c == '\u0130' {
		b.WriteString("i\u0307")
		return
	}
	b.WriteRune(unicode.ToLower(c))
}

// narrowed is a wide or narrow form as the ordinary character.
// RFC 8264 §5.2.1
func narrowed(c rune) rune {
	switch {
	case c == '\u3000':
		return ' '
	case c >= '\uff01' && c <= '\uff5e':
		return c - '\uff01' + '!'
	case c >= firstWide && c < firstWide+rune(len(wide)):
		if to := wide[c-firstWide]; to != 0 {
			return rune(to)
		}
	}
	return c
}

// known tells whether every character is one of the table's, or of those of Hangul that
// are allowed once they are composed.
func known(s string) bool {
	for _, c := range s {
		if c >= '\u1100' && c <= '\u11ff' {
			continue
		}
		if kindOf(c).class() == refuse {
			return false
		}
	}
	return true
}

// directed tells whether a string of mixed directions reads in one way only.
// RFC 5893 §2
func directed(s string) bool {
	var first, last, seen direction
	for _, c := range s {
		d := kindOf(c).direction()
		if first == 0 {
			first = d
		}
		seen |= d
		if d != nsm {
			last = d
		}
	}
	switch {
	case seen == 0:
		return true
	case seen&(dEN|dAN) == dEN|dAN:
		return false
	case first == dL:
		return seen&(dRAL|dAN|dNone) == 0 && last&(dL|dEN) != 0
	case first == dRAL:
		return seen&(dL|dNone) == 0 && last&(dRAL|dEN|dAN) != 0
	}
	return false
}

// allowed tells whether every character is of that class, or one above it, and stands
// where it may.
// RFC 8264 §4.2, §4.3
func allowed(s string, least class) bool {
	cs := []rune(s)
	for i, c := range cs {
		if kindOf(c).class() < least || !fits(cs, i) {
			return false
		}
	}
	return true
}

// fits holds the rules for characters that may stand in some places only.
// RFC 5892 appendix A
func fits(cs []rune, i int) bool {
	switch c := cs[i]; {
	case c == '\u200c': // A.1
		return at(cs, i-1)&virama != 0 || joins(cs, i)
	case c == '\u200d': // A.2
		return at(cs, i-1)&virama != 0
	case c == '\u00b7': // A.3
		return i > 0 && cs[i-1] == 'l' && i+1 < len(cs) && cs[i+1] == 'l'
	case c == '\u0375': // A.4
		return at(cs, i+1)&greek != 0
	case c == '\u05f3', c == '\u05f4': // A.5, A.6
		return at(cs, i-1)&hebrew != 0
	case c == '\u30fb': // A.7
		return has(cs, func(o rune) bool { return kindOf(o)&japanese != 0 })
	case c >= '\u0660' && c <= '\u0669': // A.8
		return !has(cs, func(o rune) bool { return o >= '\u06f0' && o <= '\u06f9' })
	}
	return true // A.9 is A.8 from the other side
}

// joins tells whether letters that are written together stand on both sides, with
// nothing but marks between.
func joins(cs []rune, i int) bool {
	from, to := i-1, i+1
	for at(cs, from)&through != 0 {
		from--
	}
	for at(cs, to)&(over|after) == over {
		to++
	}
	return at(cs, from)&before != 0 && at(cs, to)&after != 0
}

func at(cs []rune, i int) kind {
	if i < 0 || i >= len(cs) {
		return 0
	}
	return kindOf(cs[i])
}

func has(cs []rune, f func(rune) bool) bool {
	for _, c := range cs {
		if f(c) {
			return true
		}
	}
	return false
}
