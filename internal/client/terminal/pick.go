package terminal

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// A row of a list: a line, what stands at its right, and lines below.
type row struct {
	text, aside string
	more        []string
	do          func(m *model) tea.Cmd // on Enter
	value       any                    // for keys
}

// pick is a list to choose from. With a filter, typing narrows it.
type pick struct {
	name, hint string
	empty      string // what is said instead of rows
	rows       []row
	at, top    int
	filter     *editor
	typed      func(m *model)                          // the filter has changed; nil: it narrows the rows
	keys       func(m *model, key string, r *row) bool // keys other than Enter; r is nil without rows
	fill       func(m *model) []row                    // rows as they are now; nil: they do not change
}

func (p *pick) title() string { return p.name }
func (p *pick) hints() string { return p.hint + " · Esc back" }

// shown are the rows that match what was typed.
func (p *pick) shown() (list []int) {
	words := []string{}
	if p.filter != nil && p.typed == nil {
		words = strings.Fields(strings.ToLower(p.filter.text()))
	}
rows:
	for i, r := range p.rows {
		for _, w := range words {
			if !strings.Contains(strings.ToLower(r.text), w) {
				continue rows
			}
		}
		list = append(list, i)
	}
	return list
}

func (p *pick) refill(m *model) {
	if p.fill != nil {
		p.rows = p.fill(m)
	}
	p.at = max(0, min(p.at, len(p.shown())-1))
}

func (p *pick) current() *row {
	if list := p.shown(); p.at < len(list) {
		return &p.rows[list[p.at]]
	}
	return nil
}

func (p *pick) key(m *model, k tea.KeyPressMsg) tea.Cmd {
	p.refill(m)
	name := pressed(k)
	switch {
	case name == "up", name == "k" && p.filter == nil:
		p.at = max(0, p.at-1)
	case name == "down", name == "j" && p.filter == nil:
		p.at = min(len(p.shown())-1, p.at+1)
	case name == "pgup":
		p.at = max(0, p.at-5)
	case name == "pgdown":
		p.at = min(len(p.shown())-1, p.at+5)
	case name == "enter":
		if r := p.current(); r != nil && r.do != nil {
			return r.do(m)
		}
	case p.keys != nil && p.keys(m, name, p.current()):
	case p.filter != nil && p.filter.key(k):
		p.at = 0
		if p.typed != nil {
			p.typed(m)
		}
	}
	p.at = max(0, p.at)
	return nil
}

func (p *pick) draw(m *model, w, h int) (lines []string, at *tea.Position) {
	p.refill(m)
	if p.filter != nil {
		text, x, _ := p.filter.view(w-4, 1)
		lines, at = append(lines, paint(m.look.accent, " › ")+text[0]+" "), &tea.Position{X: 3 + x}
		lines = append(lines, paint(m.look.bar, strings.Repeat("─", w)))
	}
	list := p.shown()
	if len(list) == 0 {
		for _, l := range m.pen.field(m.t(p.empty), w) {
			lines = append(lines, paint(m.look.dim, l))
		}
		return lines, at
	}
	return append(lines, p.drawRows(m, list, w, h-len(lines))...), at
}

// drawRows draws the rows around the chosen one.
func (p *pick) drawRows(m *model, list []int, w, h int) (lines []string) {
	p.top = min(p.top, p.at)
	for p.top < p.at && p.heights(list[p.top:p.at+1]) > h {
		p.top++
	}
	for n, i := range list[p.top:] {
		r := p.rows[i]
		if len(lines)+1+len(r.more) > h && n > 0 {
			break
		}
		lines = append(lines, m.drawRow(r, w, p.top+n == p.at)...)
	}
	return lines[:min(len(lines), max(h, 0))]
}

func (p *pick) heights(list []int) (n int) {
	for _, i := range list {
		n += 1 + len(p.rows[i].more)
	}
	return n
}

func (m *model) drawRow(r row, w int, here bool) []string {
	side := m.pen.cut(r.aside, w/2)
	sideWidth := m.pen.width(side)
	text := m.pen.place(r.text, w-sideWidth-1)
	line := text + paint(m.look.dim, side) + " "
	if here {
		line = paint(m.look.sel, text+side+" ")
	}
	lines := []string{line}
	for _, more := range r.more {
		lines = append(lines, paint(m.look.dim, " "+m.pen.place(more, w-1)))
	}
	return lines
}
