package timeline

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheNameOfAFileSaysWhatItIs(t *testing.T) {
	long := strings.Repeat("holiday ", 40)
	for name, want := range map[string]string{
		"cat.jpg":                      "cat.jpg",
		"../../etc/passwd":             "passwd",
		`C:\Windows\x.dll`:             "x.dll",
		"..":                           "",
		"a/..":                         "",
		"photo\u202egpj.exe":           "photogpj.exe",
		"\u2066photo\u2069.jpg":        "photo.jpg",
		"a\nb\u2028c\x1b[2J.txt":       "abc[2J.txt",
		"x\u00adx\u200b\u3164y.txt":    "xxy.txt",
		"\u0645\u06cc\u200c\u0631.pdf": "\u0645\u06cc\u200c\u0631.pdf",
		"\u202e/\u202e":                "",
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q is shown as %q, not %q", name, got, want)
		}
	}
	got := fileName("cat.jpg" + long + ".exe")
	if !strings.HasSuffix(got, ".exe") || utf8.RuneCountInString(got) > maxName {
		t.Errorf("a long name is shown as %q", got)
	}
}

func TestNamesOfPeopleShowAllTheirLetters(t *testing.T) {
	for name, want := range map[string]string{
		" kim\u200b ": "kim", "\u3164\u2800": "", "k\u202eim": "kim", "a\nb": "a b", "\u0645\u06cc\u200c\u0631": "\u0645\u06cc\u200c\u0631",
		"\U0001f468\u200d\U0001f469\u200d\U0001f467": "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0600\u0661": "\u0600\u0661", "\xffx": "x",
	} {
		if got := CleanName(name); got != want {
			t.Errorf("%q is shown as %q, not %q", name, got, want)
		}
	}
	if england := "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"; cleanEmoji(england) != england {
		t.Error("a flag is no reaction")
	}
}
