package main

import (
	"errors"
	"strings"
	"testing"

	"mirsal/internal/client/port"
)

func TestAComparisonSaysWhatItLeavesOut(t *testing.T) {
	used := func(trust string) port.Device { return port.Device{Active: true, Trust: trust} }
	for want, list := range map[string][]port.Device{
		"No device of bob":   {{Trust: "verified"}},
		"All devices of bob": {used("verified"), used("verified"), {Trust: "first-use"}},
		"1 of 2 devices":     {used("verified"), used("first-use")},
		"0 of 1 devices":     {used("undecided")},
	} {
		if got := comparedWords("bob", list); !strings.HasPrefix(got, want) {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestEachKindOfFailureHasItsExitStatus(t *testing.T) {
	for code, want := range map[string]exitStatus{port.BadCommand: 2, port.Refused: 1, port.NotSignedIn: 3, port.Unreachable: 4, port.NotEncrypted: 5} {
		if err := chatError(port.Failf(code, "words")); !errors.Is(err, want) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
