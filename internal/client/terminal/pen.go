package terminal

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A pen lays text out in cells. Text given to it must be clean.
type pen struct {
	method ansi.Method // how the terminal counts the cells of a character
	reads  bool        // it is we who put right-to-left into the order in which it is seen
}

func (p pen) width(s string) int { return p.method.StringWidth(s) }

// glyphs takes a line apart; what has no width of its own stays with what is before it.
func (p pen) glyphs(s string) (line []glyph) {
	for len(s) > 0 {
		text, cells := ansi.FirstGraphemeCluster(s, p.method)
		if text == "" {
			break
		}
		s = s[len(text):]
		if cells == 0 && len(line) > 0 {
			line[len(line)-1].text += text
			continue
		}
		line = append(line, glyph{text, cells})
	}
	return line
}

func joined(line []glyph) string {
	var b strings.Builder
	for _, g := range line {
		b.WriteString(g.text)
	}
	return b.String()
}

func cells(line []glyph) (n int) {
	for _, g := range line {
		n += g.cells
	}
	return n
}

// cut shortens a line to w cells; an ellipsis tells that it was.
func (p pen) cut(s string, w int) string { return p.method.Truncate(s, max(w, 0), "…") }

// fit makes a line exactly w cells wide.
func (p pen) fit(s string, w int) string {
	s = p.cut(s, w)
	return s + strings.Repeat(" ", max(0, w-p.width(s)))
}

// wrap breaks a paragraph into lines of at most w cells: at blanks, and inside of words
// that are longer than a line.
func (p pen) wrap(paragraph string, w int) (lines [][]glyph) {
	w = max(w, 2)
	var line, word []glyph
	flush := func() {
		line = append(line, word...)
		word = nil
	}
	for _, g := range p.glyphs(paragraph) {
		if g.text == " " {
			flush()
			if cells(line) < w {
				line = append(line, g)
			}
			continue
		}
		if cells(line)+cells(word)+g.cells > w {
			if cells(word)+g.cells > w || len(line) == 0 {
				flush()
			}
			lines, line = append(lines, trimRight(line)), nil
		}
		word = append(word, g)
	}
	flush()
	return append(lines, trimRight(line))
}

func trimRight(line []glyph) []glyph {
	for len(line) > 0 && line[len(line)-1].text == " " {
		line = line[:len(line)-1]
	}
	return line
}

// ordered is a line in the order in which the terminal is to get it.
func (p pen) ordered(line []glyph, rtl bool) string {
	switch {
	case !rtl && !turned(joined(line)):
		return joined(line)
	case p.reads:
		return joined(asSeen(line, rtl))
	}
	return joined(asTold(line, rtl))
}

// edge is what stands on either side of text: where a terminal orders lines by itself
// and the text is to be turned, a blank that it does not reach across.
func (p pen) edge(s string) string {
	if !p.reads && turned(s) {
		return wall
	}
	return " "
}

// field lays text out in lines of exactly w cells, a blank on either side included.
// Paragraphs from right to left stand at the right.
func (p pen) field(s string, w int) (lines []string) {
	for paragraph := range strings.SplitSeq(s, "\n") {
		rtl := rightToLeft(paragraph)
		if p.reads {
			paragraph = shaped(paragraph, true)
		}
		for _, line := range p.wrap(paragraph, w-2) {
			lines = append(lines, p.aligned(line, rtl, w))
		}
	}
	return lines
}

func (p pen) aligned(line []glyph, rtl bool, w int) string {
	text := p.ordered(line, rtl)
	edge, blank := p.edge(text), strings.Repeat(" ", max(0, w-2-cells(line)))
	if rtl {
		return edge + blank + text + edge
	}
	return edge + text + blank + edge
}

// place lays one line out in exactly w cells, a blank on either side included. It stands
// at the left in either direction.
func (p pen) place(s string, w int) string {
	return p.edge(s) + p.spot(s, w-2) + p.edge(s)
}

// spot is place without the blanks.
func (p pen) spot(s string, w int) string {
	if w <= 0 {
		return ""
	}
	rtl := rightToLeft(s)
	if p.reads {
		s = shaped(s, true)
	}
	line := p.glyphs(p.cut(s, w))
	return p.ordered(line, rtl) + strings.Repeat(" ", max(0, w-cells(line)))
}
