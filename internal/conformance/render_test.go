package conformance

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// sample is a report with results of every kind and long words.
func sample() *Report {
	r := newReport()
	r.Domain, r.Account, r.Address, r.Software, r.Program = "example.org", "alice@example.org", "127.0.0.1:5222", "Server 1.0", "mirsal test"
	r.Date = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	results := []Result{Works, Missing, Partly, Untested}
	for i := range r.Rows {
		if row := &r.Rows[i]; row.Result != NotServer && !row.unseen {
			row.Result = results[i%len(results)]
			row.Evidence = strings.Repeat("what was found of it; ", i%7+1) + strings.Repeat("x", i*3)
		}
	}
	r.judge()
	return r
}

func written(t *testing.T, r *Report, s Style) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNoLineIsWiderThanAskedAndNoneEndsInBlanks(t *testing.T) {
	for _, width := range []int{60, 80, 100, 120} {
		for line := range strings.Lines(written(t, sample(), Style{Width: width})) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("at %d columns a line has %d: %q", width, n, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("a line ends in blanks: %q", line)
			}
		}
	}
}

func TestColumnsStandBelowEachOther(t *testing.T) {
	out := written(t, sample(), Style{Width: 80})
	at := -1
	for line := range strings.Lines(out) {
		runes := []rune(line)
		if strings.Contains(line, "by        for       found") {
			at = len([]rune(line[:strings.Index(line, "found")]))
		}
		isRow := strings.ContainsRune("✓✗~?", runes[0]) && len(runes) > at && at > 0 && strings.Contains(line, "what was found")
		if isRow && len([]rune(line[:strings.Index(line, "what was")])) != at {
			t.Errorf("what was found does not stand in column %d: %q", at, line)
		}
	}
	if at < 0 {
		t.Fatalf("no heading in\n%s", out)
	}
}

func TestColourOnlyWhereAskedForAndNothingElseDiffers(t *testing.T) {
	plain, colored := written(t, sample(), Style{Width: 80}), written(t, sample(), Style{Width: 80, Color: true})
	if strings.Contains(plain, "\x1b") {
		t.Error("escape sequences in a plain table")
	}
	if got := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(colored, ""); got != plain || colored == plain {
		t.Error("the coloured table is not the plain one with colours")
	}
}

func TestRemediesAreSaidOfWhatDoesNotWorkAndOfNothingElse(t *testing.T) {
	r := newReport()
	for i := range r.Rows {
		r.Rows[i].Result = Works
	}
	if out := written(t, r, Style{Width: 80}); strings.Contains(out, "Worth mending") {
		t.Errorf("something to mend where all works:\n%s", out)
	}
	r.row("im.history").Result = Missing
	if out := written(t, r, Style{Width: 80}); !strings.Contains(out, "• History: Turn the message archive") {
		t.Errorf("no remedy for a missing archive:\n%s", out)
	}
}

func TestTheVerdictForgivesOnlyWhatNobodyCanSee(t *testing.T) {
	all := func() *Report {
		r := newReport()
		for i := range r.Rows {
			if !r.Rows[i].unseen {
				r.Rows[i].Result = Works
			}
		}
		return r
	}
	if r := all(); !r.CoreMet() {
		t.Error("a server with everything but the unseen is not met")
	}
	for _, res := range []Result{Missing, Partly, Untested} {
		r := all()
		r.row("core.tls").Result = res
		if r.CoreMet() {
			t.Errorf("met although encryption is %s", res)
		}
	}
	r := all()
	r.row("core.pep").Result = Missing // asked of advanced servers only
	if !r.CoreMet() || r.verdict(Core, "advanced").Met {
		t.Error("what is asked of advanced servers counts for core ones, or for nobody")
	}
}

// TestTheSuiteIsWhatXEP0479Asks counts the rows that are asked of servers in
// each section and at each level.
func TestTheSuiteIsWhatXEP0479Asks(t *testing.T) {
	r := newReport()
	for section, want := range map[string][2]int{Core: {4, 7}, Web: {1, 1}, IM: {5, 12}, Mobile: {2, 3}, AV: {1, 1}} {
		if got := [2]int{r.verdict(section, "core").Of, r.verdict(section, "advanced").Of}; got != want {
			t.Errorf("%s asks %v of core and advanced servers, want %v", section, got, want)
		}
	}
	seen := map[string]bool{}
	for _, row := range r.Rows {
		if seen[row.Key] {
			t.Errorf("two rows %s", row.Key)
		}
		seen[row.Key] = true
		if row.Core.asked() && !row.Advanced.asked() {
			t.Errorf("%s is asked of core servers and not of advanced ones", row.Key)
		}
	}
}

func TestTheJSONHasTheFieldsThatAreDocumented(t *testing.T) {
	var b strings.Builder
	if err := sample().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"format", "suite", "program", "date", "account", "domain", "address", "software", "rows", "verdicts", "left"} {
		if _, ok := got[k]; !ok {
			t.Errorf("no field %s", k)
		}
	}
	row := got["rows"].([]any)[1].(map[string]any) // which does not work
	for _, k := range []string{"key", "section", "feature", "by", "core", "advanced", "result", "evidence", "remedy"} {
		if _, ok := row[k]; !ok {
			t.Errorf("no field %s in a row", k)
		}
	}
	if row["key"] != "core.tls" || row["core"] != "required" {
		t.Errorf("the second row is %v", row)
	}
}

func TestFoldKeepsEveryWordAndCutsWhatIsTooLong(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"one two three":     "one two|three",
		"abcdefghijkl mn":   "abcdefgh|ijkl mn",
		"a\u00a0b c":        "a\u00a0b c",
		"ééééé ééé":         "ééééé|ééé",
		"exactly8 exactly8": "exactly8|exactly8",
	} {
		if got := strings.Join(fold(text, 8), "|"); got != want {
			t.Errorf("fold(%q) = %q, want %q", text, got, want)
		}
	}
}
