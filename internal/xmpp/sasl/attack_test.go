package sasl

import (
	"encoding/base64"
	"strings"
	"testing"
)

// attack alters what a client with the right password sends.
type attack struct {
	name  string
	mech  string
	with  Binding // what the client binds to
	first func(string) string
	final func(string) string
	want  Condition
}

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func become(s string) func(string) string { return func(string) string { return s } }

// after cuts at a mark and puts something else behind it.
func after(mark, tail string) func(string) string {
	return func(s string) string { return s[:strings.Index(s, mark)+len(mark)] + tail }
}

// binding puts another c= into a final message; the proof is not over it then.
func binding(c string) func(string) string {
	return func(s string) string {
		_, rest, _ := strings.Cut(s, ",")
		return "c=" + base64.StdEncoding.EncodeToString([]byte(c)) + "," + rest
	}
}

// attacks are the list of what SCRAM servers are known to be tried with. The
// server offers both bindings.
var attacks = []attack{
	{name: "empty nonce", first: after("r=", ""), want: MalformedRequest},
	{name: "no nonce", first: become("n,,n=alice"), want: MalformedRequest},
	{name: "long nonce", first: after("r=", strings.Repeat("x", maxNonce+1)), want: MalformedRequest},
	{name: "nonce with a control character", first: after("r=", "a\x01b"), want: MalformedRequest},
	{name: "own nonce repeated", final: func(s string) string {
		i := strings.Index(s, "r=")
		return s[:i+10] + s[strings.Index(s, ",p="):]
	}, want: NotAuthorized},
	{name: "empty nonce at the end", final: func(s string) string {
		return s[:strings.Index(s, "r=")+2] + s[strings.Index(s, ",p="):]
	}, want: MalformedRequest},
	{name: "longer nonce at the end", final: replace(",p=", "x,p="), want: NotAuthorized},
	{name: "wrong c=", final: binding("y,,"), want: NotAuthorized},
	{name: "c= with an authzid that was not there", final: binding("n,a=bob,"), want: NotAuthorized},
	{name: "empty c=", final: replace("c=biws", "c="), want: MalformedRequest},
	{name: "no c=", final: replace("c=biws,", ""), want: MalformedRequest},
	{name: "y while -PLUS is offered", with: exporter(), want: NotAuthorized},
	{name: "y in a -PLUS mechanism", mech: SCRAMSHA256Plus, with: exporter(), first: replace("p=tls-exporter", "y"), want: MalformedRequest},
	{name: "n in a -PLUS mechanism", mech: SCRAMSHA256Plus, with: exporter(), first: replace("p=tls-exporter", "n"), want: MalformedRequest},
	{name: "p without -PLUS", first: replace("n,,", "p=tls-exporter,,"), want: MalformedRequest},
	{name: "tls-unique under TLS 1.3", mech: SCRAMSHA1Plus, with: Binding{"tls-unique", []byte("x")}, want: NotAuthorized},
	{name: "unknown type of binding", mech: SCRAMSHA1Plus, with: exporter(), first: replace("tls-exporter", "none"), want: NotAuthorized},
	{name: "empty type of binding", mech: SCRAMSHA1Plus, with: exporter(), first: replace("tls-exporter", ""), want: MalformedRequest},
	{name: "another channel's binding", mech: SCRAMSHA256Plus, with: Binding{TLSExporter, make([]byte, 32)}, want: NotAuthorized},
	{name: "binding of the other type", mech: SCRAMSHA256Plus, with: Binding{TLSExporter, endPoint().Data}, want: NotAuthorized},
	{name: "type swapped on the way", mech: SCRAMSHA256Plus, with: exporter(), first: replace("tls-exporter", TLSServerEndPoint), want: NotAuthorized},
	{name: "no data in c=", mech: SCRAMSHA256Plus, with: exporter(), final: binding("p=tls-exporter,,"), want: NotAuthorized},
	{name: "no proof", final: func(s string) string { return s[:strings.Index(s, ",p=")] }, want: MalformedRequest},
	{name: "empty proof", final: after(",p=", ""), want: MalformedRequest},
	{name: "short proof", final: after(",p=", "AAAA"), want: NotAuthorized},
	{name: "proof of zeros", final: after(",p=", base64.StdEncoding.EncodeToString(make([]byte, 32))), want: NotAuthorized},
	{name: "proof of two", final: func(s string) string { return s + s[strings.Index(s, ",p="):] }, want: NotAuthorized},
	{name: "proof with a line end", final: func(s string) string { return s + "\n" }, want: MalformedRequest},
	{name: "proof for another user", first: replace("n=alice", "n=bob"), want: NotAuthorized},
	{name: "authzid of another", first: replace("n,,", "n,a=bob@example.org,"), want: InvalidAuthzid},
	{name: "authzid at another domain", first: replace("n,,", "n,a=alice@example.com,"), want: InvalidAuthzid},
	{name: "authzid with a resource", first: replace("n,,", "n,a=alice@example.org/x,"), want: InvalidAuthzid},
	{name: "authzid that is none", first: replace("n,,", "n,a=@,"), want: InvalidAuthzid},
	{name: "own authzid, added on the way", first: replace("n,,", "n,a=alice@example.org,"), want: NotAuthorized},
	{name: "bad authzid field", first: replace("n,,", "n,x=alice,"), want: MalformedRequest},
	{name: "bad escape", first: replace("n=alice", "n=al=ice"), want: MalformedRequest},
	{name: "lower-case escape", first: replace("n=alice", "n=al=2cice"), want: MalformedRequest},
	{name: "empty name", first: replace("n=alice", "n="), want: MalformedRequest},
	{name: "long name", first: replace("alice", strings.Repeat("a", MaxName+1)), want: MalformedRequest},
	{name: "mandatory extension", first: replace("n=alice", "m=x,n=alice"), want: MalformedRequest},
	{name: "mandatory extension behind the nonce", first: func(s string) string { return s + ",m=x" }, want: MalformedRequest},
	{name: "extension that is none", first: func(s string) string { return s + ",,," }, want: MalformedRequest},
	{name: "iterations chosen by the client", first: func(s string) string { return s + ",i=1" }, want: NotAuthorized},
	{name: "extension added at the end", final: replace(",p=", ",x=1,p="), want: NotAuthorized},
	{name: "nothing", first: become(""), want: MalformedRequest},
	{name: "commas only", first: become(",,,,"), want: MalformedRequest},
	{name: "PLAIN's message", first: become("\x00alice\x00correct horse"), want: MalformedRequest},
	{name: "not UTF-8", first: replace("alice", "al\xffce"), want: MalformedRequest},
	{name: "too long", final: func(s string) string { return s + strings.Repeat("A", MaxMessage) }, want: MalformedRequest},
	{name: "first message twice", final: become("n,,n=alice,r=abc"), want: MalformedRequest},
}

func TestAttacksAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			mech := a.mech
			if mech == "" {
				mech = SCRAMSHA256
			}
			x := start(t, w, mech, exporter(), endPoint())
			err := talk(t, client(t, mech, "alice", alicePassword, a.with), x, func(i int, m string) string {
				if f := []func(string) string{a.first, a.final}[i]; f != nil {
					return f(m)
				}
				return m
			})
			if condition(err) != a.want {
				t.Errorf("%v, want %s", err, a.want)
			}
			if _, _, err := x.Next([]byte("n,,n=alice,r=abc")); err == nil || x.User() != "" {
				t.Error("the exchange goes on after a failure")
			}
		})
	}
}

func TestAnExchangeCannotBeReplayed(t *testing.T) {
	w := newWorld(t)
	var sent []string
	record := func(_ int, m string) string { sent = append(sent, m); return m }
	x := start(t, w, SCRAMSHA256)
	if err := talk(t, client(t, SCRAMSHA256, "alice", alicePassword, Binding{}), x, record); err != nil {
		t.Fatal(err)
	}
	if _, _, err := x.Next([]byte(sent[1])); condition(err) != MalformedRequest || x.User() != "" {
		t.Error("the same exchange took its last message again:", err)
	}
	again := start(t, w, SCRAMSHA256)
	if _, _, err := again.Next([]byte(sent[0])); err != nil {
		t.Fatal(err)
	}
	if _, _, err := again.Next([]byte(sent[1])); condition(err) != NotAuthorized {
		t.Error("a whole exchange was replayed:", err)
	}
}

func TestAnOwnAuthzidIsAllowed(t *testing.T) {
	w := newWorld(t)
	// the library's client signs what it sends, so the exchange is done by hand
	x := start(t, w, SCRAMSHA256)
	if out, _, err := x.Next([]byte("n,a=Alice@EXAMPLE.org,n=alice,r=abc")); err != nil || !strings.HasPrefix(string(out), "r=abc") {
		t.Errorf("%s %v", out, err)
	}
}

// FuzzExchange looks for messages that crash or let somebody in.
func FuzzExchange(f *testing.F) {
	w := newWorld(f)
	f.Add("n,,n=alice,r=abc", "c=biws,r=abc,p=AAAA")
	f.Add("p=tls-exporter,a=alice@example.org,n=al=2Cice,r=abc,x=1", "c=cD10,r=abc,e=1,p=")
	f.Add(",,,", ",p=")
	f.Fuzz(func(t *testing.T, first, final string) {
		for _, mech := range Mechanisms([]Binding{exporter()}) {
			x, err := Start(mech, domain(), []Binding{exporter()}, w.lookup)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []string{first, final, final} {
				if _, done, err := x.Next([]byte(m)); done || err != nil && condition(err) == "" {
					t.Fatalf("%q %q: %v %v", first, final, done, err)
				}
			}
		}
	})
}
