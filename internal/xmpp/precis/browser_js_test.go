package precis

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// What the table knows has one normal form in every Unicode: the browser's is x/text's,
// of each character, of what it decomposes to, and of Hangul's letters.
func TestTheBrowserComposesAsTheTableExpects(t *testing.T) {
	var lines []string
	asked := 0
	ask := func() {
		s := strings.Join(lines, "\n")
		if composed(s) == norm.NFC.String(s) {
			return
		}
		for _, l := range lines {
			if got, want := composed(l), norm.NFC.String(l); got != want {
				t.Errorf("%+q is %+q, want %+q", l, got, want)
			}
		}
	}
	every(func(c rune) {
		if kindOf(c).class() == refuse && (c < 0x1100 || c > 0x11ff) {
			return
		}
		one := "x" + string(c)
		lines = append(lines, one, norm.NFD.String(one), norm.NFKD.String(one)+"\u0301\u0323", "\u1100\u1161"+string(c))
		if len(lines) > 1000 {
			ask()
			asked, lines = asked+len(lines), nil
		}
	})
	ask()
	if asked < 400_000 {
		t.Errorf("%d were asked", asked)
	}
}
