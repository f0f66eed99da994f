package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/port"
	"mirsal/internal/client/seat"
)

// What is wrong with the line, or with a file that is to be played, is said before a profile is opened.
func TestAWrongCallLineIsTheCallersFault(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "profile")
	for _, line := range [][]string{
		{}, {"a@localhost", "--answer"}, {"--answer", "--decline"}, {"--log", "b@localhost"}, {"a@localhost", "b@localhost"}, {"a@localhost", "--timeout", "0s"},
		{"a@localhost", "--for", "-1s"}, {"a@localhost", "--from", "b@localhost"}, {"a@localhost", "--count", "1"}, {"--answer", "--count", "-1"},
		{"--log", "--limit", "201"}, {"a@localhost", "--play-video", "x.ivf"}, {"--answer", "--from", "@"},
		{"a@localhost", "--links"}, {"--links", "--new-link", "1h"}, {"--new-link", "169h"}, {"--new-link", "-1s"}, {"--new-link", "1ms"}, {"--end-link", "x", "--log"}, {"--link", "a@localhost"},
	} {
		if status := run(append([]string{"call", "--profile", folder}, line...)); status != int(exitUsage) {
			t.Errorf("%v: %d", line, status)
		}
	}
	none := filepath.Join(t.TempDir(), "none.ogg")
	if err := os.WriteFile(none, []byte("no sound"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range [][]string{{"a@localhost", "--play", none}, {"--answer", "--video", "--play-video", none}, {"--answer", "--play", none + "x"}} {
		if status := run(append([]string{"call", "--profile", folder}, line...)); status != int(exitRefused) {
			t.Errorf("%v: %d", line, status)
		}
	}
	if status := run([]string{"call", "--profile", folder, "a@localhost"}); status != int(exitNoAccount) {
		t.Errorf("without a profile: %d", status)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("a profile was made")
	}
}

// TestTheEndOfACallIsItsExitStatus: those who call this from programs branch on it.
func TestTheEndOfACallIsItsExitStatus(t *testing.T) {
	spoken := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		why      string
		answered time.Time
		want     int
	}{
		{"hung-up", spoken, 0}, {"peer-hung-up", spoken, 0}, {"migrated", spoken, 0}, {"failed", spoken, 1}, {"failed", time.Time{}, 1}, {"insecure", time.Time{}, 5},
		{"rejected", time.Time{}, 7}, {"unanswered", time.Time{}, 7}, {"cancelled", time.Time{}, 7}, {"tie", time.Time{}, 7}, {"", time.Time{}, 7},
	} {
		k := &calling{mine: true, call: port.Call{State: "ended", Why: c.why, Answered: c.answered}}
		got, err := 0, chatError(k.over())
		if status, ok := err.(exitStatus); ok {
			got = int(status)
		}
		if got != c.want {
			t.Errorf("%s: %d (%v), not %d", c.why, got, err, c.want)
		}
		if k.mine = false; k.over() != nil {
			t.Errorf("%s: who answers is at fault for it", c.why)
		}
	}
}

// What others have chosen cannot command the terminal.
func TestWordsOfACallAreWords(t *testing.T) {
	c := port.Call{Chat: "a\x1b[2J@b", Why: "failed", Text: "no\x07 way\nat all", State: "ended", Video: true, Silent: "often", Count: 3, At: time.Now()}
	for _, s := range []string{whyWords(c), logLine(c)} {
		if strings.ContainsAny(s, "\x1b\x07\n") {
			t.Errorf("%q", s)
		}
	}
	if s := logLine(c); !strings.Contains(s, "video") || !strings.Contains(s, "3 times") || !strings.Contains(s, "from") {
		t.Errorf("%q", s)
	}
	if s := statsWords(seat.Stats{Path: "relay-host", Audio: seat.Media{Packets: 5, Frames: 5}}); !strings.Contains(s, "5 heard") || strings.Contains(s, "video") || !strings.Contains(s, "relay-host") {
		t.Errorf("%q", s)
	}
}
