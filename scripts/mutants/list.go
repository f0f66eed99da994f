package main

import (
	"fmt"
	"strings"
)

// A mutant is one defence taken out: by replacing the one occurrence of old in
// file, or by a patch.
type mutant struct {
	name      string
	file      string // for a substitution; else ""
	old, with string
	patch     string // file name below e2e/mutants; else ""
	test      []string
}

// parseList reads lines of columns divided by " | ":
//
//	name | file | old text | new text | go test command
//	name | name.patch | go test command
//
// "-" as new text means nothing. Lines that begin with # and empty ones are
// left out.
func parseList(text string) ([]mutant, error) {
	var list []mutant
	seen := map[string]bool{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m, err := parseLine(line)
		if err == nil && seen[m.name] {
			err = fmt.Errorf("second mutant named %s", m.name)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		seen[m.name] = true
		list = append(list, m)
	}
	return list, nil
}

func parseLine(line string) (mutant, error) {
	c := strings.Split(line, " | ")
	for i := range c {
		c[i] = strings.TrimSpace(c[i])
	}
	var m mutant
	switch {
	case len(c) == 5:
		m = mutant{name: c[0], file: c[1], old: c[2], with: c[3]}
		if m.with == "-" {
			m.with = ""
		}
	case len(c) == 3 && strings.HasSuffix(c[1], ".patch"):
		m = mutant{name: c[0], patch: c[1]}
	default:
		return m, fmt.Errorf("%d columns; want name, file, old, new, test, or name, patch, test", len(c))
	}
	m.test = strings.Fields(c[len(c)-1])
	if len(m.test) < 3 || m.test[0] != "go" || m.test[1] != "test" {
		return m, fmt.Errorf("the test of %s is %q, want go test …", m.name, c[len(c)-1])
	}
	return m, nil
}
