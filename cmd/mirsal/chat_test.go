package main

import (
	"os"
	"path/filepath"
	"testing"
)

// What is wrong with the line is said before a profile is made for it or a server asked.
func TestAWrongChatLineIsTheCallersFault(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "profile")
	none, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	defer func(f *os.File) { os.Stdin = f }(os.Stdin)
	os.Stdin = none
	for _, line := range [][]string{{"list", "--timeout", "-5s"}, {"send", "bob@localhost", "x", "--timeout", "0s"}, {"send", "bob@localhost", "x", "--file", ""}, {"send", "bob@localhost", "x", "--file", "y", "--reply", "m1"}} {
		if status := run(append([]string{"chat", "--profile", folder}, line...)); status != int(exitUsage) {
			t.Errorf("%v: %d", line, status)
		}
	}
	if status := run([]string{"chat", "login", "bob@localhost", "--password-stdin", "--profile", folder}); status != int(exitUsage) {
		t.Errorf("no password: %d", status)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("a profile was made")
	}
}
