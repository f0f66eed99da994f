package hostile

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	sums "hash"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// Attacks on sign-in, by SASL and by SASL2, inside TLS.
func TestSignInAttacks(t *testing.T) {
	v := attackSignIn(t)
	v.pair = v.chat(t)
	v.all(t, signInAttacks())
}

// attacks are those of one kind, by what they aim at.
type attacks []struct {
	name string
	run  func(*testing.T, *victim)
}

func (v *victim) all(t *testing.T, list attacks) {
	t.Helper()
	for _, a := range list {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v)
			v.undisturbed(t)
		})
	}
}

func signInAttacks() attacks {
	return attacks{
		{"15 acting as another", testActingAsAnother},
		{"16 SCRAM spoilt", testSpoiltSCRAM},
		{"16 an exchange replayed", testReplayedExchange},
		{"16 an exchange moved to another protocol", testMixedProtocols},
		{"16 a list of mechanisms changed on the way", testChangedMechanisms},
		{"18 names that nobody has", testUnknownNames},
		{"18 lists of mechanisms by name", testListsByName},
		{"19 a token shown twice", testTokenTwice},
		{"19 a token by who it was not made for", testTokenOfAnother},
		{"19 a token that has ended", testTokenEnded},
		{"19 a device that was revoked", testRevoked},
		{"19 a device that was shut out", testShutOut},
	}
}

func attackSignIn(t *testing.T, more ...string) *victim {
	t.Helper()
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: append([]string{
		"--set", "c2s.require_tls=false", "--set", "c2s.negotiation=10s", "--set", "auth.plain=true", "--set", "limits.sessions=30",
	}, more...)})
	s.Accounts(password, "alice", "bob", "mallory", "carol", "dave", "erin")
	v := &victim{Server: s, ctx: t.Context()}
	v.passwd(t, "erin", "her own")
	return v
}

// secured is a stream inside TLS with nobody signed in.
func (v *victim) secured(t *testing.T) *xmppclient.Conn {
	t.Helper()
	c, err := xmppclient.Dial(v.ctx, v.options(false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

// inName is a stream inside TLS that says whom it is for.
func (v *victim) inName(t *testing.T, from string) *xmppclient.Conn {
	t.Helper()
	c, err := xmppclient.Connect(v.ctx, xmppclient.Options{Addr: v.Addr("c2s-tls"), Domain: mirsal.Domain, Direct: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	if err := c.OpenFrom(v.ctx, from); err != nil {
		t.Fatal(err)
	}
	return c
}

// protocol is SASL or SASL2, as elements.
type protocol struct{ ns, begin, end string }

var (
	sasl1 = protocol{xmppclient.NSSASL, "<auth xmlns='" + xmppclient.NSSASL + "' mechanism='%s'>%s", "</auth>"}
	sasl2 = protocol{xmppclient.NSSASL2, "<authenticate xmlns='" + xmppclient.NSSASL2 + "' mechanism='%s'><initial-response>%s</initial-response>", "</authenticate>"}
	both  = []protocol{sasl1, sasl2}
)

// first sends the first message of a mechanism.
func (p protocol) first(t *testing.T, c *xmppclient.Conn, mech, message, children string) verdict {
	t.Helper()
	return p.ask(t, c, fmt.Sprintf(p.begin, mech, b64(message))+children+p.end)
}

func (p protocol) response(t *testing.T, c *xmppclient.Conn, message string) verdict {
	t.Helper()
	return p.ask(t, c, "<response xmlns='"+p.ns+"'>"+b64(message)+"</response>")
}

func (p protocol) ask(t *testing.T, c *xmppclient.Conn, text string) verdict {
	t.Helper()
	if err := c.Send(text); err != nil {
		t.Fatal(err)
	}
	return judged(next(t, c))
}

// verdict is what an element of an authentication says: challenge, success,
// continue, or the condition of a failure.
type verdict struct {
	what, data string
	node       *xmppclient.Node
}

func judged(n *xmppclient.Node) verdict {
	v := verdict{what: n.Name.Local, node: n}
	if v.what == "failure" || v.what == "error" {
		v.what = n.Children[0].Name.Local
	}
	data, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(n.Text))
	v.data = string(data)
	return v
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// testActingAsAnother uses one's own good password to be somebody else.
func testActingAsAnother(t *testing.T, v *victim) {
	alice, own := "alice@"+mirsal.Domain, "mallory@"+mirsal.Domain
	for _, p := range both {
		for authzid, want := range map[string]string{
			"": "success", own: "success", alice: "invalid-authzid", alice + "/x": "invalid-authzid", "alice": "invalid-authzid",
			"mallory@elsewhere.example": "invalid-authzid", mirsal.Domain: "invalid-authzid", "ALICE@" + mirsal.Domain: "invalid-authzid", "@": "invalid-authzid",
		} {
			if got := p.first(t, v.secured(t), "PLAIN", authzid+"\x00mallory\x00"+password, ""); got.what != want {
				t.Errorf("PLAIN as %q: %s", authzid, got.node)
			}
			for _, mech := range v.offered("SCRAM-SHA-256", "SCRAM-SHA-1-PLUS") {
				c := v.secured(t)
				x := c.Exchange(mech, "mallory", password)
				if authzid != "" {
					x.GS2 = strings.Replace(x.GS2, ",,", ",a="+authzid+",", 1)
				}
				got := p.first(t, c, mech, x.First(), "")
				if final, err := x.Final(got.data); got.what == "challenge" && err == nil {
					got = p.response(t, c, final)
				}
				if got.what != want {
					t.Errorf("%s as %q: %s", mech, authzid, got.node)
				}
			}
		}
	}
	// the stream says that it is another's: the mechanisms are his, the login is not
	c := v.inName(t, alice)
	if err := c.Authenticate(v.ctx, "SCRAM-SHA-256", "mallory", password, "<bind xmlns='urn:xmpp:bind:0'/>"); err != nil {
		t.Fatal(err)
	}
	if got := judged(next(t, c)); got.what != "invalid-authzid" {
		t.Errorf("SASL2 on a stream of another's: %s", got.node)
	}
	c = v.inName(t, alice)
	if err := c.Login(v.ctx, "mallory", password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(v.ctx, ""); err != nil || !strings.HasPrefix(c.JID, own+"/") {
		t.Errorf("SASL on a stream of another's: %s %v", c.JID, err)
	}
}

// spoilt is a way to spoil an exchange of mallory's, who knows a password.
type spoilt struct {
	name, mech, want string
	first            func(*xmppclient.Exchange)
	final            func(string) string
}

func spoiling() []spoilt {
	swap := func(old, with string) func(string) string {
		return func(s string) string { return regexp.MustCompile(old).ReplaceAllString(s, with) }
	}
	return []spoilt{
		{name: "empty nonce", first: func(x *xmppclient.Exchange) { x.Bare = "n=mallory,r=" }, want: "malformed-request"},
		{name: "no nonce", first: func(x *xmppclient.Exchange) { x.Bare = "n=mallory" }, want: "malformed-request"},
		{name: "own nonce only", final: swap(`r=(.{26})[^,]*`, "r=$1"), want: "not-authorized"},
		{name: "empty nonce at the end", final: swap(`r=[^,]*`, "r="), want: "malformed-request"},
		{name: "another channel's data", mech: "SCRAM-SHA-256-PLUS", first: func(x *xmppclient.Exchange) { x.Bound = make([]byte, 32) }, want: "not-authorized"},
		{name: "wrong c=", final: swap(`^c=[^,]*`, "c=eSws"), want: "not-authorized"},
		{name: "y while -PLUS is offered", first: func(x *xmppclient.Exchange) { x.GS2 = "y,," }, want: "not-authorized"},
		{name: "y in -PLUS", mech: "SCRAM-SHA-1-PLUS", first: func(x *xmppclient.Exchange) { x.GS2 = "y,," }, want: "malformed-request"},
		{name: "tls-unique under TLS 1.3", mech: "SCRAM-SHA-256-PLUS", first: func(x *xmppclient.Exchange) { x.GS2 = "p=tls-unique,," }, want: "not-authorized"},
		{name: "nothing bound", mech: "SCRAM-SHA-256-PLUS", first: func(x *xmppclient.Exchange) { x.GS2, x.Bound = "p=none,,", nil }, want: "not-authorized"},
		{name: "no proof", final: swap(`,p=.*`, ""), want: "malformed-request"},
		{name: "empty proof", final: swap(`,p=.*`, ",p="), want: "malformed-request"},
		{name: "proof of zeros", final: swap(`,p=.*`, ",p="+b64(string(make([]byte, 32)))), want: "not-authorized"},
		{name: "proof for another", first: func(x *xmppclient.Exchange) { x.Bare = strings.Replace(x.Bare, "mallory", "erin", 1) }, want: "not-authorized"},
		{name: "iterations of the client's", first: func(x *xmppclient.Exchange) { x.Bare += ",i=1" }, final: swap(`,p=.*`, ",p="+b64(string(make([]byte, 32)))), want: "not-authorized"},
		{name: "mandatory extension", first: func(x *xmppclient.Exchange) { x.Bare = "m=x," + x.Bare }, want: "malformed-request"},
	}
}

// offered are those of some mechanisms that the attackers' streams are offered.
func (v *victim) offered(mechs ...string) []string {
	return slices.DeleteFunc(mechs, func(m string) bool { return v.via == bosh && strings.HasSuffix(m, "-PLUS") })
}

func testSpoiltSCRAM(t *testing.T, v *victim) {
	for _, p := range both {
		for _, s := range spoiling() {
			c, mech := v.secured(t), s.mech
			if mech == "" {
				mech = "SCRAM-SHA-256"
			}
			if v.via == bosh && (strings.HasSuffix(mech, "-PLUS") || strings.Contains(s.name, "-PLUS")) {
				continue // there is no channel to bind to
			}
			x := c.Exchange(mech, "mallory", password)
			if s.first != nil {
				s.first(x)
			}
			got := p.first(t, c, mech, x.First(), "")
			if final, err := x.Final(got.data); got.what == "challenge" && err == nil {
				if s.final != nil {
					final = s.final(final)
				}
				got = p.response(t, c, final)
			}
			if got.what != s.want {
				t.Errorf("%s in %s: want %s, got %s", s.name, p.ns, s.want, got.node)
			}
		}
	}
}

func testReplayedExchange(t *testing.T, v *victim) {
	for _, p := range both {
		c := v.secured(t)
		x := c.Exchange("SCRAM-SHA-256", "mallory", password)
		final, err := x.Final(p.first(t, c, "SCRAM-SHA-256", x.First(), "").data)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.response(t, c, final); got.what != "success" {
			t.Fatalf("the exchange itself: %s", got.node)
		}
		for _, again := range both {
			c := v.secured(t)
			if got := again.first(t, c, "SCRAM-SHA-256", x.First(), ""); got.what != "challenge" {
				t.Fatal(got.node)
			}
			if got := again.response(t, c, final); got.what != "not-authorized" {
				t.Errorf("replayed: %s", got.node)
			}
		}
	}
}

// testMixedProtocols ends in one protocol what was begun in the other.
func testMixedProtocols(t *testing.T, v *victim) {
	for i, p := range both {
		other := both[1-i]
		c := v.secured(t)
		x := c.Exchange("SCRAM-SHA-256", "mallory", password)
		final, err := x.Final(p.first(t, c, "SCRAM-SHA-256", x.First(), "").data)
		if err != nil {
			t.Fatal(err)
		}
		if got := other.response(t, c, final); got.what != "malformed-request" {
			t.Errorf("begun by %s, ended by %s: %s", p.ns, other.ns, got.node)
		}
	}
	// a token's count must hold
	token, id := v.device(t, "mallory")
	if got := v.shows(t, token, id, "count='7'"); got.what != "success" {
		t.Fatal(got.node)
	}
	c := v.secured(t)
	text := "<authenticate xmlns='" + xmppclient.NSSASL2 + "' mechanism='HT-SHA-256-NONE'>" + agent(id) + "<fast xmlns='urn:xmpp:fast:0' count='7'/></authenticate>"
	if got := sasl2.ask(t, c, text); got.what != "challenge" {
		t.Fatal(got.node)
	}
	if got := sasl1.response(t, c, "mallory\x00"+shown(token)); got.what != "malformed-request" {
		t.Errorf("a token's count was walked around: %s", got.node)
	}
}

// testChangedMechanisms computes what the server says of its offer, and what it
// would be had somebody taken mechanisms out.
// XEP-0474 §6.1, XEP-0515 §4.1
func testChangedMechanisms(t *testing.T, v *victim) {
	for _, p := range both {
		c := v.secured(t)
		mechs, bindings := offer(c, p)
		if !slices.Contains(mechs, "SCRAM-SHA-256-PLUS") || !slices.Contains(bindings, "tls-exporter") {
			t.Fatalf("offered: %q %q", mechs, bindings)
		}
		for mech, h := range map[string]func() sums.Hash{"SCRAM-SHA-256": sha256.New, "SCRAM-SHA-1": sha1.New} {
			said := p.first(t, c, mech, c.Exchange(mech, "mallory", password).First(), "").data
			if !strings.Contains(said, ",h="+digest(h, mechs, bindings)) {
				t.Errorf("%s: %s", mech, said)
			}
			stripped := slices.DeleteFunc(slices.Clone(mechs), func(m string) bool { return strings.HasSuffix(m, "-PLUS") })
			if strings.Contains(said, digest(h, stripped, bindings)) || strings.Contains(said, digest(h, mechs, nil)) {
				t.Error("a client could not tell that the offer was changed")
			}
			if v.via == "" && !strings.Contains(said, ",t=0304") { // who signs in from a page cannot know it
				t.Errorf("the version of TLS is not told: %s", said)
			}
			c = v.secured(t)
		}
	}
}

func offer(c *xmppclient.Conn, p protocol) (mechs, bindings []string) {
	list := c.Features.Child(sasl1.ns, "mechanisms")
	if p == sasl2 {
		list = c.Features.Child(sasl2.ns, "authentication")
	}
	for _, m := range list.Children {
		if m.Name.Local == "mechanism" {
			mechs = append(mechs, m.Text)
		}
	}
	for _, b := range c.Features.Child("urn:xmpp:sasl-cb:0", "sasl-channel-binding").Children {
		bindings = append(bindings, b.Attr("type"))
	}
	return mechs, bindings
}

func digest(h func() sums.Hash, mechs, bindings []string) string {
	sum := h()
	sum.Write([]byte(strings.Join(slices.Sorted(slices.Values(mechs)), "\x1e")))
	if len(bindings) > 0 {
		sum.Write([]byte("\x1f" + strings.Join(slices.Sorted(slices.Values(bindings)), "\x1e")))
	}
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

// testUnknownNames compares, byte by byte but for what is random, what a wrong
// password and a name that nobody has are told.
func testUnknownNames(t *testing.T, v *victim) {
	random := regexp.MustCompile(`r=[^,]*|s=[^,]*`)
	talk := func(p protocol, mech, name string) (all []string, fixed string) {
		c := v.secured(t)
		x := c.Exchange(mech, name, "wrong")
		said := p.first(t, c, mech, x.First(), "")
		all = append(all, said.what, random.ReplaceAllStringFunc(said.data, func(s string) string { return s[:2] + fmt.Sprint(len(s)) }))
		_, fixed, _ = strings.Cut(said.data, ",")
		if final, err := x.Final(said.data); err == nil {
			all = append(all, p.response(t, c, final).node.String())
		}
		return all, fixed
	}
	for _, p := range both {
		for _, mech := range v.offered("SCRAM-SHA-256", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS") {
			known, _ := talk(p, mech, "mallory")
			if len(known) != 3 {
				t.Fatalf("a wrong password was told %q", known)
			}
			for _, name := range []string{"nobody", "somebody", "not a name@", strings.Repeat("x", 600)} {
				got, salt := talk(p, mech, name)
				again, same := talk(p, mech, name)
				if !slices.Equal(got[2:], known[2:]) || len(name) < 20 && len(name) > 7 && !strings.HasPrefix(name, "not") && got[0] != known[0] {
					t.Errorf("%s %.20s: %q, a known name: %q", mech, name, got, known)
				}
				if salt != same || !slices.Equal(got, again) {
					t.Errorf("%.20s is told something else at another time: %s, %s", name, salt, same)
				}
			}
			nobody, _ := talk(p, mech, "nobody1") // as long as mallory
			if !slices.Equal(nobody, known) {
				t.Errorf("nobody1: %q, mallory: %q", nobody, known)
			}
		}
		wrong := func(name string) string {
			return p.first(t, v.secured(t), "PLAIN", "\x00"+name+"\x00wrong", "").node.String()
		}
		if known, nobody := wrong("mallory"), wrong("nobody"); known != nobody {
			t.Errorf("PLAIN: %s, of nobody %s", known, nobody)
		}
	}
	id := "<user-agent id='x'/><fast xmlns='urn:xmpp:fast:0' count='1'/>"
	if known, nobody := sasl2.first(t, v.secured(t), "HT-SHA-256-NONE", "mallory\x00"+shown("guess"), id), sasl2.first(t, v.secured(t), "HT-SHA-256-NONE", "nobody1\x00"+shown("guess"), id); known.node.String() != nobody.node.String() {
		t.Errorf("tokens: %s, of nobody %s", known.node, nobody.node)
	}
}

// testListsByName reads what is offered to a stream in somebody's name.
func testListsByName(t *testing.T, v *victim) {
	known := v.inName(t, "mallory@"+mirsal.Domain).Features.String()
	for _, name := range []string{"alice", "nobody", "somebody", "root"} {
		for range 2 {
			if got := v.inName(t, name+"@"+mirsal.Domain).Features.String(); got != known {
				t.Errorf("%s is offered %s, mallory %s", name, got, known)
			}
		}
	}
}
