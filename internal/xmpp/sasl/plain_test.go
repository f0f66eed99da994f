package sasl

import (
	"errors"
	"strings"
	"testing"
)

func TestPlainLetsInWhoHasThePasswordAndNobodyElse(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		message string
		want    Condition // "" for success
	}{
		{"\x00alice\x00" + alicePassword, ""},
		{"\x00Alice\x00" + alicePassword, ""},
		{"alice@example.org\x00alice\x00" + alicePassword, ""},
		{"bob@example.org\x00alice\x00" + alicePassword, InvalidAuthzid},
		{"\x00alice\x00" + bobPassword, NotAuthorized},
		{"\x00alice\x00" + alicePassword + " ", NotAuthorized},
		{"\x00alice\x00\x01", NotAuthorized},
		{"\x00nobody\x00" + alicePassword, NotAuthorized},
		{"\x00a@b\x00" + alicePassword, NotAuthorized},
		{"\x00alice\x00", MalformedRequest},
		{"\x00\x00" + alicePassword, MalformedRequest},
		{"alice\x00" + alicePassword, MalformedRequest},
		{"\x00alice\x00" + alicePassword + "\x00", MalformedRequest},
		{"\x00" + strings.Repeat("a", MaxName+1) + "\x00x", MalformedRequest},
		{"\x00alice\x00" + strings.Repeat("a", MaxMessage), MalformedRequest},
		{"", MalformedRequest},
	} {
		x := StartPlain(domain(), w.lookup)
		_, done, err := x.Next([]byte(c.message))
		if done != (c.want == "") || condition(err) != c.want {
			t.Errorf("%.40q: done %v, %v", c.message, done, err)
		}
		if want := map[bool]string{true: "alice"}[done]; x.User() != want {
			t.Errorf("%.40q: User() = %q", c.message, x.User())
		}
		if _, done, err := x.Next([]byte("\x00alice\x00" + alicePassword)); done && err == nil {
			t.Errorf("%.40q: a second message is taken", c.message)
		}
	}
}

func TestPlainTellsDisabledAccountsAndBrokenLookups(t *testing.T) {
	w := newWorld(t)
	gone := w["alice"]
	gone.Disabled = true
	x := StartPlain(domain(), func(string) (Credentials, error) { return gone, nil })
	if _, _, err := x.Next([]byte("\x00alice\x00" + alicePassword)); condition(err) != AccountDisabled {
		t.Error(err)
	}
	x = StartPlain(domain(), func(string) (Credentials, error) { return Credentials{}, errors.New("disk") })
	if _, _, err := x.Next([]byte("\x00alice\x00" + alicePassword)); condition(err) != TemporaryAuthFailure {
		t.Error(err)
	}
}
