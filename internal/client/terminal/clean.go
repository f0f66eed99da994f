package terminal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostMarks is how many marks one character may carry: two are usual in vocalised
// Arabic, dozens are somebody painting over the lines above and below.
const mostMarks = 4

// clean makes text of others harmless to a terminal. Line breaks stay, controls become
// a visible sign, and what is not seen but turns the direction of its neighbours or
// hides is taken out: each paragraph has the direction of its first letter.
func clean(s string) string {
	var b strings.Builder
	marks := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if unicode.Is(unicode.Mn, r) && r != '\ufe0f' && r != '\ufe0e' {
			if marks++; marks > mostMarks {
				continue
			}
		} else {
			marks = 0
		}
		b.WriteString(harmless(r))
	}
	return b.String()
}

func harmless(r rune) string {
	switch {
	case r == '\n', r == '\u2028', r == '\u2029':
		return "\n"
	case r == '\t':
		return "    "
	case r == '\r':
		return ""
	case unicode.IsControl(r), r == utf8.RuneError:
		return "\uFFFD"
	case turns(r), hides(r):
		return ""
	}
	return string(r)
}

// turns tells of marks, embeddings, overrides and isolates of direction.
// Unicode TR9 §2
func turns(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u200e' || r == '\u200f' || r == '\u061c'
}

// hides tells of characters of no width that mean nothing here. The joiners stay:
// Persian and families of emoji need them.
func hides(r rune) bool {
	switch {
	case r == '\u200c', r == '\u200d':
		return false
	case r == '\u00ad', r == '\u034f', r == '\u115f', r == '\u1160', r == '\u3164', r == '\uffa0', r == '\u2800':
		return true
	}
	return unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Arabic, r)
}

// oneLine is cleaned text without its line breaks, for places of one line.
func oneLine(s string) string {
	return strings.Join(strings.Fields(clean(s)), " ")
}
