package main

import (
	"os"
	"testing"
)

// typed puts text on standard input for the rest of the test.
func typed(t *testing.T, text string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
	w.Close()
	old := os.Stdin
	os.Stdin = r
	t.Cleanup(func() { os.Stdin = old; r.Close() })
}

func TestConformanceEndsWithTwoWhenNobodyCanSignIn(t *testing.T) {
	for name, args := range map[string][]string{
		"nothing answers":     {"conformance", "alice@example.org", "--password-stdin", "--server", "127.0.0.1:1"},
		"no address":          {"conformance", "alice", "--password-stdin"},
		"no host and port":    {"conformance", "alice@example.org", "--password-stdin", "--server", "127.0.0.1"},
		"a resource":          {"conformance", "alice@example.org/phone", "--password-stdin"},
		"no such file":        {"conformance", "alice@example.org", "--password-stdin", "--ca", "/nonexistent"},
		"no certificate":      {"conformance", "alice@example.org", "--password-stdin", "--ca", os.DevNull},
		"a flag nobody knows": {"conformance", "alice@example.org", "--plain"},
	} {
		t.Run(name, func(t *testing.T) {
			typed(t, "secret\n")
			if got := run(args); got != 2 {
				t.Errorf("exit status %d, want 2", got)
			}
		})
	}
}
