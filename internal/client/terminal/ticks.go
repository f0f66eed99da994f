package terminal

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"mirsal/internal/client/port"
)

// tick wakes the screen for what changes by time alone.
type tick time.Time

const (
	noteTime  = 8 * time.Second // how long a note stands
	typedTime = 5 * time.Second // how long after the last key one still writes
)

// nextTick asks for a tick where one is needed and none is on its way.
func (m *model) nextTick() tea.Cmd {
	if m.tick || m.note.text == "" && !m.typing && m.s.status.Retry.IsZero() {
		return nil
	}
	m.tick = true
	return tea.Tick(time.Second, func(t time.Time) tea.Msg { return tick(t) })
}

func (m *model) ticked() {
	now := m.now()
	if m.note.text != "" && now.After(m.note.until) {
		m.note = note{}
	}
	if m.typing && now.Sub(m.typed) > typedTime {
		m.told("paused")
	}
}

// say shows a line of news.
func (m *model) say(format string, args ...any) {
	m.note = note{text: m.tf(format, args...), until: m.now().Add(noteTime)}
}

// fail shows why something was not done.
func (m *model) fail(f *port.Failure) {
	m.say("%s", f.Text)
	m.note.bad = true
}
