package terminal

import (
	"fmt"
	"strings"
	"time"
)

// speak sets the language of the screen's words. There are Arabic ones (arabic.go); what has no
// translation stays as it stands in the program, in English.
func (m *model) speak(lang string) {
	m.lang, m.words = lang, nil
	if lang == "ar" {
		m.words = arabicWords()
	}
}

// t is a text of the screen's in the person's language.
func (m *model) t(text string) string {
	if own, ok := m.words[text]; ok {
		return own
	}
	return text
}

// day is a date as it stands over what was said on it.
func (m *model) day(t time.Time) string {
	t = t.Local()
	if m.lang == "ar" {
		return arabicDay(t)
	}
	return t.Format("Monday 2 January 2006")
}

// tf is t of a format, filled in.
func (m *model) tf(format string, args ...any) string { return fmt.Sprintf(m.t(format), args...) }

// tHints translates hints one by one, since those without room are left out.
func (m *model) tHints(hints string) string {
	list := strings.Split(hints, " · ")
	for i := range list {
		list[i] = m.t(list[i])
	}
	return strings.Join(list, " · ")
}
