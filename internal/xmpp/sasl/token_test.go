package sasl

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

const tokenText = "WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm"

// tokens is a lookup for one device of alice's: two tokens, as between issue and
// first use.
func tokens(user string) ([]Token, error) {
	if user != "alice" {
		return nil, nil
	}
	return []Token{{ID: "current", Secret: []byte("other")}, {ID: "new", Secret: []byte(tokenText)}}, nil
}

func startToken(t *testing.T, mech string, lookup TokenLookup, bindings ...Binding) *Exchange {
	t.Helper()
	x, err := StartToken(mech, domain(), bindings, lookup)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Made by another program from the formulas of draft-schmaus-kitten-sasl-ht-09 §3.
func TestTokensAreHashedAsTheDraftSays(t *testing.T) {
	for _, c := range []struct {
		mech, shown, answer string
		binding             Binding
	}{
		{HTSHA256None, "YWxpY2UAkJd4dGGhhOD6hOwAwTgRkLbE0WqOxEU8eyrF5/z5Ne0=", "TlE0CWMUdIY7mGyfPoweJ8op0derntQJfnr9YAe/nGI=", Binding{}},
		{HTSHA256Exporter, "YWxpY2UAwDXbYL5/FZoN/P50v0PV19cky3gs9vaRKFQJG63sDAI=", "E8VKnwktyOEaadhlZHRwJ7aKRGHiVlEglrDQiTOWTvo=", exporter()},
	} {
		client, err := NewTokenClient(c.mech, "alice", []byte(tokenText), c.binding)
		if err != nil {
			t.Fatal(err)
		}
		if got := base64.StdEncoding.EncodeToString(client.First()); got != c.shown {
			t.Errorf("%s: shown %s", c.mech, got)
		}
		x := startToken(t, c.mech, tokens, exporter())
		out, done, err := x.Next(client.First())
		if err != nil || !done || base64.StdEncoding.EncodeToString(out) != c.answer {
			t.Errorf("%s: %x %v %v", c.mech, out, done, err)
		}
		if x.User() != "alice" || x.TokenID() != "new" {
			t.Errorf("%q by %q", x.User(), x.TokenID())
		}
		if client.Verify(out) != nil || client.Verify(client.First()[6:]) == nil || client.Verify(nil) == nil {
			t.Error("the client believes whom it should not, or not whom it should")
		}
	}
}

func TestOnlyChannelsWithABindingOfferTokensBoundToIt(t *testing.T) {
	for _, c := range []struct {
		bindings []Binding
		want     []string
	}{
		{nil, []string{HTSHA256None}},
		{[]Binding{{Type: TLSExporter}}, []string{HTSHA256None}},
		{[]Binding{endPoint()}, []string{HTSHA256EndPoint, HTSHA256None}},
		{[]Binding{endPoint(), exporter()}, []string{HTSHA256Exporter, HTSHA256EndPoint, HTSHA256None}},
	} {
		if got := TokenMechanisms(c.bindings); !slices.Equal(got, c.want) {
			t.Errorf("%v for %v", got, c.bindings)
		}
	}
	for _, mech := range []string{HTSHA256EndPoint, "HT-SHA-256-UNIQ", "HT-SHA-512-NONE", SCRAMSHA1, ""} {
		if _, err := StartToken(mech, domain(), []Binding{exporter()}, tokens); condition(err) != InvalidMechanism {
			t.Errorf("%q: %v", mech, err)
		}
		if _, err := NewTokenClient(mech, "alice", []byte("x"), exporter()); err == nil {
			t.Errorf("%q: the client uses it", mech)
		}
	}
	if _, err := Start(HTSHA256None, domain(), nil, nil); condition(err) != InvalidMechanism {
		t.Error(err)
	}
}

func TestTokensThatProveNothingAreRefused(t *testing.T) {
	hash := func(secret string, channel []byte) string {
		return string(tokenHash([]byte(secret), initiator, channel))
	}
	good := hash(tokenText, exporter().Data)
	for name, c := range map[string]struct {
		shown string
		want  Condition
	}{
		"another secret":             {"alice\x00" + hash("guess", exporter().Data), NotAuthorized},
		"no secret":                  {"alice\x00" + hash("", exporter().Data), NotAuthorized},
		"no channel":                 {"alice\x00" + hash(tokenText, nil), NotAuthorized},
		"another channel":            {"alice\x00" + hash(tokenText, endPoint().Data), NotAuthorized},
		"our own answer":             {"alice\x00" + string(tokenHash([]byte(tokenText), responder, exporter().Data)), NotAuthorized},
		"another's token":            {"bob\x00" + good, NotAuthorized},
		"nobody's token":             {"not a@name\x00" + good, NotAuthorized},
		"an empty secret of nobody":  {"bob\x00" + hash("", exporter().Data), NotAuthorized},
		"a part of the hash":         {"alice\x00" + good[:16], MalformedRequest},
		"more than the hash":         {"alice\x00" + good + "x", MalformedRequest},
		"no name":                    {"\x00" + good, MalformedRequest},
		"no hash":                    {"alice\x00", MalformedRequest},
		"nothing":                    {"", MalformedRequest},
		"a long name":                {strings.Repeat("a", MaxName+1) + "\x00" + good, MalformedRequest},
		"a name that is not UTF-8":   {"al\xffce\x00" + good, MalformedRequest},
		"PLAIN's message":            {"\x00alice\x00secret", MalformedRequest},
		"an authzid, as PLAIN's":     {"bob\x00alice\x00" + good, MalformedRequest},
		"the secret instead of hash": {"alice\x00" + tokenText[:32], NotAuthorized},
	} {
		t.Run(name, func(t *testing.T) {
			x := startToken(t, HTSHA256Exporter, tokens, exporter(), endPoint())
			if _, done, err := x.Next([]byte(c.shown)); condition(err) != c.want || done || x.User() != "" || x.TokenID() != "" {
				t.Errorf("%v, want %s", err, c.want)
			}
			if _, _, err := x.Next([]byte("alice\x00" + good)); err == nil || x.User() != "" {
				t.Error("the exchange goes on after a failure")
			}
		})
	}
}

func TestATokenLetsInOnceForEachExchange(t *testing.T) {
	x := startToken(t, HTSHA256None, tokens)
	shown := append([]byte("Alice\x00"), tokenHash([]byte(tokenText), initiator, nil)...)
	if _, done, err := x.Next(shown); err != nil || !done || x.User() != "alice" {
		t.Fatal(x.User(), err)
	}
	if _, _, err := x.Next(shown); condition(err) != MalformedRequest || x.User() != "" {
		t.Error(err)
	}
}

func TestARefusedTokenSaysWhyToItsOwnerOnly(t *testing.T) {
	lookup := func(string) ([]Token, error) {
		return []Token{{ID: "old", Secret: []byte(tokenText), Refuse: CredentialsExpired}}, nil
	}
	for secret, want := range map[string]Condition{tokenText: CredentialsExpired, "guess": NotAuthorized} {
		x := startToken(t, HTSHA256None, lookup)
		if _, _, err := x.Next(append([]byte("alice\x00"), tokenHash([]byte(secret), initiator, nil)...)); condition(err) != want || x.User() != "" {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestAFailingLookupOfTokensIsTemporary(t *testing.T) {
	cause := errors.New("disk")
	x := startToken(t, HTSHA256None, func(string) ([]Token, error) { return nil, cause })
	if _, _, err := x.Next(append([]byte("alice\x00"), make([]byte, 32)...)); condition(err) != TemporaryAuthFailure || !errors.Is(err, cause) {
		t.Error(err)
	}
}

func FuzzToken(f *testing.F) {
	f.Add([]byte("alice\x00" + strings.Repeat("x", 32)))
	f.Add([]byte("\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		x, err := StartToken(HTSHA256None, domain(), nil, tokens)
		if err != nil {
			t.Fatal(err)
		}
		good := tokenHash([]byte(tokenText), initiator, nil)
		if _, done, err := x.Next(in); done && !bytes.HasSuffix(in, good) && !bytes.HasSuffix(in, tokenHash([]byte("other"), initiator, nil)) {
			t.Fatalf("%q let in", in)
		} else if err != nil && condition(err) == "" {
			t.Fatal(err)
		}
	})
}
