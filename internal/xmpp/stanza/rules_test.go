package stanza

import (
	"os"
	"strings"
	"testing"
)

// Every pair of facts, with and without each hint.
func TestWhatWaitsForSomebodyIsInTheArchiveAndNeverHeldBack(t *testing.T) {
	asked := []Facts{0, NoStore, NoPermanent, NoCopy, Store, CarbonPrivate, Store | NoStore}
	for a := Facts(1); a <= OtherChild; a <<= 1 {
		for b := Facts(1); b <= OtherChild; b <<= 1 {
			for _, hint := range asked {
				for _, k := range []string{Chat, Normal, Groupchat, Headline, Error} {
					r := RuleOf(&Head{Kind: Message, Type: k, Facts: a | b | hint})
					if r.Kind == "" || r.Offline && !r.Archive || r.Waits && r.Archive || r.Waits && r.Push != NoPush {
						t.Fatalf("%s with %b: %+v", k, a|b|hint, r)
					}
				}
			}
		}
	}
}

// example is one row of the table that people read.
type example struct {
	xml, kind string
	Rule
}

var pushWords = map[string]Push{"–": NoPush, "read": Notify, "ring": Ring}

// documented reads the table of docs/protocol/messages.md.
func documented(t *testing.T) (all []example) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/protocol/messages.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| `<message") || len(cells) != 7 {
			continue
		}
		push, ok := pushWords[cells[5]]
		if !ok {
			t.Errorf("push is %q", cells[5])
		}
		all = append(all, example{strings.Trim(cells[0], " `"), cells[1], Rule{
			Archive: cells[2] == "both", Carbon: cells[3] == "yes", Offline: cells[4] == "later", Push: push, Waits: strings.TrimSpace(cells[6]) == "may wait",
		}})
	}
	return all
}

func TestTheTableForPeopleIsTheTableInUse(t *testing.T) {
	last, shown := 0, map[int]bool{}
	for _, e := range documented(t) {
		s := mustMake(t, e.xml, nil)
		got := RuleOf(&s.Head)
		at := rowOf(typesOf(&s.Head), s.Facts)
		shown[at] = true
		if e.kind == got.Kind {
			if at < last {
				t.Errorf("%s: %q stands behind what is asked later", e.xml, e.kind)
			}
			last = at
		} else if !strings.HasPrefix(e.kind, "("+got.Kind) {
			t.Errorf("%s: called %q, is %q", e.xml, e.kind, got.Kind)
		}
		if got.Kind = ""; got != e.Rule {
			t.Errorf("%s: the page says %+v, the rule %+v", e.xml, e.Rule, got)
		}
	}
	for i := range rows {
		if !shown[i] {
			t.Errorf("no example of row %d, %q", i, rows[i].Kind)
		}
	}
}

func BenchmarkRuleOf(b *testing.B) {
	h := &Head{Kind: Message, Type: Chat, Facts: Encrypted | Store}
	for b.Loop() {
		RuleOf(h)
	}
}
