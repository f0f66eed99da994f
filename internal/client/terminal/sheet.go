package terminal

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// A sheet lies over the conversation until it is closed: a list, a form, a text. Esc
// closes the one on top, before key is asked.
type sheet interface {
	title() string
	hints() string
	key(m *model, k tea.KeyPressMsg) tea.Cmd
	// draw returns at most h lines of exactly w cells, and where the cursor is in
	// them, nil for none.
	draw(m *model, w, h int) ([]string, *tea.Position)
}

// push opens a sheet; nil is none.
func (m *model) push(s sheet) {
	if s != nil {
		m.sheets = append(m.sheets, s)
	}
}

// pop closes the sheet on top.
func (m *model) pop() {
	if n := len(m.sheets); n > 0 {
		m.sheets = m.sheets[:n-1]
	}
}

// field is an empty field of one line.
func (m *model) field() *editor { return &editor{pen: m.pen, single: true} }

// question is answered with y or n.
type question struct {
	text string
	yes  func(m *model)
}

func (q *question) title() string { return "Sure?" }
func (q *question) hints() string { return "y yes · n no" }

func (q *question) key(m *model, k tea.KeyPressMsg) tea.Cmd {
	switch pressed(k) {
	case "y", "Y":
		m.pop()
		q.yes(m)
	case "n", "N", "enter":
		m.pop()
	}
	return nil
}

func (q *question) draw(m *model, w, _ int) ([]string, *tea.Position) {
	lines := append([]string{strings.Repeat(" ", w)}, m.pen.field(m.t(q.text), w)...)
	return append(lines, strings.Repeat(" ", w), m.pen.fit(paint(m.look.accent, " y")+" "+m.inked("yes")+"   "+paint(m.look.accent, "n")+" "+m.inked("no"), w)), nil
}

// inked is one word of an answer, laid out.
func (m *model) inked(word string) string {
	word = m.t(word)
	return m.pen.spot(word, m.pen.width(word))
}

// reading is a text to be read and scrolled.
type reading struct {
	name, hint string
	text       func(m *model, w int) []string // laid out in w cells
	keys       func(m *model, key string) bool
	from       int
}

func (r *reading) title() string { return r.name }

func (r *reading) hints() string {
	if r.hint != "" {
		return r.hint + " · Esc back"
	}
	return "↑↓ scroll · Esc back"
}

func (r *reading) key(m *model, k tea.KeyPressMsg) tea.Cmd {
	switch pressed(k) {
	case "up", "k":
		r.from--
	case "down", "j":
		r.from++
	case "pgup":
		r.from -= m.bodyHeight() / 2
	case "pgdown", "space":
		r.from += m.bodyHeight() / 2
	case "home":
		r.from = 0
	case "q", "enter":
		if r.keys == nil || !r.keys(m, pressed(k)) {
			m.pop()
		}
	default:
		if r.keys != nil {
			r.keys(m, pressed(k))
		}
	}
	return nil
}

func (r *reading) draw(m *model, w, h int) ([]string, *tea.Position) {
	lines := r.text(m, w)
	r.from = max(0, min(r.from, len(lines)-h))
	return lines[r.from:min(r.from+h, len(lines))], nil
}
