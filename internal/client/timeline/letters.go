package timeline

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is the most code points of a name that are shown.
const maxName = 128

// CleanName is a name without what could make it look like another or reach out of
// its place: controls, line breaks, marks that turn the direction of what follows.
func CleanName(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n', c == '\t', c == '\u2028', c == '\u2029':
			return ' '
		case misleads(c):
			return -1
		}
		return c
	}, s)
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > maxName {
		s = string([]rune(s)[:maxName])
	}
	return s
}

// misleads tells of characters that are not seen and change how others are.
func misleads(c rune) bool {
	switch {
	case unicode.IsControl(c), c == utf8.RuneError:
		return true
	case c >= '\u202a' && c <= '\u202e', c >= '\u2066' && c <= '\u2069', c == '\u200e', c == '\u200f', c == '\u061c':
		return true
	case c == '\u200b', c == '\u2060', c == '\ufeff':
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
	s = norm.NFKD.String(s)
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
