package main

import (
	"io"
	"strings"
	"testing"

	"mirsal/internal/client/port"
)

// R25: what is asked says what a yes means, whatever the new device calls itself.
func TestTheQuestionAboutANewDeviceSaysWhatAYesMeans(t *testing.T) {
	q := linkQuestion(&port.LinkAsked{Label: "phone\" is yours. Let it in? [Y/n]\n\x1b[2J", Software: "x", Check: "123 456"})
	for _, want := range []string{"READ AND WRITE ALL YOUR MESSAGES", "the name proves nothing", "asked you for the code", "six digits"} {
		if !strings.Contains(q, want) {
			t.Errorf("%q is not in %s", want, q)
		}
	}
	if strings.Contains(q, "123 456") {
		t.Error("the digits that are to be compared are shown")
	}
	if strings.Contains(q, "\x1b") || strings.Contains(q, "phone\" is") || strings.Count(q, "\n") != strings.Count(linkQuestion(&port.LinkAsked{}), "\n") {
		t.Error("the name breaks out of its place:", q)
	}
}

// R25: nothing lets a device in but the digits that it shows.
func TestOnlyTheDigitsLetADeviceIn(t *testing.T) {
	for lines, want := range map[string]bool{
		"123456\n": true, " 123 456 \r\n": true, "123457\n123456\n": true, "1\n2\n3\n123456\n": false,
		"": false, "\n": false, "y\n": false, "yes\nyes\nyes\n": false, "n\n": false, "\n123456\n": false, "12345": false,
	} {
		if typesDigits(strings.NewReader(lines), io.Discard, "123 456") != want {
			t.Errorf("%q: %v", lines, !want)
		}
	}
}

// Programs read events; no words are between them, and what they have no event for is not told.
func TestEventsForProgramsAreNotMixedWithWords(t *testing.T) {
	for asJSON, want := range map[bool]string{true: `{"event":"linkState","state":"held"}` + "\n", false: "words 1\nwords 2\n"} {
		var out strings.Builder
		c := &chatting{json: asJSON}
		c.tell(&out, &port.LinkState{State: "held"}, "words %d\n", 1)
		c.tell(&out, nil, "words %d\n", 2)
		if out.String() != want {
			t.Errorf("%v: %q", asJSON, out.String())
		}
	}
}
