// Command dependencies prints the modules that Mirsal is built and tested with,
// each with its version, licence and where it ends up: docs/dependencies.txt is
// its output, and make check compares the two. It fails on a licence that it
// does not know or that Apache-2.0 software cannot take in.
package main

import (
	"bytes"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const header = `# Modules that Mirsal is built and tested with. Written by make generate.
# binary: linked into bin/mirsal; tests: only tests and tools use it
`

// A dependency is one module other than our own.
type dependency struct{ path, version, dir string }

func main() {
	log.SetFlags(0)
	out, err := list()
	if err != nil {
		log.Fatal("dependencies: ", err)
	}
	fmt.Print(header, out)
}

func list() (string, error) {
	linked, err := modules("./cmd/mirsal")
	if err != nil {
		return "", err
	}
	all, err := modules("-test", "./...")
	if err != nil {
		return "", err
	}
	maps.Copy(all, linked)
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(all)) {
		licence, err := licenceOf(all[path].dir)
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		use := "tests"
		if _, ok := linked[path]; ok {
			use = "binary"
		}
		fmt.Fprintf(&b, "%-38s %-38s %-14s %s\n", path, all[path].version, licence, use)
	}
	return b.String(), nil
}

// modules asks for the modules of the named packages and all they import, on
// one platform so that the answer is the same everywhere.
func modules(args ...string) (map[string]dependency, error) {
	const format = `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}`
	cmd := exec.Command("go", append([]string{"list", "-deps", "-f", format}, args...)...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	found := map[string]dependency{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 {
			found[f[0]] = dependency{f[0], f[1], f[2]}
		}
	}
	return found, nil
}

// licences are told by a phrase; the first that fits wins.
var licences = []struct{ name, phrase string }{
	{"Apache-2.0", "Apache License"},
	{"MPL-2.0", "Mozilla Public License Version 2.0"},
	{"BSD-3-Clause", "endorse or promote products"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms"},
	{"MIT", "Permission is hereby granted, free of charge"},
	{"ISC", "Permission to use, copy, modify, and"},
}

func licenceOf(dir string) (string, error) {
	var files []string
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "COPYING*"} {
		m, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", err
		}
		files = append(files, m...)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		if name := licenceIn(string(text)); name != "" {
			return name, nil
		}
	}
	return "", fmt.Errorf("no licence that is known to fit among %q", files)
}

func licenceIn(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, l := range licences {
		if strings.Contains(text, l.phrase) {
			return l.name
		}
	}
	return ""
}
