package client

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// This file makes names that a server takes of what people are called. The screen for browsers does the same
// (web/src/features/onboarding/names.ts).

// mostLocal is how long a name is made, in characters.
const mostLocal = 32

// suggested makes a name of what people are called. Letters and digits that are of another script
// than the first are left out: no server takes a mixture.
func suggested(name string) string {
	one := &script{}
	local := shortened(name, one)
	if slices.Contains(one.is, unicode.Arabic) || slices.Contains(one.is, unicode.Hebrew) {
		// RFC 5893 §2: what is written from the right begins with a letter
		local = strings.TrimLeftFunc(local, func(r rune) bool { return r == '.' || unicode.IsDigit(r) })
	}
	return local
}

// localpart makes of what people would like to be called what can stand before
// an @: letters and digits, with a point where there was something else between words. What the server
// does not take of it, it is to say.
func localpart(name string) string { return shortened(name, nil) }

// shortened is localpart, of one script alone if there is one.
func shortened(name string, one *script) string {
	var out []rune
	gap, skip := false, false // skip: the rest of a word that went over to another script
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 0x64b && r <= 0x65f || r == 0x640 || r == '\'' || r == '’': // vowel signs, tatweel
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && (!unicode.IsMark(r) || len(out) == 0 || gap):
			gap, skip = true, false
		case skip || one != nil && !one.takes(r):
			skip = true
		default:
			if gap && len(out) > 0 {
				out = append(out, '.')
			}
			gap, out = false, append(out, r)
		}
	}
	if len(out) > mostLocal {
		out = out[:mostLocal]
	}
	return strings.Trim(string(out), ".")
}

// script is what the letters and digits of a name have in common so far.
type script struct {
	is   []*unicode.RangeTable
	zero rune // of the digits
}

// takes tells whether a letter or digit goes with those before, and counts it to them.
// Unicode TR39 §5.2 (highly restrictive) and §5.3
func (s *script) takes(r rune) bool {
	if unicode.IsDigit(r) {
		zero := r
		for zero > r-9 && unicode.IsDigit(zero-1) {
			zero--
		}
		if s.zero != 0 && s.zero != zero {
			return false
		}
		s.zero = zero
	}
	t := scriptOf(r)
	if t == nil || slices.Contains(s.is, t) {
		return true
	}
	if all := append(slices.Clone(s.is), t); len(all) == 1 || together(all) {
		s.is = all
		return true
	}
	return false
}

// scriptOf is nil for what all scripts share. Scripts that are not named here are one.
func scriptOf(r rune) *unicode.RangeTable {
	if unicode.In(r, unicode.Common, unicode.Inherited) {
		return nil
	}
	for _, t := range []*unicode.RangeTable{unicode.Latin, unicode.Arabic, unicode.Cyrillic, unicode.Greek, unicode.Hebrew,
		unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Devanagari, unicode.Armenian, unicode.Georgian} {
		if unicode.Is(t, r) {
			return t
		}
	}
	return unicode.Lo
}

// together tells whether scripts are those of one language, and Latin.
func together(scripts []*unicode.RangeTable) bool {
	for _, allowed := range [][]*unicode.RangeTable{
		{unicode.Latin, unicode.Han, unicode.Hiragana, unicode.Katakana}, {unicode.Latin, unicode.Han, unicode.Bopomofo}, {unicode.Latin, unicode.Han, unicode.Hangul},
	} {
		if !slices.ContainsFunc(scripts, func(t *unicode.RangeTable) bool { return !slices.Contains(allowed, t) }) {
			return true
		}
	}
	return false
}

// another is the next name to try: with a number behind it, or the next one.
func another(name string) string {
	stem := strings.TrimRight(name, "0123456789")
	n, err := strconv.Atoi(name[len(stem):])
	if err != nil || n < 1 || n > 9998 {
		n, stem = 1, name
	}
	return stem + strconv.Itoa(n+1)
}
