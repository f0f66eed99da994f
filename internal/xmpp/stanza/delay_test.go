package stanza

import (
	"testing"
	"time"
)

func TestTimesAreReadWithTheirZone(t *testing.T) {
	for text, want := range map[string]string{
		"2010-06-07T00:00:00Z":               "2010-06-07T00:00:00.000Z",
		"2010-06-07T02:00:00.25+02:00":       "2010-06-07T00:00:00.250Z",
		"2010-06-06T19:00:00-05:00":          "2010-06-07T00:00:00.000Z",
		"2010-06-07T00:00:00.123456789Z":     "2010-06-07T00:00:00.123Z",
		"9999-12-31T23:59:59Z":               "9999-12-31T23:59:59.000Z",
		"1969-07-21T02:56:15.9999999999999Z": "1969-07-21T02:56:15.999Z",
	} {
		got, err := ParseTime(text)
		if err != nil || string(AppendTime(nil, got)) != want {
			t.Errorf("%s was read as %s, %v", text, AppendTime(nil, got), err)
		}
	}
}

func TestWhatIsNoTimeIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "2010-06-07", "2010-06-07T00:00:00", "99999-06-07T00:00:00Z", "2010-13-07T00:00:00Z", "2010-06-07 00:00:00Z",
		"20100607T00:00:00Z", "2010-06-07T25:00:00Z", "2010-06-07T00:00:00,5Z", "2010-06-07T00:00:00.00000000000000000000000Z", "-2010-06-07T00:00:00Z",
	} {
		if got, err := ParseTime(text); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

func TestADelayNamesWhoDelayed(t *testing.T) {
	at := time.UnixMilli(1_000)
	if got := string(AppendDelay(nil, "a'b", at)); got != "<delay xmlns='urn:xmpp:delay' from='a&apos;b' stamp='1970-01-01T00:00:01.000Z'/>" {
		t.Error(got)
	}
}
