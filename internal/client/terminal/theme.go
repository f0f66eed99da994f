package terminal

import (
	"hash/fnv"

	"github.com/charmbracelet/x/ansi"
)

// A theme is how things look. Colours are the terminal's own sixteen, which people have
// chosen to their liking; nothing is told by colour alone.
type theme struct {
	dark bool // the background
	mono bool // no colours: NO_COLOR, https://no-color.org

	plain, dim, bold, sel, accent, good, warn, bad, read, bar ansi.Style
	people                                                    []ansi.Style
}

func newTheme(dark, mono bool) theme {
	t := theme{dark: dark, mono: mono, plain: ansi.Style{}, dim: ansi.NewStyle(ansi.AttrFaint), bold: ansi.NewStyle(ansi.AttrBold), sel: ansi.NewStyle(ansi.AttrReverse)}
	if mono {
		t.accent, t.good, t.warn, t.bad, t.read, t.bar = t.bold, t.plain, t.bold, t.bold, t.bold, t.dim
		t.people = []ansi.Style{t.bold}
		return t
	}
	tone := ansi.Red // the dark six for light backgrounds, the bright six for dark ones
	if dark {
		tone = ansi.BrightRed
	}
	color := func(n ansi.BasicColor) ansi.Style { return ansi.Style{}.ForegroundColor(tone + n) }
	const red, green, yellow, blue, magenta, cyan = 0, 1, 2, 3, 4, 5
	t.accent, t.good, t.warn, t.bad, t.read, t.bar = color(blue).Bold(), color(green), color(yellow), color(red), color(cyan), t.dim
	t.people = []ansi.Style{color(green).Bold(), color(yellow).Bold(), color(magenta).Bold(), color(cyan).Bold(), color(red).Bold()}
	return t
}

// paint gives text a style. Painted text is not painted again.
func paint(s ansi.Style, text string) string {
	if len(s) == 0 || text == "" {
		return text
	}
	return s.Styled(text)
}

// person is the colour that somebody has everywhere.
func (t theme) person(address string) ansi.Style {
	h := fnv.New32a()
	h.Write([]byte(address))
	return t.people[h.Sum32()%uint32(len(t.people))]
}
