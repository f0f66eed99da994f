package register

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/limits"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// visit is a stream before authentication.
type visit struct {
	core.Stream // panics where the feature has no business
	clear       bool
	account     jid.JID
	values      map[any]any
}

func (v *visit) Secure() bool            { return !v.clear }
func (v *visit) Account() jid.JID        { return v.account }
func (v *visit) Value(key any) any       { return v.values[key] }
func (v *visit) SetValue(key, value any) { v.values[key] = value }

func newVisit() *visit { return &visit{values: map[any]any{}} }

// house is the feature with accounts.
type house struct {
	t    *testing.T
	auth *auth.Auth
	f    *Feature
}

func newHouse(t *testing.T, cfg Config) *house {
	t.Helper()
	a, err := auth.New(t.Context(), memory.New(), jid.MustParse("example.org"),
		config.Auth{Iterations: auth.MinIterations, Invitation: config.Duration{Duration: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	return &house{t, a, New(a, cfg)}
}

func (h *house) invitation() string {
	h.t.Helper()
	in, err := h.auth.Invite(context.Background(), auth.Offer{})
	if err != nil {
		h.t.Fatal(err)
	}
	return in.Token
}

// ask puts a request to the feature and returns the payload, or the condition.
func (h *house) ask(v *visit, kind, payload string) string {
	h.t.Helper()
	e, err := xtok.Parse([]byte(payload), xtok.Limits{})
	if err != nil {
		h.t.Fatal(err)
	}
	f := h.f.early
	if e.Local() == "preauth" {
		f = h.f.preauth
	}
	q := &core.Query{Ctx: context.Background(), Head: stanza.Head{Kind: stanza.IQ, Type: kind}, Payload: e, Stream: v}
	b, err := f(q)
	if err != nil {
		return string(stanza.AsError(err).Condition)
	}
	return string(b)
}

func (h *house) show(v *visit, token string) string {
	return h.ask(v, "set", "<preauth xmlns='urn:xmpp:pars:0' token='"+token+"'/>")
}

func (h *house) register(v *visit, name, password string) string {
	return h.ask(v, "set", "<query xmlns='jabber:iq:register'><username>"+name+"</username><password>"+password+"</password></query>")
}

const (
	get    = "<query xmlns='jabber:iq:register'/>"
	secret = "blue horse tape"
)

func TestAnInvitationMakesAnAccount(t *testing.T) {
	h, v := newHouse(t, Config{}), newVisit()
	if got := h.show(v, h.invitation()); got != "" {
		t.Fatal(got)
	}
	if got := h.ask(v, "get", get); !strings.Contains(got, "<username></username><password/>") {
		t.Error(got)
	}
	for _, c := range []struct{ name, password, want string }{
		{"", secret, "not-acceptable"}, {"alice", "", "not-acceptable"},
		{"a b", secret, "jid-malformed"}, {"alice", "ﬁeld of eight", "not-acceptable"},
		{"alice", "x", "not-acceptable"}, {"alice", "password1", "not-acceptable"},
		{"Alice", secret, ""}, {"bob", secret, "not-acceptable"},
	} {
		if got := h.register(v, c.name, c.password); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if !h.auth.Exists("alice") || h.auth.Count() != 1 {
		t.Error("wrong accounts")
	}
}

func TestAFormMakesAnAccountToo(t *testing.T) {
	h, v := newHouse(t, Config{}), newVisit()
	h.show(v, h.invitation())
	form := "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='username'><value>alice</value></field>" +
		"<field var='password'><value>" + secret + "</value></field></x></query>"
	if got := h.ask(v, "set", form); got != "" || !h.auth.Exists("alice") {
		t.Error(got)
	}
}

func TestATakenNameLeavesTheInvitationGood(t *testing.T) {
	h, v := newHouse(t, Config{}), newVisit()
	token := h.invitation()
	h.show(v, token)
	h.register(v, "alice", secret)
	v, token = newVisit(), h.invitation()
	h.show(v, token)
	if got := h.register(v, "ALICE", secret); got != "conflict" {
		t.Error(got)
	}
	again := newVisit()
	if got := h.show(again, token) + h.register(again, "bob", secret); got != "" {
		t.Error(got)
	}
	if got := h.register(v, "carol", secret); got != "item-not-found" {
		t.Error("used twice:", got)
	}
}

func TestWithoutAnInvitationNobodyRegisters(t *testing.T) {
	h, v := newHouse(t, Config{}), newVisit()
	if got := h.ask(v, "get", get); got != "not-allowed" {
		t.Error(got)
	}
	if got := h.register(v, "alice", secret); got != "not-allowed" {
		t.Error(got)
	}
	if got := h.show(v, "guess"); got != "item-not-found" {
		t.Error(got)
	}
	for range tries {
		h.show(v, "guess")
	}
	if got := h.show(v, h.invitation()); got != "resource-constraint" {
		t.Error("guessing goes on:", got)
	}
	if h.auth.Count() != 0 {
		t.Error("an account was made")
	}
}

func TestOpenRegistrationHasAPace(t *testing.T) {
	h := newHouse(t, Config{Open: true})
	budgets := limits.New(limits.Config{Enabled: true, Registrations: 3}, limits.NewMetrics(nil), slog.New(slog.DiscardHandler))
	defer budgets.Close()
	from := func(addr string) *visit {
		peer, err := budgets.Connect(netip.MustParseAddr(addr))
		if err != nil {
			t.Fatal(err)
		}
		v := newVisit()
		v.SetValue(limits.Key{}, peer)
		return v
	}
	for i := range 3 {
		if got := h.register(from("192.0.2.1"), "user"+string(rune('a'+i)), secret); got != "" {
			t.Fatal(got)
		}
	}
	if got := h.register(from("192.0.2.1"), "late", secret); got != "resource-constraint" {
		t.Error(got)
	}
	if got := h.register(from("192.0.2.2"), "neighbour", secret); got != "" {
		t.Error("a neighbour:", got)
	}
	invited := from("192.0.2.1")
	h.show(invited, h.invitation())
	if got := h.register(invited, "invited", secret); got != "" {
		t.Error("with an invitation:", got)
	}
}

func TestNothingIsOfferedOrTakenInTheClear(t *testing.T) {
	h, v := newHouse(t, Config{Open: true}), newVisit()
	if got := string(h.f.offer(v)); !strings.Contains(got, nsFeature) || !strings.Contains(got, nsToken) {
		t.Error(got)
	}
	v.clear = true
	if h.f.offer(v) != nil || h.register(v, "alice", secret) != "not-allowed" || h.show(v, h.invitation()) != "not-allowed" {
		t.Error("offered or taken without TLS")
	}
	v.clear, v.account = false, jid.MustParse("alice@example.org")
	if h.f.offer(v) != nil {
		t.Error("offered to somebody with an account")
	}
	if v.account = (jid.JID{}); newHouse(t, Config{Clear: true}).f.offer(&visit{clear: true}) == nil {
		t.Error("not offered where logging in is allowed")
	}
}

// loggedIn runs f with alice's client.
func loggedIn(t *testing.T, f func(h *house, w *coretest.World, c *coretest.Client)) {
	t.Helper()
	var h *house
	coretest.Run(t, func(w *coretest.World) {
		h = newHouse(w.T, Config{})
		h.t = w.T
		if _, err := h.auth.Add(context.Background(), "alice", "old"); err != nil {
			w.T.Fatal(err)
		}
		h.auth.OnRemove(auth.Removal{Closing: func(j jid.JID) {
			for _, s := range w.Router.Directory().Sessions(j) {
				s.Close(nil)
			}
		}})
		h.f.Register(w.Host)
	}, func(w *coretest.World) { f(h, w, w.Login("alice@example.org/phone")) })
}

func TestOnlyTheOwnPasswordCanBeChanged(t *testing.T) {
	loggedIn(t, func(h *house, w *coretest.World, c *coretest.Client) {
		before, _ := h.auth.Credentials("alice")
		c.Send("<iq type='get' id='1' to='example.org'><query xmlns='jabber:iq:register'/></iq>")
		if got := c.Got(); !strings.Contains(got, "<registered/>") || !strings.Contains(got, "<username>alice</username>") {
			t.Error(got)
		}
		for _, name := range []string{"bob", "alice@example.com", "alice@example.org/x"} {
			c.Send("<iq type='set' id='2' to='example.org'><query xmlns='jabber:iq:register'><username>" + name + "</username><password>new</password></query></iq>")
			if got := c.Got(); !strings.Contains(got, "not-allowed") {
				t.Errorf("%s: %s", name, got)
			}
		}
		c.Send("<iq type='set' id='3' to='bob@example.org'><query xmlns='jabber:iq:register'><remove/></query></iq>")
		if got := c.Got(); !strings.Contains(got, "<service-unavailable ") {
			t.Error(got)
		}
		if now, _ := h.auth.Credentials("alice"); string(now.SHA1.StoredKey) != string(before.SHA1.StoredKey) {
			t.Error("the password changed")
		}
		for password, want := range map[string]string{"x": "at least 8 characters", "password1": "would be guessed soon"} {
			c.Send("<iq type='set' id='s'><query xmlns='jabber:iq:register'><username>alice</username><password>" + password + "</password></query></iq>")
			if got := c.Got(); !strings.Contains(got, "<not-acceptable ") || !strings.Contains(got, want) {
				t.Errorf("%s: %s", password, got)
			}
		}
		if now, _ := h.auth.Credentials("alice"); string(now.SHA1.StoredKey) != string(before.SHA1.StoredKey) {
			t.Error("the password changed to one that is easily guessed")
		}
		c.Send("<iq type='set' id='4'><query xmlns='jabber:iq:register'><username>alice</username><password>" + secret + "</password></query></iq>")
		if got := c.Got(); !strings.Contains(got, "type='result'") {
			t.Error(got)
		}
		if now, _ := h.auth.Credentials("alice"); string(now.SHA1.StoredKey) == string(before.SHA1.StoredKey) {
			t.Error("the password did not change")
		}
	})
}

func TestAnAccountCanBeEnded(t *testing.T) {
	loggedIn(t, func(h *house, w *coretest.World, c *coretest.Client) {
		c.Send("<iq type='set' id='1'><query xmlns='jabber:iq:register'><remove/><username>x</username></query></iq>")
		if got := c.Got(); !strings.Contains(got, "bad-request") || !h.auth.Exists("alice") {
			t.Error(got)
		}
		c.Send("<iq type='set' id='2'><query xmlns='jabber:iq:register'><remove/></query></iq>")
		c.Got()
		if h.auth.Exists("alice") || c.Ended == "" {
			t.Errorf("still there: %q", c.Ended)
		}
	})
}
