package terminal

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// An entry is one field of a form.
type entry struct {
	label    string
	box      *editor
	complete func(text string) (more string, choices []string) // on Tab; nil: Tab goes on
}

// form is fields to be filled in, and what to do with them.
type form struct {
	name    string
	intro   string
	outro   string
	entries []entry
	at      int
	problem string
	choices []string
	keys    map[string]func(m *model)       // beside those of the fields
	left    func(m *model)                  // it was closed by Esc; may be nil
	submit  func(m *model, values []string) // closes the form itself, or sets problem
}

// newForm is a form with empty fields of those labels.
func (m *model) newForm(name, intro string, labels ...string) *form {
	f := &form{name: name, intro: intro}
	for _, l := range labels {
		f.entries = append(f.entries, entry{label: l, box: m.field()})
	}
	return f
}

func (f *form) title() string { return f.name }

func (f *form) hints() string {
	if f.entries[f.at].complete != nil {
		return "Tab completes · Enter goes on · Esc back"
	}
	return "Enter goes on · Esc back"
}

func (f *form) key(m *model, k tea.KeyPressMsg) tea.Cmd {
	e := &f.entries[f.at]
	last := len(f.entries) - 1
	f.choices = nil
	if do := f.keys[k.Keystroke()]; do != nil {
		do(m)
		return nil
	}
	switch name := k.Keystroke(); {
	case name == "tab" && e.complete != nil:
		var text string
		text, f.choices = e.complete(e.box.text())
		e.box.set(text)
	case name == "tab", name == "down":
		f.at = min(f.at+1, last)
	case name == "shift+tab", name == "up":
		f.at = max(f.at-1, 0)
	case name == "enter" && f.at < last:
		f.at++
	case name == "enter":
		f.problem = ""
		f.submit(m, f.values())
	default:
		e.box.key(k)
	}
	return nil
}

func (f *form) values() (values []string) {
	for _, e := range f.entries {
		text := e.box.text()
		if !e.box.hidden {
			text = strings.TrimSpace(text)
		}
		values = append(values, text)
	}
	return values
}

func (f *form) draw(m *model, w, h int) (lines []string, at *tea.Position) {
	if f.intro != "" {
		lines = append(lines, m.pen.field(m.t(f.intro), w)...)
		lines = append(lines, strings.Repeat(" ", w))
	}
	for i, e := range f.entries {
		label := paint(m.look.dim, m.pen.place(m.t(e.label), w))
		if i == f.at {
			label = paint(m.look.accent, m.pen.place(m.t(e.label), w))
		}
		text, x, _ := e.box.view(w-4, 1)
		lines = append(lines, label, "  "+text[0]+"  ")
		if i == f.at {
			at = &tea.Position{X: 2 + x, Y: len(lines) - 1}
		}
	}
	for _, c := range f.choices {
		lines = append(lines, paint(m.look.dim, "   "+m.pen.place(oneLine(c), w-3)))
	}
	if f.problem != "" {
		lines = append(lines, strings.Repeat(" ", w))
		for _, l := range m.pen.field(m.t(f.problem), w) {
			lines = append(lines, paint(m.look.bad, l))
		}
	}
	if f.outro != "" {
		lines = append(lines, strings.Repeat(" ", w))
		for _, l := range m.pen.field(m.t(f.outro), w) {
			lines = append(lines, paint(m.look.dim, l))
		}
	}
	return inView(lines, at, h)
}

// inView keeps the lines around the cursor.
func inView(lines []string, at *tea.Position, h int) ([]string, *tea.Position) {
	if len(lines) <= h || at == nil {
		return lines[:min(len(lines), h)], at
	}
	from := max(0, min(at.Y-h/2, len(lines)-h))
	return lines[from : from+h], &tea.Position{X: at.X, Y: at.Y - from}
}
