package files

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
)

func TestAHiddenNameIsReadByItsKeyOnly(t *testing.T) {
	s, other := Source{Key: random(1, linkKey), IV: random(2, ivSize)}, Source{Key: random(3, linkKey), IV: random(2, ivSize)}
	for name, want := range map[string]string{
		"report.pdf": "report.pdf", "الميزانية النهائية.ods": "الميزانية النهائية.ods", "file": "file", "x.tar.gz": "x.tar.gz",
		strings.Repeat("long ", 30) + ".txt": strings.Repeat("long ", 18) + "l.txt",
	} {
		hidden := hideName(CleanName(name), s)
		if got := openName(hidden, s); got != want {
			t.Errorf("%q became %q", name, got)
		}
		if len(hidden) > 200 || CleanName(hidden) != hidden || strings.Contains(hidden, strings.TrimSuffix(name, ending(name))) {
			t.Errorf("%q is hidden as %q", name, hidden)
		}
		if got := openName(hidden, other); got != "" {
			t.Errorf("another key reads %q", got)
		}
	}
	if a, b := hideName("a.pdf", s), hideName("a much longer one.pdf", s); len(a) != len(b) {
		t.Error("the length of a short name is told")
	}
}

func TestWhatHidesNoNameIsShownAsItIs(t *testing.T) {
	s := Source{Key: random(1, linkKey), IV: random(2, ivSize)}
	for _, last := range []string{"", "n", "n.pdf", "photo.jpg", "nAAAA.jpg", "n" + strings.Repeat("A", 64) + ".pdf", "n" + strings.Repeat("A", 500)} {
		if got := openName(last, s); got != "" {
			t.Errorf("%q hides %q", last, got)
		}
	}
	for _, link := range []string{"https://example.org/a.pdf", "aesgcm://example.org/a.pdf#00", "aesgcm://%zz/", ""} {
		if got := NameIn(link, "../said.pdf"); got != "said.pdf" {
			t.Errorf("%q: %q", link, got)
		}
	}
}

func TestANameThatWasHiddenBySomebodyElseIsCleaned(t *testing.T) {
	l := Link{Source: Source{URL: "https://example.org/x/", Key: random(1, linkKey), IV: random(2, ivSize)}}
	l.Source.URL += hideName("../../etc\x1b[2J/CON.txt", l.Source)
	if got := NameIn(l.Text(), ""); got != "_CON.txt" {
		t.Errorf("%q", got)
	}
}

func TestWhatIsSaidOfAFileIsReadByItsLinkOnly(t *testing.T) {
	l := Link{Source: Source{URL: "https://h/f", Key: random(1, linkKey), IV: random(2, ivSize)}}
	link := l.Text()
	box := SealFacts(rand.Reader, link, []byte("<file/>"))
	if got := OpenFacts(link, box); string(got) != "<file/>" {
		t.Errorf("it became %q", got)
	}
	if longer := SealFacts(rand.Reader, link, bytes.Repeat([]byte("x"), 300)); len(longer) != len(box) {
		t.Error("the length of little is told")
	}
	if again := SealFacts(rand.Reader, link, []byte("<file/>")); bytes.Equal(again, box) {
		t.Error("a nonce is used twice")
	}
	for i := range box {
		if bad := bytes.Clone(box); OpenFacts(link, append(append(bad[:i:i], bad[i]^1), bad[i+1:]...)) != nil {
			t.Fatalf("a change of byte %d is not noticed", i)
		}
	}
	other := l
	other.Source.Key = random(3, linkKey)
	if OpenFacts(other.Text(), box) != nil || OpenFacts("https://h/f", box) != nil || OpenFacts(link, nil) != nil || OpenFacts(link, box[:20]) != nil {
		t.Error("something else opens it")
	}
	if SealFacts(rand.Reader, "https://h/f", []byte("<file/>")) != nil || SealFacts(rand.Reader, link, make([]byte, mostFacts+1)) != nil {
		t.Error("what cannot be hidden is sent")
	}
}
