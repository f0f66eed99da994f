package foreign

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// results are what became of all tests: by suite, kind of server and test.
type results map[string]map[string]map[string]outcome

// all runs every suite against a server of every kind, all at once.
func all(t *testing.T) results {
	t.Helper()
	found := make(results)
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) {
		for _, u := range suites {
			found[u.name] = make(map[string]map[string]outcome)
			for _, k := range kinds {
				t.Run(u.name+"-"+k.name, func(t *testing.T) {
					t.Parallel()
					o := u.run(t, k.run(t, u.component))
					mu.Lock()
					found[u.name][k.name] = o
					mu.Unlock()
				})
			}
		}
	})
	for _, u := range suites {
		if len(found[u.name]) < len(kinds) {
			t.SkipNow() // skipped or failed there
		}
	}
	return found
}

func (r results) passed(suite, kind string) (n int) {
	for _, o := range r[suite][kind] {
		if o.word == passes {
			n++
		}
	}
	return n
}

func (r results) tests(suite string) []string {
	var names []string
	for _, k := range kinds {
		for name := range r[suite][k.name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// explained reads explained.txt: suite and test, to the reason.
func explained(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("explained.txt")
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(map[string]string)
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		what, why, ok := strings.Cut(line, ": ")
		if !ok || reasons[what] != "" {
			t.Errorf("explained.txt: %q", line)
		}
		reasons[what] = why
	}
	return reasons
}

func TestMirsalPassesNoLessOfOthersSuitesThanProsody(t *testing.T) {
	found := all(t)
	reasons := explained(t)
	for _, u := range suites {
		if m, p := found.passed(u.name, "mirsal"), found.passed(u.name, "prosody"); m < p {
			t.Errorf("%s: Mirsal passes %d tests, Prosody %d", u.name, m, p)
		}
		for _, name := range found.tests(u.name) {
			key := u.name + " " + name
			o := found[u.name]["mirsal"][name]
			if o.word != passes && reasons[key] == "" {
				t.Errorf("%s %s, unexplained: %s", key, o.word, o.why)
			}
			if o.word == passes && reasons[key] != "" {
				t.Errorf("%s passes: take it out of explained.txt", key)
			}
			delete(reasons, key)
		}
	}
	for key := range reasons {
		t.Errorf("explained.txt: there is no test %s", key)
	}
	if name := os.Getenv("MIRSAL_RECORD"); name != "" && !t.Failed() {
		write(t, name, found.table(explained(t)))
	}
}

const tableHead = `# Others' test suites

What the integration tests of slixmpp and the end-to-end tests of aioxmpp find at Mirsal and at Prosody
(0.12 of Debian 12, with everything turned on that the suites look for), in one run on %s. Both suites are clients'
tests: some look at the client only. ` + "`make test`" + ` runs them (e2e/foreign), fetched as they are published, and fails when Mirsal passes fewer
than Prosody or when a failure is not explained here. ` + "`scripts/foreign-record.sh`" + ` writes this file.

`

// table is docs/conformance/foreign-suites.md.
func (r results) table(reasons map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, tableHead, time.Now().UTC().Format(time.DateOnly))
	b.WriteString("| suite | tests | Mirsal passes | Prosody passes |\n|---|---|---|---|\n")
	for _, u := range suites {
		fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", u.about, len(r.tests(u.name)), r.passed(u.name, "mirsal"), r.passed(u.name, "prosody"))
	}
	b.WriteString("\n## What does not pass at Mirsal, and why\n\n")
	for _, u := range suites {
		for _, name := range r.tests(u.name) {
			if why := reasons[u.name+" "+name]; why != "" {
				fmt.Fprintf(&b, "- %s `%s`: %s\n", u.name, name, why)
			}
		}
	}
	b.WriteString("\n## Every test\n\n| suite | test | Mirsal | Prosody |\n|---|---|---|---|\n")
	for _, u := range suites {
		for _, name := range r.tests(u.name) {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", u.name, name, sign(r[u.name]["mirsal"][name]), sign(r[u.name]["prosody"][name]))
		}
	}
	return b.String()
}

func sign(o outcome) string {
	switch o.word {
	case passes:
		return "✓"
	case fails:
		return "✗"
	}
	return "– left out"
}
