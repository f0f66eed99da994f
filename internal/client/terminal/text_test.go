package terminal

import (
	"strings"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func testPen(reads bool) pen { return pen{method: ansi.GraphemeWidth, reads: reads} }

func TestTextOfOthersCannotSteerTheTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[31mred\x1b]0;title\a":                "\uFFFD[31mred\uFFFD]0;title\uFFFD",
		"a\u202egpj.exe":                           "agpj.exe",
		"a\u2067b\u2069\u200fc":                    "abc",
		"one\r\ntwo\u2028three\tfour":              "one\ntwo\nthree    four",
		"\u0085\u009b1m":                           "\uFFFD\uFFFD1m",
		"z" + strings.Repeat("\u0301", 40):         "z" + strings.Repeat("\u0301", mostMarks),
		"👨\u200d👩\u200d👧 می\u200cخواهم":            "👨\u200d👩\u200d👧 می\u200cخواهم",
		"hidden\u200b\ufeff\u00ad\u2800\U000e0041": "hidden",
		"bad\xffbyte":                              "bad\uFFFDbyte",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := clean(rapid.String().Draw(t, "text"))
		if i := strings.IndexFunc(s, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || turns(r)) }); i >= 0 {
			t.Fatalf("%q has a control at %d", s, i)
		}
	})
}

func TestEveryLineOfAFieldIsAsWideAsItsPlace(t *testing.T) {
	letters := rapid.SampledFrom([]rune("ab cd 12 مرحبا لا يا, (א) 漢字👍é\u0301\n"))
	rapid.Check(t, func(t *rapid.T) {
		s := clean(rapid.StringOfN(letters, 0, 60, -1).Draw(t, "text"))
		w := rapid.IntRange(6, 40).Draw(t, "width")
		p := testPen(rapid.Bool().Draw(t, "reads"))
		lines := append(p.field(s, w), p.place(oneLine(s), w))
		for _, l := range lines {
			if p.width(l) != w {
				t.Fatalf("%q is %d wide, not %d", l, p.width(l), w)
			}
		}
	})
}

// A line as people read it, from left to right; capitals are Arabic.
func seen(s string, rtl bool) string {
	arabic := func(r rune) rune {
		if unicode.IsUpper(r) {
			return 'ا' + (r - 'A')
		}
		return r
	}
	latin := func(r rune) rune {
		if r >= 'ا' && r <= 'ا'+26 {
			return 'A' + (r - 'ا')
		}
		return r
	}
	return strings.Map(latin, joined(asSeen(testPen(true).glyphs(strings.Map(arabic, s)), rtl)))
}

func TestRightToLeftIsSeenInItsOrder(t *testing.T) {
	for _, c := range []struct {
		in, want string
		rtl      bool
	}{
		{"car is THE CAR in arabic", "car is RAC EHT in arabic", false},
		{"THE CAR is car", "is car RAC EHT", true},
		{"it costs 12 LIRAS.", "it costs 12 SARIL.", false},
		{"COSTS 12 LIRAS.", ".SARIL 12 STSOC", true},
		{"A (b) C!", "!C (b) A", true},
		{"A (B) C", "C (B) A", true},
		{"TEL 1.5 X", "X 1.5 LET", true},
	} {
		if got := seen(c.in, c.rtl); got != c.want {
			t.Errorf("%q is seen as %q, want %q", c.in, got, c.want)
		}
	}
}

// What a terminal does that orders each line by itself, as one from left to right, to
// what it is told, must give what we would show ourselves.
func TestATerminalThatOrdersLinesShowsWhatWeWould(t *testing.T) {
	p := testPen(false)
	for _, s := range []string{
		"مرحبا بالعالم.", "مرحبا Bob كيف حالك؟", "(مع Mirsal 1.0).", "رقم 12 جديد", "السعر 1.5 دولار!", "أ (ب) ج", "שלום abc עולם", "12 رقم", "قال «نعم» ثم (لا).",
	} {
		line := p.glyphs(s)
		want := strings.ReplaceAll(joined(asSeen(line, true)), wall, " ")
		got := strings.ReplaceAll(joined(asSeen(asTold(line, true), false)), wall, " ")
		if got != want {
			t.Errorf("%q: told %q, it shows\n%q, not\n%q", s, joined(asTold(line, true)), got, want)
		}
	}
}

func TestArabicLettersTakeTheFormOfTheirPlace(t *testing.T) {
	for in, want := range map[string]string{
		"سلام":  "\ufeb3\ufefc\ufee1",
		"لا":    "\ufefb",
		"مرحبا": "\ufee3\ufeae\ufea3\ufe92\ufe8e",
		"پدر":   "\ufb58\ufeaa\ufead",
		"ي":     "\ufef1",
		"كَتب":  "\ufedb\u064e\ufe98\ufe90",
		"abc":   "abc",
	} {
		if got := shaped(in, true); got != want {
			t.Errorf("shaped(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParagraphsHaveTheDirectionOfTheirFirstLetter(t *testing.T) {
	for s, want := range map[string]bool{"hello": false, "مرحبا hello": true, "12: مرحبا": true, "hello مرحبا": false, "…": false, "": false} {
		if rightToLeft(s) != want {
			t.Errorf("rightToLeft(%q) = %v", s, !want)
		}
	}
}

func TestTheEditorWritesByGrapheme(t *testing.T) {
	e := editor{pen: testPen(false)}
	press := func(name string, code rune, mod tea.KeyMod) { e.key(tea.KeyPressMsg{Code: code, Mod: mod}) }
	e.insert("ab👨\u200d👩\u200d👧")
	e.insert("e")
	e.insert("\u0301")
	if len(e.line) != 4 {
		t.Fatalf("%d graphemes of %q", len(e.line), e.text())
	}
	press("backspace", tea.KeyBackspace, 0)
	press("backspace", tea.KeyBackspace, 0)
	if e.text() != "ab" {
		t.Errorf("text %q", e.text())
	}
	e.insert(" two\nthree")
	press("home", tea.KeyHome, 0)
	if !e.up() || e.at != 0 {
		t.Errorf("the cursor is at %d", e.at)
	}
	if e.up() || !e.down() {
		t.Error("up from the first line, or not down from it")
	}
	press("ctrl+w", 'w', tea.ModCtrl)
	e.set("one two")
	press("ctrl+w", 'w', tea.ModCtrl)
	if e.text() != "one " {
		t.Errorf("text %q", e.text())
	}
	e.single = true
	e.insert("x\ny\x1b")
	if e.text() != "one x y\uFFFD" {
		t.Errorf("text %q", e.text())
	}
}

func TestTheCursorIsInsideTheEditorWhateverIsWritten(t *testing.T) {
	letters := rapid.SampledFrom([]rune("ab cd مرحبا 12 👍\n漢"))
	rapid.Check(t, func(t *rapid.T) {
		e := editor{pen: testPen(rapid.Bool().Draw(t, "reads"))}
		e.single = rapid.Bool().Draw(t, "single")
		e.insert(rapid.StringOfN(letters, 0, 50, -1).Draw(t, "text"))
		e.at = rapid.IntRange(0, len(e.line)).Draw(t, "at")
		w, h := rapid.IntRange(4, 30).Draw(t, "w"), rapid.IntRange(1, 5).Draw(t, "h")
		lines, x, y := e.view(w, h)
		if len(lines) > h || y >= len(lines) || x < 0 || x > w {
			t.Fatalf("the cursor is at %d,%d of %d lines, %d wide", x, y, len(lines), w)
		}
		for _, l := range lines {
			if e.pen.width(l) != w {
				t.Fatalf("%q is %d wide, not %d", l, e.pen.width(l), w)
			}
		}
	})
}
