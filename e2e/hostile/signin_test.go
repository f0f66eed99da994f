package hostile

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	sums "hash"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// Attacks on sign-in, by SASL and by SASL2, inside TLS.
func TestSignInAttacks(t *testing.T) {
	v := attackSignIn(t)
	v.pair = v.chat(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim)
	}{
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
	} {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v)
			v.undisturbed(t)
		})
	}
}

func attackSignIn(t *testing.T) *victim {
	t.Helper()
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--set", "c2s.negotiation=10s", "--set", "auth.plain=true", "--set", "limits.sessions=30",
	}})
	s.Accounts(password, "alice", "bob", "mallory", "carol", "dave", "erin")
	v := &victim{Server: s, ctx: t.Context()}
	v.passwd(t, "erin", "her own")
	return v
}

// secured is a stream inside TLS with nobody signed in.
func (v *victim) secured(t *testing.T) *xmppclient.Conn {
	t.Helper()
	c, err := xmppclient.Dial(v.ctx, xmppclient.Options{Addr: v.Addr("c2s"), Domain: mirsal.Domain})
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
			for _, mech := range []string{"SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"} {
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

func testSpoiltSCRAM(t *testing.T, v *victim) {
	for _, p := range both {
		for _, s := range spoiling() {
			c, mech := v.secured(t), s.mech
			if mech == "" {
				mech = "SCRAM-SHA-256"
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
			if !strings.Contains(said, ",t=0304") {
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
		for _, mech := range []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"} {
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

func agent(id string) string { return "<user-agent id='" + id + "'/>" }

// shown is what a client shows of a token by HT-SHA-256-NONE.
func shown(token string) string {
	m := hmac.New(sha256.New, []byte(token))
	m.Write([]byte("Initiator"))
	return string(m.Sum(nil))
}

// device signs a new device in by password and is given a token for HT-SHA-256-NONE.
func (v *victim) device(t *testing.T, name string) (token, id string) {
	t.Helper()
	c, id := v.secured(t), rand.Text()
	want := agent(id) + "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
	if err := c.Authenticate(v.ctx, "SCRAM-SHA-256", name, password, want); err != nil {
		t.Fatal(err)
	}
	n := next(t, c)
	given := n.Child("urn:xmpp:fast:0", "token")
	if given == nil {
		t.Fatalf("no token: %s", n)
	}
	c.Kill()
	return given.Attr("token"), id
}

// shows signs mallory in by a token.
func (v *victim) shows(t *testing.T, token, id, attrs string) verdict {
	t.Helper()
	return v.showsOf(t, "mallory", token, id, "HT-SHA-256-NONE", attrs)
}

func (v *victim) showsOf(t *testing.T, name, token, id, mech, attrs string) verdict {
	t.Helper()
	c := v.secured(t)
	if err := c.AuthenticateToken(mech, name, token, agent(id)+"<fast xmlns='urn:xmpp:fast:0' "+attrs+"/>"); err != nil {
		t.Fatal(err)
	}
	return judged(next(t, c))
}

func testTokenTwice(t *testing.T, v *victim) {
	token, id := v.device(t, "mallory")
	for _, s := range []struct{ attrs, want string }{
		{"count='5'", "success"}, {"count='5'", "not-authorized"}, {"count='4'", "not-authorized"}, {"count='0'", "not-authorized"}, {"", "not-authorized"},
		{"count='-1'", "malformed-request"}, {"count='x'", "malformed-request"}, {"count='18446744073709551621'", "malformed-request"}, {"count='6'", "success"},
	} {
		if got := v.shows(t, token, id, s.attrs); got.what != s.want {
			t.Errorf("%q: want %s, got %s", s.attrs, s.want, got.node)
		}
	}
	var run sync.WaitGroup
	verdicts := make([]string, 8)
	for i := range verdicts {
		c := v.secured(t)
		run.Go(func() {
			if err := c.AuthenticateToken("HT-SHA-256-NONE", "mallory", token, agent(id)+"<fast xmlns='urn:xmpp:fast:0' count='100'/>"); err != nil {
				return
			}
			if n, err := c.Next(v.ctx); err == nil {
				verdicts[i] = judged(n).what
			}
		})
	}
	run.Wait()
	won := 0
	for _, what := range verdicts {
		if what == "success" {
			won++
		} else if what != "not-authorized" {
			t.Errorf("told %q", what)
		}
	}
	if won != 1 {
		t.Errorf("one count let in %d at once", won)
	}
}

func testTokenOfAnother(t *testing.T, v *victim) {
	token, id := v.device(t, "mallory")
	for name, got := range map[string]verdict{
		"another device":            v.shows(t, token, "another", "count='1'"),
		"another account":           v.showsOf(t, "alice", token, id, "HT-SHA-256-NONE", "count='1'"),
		"another mechanism":         v.showsOf(t, "mallory", token, id, "HT-SHA-256-EXPR", "count='1'"),
		"the token as a password":   sasl2.first(t, v.secured(t), "PLAIN", "\x00mallory\x00"+token, ""),
		"an authzid, as in PLAIN's": sasl2.first(t, v.secured(t), "HT-SHA-256-NONE", "alice\x00mallory\x00"+shown(token), agent(id)+"<fast xmlns='urn:xmpp:fast:0' count='1'/>"),
		"without <fast/>":           sasl2.first(t, v.secured(t), "HT-SHA-256-NONE", "mallory\x00"+shown(token), agent(id)),
		"without a device":          sasl2.first(t, v.secured(t), "HT-SHA-256-NONE", "mallory\x00"+shown(token), "<fast xmlns='urn:xmpp:fast:0' count='1'/>"),
		"in SASL":                   sasl1.first(t, v.secured(t), "HT-SHA-256-NONE", "mallory\x00"+shown(token), ""),
		"in another's stream":       sasl2.first(t, v.inName(t, "alice@"+mirsal.Domain), "HT-SHA-256-NONE", "mallory\x00"+shown(token), agent(id)+"<fast xmlns='urn:xmpp:fast:0' count='1'/>"),
	} {
		if got.what != "not-authorized" && got.what != "malformed-request" && got.what != "invalid-mechanism" && got.what != "invalid-authzid" {
			t.Errorf("%s: %s", name, got.node)
		}
	}
	if got := v.shows(t, token, id, "count='1'"); got.what != "success" {
		t.Errorf("who it was made for: %s", got.node)
	}
}

func testTokenEnded(t *testing.T, v *victim) {
	token, id := v.device(t, "mallory")
	if got := v.shows(t, token, id, "count='1' invalidate='true'"); got.what != "success" {
		t.Fatal(got.node)
	}
	if got := v.shows(t, token, id, "count='2'"); got.what != "not-authorized" {
		t.Errorf("a token that was given back: %s", got.node)
	}
	token, id = v.device(t, "dave")
	if got := v.showsOf(t, "dave", token, id, "HT-SHA-256-NONE", "count='1'"); got.what != "success" {
		t.Fatal(got.node)
	}
	v.passwd(t, "dave", "another")
	if got := v.showsOf(t, "dave", token, id, "HT-SHA-256-NONE", "count='2'"); got.what != "credentials-expired" {
		t.Errorf("a token of the former password: %s", got.node)
	}
	c := v.secured(t)
	var refused *xmppclient.SASLError
	if err := c.Login(v.ctx, "dave", password); !errors.As(err, &refused) {
		t.Errorf("the former password: %v", err)
	}
}

func (v *victim) passwd(t *testing.T, name, to string) {
	t.Helper()
	if _, err := v.Command(v.ctx, to+"\n", "account", "passwd", name+"@"+mirsal.Domain, "--password-stdin"); err != nil {
		t.Fatal(err)
	}
}

// resumable is a session of Bind 2 that can be resumed by the id.
func (v *victim) resumable(t *testing.T, name, password, id string) (c *xmppclient.Conn, previous string) {
	t.Helper()
	c = v.secured(t)
	want := agent(id) + "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>"
	if err := c.Authenticate(v.ctx, "SCRAM-SHA-256", name, password, want); err != nil {
		t.Fatal(err)
	}
	n := next(t, c)
	enabled := n.Child("urn:xmpp:bind:0", "bound").Child(xmppclient.NSSM, "enabled")
	if enabled == nil {
		t.Fatalf("not bound: %s", n)
	}
	next(t, c) // features
	return c, enabled.Attr("id")
}

func resume(previous, h string) string {
	return "<resume xmlns='" + xmppclient.NSSM + "' previd='" + previous + "' h='" + h + "'/>"
}

// resumes signs somebody in by SASL2, resuming within it.
func (v *victim) resumes(t *testing.T, name, password, id, previous, h string) (*xmppclient.Conn, *xmppclient.Node) {
	t.Helper()
	c := v.secured(t)
	if err := c.Authenticate(v.ctx, "SCRAM-SHA-256", name, password, agent(id)+resume(previous, h)); err != nil {
		t.Fatal(err)
	}
	return c, next(t, c)
}

func resumed(n *xmppclient.Node) bool { return n.Child(xmppclient.NSSM, "resumed") != nil }

// testShutOut changes the password: devices that are here, and devices that
// sleep, are off within two seconds, and by what they had they do not come back.
func testShutOut(t *testing.T, v *victim) {
	here, hereID := v.resumable(t, "carol", password, "here")
	asleep, asleepID := v.resumable(t, "carol", password, "asleep")
	asleep.Kill()
	token, device := v.device(t, "carol")
	v.passwd(t, "carol", "changed")
	v.offSoon(t, here)
	if got := v.showsOf(t, "carol", token, device, "HT-SHA-256-NONE", ""); got.what != "credentials-expired" {
		t.Errorf("its token: %s", got.node)
	}
	for name, id := range map[string]string{"here": hereID, "asleep": asleepID} {
		if _, n := v.resumes(t, "carol", "changed", name, id, "0"); resumed(n) {
			t.Errorf("a session of the former password goes on: %s", n)
		}
	}
}

// offSoon waits for the end of a session that may not go on.
func (v *victim) offSoon(t *testing.T, c *xmppclient.Conn) {
	t.Helper()
	soon, cancel := context.WithTimeout(v.ctx, 2*time.Second)
	defer cancel()
	for {
		n, err := c.Next(soon)
		if err != nil {
			t.Fatalf("it is here after two seconds: %v", err)
		}
		if n.Is(xmppclient.NSStream, "error") {
			if n.Child(xmppclient.NSStreams, "not-authorized") == nil {
				t.Errorf("told %s", n)
			}
			return
		}
	}
}

// kept is a device with a token and a session that can be resumed.
type kept struct {
	*xmppclient.Conn
	id, software, token, previous string
}

func (v *victim) keeps(t *testing.T, name string) *kept {
	t.Helper()
	k := &kept{Conn: v.secured(t), id: rand.Text(), software: rand.Text()}
	want := "<user-agent id='" + k.id + "'><software>" + k.software + "</software></user-agent>" +
		"<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
	if err := k.Authenticate(v.ctx, "SCRAM-SHA-256", name, password, want); err != nil {
		t.Fatal(err)
	}
	n := next(t, k.Conn)
	enabled := n.Child("urn:xmpp:bind:0", "bound").Child(xmppclient.NSSM, "enabled")
	token := n.Child("urn:xmpp:fast:0", "token")
	if enabled == nil || token == nil {
		t.Fatalf("got %s", n)
	}
	k.previous, k.token = enabled.Attr("id"), token.Attr("token")
	return k
}

// revoke ends a device's access, from another one.
func (v *victim) revoke(t *testing.T, from *xmppclient.Conn, k *kept) {
	t.Helper()
	if err := from.Send("<iq type='get' id='list'><list xmlns='urn:xmpp:cam:0'/></iq>"); err != nil {
		t.Fatal(err)
	}
	for _, c := range next(t, from).Child("urn:xmpp:cam:0", "clients").Children {
		if c.Child("urn:xmpp:cam:0", "user-agent").Child("urn:xmpp:cam:0", "software") == nil || c.Child("urn:xmpp:cam:0", "user-agent").Child("urn:xmpp:cam:0", "software").Text != k.software {
			continue
		}
		if err := from.Send("<iq type='set' id='revoke'><revoke xmlns='urn:xmpp:cam:0' id='" + c.Attr("id") + "'/></iq>"); err != nil {
			t.Fatal(err)
		}
		if n := next(t, from); n.Attr("type") != "result" {
			t.Errorf("not revoked: %s", n)
		}
		return
	}
	t.Error("the device is not listed")
}

// staysOff tries all that a revoked device has.
func (v *victim) staysOff(t *testing.T, name string, k *kept) {
	t.Helper()
	c := v.secured(t)
	fast := agent(k.id) + "<fast xmlns='urn:xmpp:fast:0' count='9'/>"
	for _, children := range []string{fast, fast + resume(k.previous, "0"), fast + "<bind xmlns='urn:xmpp:bind:0'/>"} {
		if err := c.AuthenticateToken("HT-SHA-256-NONE", name, k.token, children); err != nil {
			t.Fatal(err)
		}
		if got := judged(next(t, c)); got.what != "not-authorized" && got.what != "credentials-expired" {
			t.Errorf("its token: %s", got.node)
		}
	}
	if _, n := v.resumes(t, name, password, k.id, k.previous, "0"); resumed(n) || n.Is(xmppclient.NSSASL2, "success") {
		t.Errorf("its password: %s", n)
	}
	if _, n := v.resumes(t, name, password, "another", k.previous, "0"); resumed(n) {
		t.Errorf("as another device: %s", n)
	}
	old := v.loggedIn(t, name)
	if err := old.Send(resume(k.previous, "0")); err != nil {
		t.Fatal(err)
	}
	if n := next(t, old); n.Is(xmppclient.NSSM, "resumed") {
		t.Errorf("as a device of the old kind: %s", n)
	}
}

func testRevoked(t *testing.T, v *victim) {
	from := v.connect(t, "mallory")
	here, asleep := v.keeps(t, "mallory"), v.keeps(t, "mallory")
	asleep.Kill()
	v.revoke(t, from, here)
	v.offSoon(t, here.Conn)
	v.revoke(t, from, asleep)
	v.staysOff(t, "mallory", here)
	v.staysOff(t, "mallory", asleep)
}

// A count is durable before the success that it was taken for, and a sleeping
// session survives a restart only for who may resume it.
func TestWhatIsSignedInByOutlivesACrash(t *testing.T) {
	v := attackSignIn(t)
	token, id := v.device(t, "mallory")
	for count := 1; count < 4; count++ {
		if got := v.shows(t, token, id, fmt.Sprintf("count='%d'", count)); got.what != "success" {
			t.Fatal(got.node)
		}
		v.Kill()
		if err := v.Start(); err != nil {
			t.Fatal(err)
		}
		for lower := range count + 1 {
			if got := v.shows(t, token, id, fmt.Sprintf("count='%d'", lower)); got.what != "not-authorized" {
				t.Errorf("count %d after %d and a crash: %s", lower, count, got.node)
			}
		}
	}
}

func TestASessionThatWasFrozenIsStillItsOwners(t *testing.T) {
	v := attackSignIn(t)
	kept, keptID := v.resumable(t, "carol", password, "kept")
	ended, endedID := v.resumable(t, "dave", password, "ended")
	kept.Kill()
	ended.Kill()
	before, after := v.keeps(t, "mallory"), v.keeps(t, "mallory")
	v.revoke(t, v.connect(t, "mallory"), before)
	after.Kill()
	if err := v.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := v.Start(); err != nil {
		t.Fatal(err)
	}
	v.pair = v.chat(t)
	v.passwd(t, "dave", "changed")
	v.revoke(t, v.connect(t, "mallory"), after)
	v.staysOff(t, "mallory", before)
	v.staysOff(t, "mallory", after)
	for _, c := range []struct {
		who, password, id, previous string
		may                         bool
	}{
		{"mallory", password, "kept", keptID, false}, {"carol", password, "another", keptID, false}, {"dave", "changed", "ended", endedID, false},
		{"dave", "changed", "ended", keptID, false}, {"carol", password, "kept", keptID, true},
	} {
		if _, n := v.resumes(t, c.who, c.password, c.id, c.previous, "0"); resumed(n) != c.may {
			t.Errorf("%s resumes as %s: %s", c.who, c.id, n)
		}
	}
	v.undisturbed(t)
}
