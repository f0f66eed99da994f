package terminal

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

// source is the program's text, but for the tables of words.
func source(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || name == "arabic.go" {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	return all.String()
}

func TestTheTableOfWordsFitsTheProgram(t *testing.T) {
	text, verbs := source(t), regexp.MustCompile(`%[sd]`)
	for english, arabic := range arabicWords() {
		quoted := strconv.Quote(english)
		if !strings.Contains(text, quoted[1:len(quoted)-1]) {
			t.Errorf("%q is nowhere said", english)
		}
		if !slices.Equal(verbs.FindAllString(english, -1), verbs.FindAllString(arabic, -1)) {
			t.Errorf("%q is filled in otherwise in %q", english, arabic)
		}
	}
}

func TestWhatKeysDoIsSaidInArabicToo(t *testing.T) {
	words := arabicWords()
	for _, b := range bindings() {
		if b.what != "" && words[b.what] == "" {
			t.Errorf("no words for %q", b.what)
		}
	}
}

func TestInArabicEveryLineIsAsWideAsItsPlace(t *testing.T) {
	for _, bidi := range []string{"on", "off"} {
		for _, w := range []int{40, 64, 80, 120} {
			m := talking(t, w, 24, Options{Env: []string{"LANG=ar_YE.UTF-8"}, Bidi: bidi})
			wide(t, m)
			for _, s := range []sheet{newHelp(m), newMenu(m), newLogin(m), newLock(m), newCreateRoom(m), newSafety(m), &question{text: m.tf("Block %s? You hear nothing of them any more, and they see you offline.", "Bob")}} {
				m.push(s)
				wide(t, m)
				m.pop()
			}
			m.Update(heard{&port.Status{State: "offline", Address: me, Failure: port.Failf(port.Unreachable, "no way"), Retry: noon().Add(time.Minute)}})
			wide(t, m)
			m.kick()
			wide(t, m)
		}
	}
}

func TestArabicIsSpokenWhereItIsAskedFor(t *testing.T) {
	golden(t, "arabic-words-80x24", talking(t, 80, 24, Options{Env: []string{"LANG=ar_YE.UTF-8"}, Bidi: "off"}))
	m := talking(t, 80, 24, Options{Env: []string{"LC_ALL=C", "LANG=ar"}})
	if strings.ContainsRune(strings.Split(plainView(m), "\n")[23], 'ا') {
		t.Error("LC_ALL asks for something else")
	}
}

func TestADayHasItsNameInTheScreensLanguage(t *testing.T) {
	if view := plainView(talking(t, 90, 40, Options{Env: []string{"LANG=ar_EG.UTF-8"}, Bidi: "off"})); !strings.Contains(view, "الأحد 22 نوفمبر 2026") || strings.Contains(view, "Sunday") {
		t.Errorf("the days are not in Arabic:\n%s", view)
	}
}
