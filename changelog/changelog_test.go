// Package changelog holds one file for each change that users or operators
// notice, and the test that keeps the files readable. It has no other code.
package changelog

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	fileName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*\.md$`)
	headline = regexp.MustCompile(`^(Added|Changed|Fixed|Removed|Security): \S.*[^.\s]$`)
)

func TestFragmentsAreWellFormed(t *testing.T) {
	files, err := os.ReadDir("unreleased")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile("unreleased/" + f.Name())
		if err != nil {
			t.Error(err)
			continue
		}
		if p := problem(f.Name(), string(text)); p != "" {
			t.Errorf("changelog/unreleased/%s: %s", f.Name(), p)
		}
	}
}

func TestTheTemplateIsAGoodFragment(t *testing.T) {
	text, err := os.ReadFile("TEMPLATE")
	if err != nil {
		t.Fatal(err)
	}
	if p := problem("template.md", string(text)); p != "" {
		t.Error(p)
	}
}

func TestBadFragmentsAreSeen(t *testing.T) {
	for text, want := range map[string]string{
		"Added: A thing\n\nIt is there.\n":                              "",
		"New: A thing\n\nIt is there.\n":                                "first line",
		"Added: A thing.\n\nIt is there.\n":                             "first line",
		"Added: " + strings.Repeat("long ", 20) + "x\n\nIt is.\n":       "characters",
		"Added: A thing\nIt is there.\n":                                "second line",
		"Added: A thing\n\n":                                            "says nothing",
		"Added: A thing\n\n" + strings.Repeat("wide ", 30) + "x\n":      "wide",
		"Fixed: A thing\n\nIt was broken; now it is not.\n\nMore of it": "",
	} {
		if got := problem("a-thing.md", text); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if problem("A_Thing.txt", "Added: A thing\n\nIt is there.\n") == "" {
		t.Error("a file name in no known form was accepted")
	}
}

// problem says what is wrong with a fragment, "" when nothing is.
func problem(name, text string) string {
	if !fileName.MatchString(name) {
		return "the file is named like sessions-survive-restart.md"
	}
	lines := strings.Split(text, "\n")
	switch {
	case !headline.MatchString(lines[0]):
		return "the first line is like \"Added: What there is now\", without a full stop"
	case len(lines[0]) > 80:
		return "the first line has more than 80 characters"
	case len(lines) < 2 || lines[1] != "":
		return "the second line is empty"
	case strings.TrimSpace(strings.Join(lines[2:], "")) == "":
		return "it says nothing beyond its first line"
	}
	for i, l := range lines {
		if len(l) > 120 {
			return fmt.Sprintf("line %d is too wide", i+1)
		}
	}
	return ""
}
