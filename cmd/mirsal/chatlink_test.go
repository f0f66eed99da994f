package main

import (
	"strings"
	"testing"

	"mirsal/internal/client/port"
)

// R25: what is asked says what a yes means, whatever the new device calls itself.
func TestTheQuestionAboutANewDeviceSaysWhatAYesMeans(t *testing.T) {
	q := linkQuestion(&port.LinkAsked{Label: "phone\" is yours. Let it in? [Y/n]\n\x1b[2J", Software: "x", Check: "123 456"})
	for _, want := range []string{"READ AND WRITE ALL YOUR MESSAGES", "the name proves nothing", "123 456", "asked you for the code", "[y/N]"} {
		if !strings.Contains(q, want) {
			t.Errorf("%q is not in %s", want, q)
		}
	}
	if strings.Contains(q, "\x1b") || strings.Contains(q, "phone\" is") || strings.Count(q, "\n") != strings.Count(linkQuestion(&port.LinkAsked{}), "\n") {
		t.Error("the name breaks out of its place:", q)
	}
}

func TestNothingButAYesLetsADeviceIn(t *testing.T) {
	for line, want := range map[string]bool{"y\n": true, "Yes": true, " YES \r\n": true, "": false, "\n": false, "n\n": false, "yep": false, "123 456\n": false, "y n": false} {
		if saysYes(line) != want {
			t.Errorf("%q: %v", line, !want)
		}
	}
}
