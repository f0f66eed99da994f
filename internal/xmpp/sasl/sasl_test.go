package sasl

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/xmpp/jid"
)

// The tests' server knows alice and bob, and looks up others as a server must.
const (
	alicePassword = "correct horse"
	bobPassword   = "battery staple"
	iterations    = 4096
)

func domain() jid.JID { return jid.MustParse("example.org") }

func exporter() Binding { return Binding{TLSExporter, bytes.Repeat([]byte{7}, 32)} }

func endPoint() Binding { return Binding{TLSServerEndPoint, bytes.Repeat([]byte{9}, 32)} }

// world is a lookup with keys that are derived once.
type world map[string]Credentials

func newWorld(t testing.TB) world {
	t.Helper()
	w := world{}
	for user, password := range map[string]string{"alice": alicePassword, "bob": bobPassword, "": "nobody knows it"} {
		c, err := Derive(password, []byte("salt one of "+user), []byte("salt two of "+user), iterations)
		if err != nil {
			t.Fatal(err)
		}
		w[user] = c
	}
	return w
}

func (w world) lookup(user string) (Credentials, error) {
	if c, ok := w[user]; ok {
		return c, nil
	}
	return w[""], nil
}

// talk runs a client against a server; change may alter what goes from the
// client to the server, by number of the message.
func talk(t *testing.T, c *Client, x *Exchange, change func(i int, m string) string) error {
	t.Helper()
	var in []byte
	for i := range 2 {
		out, _, err := c.Next(in)
		if err != nil {
			t.Fatal("client:", err)
		}
		m := string(out)
		if change != nil {
			m = change(i, m)
		}
		var done bool
		if in, done, err = x.Next([]byte(m)); err != nil {
			return err
		}
		if done != (i == 1) {
			t.Fatalf("done = %v after message %d", done, i)
		}
	}
	if _, done, err := c.Next(in); err != nil || !done {
		t.Fatalf("the client does not believe the server: %v", err)
	}
	return nil
}

func condition(err error) Condition {
	var f *Failure
	if errors.As(err, &f) {
		return f.Condition
	}
	return ""
}

func start(t *testing.T, w world, mech string, bindings ...Binding) *Exchange {
	t.Helper()
	x, err := Start(mech, domain(), bindings, w.lookup)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func client(t *testing.T, mech, user, password string, b Binding) *Client {
	t.Helper()
	c, err := NewClient(mech, user, password, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheRightPasswordIsLetIn(t *testing.T) {
	w := newWorld(t)
	both := []Binding{exporter(), endPoint()}
	for _, c := range []struct {
		mech    string
		offered []Binding
		used    Binding
	}{
		{SCRAMSHA1, nil, Binding{}},
		{SCRAMSHA256, nil, Binding{}},
		{SCRAMSHA256, both, Binding{}},
		{SCRAMSHA256, nil, exporter()}, // flag y, rightly
		{SCRAMSHA1Plus, both, exporter()},
		{SCRAMSHA1Plus, both, endPoint()},
		{SCRAMSHA256Plus, both, exporter()},
		{SCRAMSHA256Plus, both, endPoint()},
	} {
		t.Run(c.mech+" "+c.used.Type, func(t *testing.T) {
			x := start(t, w, c.mech, c.offered...)
			if err := talk(t, client(t, c.mech, "Alice", alicePassword, c.used), x, nil); err != nil {
				t.Fatal(err)
			}
			if x.User() != "alice" {
				t.Errorf("User() = %q", x.User())
			}
		})
	}
}

func TestOnlyAChannelWithBindingsIsOfferedPlus(t *testing.T) {
	plus := func(s string) bool { return strings.HasSuffix(s, "-PLUS") }
	if m := Mechanisms(nil); slices.ContainsFunc(m, plus) || m[0] != SCRAMSHA256 {
		t.Error(m)
	}
	if m := Mechanisms([]Binding{exporter()}); !plus(m[0]) || len(m) != 4 {
		t.Error(m)
	}
	for _, mech := range []string{"PLAIN", "EXTERNAL", "SCRAM-SHA-512", "scram-sha-1", "", "SCRAM-SHA-1-PLUS-PLUS"} {
		if _, err := Start(mech, domain(), []Binding{exporter()}, nil); condition(err) != InvalidMechanism {
			t.Errorf("%q: %v", mech, err)
		}
	}
	if _, err := Start(SCRAMSHA1Plus, domain(), nil, nil); condition(err) != InvalidMechanism {
		t.Error(err)
	}
}

// RFC 5802 §5 and RFC 7677 §3 print one exchange each.
func TestTheExchangesThatTheRFCsPrint(t *testing.T) {
	for _, c := range []struct{ mech, salt, first, nonce, challenge, final, success string }{
		{
			SCRAMSHA1, "\x41\x25\xc2\x47\xe4\x3a\xb1\xe9\x3c\x6d\xff\x76",
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
		{
			SCRAMSHA256, "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81",
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	} {
		t.Run(c.mech, func(t *testing.T) {
			cred, err := Derive("pencil", []byte(c.salt), []byte(c.salt), 4096)
			if err != nil {
				t.Fatal(err)
			}
			x, _ := Start(c.mech, domain(), nil, func(string) (Credentials, error) { return cred, nil })
			if _, _, err := x.Next([]byte(c.first)); err != nil {
				t.Fatal(err)
			}
			x.nonce, x.sent = c.nonce, c.challenge
			out, done, err := x.Next([]byte(c.final))
			if err != nil || !done || string(out) != c.success {
				t.Errorf("%s %v %v", out, done, err)
			}
		})
	}
}

func TestAnUnknownNameFailsLikeAWrongPassword(t *testing.T) {
	w := newWorld(t)
	var said []string
	for _, user := range []string{"alice", "mallory", "not a@name"} {
		x := start(t, w, SCRAMSHA256)
		err := talk(t, client(t, SCRAMSHA256, user, "wrong", Binding{}), x, nil)
		if condition(err) != NotAuthorized {
			t.Errorf("%s: %v", user, err)
		}
		said = append(said, err.Error())
		if x.User() != "" {
			t.Errorf("User() = %q", x.User())
		}
	}
	if len(slices.Compact(said)) != 1 {
		t.Errorf("the answers differ: %q", said)
	}
}

func TestADisabledAccountIsToldSoOnlyWithItsPassword(t *testing.T) {
	w := newWorld(t)
	c := w["bob"]
	c.Disabled = true
	w["bob"] = c
	for password, want := range map[string]Condition{bobPassword: AccountDisabled, "wrong": NotAuthorized} {
		err := talk(t, client(t, SCRAMSHA1, "bob", password, Binding{}), start(t, w, SCRAMSHA1), nil)
		if condition(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestAFailingLookupIsATemporaryFailureThatKeepsItsCause(t *testing.T) {
	cause := errors.New("disk")
	x, _ := Start(SCRAMSHA1, domain(), nil, func(string) (Credentials, error) { return Credentials{}, cause })
	_, _, err := x.Next([]byte("n,,n=alice,r=abc"))
	if condition(err) != TemporaryAuthFailure || !errors.Is(err, cause) {
		t.Error(err)
	}
}

func TestTheClientRefusesUnreasonableServers(t *testing.T) {
	for _, i := range []string{"0", "1", "4095", "2147483648", "99999999999999999999", "-1", ""} {
		c := client(t, SCRAMSHA256, "alice", "x", Binding{})
		first, _, err := c.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		nonce := string(first)[strings.Index(string(first), "r="):]
		if _, _, err := c.Next([]byte(nonce + "more,s=c2FsdA==,i=" + i)); err == nil {
			t.Errorf("i=%s is taken", i)
		}
	}
}

func TestPasswordsThatProgramsReadDifferentlyAreRefused(t *testing.T) {
	for in, want := range map[string]error{
		"": ErrNoPassword, strings.Repeat("x", MaxPassword+1): ErrLongPassword,
		"a\x00b": ErrUnusablePassword, "tab\tin it": ErrUnusablePassword, "bad\xff": ErrUnusablePassword,
		"ﬁsh": ErrAmbiguousPassword, "Ｆull": ErrAmbiguousPassword,
		"plain": nil, "with space": nil, "pässwörd": nil, "пароль": nil, "كلمة السر": nil, "🔑🔑🔑": nil,
	} {
		if _, err := Password(in); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
	// the composed and the decomposed form are one password
	a, _ := Password("pa\u0308ss")
	b, _ := Password("p\u00e4ss")
	if a != b {
		t.Errorf("%q and %q", a, b)
	}
}
