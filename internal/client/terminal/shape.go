package terminal

import (
	"strings"
	"unicode"
)

// The Arabic letters in the order of their presentation forms, which begin at U+FE80,
// and how many forms each has: alone, at the end, at the beginning, in the middle.
const (
	arabic      = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"
	arabicForms = "122224242444442222444444444444444224"
	firstForm   = 0xfe80
)

// forms is where a letter's forms begin, and how many there are; 0 for what has none.
func forms(r rune) (first rune, n int) {
	switch r {
	case 'پ':
		return 0xfb56, 4
	case 'چ':
		return 0xfb7a, 4
	case 'ژ':
		return 0xfb8a, 2
	case 'ک':
		return 0xfb8e, 4
	case 'گ':
		return 0xfb92, 4
	case 'ی':
		return 0xfbfc, 4
	}
	first = firstForm
	i := 0
	for _, letter := range arabic {
		n = int(arabicForms[i] - '0')
		if letter == r {
			return first, n
		}
		first += rune(n)
		i++
	}
	return 0, 0
}

// joinsBefore tells whether a letter joins the one before it, joinsAfter the next.
func joinsBefore(r rune) bool {
	_, n := forms(r)
	return n >= 2 || r == 'ـ'
}

func joinsAfter(r rune) bool {
	_, n := forms(r)
	return n == 4 || r == 'ـ'
}

// shaped writes Arabic with the forms that its letters have in a word, for terminals
// that do not join them. ligatures makes one sign of lam and alef.
func shaped(s string, ligatures bool) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) {
		return s
	}
	runes := []rune(s)
	var b strings.Builder
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		before, after := neighbour(runes, i, -1), neighbour(runes, i, 1)
		joined := joinsAfter(before) && joinsBefore(r)
		if ligatures && r == 'ل' && i+1 < len(runes) {
			if both := lamAlef(runes[i+1]); both != 0 {
				if joined {
					both++
				}
				b.WriteRune(both)
				i++
				continue
			}
		}
		b.WriteRune(formOf(r, joined, joinsAfter(r) && joinsBefore(after)))
	}
	return b.String()
}

// neighbour is the next letter in a direction, marks aside; 0 for none.
func neighbour(runes []rune, i, step int) rune {
	for j := i + step; j >= 0 && j < len(runes); j += step {
		if !unicode.Is(unicode.Mn, runes[j]) {
			return runes[j]
		}
	}
	return 0
}

func formOf(r rune, before, after bool) rune {
	first, n := forms(r)
	switch {
	case n == 0:
		return r
	case before && after && n == 4:
		return first + 3
	case after && n == 4:
		return first + 2
	case before && n >= 2:
		return first + 1
	}
	return first
}

func lamAlef(alef rune) rune {
	switch alef {
	case 'آ':
		return 0xfef5
	case 'أ':
		return 0xfef7
	case 'إ':
		return 0xfef9
	case 'ا':
		return 0xfefb
	}
	return 0
}
