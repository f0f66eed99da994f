package timeline

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the most code points of a name that are shown.
const maxName = 128

// CleanName is a name without what could make it look like another or reach out of
// its place: controls, line breaks, marks that turn the direction of what follows.
func CleanName(s string) string {
	s = strings.Map(func(c rune) rune {
		switch c {
		case '\n', '\t', '\u2028', '\u2029':
			return ' '
		}
		return seen(c)
	}, s)
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > maxName {
		s = string([]rune(s)[:maxName])
	}
	return s
}

// seen drops what misleads, for strings.Map.
func seen(c rune) rune {
	if misleads(c) {
		return -1
	}
	return c
}

// misleads tells of characters that are not seen, or change how others are. The joiners of
// Persian and of emoji, the tags of flags and the signs that stand over Arabic numbers do
// neither.
func misleads(c rune) bool {
	switch {
	case c == '\u200c', c == '\u200d', c >= '\U000e0020' && c <= '\U000e007f', unicode.Is(unicode.Prepended_Concatenation_Mark, c):
		return false
	case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp), c == utf8.RuneError:
		return true
	}
	switch c { // letters and marks by Unicode's tables
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2800', '\u3164', '\uffa0':
		return true
	}
	return false
}

// cleanEmoji is a reaction; "" for what is none: a reaction is short.
func cleanEmoji(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 64 || utf8.RuneCountInString(s) > 16 || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(c rune) bool { return misleads(c) || unicode.IsSpace(c) }) {
		return ""
	}
	return s
}

// fold makes texts alike that a person who searches takes for alike: case,
// accents, and in Arabic the forms of hamza, vowel signs, tatweel, taa marbuta.
func fold(s string) string {
	if ascii(s) {
		return strings.ToLower(s)
	}
	s = decomposed(s)
	return strings.Map(foldRune, s)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// foldRune is a decomposed code point as it is compared, -1 for one that does not
// count. Hamza above and below are marks by then.
func foldRune(c rune) rune {
	if c < utf8.RuneSelf {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}
	if unicode.Is(unicode.Mn, c) || c == '\u0640' || c == '\u200c' || c == '\u200d' || misleads(c) {
		return -1
	}
	if to, ok := alike(c); ok {
		return to
	}
	return unicode.ToLower(c)
}

// alike gives letters that do not decompose and are searched for as others.
func alike(c rune) (rune, bool) {
	switch c {
	case 'ٱ':
		return 'ا', true
	case 'ى', 'ی': // alif maqsura, Persian yeh
		return 'ي', true
	case 'ک':
		return 'ك', true
	case 'ة', 'ە', 'ہ', 'ھ':
		return 'ه', true
	case 'ø', 'Ø':
		return 'o', true
	case 'ł', 'Ł':
		return 'l', true
	case 'đ', 'Đ':
		return 'd', true
	case 'ı':
		return 'i', true
	case 'ς':
		return 'σ', true
	}
	switch {
	case c >= '٠' && c <= '٩':
		return '0' + c - '٠', true
	case c >= '۰' && c <= '۹':
		return '0' + c - '۰', true
	}
	return 0, false
}
