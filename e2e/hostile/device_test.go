package hostile

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

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
