package conformance

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Style says how a report is written for people.
type Style struct {
	Width int  // columns; between 60 and 120 is used
	Color bool // for a terminal that shows colours
}

// signs and colours of results.
var signs = map[Result]struct{ sign, color string }{
	Works:     {"✓", "\x1b[32m"},
	Partly:    {"~", "\x1b[33m"},
	Missing:   {"✗", "\x1b[31m"},
	Untested:  {"?", "\x1b[36m"},
	NotServer: {"–", "\x1b[2m"},
}

// Widths of the columns before what was found, with the gaps behind them.
const (
	signWidth    = 2
	featureWidth = 25
	byWidth      = 10
	levelWidth   = 10
)

// JSON writes the report as docs/conformance/README.md describes it.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// Write writes the report for people.
func (r *Report) Write(w io.Writer, s Style) error {
	p := &page{width: min(max(s.Width, 60), 120), color: s.Color}
	p.head(r)
	for _, name := range sections {
		p.section(r, name)
	}
	p.summary(r)
	p.mending(r)
	p.leftovers(r)
	_, err := io.WriteString(w, p.String())
	return err
}

// page is text being laid out.
type page struct {
	strings.Builder
	width int
	color bool
}

func (p *page) line(s string) { p.WriteString(strings.TrimRight(s, " ") + "\n") }

// paint colours text that is already as wide as it should be.
func (p *page) paint(color, s string) string {
	if !p.color {
		return s
	}
	return color + s + "\x1b[0m"
}

func (p *page) bold(s string) string { return p.paint("\x1b[1m", s) }

func (p *page) head(r *Report) {
	what := r.Software
	if what == "" {
		what = "a server that does not say what it is"
	}
	p.line(p.bold(r.Domain + ": " + what))
	p.wrap("", r.Suite+", the newest there are; tried as "+r.Account+" at "+r.Address+" on "+r.Date.Format("2 January 2006")+" by "+r.Program)
	p.line("")
	p.wrap("", "✓ works   ~ partly   ✗ missing   ? could not be tested   – not the server's. “for” is the level that asks for it; “advanced” asks for all of “core” as well.")
}

// wrap writes text with its later lines indented as the first.
func (p *page) wrap(indent, text string) {
	for _, l := range fold(text, p.width-utf8.RuneCountInString(indent)) {
		p.line(indent + l)
	}
}

func (p *page) section(r *Report, name string) {
	p.line("")
	p.line(p.bold(pad(name, signWidth+featureWidth) + pad("by", byWidth) + pad(headLevel(name), levelWidth) + "found"))
	p.line(strings.Repeat("─", p.width))
	var others []string
	for i := range r.Rows {
		row := &r.Rows[i]
		switch {
		case row.Section != name:
		case row.Result == NotServer:
			others = append(others, strings.ReplaceAll(row.Feature+" "+number(row.By), " ", "\u00a0"))
		default:
			p.row(row)
		}
	}
	if len(others) > 0 {
		p.others(others)
	}
}

func headLevel(name string) string {
	if name == Beyond {
		return ""
	}
	return "for"
}

// others lists what is asked of clients only.
func (p *page) others(list []string) {
	mark := p.paint(signs[NotServer].color, signs[NotServer].sign) + " "
	for i, l := range fold("of clients only: "+strings.Join(list, ", "), p.width-signWidth) {
		if i > 0 {
			mark = strings.Repeat(" ", signWidth)
		}
		p.line(mark + strings.ReplaceAll(l, "\u00a0", " "))
	}
}

func (p *page) row(row *Row) {
	found := fold(row.Evidence, p.width-signWidth-featureWidth-byWidth-levelWidth)
	by := fold(number(row.By), byWidth-1)
	feature := fold(row.Feature, featureWidth-1)
	level := row.level()
	for i := range max(len(found), len(by), len(feature)) {
		mark := strings.Repeat(" ", signWidth)
		if i == 0 {
			mark = p.paint(signs[row.Result].color, signs[row.Result].sign) + " "
		} else {
			level = ""
		}
		p.line(mark + pad(at(feature, i), featureWidth) + pad(at(by, i), byWidth) + pad(level, levelWidth) + at(found, i))
	}
}

// level is the lowest that asks for the row.
func (row *Row) level() string {
	switch {
	case row.Section == Beyond:
		return ""
	case row.Core.asked():
		return "core"
	}
	return "advanced"
}

// number shortens the names of specifications: those of XEPs are numbers.
func number(by string) string {
	return strings.ReplaceAll(strings.ReplaceAll(by, "XEP-", ""), "RFC ", "RFC\u00a0")
}

// Words are a verdict in words.
func (v Verdict) Words() string {
	if v.Of == 0 {
		return "nothing asked"
	}
	s := strconv.Itoa(v.Works) + " of " + strconv.Itoa(v.Of)
	if v.Untested > 0 {
		s += " (" + strconv.Itoa(v.Untested) + " untested)"
	}
	return s
}

func (p *page) summary(r *Report) {
	p.line("")
	p.line(p.bold(pad("Verdict", 12) + pad("core server", 24) + "advanced server"))
	p.line(strings.Repeat("─", p.width))
	for _, name := range sections {
		if name == Beyond {
			continue
		}
		core, advanced := r.verdict(name, "core"), r.verdict(name, "advanced")
		p.line(pad("  "+name, 12) + p.met(core, 24) + p.met(advanced, 0))
	}
}

func (p *page) met(v Verdict, width int) string {
	res := Missing
	switch {
	case v.Met:
		res = Works
	case v.Works+v.Untested == v.Of:
		res = Untested
	}
	return p.paint(signs[res].color, signs[res].sign) + " " + pad(v.Words(), width-2)
}

// mending lists what its operator could do, what the suite asks for first.
func (p *page) mending(r *Report) {
	var asked, beyond []string
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Remedy == "" || row.Result != Missing && row.Result != Partly {
			continue
		}
		if row.Key == "im.sm" { // said of phones
			continue
		}
		text := row.Feature + ": " + strings.ReplaceAll(row.Remedy, "DOMAIN", r.Domain)
		if row.Section == Beyond {
			beyond = append(beyond, text)
		} else {
			asked = append(asked, text)
		}
	}
	if len(asked)+len(beyond) == 0 {
		return
	}
	p.line("")
	p.line(p.bold("Worth mending"))
	p.line(strings.Repeat("─", p.width))
	for _, text := range append(asked, beyond...) {
		p.bullet(text)
	}
}

func (p *page) leftovers(r *Report) {
	if len(r.Left) == 0 {
		return
	}
	p.line("")
	p.line(p.bold("Could not be put back"))
	p.line(strings.Repeat("─", p.width))
	for _, text := range r.Left {
		p.bullet(text)
	}
}

func (p *page) bullet(text string) {
	for i, l := range fold(text, p.width-signWidth) {
		if i == 0 {
			p.line("• " + l)
		} else {
			p.line("  " + l)
		}
	}
}

// fold breaks text at blanks into lines of at most width characters; a longer
// word is cut. A non-breaking blank holds.
func fold(text string, width int) (lines []string) {
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for utf8.RuneCountInString(word) > width {
			cut := []rune(word)
			lines, word = append(lines, string(cut[:width])), string(cut[width:])
		}
		line = word
	}
	return append(lines, line)
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// pad fills text with blanks to a width, at least one wide.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}
