package terminal

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// A glyph is one grapheme cluster and how many cells it takes.
type glyph struct {
	text  string
	cells int
}

func class(g glyph) bidi.Class {
	p, _ := bidi.LookupString(g.text)
	return p.Class()
}

// rightToLeft is the direction of a paragraph: that of its first letter.
// Unicode TR9 §3.3.1, P2 and P3
func rightToLeft(s string) bool {
	for i := 0; i < len(s); {
		p, n := bidi.LookupString(s[i:])
		switch p.Class() {
		case bidi.L:
			return false
		case bidi.R, bidi.AL:
			return true
		}
		i += max(n, 1)
	}
	return false
}

// turned tells whether any of it runs from right to left.
func turned(s string) bool {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		p, n := bidi.LookupString(s[i:])
		switch p.Class() {
		case bidi.R, bidi.AL, bidi.AN:
			return true
		}
		i += max(n, 1)
	}
	return false
}

// resolve gives each glyph of a line its class after the weak and neutral rules, and
// its level. There are no explicit marks: clean took them out. Brackets are taken for
// other neutrals.
// Unicode TR9 §3.3.4–3.3.6
func resolve(line []glyph, rtl bool) (classes []bidi.Class, levels []int) {
	base := bidi.L
	if rtl {
		base = bidi.R
	}
	classes = make([]bidi.Class, len(line))
	for i, g := range line {
		classes[i] = class(g)
	}
	weak(classes, base)
	neutral(classes, base)
	levels = make([]int, len(line))
	for i, c := range classes {
		levels[i] = level(c, rtl)
	}
	for i := len(line) - 1; i >= 0 && class(line[i]) == bidi.WS; i-- { // rule L1
		levels[i] = level(base, rtl)
	}
	return classes, levels
}

// level is rules I1 and I2.
func level(c bidi.Class, rtl bool) int {
	switch {
	case c == bidi.R:
		return 1
	case c == bidi.L && !rtl:
		return 0
	}
	return 2
}

// weak is rules W1 to W7.
func weak(c []bidi.Class, base bidi.Class) {
	strong, before := base, base
	for i := range c {
		switch c[i] {
		case bidi.NSM:
			c[i] = before
		case bidi.EN:
			if strong == bidi.AL {
				c[i] = bidi.AN
			}
		case bidi.L, bidi.R, bidi.AL:
			strong = c[i]
		}
		before = c[i]
	}
	separators(c)
	strong = base
	for i := range c {
		switch c[i] {
		case bidi.AL:
			c[i], strong = bidi.R, bidi.R
		case bidi.L, bidi.R:
			strong = c[i]
		case bidi.EN:
			if strong == bidi.L {
				c[i] = bidi.L
			}
		}
	}
}

// separators is rules W4 to W6: signs between and beside numbers belong to them.
func separators(c []bidi.Class) {
	for i := 1; i+1 < len(c); i++ {
		same := c[i-1] == c[i+1]
		if same && c[i-1] == bidi.EN && (c[i] == bidi.ES || c[i] == bidi.CS) || same && c[i-1] == bidi.AN && c[i] == bidi.CS {
			c[i] = c[i-1]
		}
	}
	for i := 0; i < len(c); i++ {
		if c[i] != bidi.ET {
			continue
		}
		end := i
		for end < len(c) && c[end] == bidi.ET {
			end++
		}
		if i > 0 && c[i-1] == bidi.EN || end < len(c) && c[end] == bidi.EN {
			for j := i; j < end; j++ {
				c[j] = bidi.EN
			}
		}
		i = end - 1
	}
	for i := range c {
		switch c[i] {
		case bidi.ES, bidi.ET, bidi.CS:
			c[i] = bidi.ON
		}
	}
}

// neutral is rules N1 and N2.
func neutral(c []bidi.Class, base bidi.Class) {
	side := func(i int) bidi.Class {
		if i < 0 || i >= len(c) {
			return base
		}
		if c[i] == bidi.L {
			return bidi.L
		}
		return bidi.R
	}
	for i := 0; i < len(c); i++ {
		if !isNeutral(c[i]) {
			continue
		}
		end := i
		for end < len(c) && isNeutral(c[end]) {
			end++
		}
		as := base
		if side(i-1) == side(end) {
			as = side(end)
		}
		for j := i; j < end; j++ {
			c[j] = as
		}
		i = end - 1
	}
}

func isNeutral(c bidi.Class) bool {
	switch c {
	case bidi.L, bidi.R, bidi.AL, bidi.EN, bidi.AN:
		return false
	}
	return true
}

// visual returns the places of a line's glyphs as they are seen from left to right.
// Unicode TR9 §3.4, L2
func visual(levels []int) []int {
	order := make([]int, len(levels))
	for i := range order {
		order[i] = i
	}
	for l := 2; l >= 1; l-- {
		for i := 0; i < len(order); i++ {
			if levels[order[i]] < l {
				continue
			}
			end := i
			for end < len(order) && levels[order[end]] >= l {
				end++
			}
			slices.Reverse(order[i:end])
			i = end - 1
		}
	}
	return order
}

// mirrored turns brackets round that stand in a run from right to left.
func mirrored(s string) string {
	const pairs = "()[]{}<>«»‹›≤≥"
	r, n := utf8.DecodeRuneInString(s)
	at := strings.IndexRune(pairs, r)
	if at < 0 || n != len(s) {
		return s
	}
	before, after := utf8.RuneLen(r), pairs[at:]
	if utf8.RuneCountInString(pairs[:at])%2 == 0 {
		next, _ := utf8.DecodeRuneInString(after[before:])
		return string(next)
	}
	previous, _ := utf8.DecodeLastRuneInString(pairs[:at])
	return string(previous)
}

// asSeen puts a line into the order in which it is seen, for terminals that draw from
// left to right whatever comes.
func asSeen(line []glyph, rtl bool) []glyph {
	classes, levels := resolve(line, rtl)
	out := make([]glyph, 0, len(line))
	for _, i := range visual(levels) {
		g := line[i]
		if levels[i] == 1 && classes[i] == bidi.R {
			g.text = mirrored(g.text)
		}
		out = append(out, g)
	}
	return out
}

// wall is a blank that counts as a letter from left to right (class L): what stands on
// its two sides is never taken for one run by a terminal that orders a line by itself.
const wall = "\u2800"

// asTold puts a line from right to left into the order in which a terminal must be told
// it that orders lines by itself, each as one from left to right: the letters of each
// run stay as they were written, the runs change places. Without it the full stop of an
// Arabic sentence would stand at its beginning.
func asTold(line []glyph, rtl bool) []glyph {
	if !rtl {
		return line
	}
	seen := asSeen(line, true)
	out := make([]glyph, 0, len(seen))
	for i := 0; i < len(seen); {
		end := runEnd(seen, i)
		if end == i {
			out = append(out, seen[i])
			i++
			continue
		}
		out = append(out, untold(seen[i:end])...)
		if end < len(seen) && seen[end].text == " " && numberFollows(seen[end:]) {
			out = append(out, glyph{wall, 1})
			end++
		}
		i = end
	}
	return out
}

// runEnd is where the run that begins at i ends: from a letter from right to left to the
// last one before a letter from left to right. Without such a letter it is i.
func runEnd(seen []glyph, i int) int {
	end := i
	for j := i; j < len(seen); j++ {
		switch class(seen[j]) {
		case bidi.R, bidi.AL, bidi.AN:
			end = j + 1
		case bidi.L:
			return end
		}
		if end == i {
			return i
		}
	}
	return end
}

// untold turns a run from right to left back into the order of writing.
func untold(run []glyph) []glyph {
	levels := make([]int, len(run))
	for i, g := range run {
		levels[i] = 1
		switch class(g) {
		case bidi.EN, bidi.AN:
			levels[i] = 2
		case bidi.CS, bidi.ES:
			if i > 0 && levels[i-1] == 2 && i+1 < len(run) && class(run[i+1]) == class(run[i-1]) {
				levels[i] = 2
			}
		}
	}
	out := make([]glyph, 0, len(run))
	for _, i := range visual(levels) {
		g := run[i]
		if levels[i] == 1 {
			g.text = mirrored(g.text)
		}
		out = append(out, g)
	}
	return out
}

func numberFollows(rest []glyph) bool {
	for _, g := range rest {
		switch class(g) {
		case bidi.EN, bidi.AN:
			return true
		case bidi.L, bidi.R, bidi.AL:
			return false
		}
	}
	return false
}
