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

func TestAChatWithoutKeysYetIsNotListedAsBroken(t *testing.T) {
	for want, lock := range map[string]port.Lock{"keys-waiting": {State: port.Broken, Why: "keys-waiting"}, "no-device": {State: port.Broken, Why: "no-device"}, "broken": {State: port.Broken, Why: "refused"}, "locked": {State: port.Locked}} {
		if got := lockWord(lock); got != want {
			t.Errorf("%+v is listed as %q, not %q", lock, got, want)
		}
	}
}

func TestADeviceIsTakenOffByItsNumberOrByWhatItSignsInBy(t *testing.T) {
	for name, want := range map[string]port.RemoveDevice{"1234": {ID: 1234}, "0": {Client: "0"}, "99999999999": {Client: "99999999999"}, "d4565fa7-4d72": {Client: "d4565fa7-4d72"}} {
		if got := *removal(name).(*port.RemoveDevice); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestWhatDevicesCallThemselvesStaysInItsPlace(t *testing.T) {
	got := accessWords(port.Access{Software: "evil\n\x1b[2J", Name: "a\tb", Online: true, By: []string{"password", "token"}})
	if got != "evil \uFFFD[2J, “a b”, online, by password and token" {
		t.Errorf("%q", got)
	}
}
