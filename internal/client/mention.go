package client

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"mirsal/internal/client/timeline"
)

// A mention is a name behind an @ in a room's text: it is encrypted as the text is, and nobody on the
// way can add one, as it could an element beside the older form of OMEMO.

// forMe notes whether a text in a room speaks to us.
func (e *Engine) forMe(in timeline.Incoming) timeline.Incoming {
	r := e.rooms[in.Chat]
	if r == nil || in.Mine || in.Kind != timeline.Text || !strings.Contains(in.Text, "@") {
		return in
	}
	for _, name := range []string{r.Nick, e.face(e.own.String()).Nick, e.own.Local()} {
		in.ForMe = in.ForMe || mentions(in.Text, name)
	}
	return in
}

// mentions tells whether a name stands behind an @, as a word of its own.
func mentions(text, name string) bool {
	text, name = strings.ToLower(text), "@"+strings.ToLower(name)
	if len(name) < 2 {
		return false
	}
	for {
		before, after, found := strings.Cut(text, name)
		if !found {
			return false
		}
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(after)
		if !inWord(last) && !inWord(next) {
			return true
		}
		text = after
	}
}

func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_')
}
