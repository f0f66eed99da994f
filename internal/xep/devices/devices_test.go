package devices

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

func agent(id string) auth.Agent { return auth.Agent{ID: id, Software: "A & B", Device: id} }

// run plays in a world where alice and bob have accounts.
func run(t *testing.T, f func(w *coretest.World, a *auth.Auth)) {
	t.Helper()
	var a *auth.Auth
	coretest.Run(t, func(w *coretest.World) {
		var err error
		a, err = auth.New(t.Context(), memory.New(), jid.MustParse("example.org"), config.Auth{Iterations: auth.MinIterations})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"alice", "bob"} {
			if _, err := a.Add(t.Context(), name, "secret"); err != nil {
				t.Fatal(err)
			}
		}
		New(w.Router, a, slog.New(slog.DiscardHandler)).Register(w.Host)
	}, func(w *coretest.World) { f(w, a) })
}

// connect signs a device in and binds a session of it.
func connect(t *testing.T, w *coretest.World, a *auth.Auth, full, by string) *coretest.Client {
	t.Helper()
	j := jid.MustParse(full)
	g := agent(j.Resource())
	if by == "token" {
		if _, _, err := a.IssueToken(t.Context(), j.Local(), g, "M"); err != nil {
			t.Fatal(err)
		}
	}
	id, err := a.SignedIn(t.Context(), j.Local(), g, by)
	if err != nil {
		t.Fatal(err)
	}
	c := w.Connection()
	c.Session, err = w.Router.Bind(core.Binding{Conn: c, JID: j, CID: "test", Device: id})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const list = "<iq type='get' id='1'><list xmlns='urn:xmpp:cam:0'/></iq>"

func revoke(id string) string {
	return "<iq type='set' id='2'><revoke xmlns='urn:xmpp:cam:0' id='" + id + "'/></iq>"
}

// expect looks for pieces that must be in what a client got, and ! pieces that must not.
func expect(t *testing.T, got string, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if unwanted, not := strings.CutPrefix(p, "!"); strings.Contains(got, strings.TrimPrefix(p, "!")) == not {
			t.Errorf("%s (unwanted: %v %s) in\n%s", p, not, unwanted, got)
		}
	}
}

func TestAListNamesWhatHasAccessAndWhatIsHere(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		phone := connect(t, w, a, "alice@example.org/phone", "token")
		connect(t, w, a, "alice@example.org/laptop", "password").Session.Close(nil)
		connect(t, w, a, "bob@example.org/tablet", "password")
		phone.Send(list)
		got := phone.Got()
		expect(t, got, "type='result'", "!tablet", "<permission status='unrestricted'/>", "<software>A &amp; B</software>",
			"connected='true' id='"+a.DeviceID("alice", agent("phone"))+"'", "<auth><fast/></auth>", "<device>phone</device>",
			"connected='false' id='"+a.DeviceID("alice", agent("laptop"))+"'", "<auth><password/></auth>",
			"<first-seen>"+time.Now().UTC().Format(time.DateOnly), "<last-seen>")
		if err := a.ChangePassword(context.Background(), "alice", "new", a.DeviceID("alice", agent("phone"))); err != nil {
			t.Fatal(err)
		}
		phone.Send(list)
		expect(t, phone.Got(), "!laptop", "<auth><password/></auth>", "<device>phone</device>")
	})
}

func TestOnlyOnesOwnDevicesAreSpokenOf(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		phone := connect(t, w, a, "alice@example.org/phone", "token")
		bob := connect(t, w, a, "bob@example.org/tablet", "password")
		id := a.DeviceID("alice", agent("phone"))
		for _, iq := range []string{list, revoke(id)} {
			bob.Send(strings.Replace(iq, "<iq ", "<iq to='alice@example.org' ", 1))
			expect(t, bob.Got(), "service-unavailable", "!"+id, "!password-reset-required")
		}
		bob.Send(revoke(id))
		expect(t, bob.Got(), "item-not-found")
		bob.Send(strings.Replace(list, "get", "set", 1))
		expect(t, bob.Got(), "bad-request")
		if phone.Ended != "" {
			t.Error("alice's phone is off")
		}
	})
}

func TestARevokedDeviceIsOffAtOnce(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		laptop := connect(t, w, a, "alice@example.org/laptop", "password")
		phone := connect(t, w, a, "alice@example.org/phone", "token")
		asleep := connect(t, w, a, "alice@example.org/phone2", "token")
		asleep.Session.Device = phone.Session.Device
		var id [16]byte
		asleep.Session.EnableSM(true, func(i [16]byte) []byte { id = i; return nil })
		asleep.Session.Detach(asleep)
		if _, yes := asleep.Session.Hibernating(); !yes || w.Router.Resumable(id) == nil {
			t.Fatal("it does not hibernate")
		}
		laptop.Send(revoke(phone.Session.Device))
		expect(t, laptop.Got(), "type='result'", "!error")
		if phone.Ended != "not-authorized" || !asleep.Session.Ended() || w.Router.Resumable(id) != nil || laptop.Ended != "" {
			t.Errorf("phone %q, hibernating %v, laptop %q", phone.Ended, asleep.Session.Ended(), laptop.Ended)
		}
		laptop.Send(list)
		expect(t, laptop.Got(), "!"+phone.Session.Device)
	})
}

// XEP-0494 §3.2
func TestADeviceThatKnowsThePasswordIsNotRevokedButLockedOutByAnother(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		laptop := connect(t, w, a, "alice@example.org/laptop", "password")
		phone := connect(t, w, a, "alice@example.org/phone", "password")
		tablet := connect(t, w, a, "alice@example.org/tablet", "token")
		bob := connect(t, w, a, "bob@example.org/phone", "password")
		laptop.Send(revoke(phone.Session.Device))
		expect(t, laptop.Got(), "service-unavailable", "<password-reset-required xmlns='urn:xmpp:cam:0'/>")
		if phone.Ended != "" {
			t.Error("off, although it can come back")
		}
		if err := a.ChangePassword(context.Background(), "alice", "new", laptop.Session.Device); err != nil {
			t.Fatal(err)
		}
		ended := []string{laptop.Ended, phone.Ended, tablet.Ended, bob.Ended}
		if !slices.Equal(ended, []string{"", "not-authorized", "not-authorized", ""}) {
			t.Errorf("%q", ended)
		}
		if err := a.Passwd(context.Background(), "alice", "newer"); err != nil || laptop.Ended != "not-authorized" {
			t.Error("a change by the operator leaves sessions", err)
		}
	})
}
