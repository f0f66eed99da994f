package devices

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
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
		if err := a.ChangePassword(context.Background(), "alice", "a new password", auth.Changer{Device: phone.Session.Device, Session: phone.Session}); err != nil {
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

// A thief may look like the same device: by saying nothing of himself, or the same.
func TestOneSessionOnlyOutlivesAChangeOfThePassword(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		own := connect(t, w, a, "alice@example.org/own", "password")
		thief := connect(t, w, a, "alice@example.org/thief", "password")
		thief.Session.Device = own.Session.Device
		by := auth.Changer{Device: own.Session.Device, Session: own.Session}
		if err := a.ChangePassword(context.Background(), "alice", "a new password", by); err != nil {
			t.Fatal(err)
		}
		if own.Ended != "" || thief.Ended != "not-authorized" {
			t.Errorf("own %q, thief %q", own.Ended, thief.Ended)
		}
	})
}

func TestClientsWithoutANameAreListedAsWhatTheyAre(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		id, err := a.SignedIn(t.Context(), "alice", auth.Agent{Software: "Sly", Device: "Alice's phone"}, "password")
		if err != nil {
			t.Fatal(err)
		}
		phone := connect(t, w, a, "alice@example.org/phone", "token")
		for _, r := range []string{"x1", "x2"} {
			connect(t, w, a, "alice@example.org/"+r, "token").Session.Device = id
		}
		phone.Send(list)
		expect(t, phone.Got(), "!Sly", "!Alice", "connected='true' id='"+id+"'", "<device>clients without a name (2 connected)</device>")
		phone.Send(revoke(id))
		expect(t, phone.Got(), "password-reset-required")
	})
}

// Between the sign-in and the session of a device others can push its record out.
func TestWhatIsHereIsListedThoughItWasForgotten(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		phone := connect(t, w, a, "alice@example.org/phone", "token")
		hidden := connect(t, w, a, "alice@example.org/hidden", "password")
		hidden.Session.Device = "FORGOTTEN"
		phone.Send(list)
		expect(t, phone.Got(), "connected='true' id='FORGOTTEN'", "<device>hidden</device>")
		phone.Send(revoke("FORGOTTEN"))
		expect(t, phone.Got(), "password-reset-required", "!item-not-found")
	})
}

func TestADeviceWithASessionIsNotForgottenForOthers(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		thief := connect(t, w, a, "alice@example.org/thief", "password")
		time.Sleep(time.Minute)
		for i := range 60 {
			if _, err := a.SignedIn(t.Context(), "alice", agent("flood"+strconv.Itoa(i)), "password"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		known, err := a.Devices(t.Context(), "alice")
		if err != nil || !slices.ContainsFunc(known, func(d auth.Device) bool { return d.ID == thief.Session.Device }) {
			t.Error("forgotten", err)
		}
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
		if err := a.ChangePassword(context.Background(), "alice", "a new password", auth.Changer{Device: laptop.Session.Device, Session: laptop.Session}); err != nil {
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
