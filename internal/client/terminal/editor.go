package terminal

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// mostWritten bounds what is written into one field, in bytes: what the engine takes.
const mostWritten = 64 << 10

// editor is text being written: graphemes, and a place between two of them.
type editor struct {
	pen    pen
	line   []glyph // "\n" is a glyph of no cells
	at     int
	hidden bool // a password
	single bool // no line breaks
}

func (e *editor) text() string { return joined(e.line) }

func (e *editor) empty() bool { return len(e.line) == 0 }

func (e *editor) set(s string) {
	e.line = e.take(s)
	e.at = len(e.line)
}

// take makes glyphs of typed or pasted text.
func (e *editor) take(s string) (out []glyph) {
	s = clean(s)
	if e.single {
		s = strings.ReplaceAll(s, "\n", " ")
	}
	for i, part := range strings.Split(s, "\n") {
		if i > 0 {
			out = append(out, glyph{"\n", 0})
		}
		out = append(out, e.pen.glyphs(part)...)
	}
	return out
}

func (e *editor) insert(s string) {
	if len(e.text())+len(s) > mostWritten {
		return
	}
	// A mark or a joiner belongs to what is before it: take both apart anew.
	from := e.at
	if from > 0 && e.line[from-1].text != "\n" {
		from--
	}
	fresh := e.take(joined(e.line[from:e.at]) + s)
	e.line = slices.Replace(e.line, from, e.at, fresh...)
	e.at = from + len(fresh)
}

func (e *editor) remove(from, to int) {
	from, to = max(from, 0), min(to, len(e.line))
	e.line = slices.Delete(e.line, from, to)
	e.at = from
}

// key does what a key means in a text; false for one that means nothing here.
func (e *editor) key(k tea.KeyPressMsg) bool {
	switch k.Keystroke() {
	case "left", "ctrl+b":
		e.at = max(e.at-1, 0)
	case "right":
		e.at = min(e.at+1, len(e.line))
	case "home", "ctrl+a":
		e.at = e.lineStart()
	case "end":
		e.at = e.lineEnd()
	case "alt+left", "ctrl+left", "alt+b":
		e.at = e.wordLeft()
	case "alt+right", "ctrl+right":
		e.at = e.wordRight()
	case "backspace", "ctrl+h":
		if e.at > 0 {
			e.remove(e.at-1, e.at)
		}
	case "delete", "ctrl+d":
		e.remove(e.at, min(e.at+1, len(e.line)))
	case "ctrl+w", "alt+backspace", "ctrl+backspace":
		e.remove(e.wordLeft(), e.at)
	case "ctrl+u":
		e.remove(e.lineStart(), e.at)
	default:
		if k.Text == "" || k.Mod.Contains(tea.ModAlt) || k.Mod.Contains(tea.ModCtrl) {
			return false
		}
		e.insert(k.Text)
	}
	return true
}

func (e *editor) lineStart() int {
	i := e.at
	for i > 0 && e.line[i-1].text != "\n" {
		i--
	}
	return i
}

func (e *editor) lineEnd() int {
	i := e.at
	for i < len(e.line) && e.line[i].text != "\n" {
		i++
	}
	return i
}

func (e *editor) wordLeft() int {
	i := e.at
	for i > 0 && blank(e.line[i-1]) {
		i--
	}
	for i > 0 && !blank(e.line[i-1]) {
		i--
	}
	return i
}

func (e *editor) wordRight() int {
	i := e.at
	for i < len(e.line) && blank(e.line[i]) {
		i++
	}
	for i < len(e.line) && !blank(e.line[i]) {
		i++
	}
	return i
}

func blank(g glyph) bool { return g.text == " " || g.text == "\n" }

// up and down move to the line above or below; false where there is none.
func (e *editor) up() bool {
	start := e.lineStart()
	if start == 0 {
		return false
	}
	column := e.at - start
	e.at = start - 1
	above := e.lineStart()
	e.at = min(above+column, start-1)
	return true
}

func (e *editor) down() bool {
	end := e.lineEnd()
	if end == len(e.line) {
		return false
	}
	column := e.at - e.lineStart()
	e.at = end + 1
	e.at = min(e.at+column, e.lineEnd())
	return true
}

// A written line is part of an editor's text as it is drawn.
type written struct {
	line     []glyph
	from, to int // of the text's glyphs
	rtl      bool
}

// rows breaks the text into lines of w cells. Unlike wrap it loses no blank: the cursor
// may stand behind each.
func (e *editor) rows(w int) (rows []written) {
	w = max(w, 2)
	start, rtl := 0, e.rtlAt(0)
	width := 0
	push := func(end int) {
		rows = append(rows, written{e.line[start:end], start, end, rtl})
		start, width = end, 0
	}
	for i, g := range e.line {
		if g.text == "\n" {
			push(i)
			start = i + 1
			rtl = e.rtlAt(start)
			continue
		}
		if width+g.cells > w {
			end := i
			for end > start && e.line[end-1].text != " " {
				end--
			}
			if end == start {
				end = i
			}
			push(end)
			width = cells(e.line[end:i])
		}
		width += g.cells
	}
	push(len(e.line))
	return rows
}

func (e *editor) rtlAt(i int) bool {
	end := i
	for end < len(e.line) && e.line[end].text != "\n" {
		end++
	}
	return rightToLeft(joined(e.line[i:end]))
}

// view draws the text in w cells and at most h lines, those around the cursor, and tells
// where the cursor is.
func (e *editor) view(w, h int) (lines []string, x, y int) {
	if e.single {
		return e.viewLine(w)
	}
	rows := e.rows(w - 1)
	at := 0
	for i, r := range rows {
		if e.at >= r.from && (e.at <= r.to) {
			at = i
		}
	}
	first := max(0, min(at-h+1, len(rows)-h))
	if at < first {
		first = at
	}
	for i := first; i < min(first+h, len(rows)); i++ {
		text, column := e.row(rows[i], w, i == at)
		if i == at {
			x, y = column, i-first
		}
		lines = append(lines, text)
	}
	return lines, x, y
}

// viewLine draws a field of one line: the part around the cursor, where it is longer.
func (e *editor) viewLine(w int) (lines []string, x, y int) {
	from := e.at
	for from > 0 && cells(e.line[from-1:e.at]) < w-1 {
		from--
	}
	to := from
	for to < len(e.line) && cells(e.line[from:to+1]) < w {
		to++
	}
	text, x := e.row(written{e.line[from:to], from, to, rightToLeft(e.text())}, w, true)
	return []string{text}, x, 0
}

// row draws one line, and tells in which cell the cursor is.
func (e *editor) row(r written, w int, here bool) (text string, x int) {
	line := r.line
	if e.hidden {
		line = slices.Repeat([]glyph{{"•", 1}}, len(line))
	}
	before := line[:max(0, min(e.at-r.from, len(line)))]
	used := cells(line)
	blank := strings.Repeat(" ", max(0, w-used))
	if !turned(joined(line)) {
		return joined(line) + blank, cells(before)
	}
	if !e.pen.reads {
		// The terminal puts both letters and cursor in order.
		return joined(line) + blank, cells(before)
	}
	text = joined(asSeen(e.shape(line), r.rtl))
	if here {
		x = seenAt(line, r.rtl, len(before))
	}
	if !r.rtl {
		return text + blank, x
	}
	return blank + text, max(0, w-used) + x - 1
}

// shape joins Arabic letters without changing how many there are.
func (e *editor) shape(line []glyph) []glyph {
	again := e.pen.glyphs(shaped(joined(line), false))
	if len(again) != len(line) {
		return line
	}
	return again
}

// seenAt is the cell of the glyph before which the cursor stands.
func seenAt(line []glyph, rtl bool, at int) int {
	_, levels := resolve(line, rtl)
	x := 0
	for _, i := range visual(levels) {
		if i == at {
			if levels[i]%2 == 1 {
				return x + line[i].cells
			}
			return x
		}
		x += line[i].cells
	}
	if rtl {
		return 0
	}
	return x
}
