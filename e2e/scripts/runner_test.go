package scripts

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mirsal/e2e/xmppclient"
)

// What must make a script fail does: otherwise a green suite would mean nothing.
func TestScriptsFail(t *testing.T) {
	const head = "Title: x\nAccounts: alice, bob\nSettings: e2ee=optional\nIgnore: presence\n---\nalice's phone comes online\nbob's laptop comes online\n"
	for name, c := range map[string]struct{ steps, want string }{
		"something unexpected at the end": {
			"alice's phone sends: <message to='{bob}' type='chat'><body>Hi</body></message>\n", "bob's laptop: nothing was expected, arrived"},
		"something when there should be nothing": {
			"alice's phone sends: <message to='{bob}' type='chat'><body>Hi</body></message>\nbob's laptop receives nothing\n", ":9: bob's laptop receives nothing"},
		"something else": {
			"alice's phone sends: <message to='{bob}' type='chat'><body>Hi</body></message>\nbob's laptop receives: <message><body>Ho</body></message>\n", `the text is "Hi", not "Ho"`},
		"an error that came on another device": {
			"alice's phone sends: <message to='nobody@example.org' type='chat' id='7'><body>Hi</body></message>\nbob's laptop receives nothing\n", "alice's phone: nothing was expected"},
		"a step nobody knows": {"alice's phone sings\n", "no step is written like this"},
		"an unknown variable": {"alice's phone sends: <message to='{carol}'/>\n", "nothing is known as {carol} yet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := play(t, head+c.steps)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func play(t *testing.T, text string) error {
	file := filepath.Join(t.TempDir(), "script.txt")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := start(context.Background(), t.TempDir(), s.Settings)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	return newWorld(s, m).run(t.Context())
}

func TestPatternsMatchWhatTheySay(t *testing.T) {
	const got = "<m id='1' to='a@b/c' xmlns='x'><body>Hi</body><item n='1'/><item n='2'/></m>"
	for _, c := range []struct {
		pattern string
		want    bool
	}{
		{"<m xmlns='x'/>", true},
		{"<m xmlns='y'/>", false},
		{"<m xmlns='x' id='1' to='*'/>", true},
		{"<m xmlns='x' id='2'/>", false},
		{"<m xmlns='x' from='*'/>", false},
		{"<m xmlns='x' from='(none)'/>", true},
		{"<m xmlns='x' id='(none)'/>", false},
		{"<m xmlns='x' id='{known}'/>", true},
		{"<m xmlns='x' id='{!known}'/>", false},
		{"<m xmlns='x' id='{!other}'/>", true},
		{"<m xmlns='x' to='a@b/{rest}'/>", true},
		{"<m xmlns='x' to='b@b/{rest}'/>", false},
		{"<m xmlns='x' to='{n}'><item n='{n}'/></m>", false},
		{"<m xmlns='x'><body>Ho</body></m>", false},
		{"<m xmlns='x'><item n='2'/><item n='1'/></m>", true},
		{"<m xmlns='x'><item n='{any}'/><item n='1'/></m>", true},
		{"<m xmlns='x'><item n='1'/><item n='1'/></m>", false},
		{"<m xmlns='x'><script:without><item n='3'/></script:without></m>", true},
		{"<m xmlns='x'><script:without><item n='2'/></script:without></m>", false},
		{"<m xmlns='x' script:exactly='yes'><body/><item/><item/></m>", true},
		{"<m xmlns='x' script:exactly='yes'><body/><item/></m>", false},
	} {
		known := names{"known": "1", "other": "2"}
		why := known.match(parse(t, c.pattern), parse(t, got))
		if (why == "") != c.want {
			t.Errorf("%s: %q", c.pattern, why)
		}
		if why != "" && len(known) != 2 {
			t.Errorf("%s: learned %v without matching", c.pattern, known)
		}
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

func TestTheManualHasEveryStep(t *testing.T) {
	manual, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, m := range quoted.FindAllStringSubmatch(strings.ReplaceAll(string(manual), "\n", " "), -1) {
		step := strings.TrimSuffix(m[1], ":")
		written = append(written, step, "alice's phone "+step)
	}
	for _, p := range known {
		if !slices.ContainsFunc(written, p.form.MatchString) {
			t.Errorf("README.md does not tell of %s", p.form)
		}
	}
}

func parse(t *testing.T, text string) *xmppclient.Node {
	all, err := xmppclient.Parse(text, "")
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}
