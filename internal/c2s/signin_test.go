package c2s

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xep/devices"
	"mirsal/internal/xep/sm"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
)

// door is a port with accounts: alice and bob, by the password secret, and old,
// who has keys for SHA-1 only.
type door struct {
	*port
	auth  *meddled
	store store.Store
}

// meddled is accounts in which something else happens just before, or just
// after, a sign-in is noted.
type meddled struct {
	*auth.Auth
	before, after func()
}

func (m *meddled) SignedIn(ctx context.Context, name string, g auth.Agent, by string) (string, error) {
	if m.before != nil {
		m.before()
	}
	device, err := m.Auth.SignedIn(ctx, name, g, by)
	if m.after != nil {
		m.after()
	}
	return device, err
}

func atDoor(t *testing.T, f func(d *door)) {
	t.Helper()
	d := &door{auth: &meddled{}}
	setup := func(w *coretest.World) {
		d.store = memory.New()
		d.auth.Auth = accounts(w.T, d.store)
		w.Host.EarlyIQ("urn:test", "early", func(*core.Query) ([]byte, error) { return nil, nil })
		devices.New(w.Router, d.auth, slog.New(slog.DiscardHandler)).Register(w.Host)
		sm.New(w.Router, func([16]byte) (uint32, bool) { return 0, false }, time.Minute).Register(w.Host)
	}
	lax := func(cfg *Config) {
		cfg.RequireTLS, cfg.Iterations, cfg.Strangers = false, 4096, 100
		cfg.Before.Size, cfg.After.Size, cfg.Before.Name = 16<<10, 16<<10, 1000
	}
	onPort(t, lax, setup, func(p *port) {
		p.srv.Stop()
		p.srv = New(p.Router, d.auth, p.srv.cfg)
		d.port = p
		f(d)
	})
}

func accounts(t *testing.T, s store.Store) *auth.Auth {
	t.Helper()
	a, err := auth.New(t.Context(), s, jid.MustParse("example.org"), config.Auth{Iterations: 4096})
	if err != nil {
		t.Fatal(err)
	}
	cred, err := sasl.Derive("secret", []byte("salt one"), []byte("salt two"), 4096)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	old := fmt.Sprintf("scram-sha-1:4096:%s:%s:%s", b64(cred.SHA1.Salt), b64(cred.SHA1.StoredKey), b64(cred.SHA1.ServerKey))
	if _, err := a.Import(t.Context(), strings.NewReader("alice\tsecret\nbob\tsecret\nold\t"+old+"\n")); err != nil {
		t.Fatal(err)
	}
	return a
}

// comes opens a stream.
func (d *door) comes() *peer {
	d.T.Helper()
	c := d.dial()
	if s := c.say(hello); !strings.Contains(s, "</stream:features>") {
		d.T.Fatalf("greeted with %q", s)
	}
	return c
}

const ns2 = "urn:xmpp:sasl:2"

// begin sends the first message of SCRAM inside <authenticate/>.
func (c *peer) begin(mech, user, children string) (*sasl.Client, []byte) {
	c.t.Helper()
	x, err := sasl.NewClient(mech, user, "secret", sasl.Binding{})
	if err != nil {
		c.t.Fatal(err)
	}
	first, _, err := x.Next(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	answer := c.say("<authenticate xmlns='" + ns2 + "' mechanism='" + mech + "'><initial-response>" +
		base64.StdEncoding.EncodeToString(first) + "</initial-response>" + children + "</authenticate>")
	data, ok := strings.CutPrefix(answer, "<challenge xmlns='"+ns2+"'>")
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(data, "</challenge>"))
	if !ok || err != nil {
		c.t.Fatalf("instead of a challenge: %s %v", answer, err)
	}
	final, _, err := x.Next(challenge)
	if err != nil {
		c.t.Fatal(err)
	}
	return x, final
}

func response(data []byte) string {
	return "<response xmlns='" + ns2 + "'>" + base64.StdEncoding.EncodeToString(data) + "</response>"
}

// signIn is a whole SASL2 by a password; it returns what the server said to the proof.
func (c *peer) signIn(user, children string) string {
	c.t.Helper()
	_, final := c.begin("SCRAM-SHA-1", user, children)
	return c.say(response(final))
}

func showToken(user, token, children string) string {
	x, err := sasl.NewTokenClient(sasl.HTSHA256None, user, []byte(token), sasl.Binding{})
	if err != nil {
		panic(err)
	}
	return "<authenticate xmlns='" + ns2 + "' mechanism='HT-SHA-256-NONE'><initial-response>" +
		base64.StdEncoding.EncodeToString(x.First()) + "</initial-response>" + children + "</authenticate>"
}

func agentID(id string) string { return "<user-agent id='" + id + "'/>" }

const (
	bind      = "<bind xmlns='urn:xmpp:bind:0'/>"
	wantToken = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
	oldBind   = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
)

// tokenFor signs alice's device in by her password and is given a token. The
// device is then made to forget the password, as if she had changed it.
func (d *door) tokenFor(id string) string {
	d.T.Helper()
	c := d.comes()
	answer := c.signIn("alice", agentID(id))
	if !strings.Contains(answer, "<success ") {
		d.T.Fatalf("got %s", answer)
	}
	c.net.Close()
	if err := d.auth.Passwd(d.T.Context(), "alice", "secret"); err != nil {
		d.T.Fatal(err)
	}
	token, _, err := d.auth.IssueToken(d.T.Context(), "alice", auth.Agent{ID: id}, sasl.HTSHA256None)
	if err != nil {
		d.T.Fatal(err)
	}
	return token
}

func (d *door) revoke(id string) {
	d.T.Helper()
	if err := d.auth.Revoke(d.T.Context(), "alice", d.auth.DeviceID("alice", auth.Agent{ID: id})); err != nil {
		d.T.Fatal(err)
	}
}

func (d *door) sessions(user string) []*core.Session {
	synctest.Wait()
	return d.Router.Directory().Sessions(jid.MustParse(user + "@example.org"))
}

func wants(t *testing.T, what, got, part string) {
	t.Helper()
	if !strings.Contains(got, part) {
		t.Errorf("%s: want %s, got %q", what, part, got)
	}
}

func failure(condition string) string {
	return "<failure xmlns='" + ns2 + "'><" + condition + " xmlns='" + stream.NSSASL + "'/></failure>"
}

// secured takes the TLS that a peer asked for behind other things in clear.
func secured(t *testing.T, c *peer) *peer {
	t.Helper()
	buf, got := make([]byte, 4096), ""
	for !strings.Contains(got, "<proceed ") {
		n, err := c.net.Read(buf)
		if err != nil {
			t.Fatal(got, err)
		}
		got += string(buf[:n])
	}
	c.net = tls.Client(c.net, &tls.Config{InsecureSkipVerify: true})
	if err := c.net.(*tls.Conn).Handshake(); err != nil {
		t.Fatal(err)
	}
	c.listen()
	return c
}

// login2 is login by SASL for any account, up to a bound session.
func (c *peer) login2(user string) {
	c.t.Helper()
	c.proveOld(user)
	wants(c.t, user, c.say(oldBind), "<jid>"+user+"@")
}

func (c *peer) resumeOld(user, resume string) string {
	c.t.Helper()
	c.proveOld(user)
	return c.say(resume)
}

func (c *peer) proveOld(user string) {
	c.t.Helper()
	x, err := sasl.NewClient("SCRAM-SHA-1", user, "secret", sasl.Binding{})
	if err != nil {
		c.t.Fatal(err)
	}
	b64 := base64.StdEncoding
	first, _, _ := x.Next(nil)
	answer := c.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>" + b64.EncodeToString(first) + "</auth>")
	_, text, _ := strings.Cut(answer, ">")
	text, _, _ = strings.Cut(text, "<")
	challenge, err := b64.DecodeString(text)
	if err != nil {
		c.t.Fatal(answer, err)
	}
	final, _, err := x.Next(challenge)
	if err != nil {
		c.t.Fatal(answer, err)
	}
	wants(c.t, user, c.say("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"+b64.EncodeToString(final)+"</response>"), "<success ")
	wants(c.t, user, c.say(hello), "</stream:features>")
}
