package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

func phone() Agent {
	return Agent{ID: "d4565fa7-4d72", Software: "Conversations", Device: "Kiva's phone"}
}

func laptop() Agent { return Agent{ID: "a1b2c3d4-0000", Software: "Gajim"} }

func signIn(t *testing.T, a *Auth, name string, g Agent, by string) string {
	t.Helper()
	id, err := a.SignedIn(t.Context(), name, g, by)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func devices(t *testing.T, a *Auth, name string) []Device {
	t.Helper()
	list, err := a.Devices(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// counting counts writes.
type counting struct {
	store.Store
	writes int
}

func (c *counting) Apply(ctx context.Context, owner string, ops ...store.Op) error {
	c.writes++
	return c.Store.Apply(ctx, owner, ops...)
}

func TestADeviceIsTheSameEachTimeItSignsIn(t *testing.T) {
	s := lastingStore()
	a := open(t, s)
	add(t, a, "alice", "secret")
	add(t, a, "bob", "secret")
	id := signIn(t, a, "alice", phone(), "password")
	if again := signIn(t, open(t, s), "alice", phone(), "token"); again != id || a.DeviceID("alice", phone()) != id {
		t.Error("another id for the same device")
	}
	if a.DeviceID("bob", phone()) == id || a.DeviceID("alice", laptop()) == id || strings.Contains(id, phone().ID) {
		t.Error("one id for two devices, or the client's own id in it")
	}
	list := devices(t, a, "alice")
	if len(list) != 1 || list[0].ID != id || list[0].Software != "Conversations" || list[0].Name != "Kiva's phone" || !list[0].Password || list[0].Token {
		t.Errorf("%+v", list)
	}
	if len(devices(t, a, "bob")) != 0 {
		t.Error("bob has alice's device")
	}
	if _, err := a.SignedIn(t.Context(), "nobody", phone(), "password"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestClientsWithoutAnIDAreTheirResource(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	one := signIn(t, a, "alice", Agent{Resource: "profanity.x8"}, "password")
	two := signIn(t, a, "alice", Agent{Resource: "gajim"}, "password")
	three := a.DeviceID("alice", Agent{ID: "gajim"})
	if one == two || two == three || one != a.DeviceID("alice", Agent{Resource: "profanity.x8"}) {
		t.Error(one, two, three)
	}
	if list := devices(t, a, "alice"); len(list) != 2 || !slices.ContainsFunc(list, func(d Device) bool { return d.Name == "gajim" }) {
		t.Errorf("%+v", list)
	}
}

func TestASignInIsWrittenOnceAnHourUnlessSomethingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &counting{Store: memory.New()}
		a := open(t, s)
		a.kv = s
		add(t, a, "alice", "secret")
		for _, step := range []struct {
			what   string
			wait   time.Duration
			agent  Agent
			by     string
			writes int
		}{
			{"the first time", 0, phone(), "token", 1},
			{"at once again", 0, phone(), "token", 0},
			{"by password", 0, phone(), "password", 1},
			{"in the same hour", 59 * time.Minute, phone(), "password", 0},
			{"later", time.Minute, phone(), "token", 1},
			{"under another name", 0, Agent{ID: phone().ID, Device: "Kiva's old phone"}, "token", 1},
			{"saying nothing of itself", 0, Agent{ID: phone().ID}, "token", 0},
		} {
			time.Sleep(step.wait)
			s.writes = 0
			signIn(t, a, "alice", step.agent, step.by)
			if s.writes != step.writes {
				t.Errorf("%s: %d writes", step.what, s.writes)
			}
		}
		d := devices(t, a, "alice")[0]
		if d.Last.Sub(d.First) != time.Hour || d.Name != "Kiva's old phone" || d.Software != "Conversations" || !d.Password {
			t.Errorf("%+v", d)
		}
	})
}

func TestWhatAClientSaysOfItselfIsBoundedAndCleaned(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	signIn(t, a, "alice", Agent{ID: strings.Repeat("x", 10_000), Software: strings.Repeat("é", 10_000), Device: "a\x00\n\u202eb\xff<c "}, "password")
	d := devices(t, a, "alice")[0]
	if len([]rune(d.Software)) != maxAgent || d.Name != "ab<c" {
		t.Errorf("%d characters, %q", len([]rune(d.Software)), d.Name)
	}
}

func TestAnAccountHasABoundedNumberOfDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, memory.New())
		add(t, a, "alice", "secret")
		if _, _, err := a.IssueToken(t.Context(), "alice", phone(), "M"); err != nil {
			t.Fatal(err)
		}
		for i := range maxDevices + 10 {
			time.Sleep(time.Minute)
			signIn(t, a, "alice", Agent{ID: fmt.Sprint("flood", i)}, "password")
		}
		list := devices(t, a, "alice")
		if len(list) != maxDevices || list[0].ID != a.DeviceID("alice", Agent{ID: fmt.Sprint("flood", maxDevices+9)}) {
			t.Errorf("%d devices", len(list))
		}
		if !slices.ContainsFunc(list, func(d Device) bool { return d.Token }) {
			t.Error("the device with a token was forgotten first")
		}
		time.Sleep(deviceLife + time.Minute)
		if len(devices(t, a, "alice")) != 0 {
			t.Error("unused for too long, and still there")
		}
		signIn(t, a, "alice", laptop(), "password")
		if left, _ := a.records(t.Context(), "alice"); len(left) != 1 {
			t.Errorf("%d kept", len(left))
		}
	})
}

// Who knows the password can sign in as many devices; what is connected must not
// disappear from the list by that.
func TestADeviceThatIsHereIsNotForgottenForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, memory.New())
		add(t, a, "alice", "secret")
		thief := signIn(t, a, "alice", laptop(), "password")
		a.WhoIsHere(func(bare jid.JID) map[string]int {
			if bare.String() != "alice@example.org" {
				t.Error(bare)
			}
			return map[string]int{thief: 1}
		})
		for i := range maxDevices + 10 {
			time.Sleep(time.Minute)
			signIn(t, a, "alice", Agent{ID: fmt.Sprint("flood", i)}, "password")
		}
		list := devices(t, a, "alice")
		if len(list) != maxDevices+1 || !slices.ContainsFunc(list, func(d Device) bool { return d.ID == thief }) {
			t.Errorf("%d devices, or without the thief's", len(list))
		}
		time.Sleep(deviceLife + time.Hour)
		if err := a.ForgetDevices(t.Context()); err != nil {
			t.Fatal(err)
		}
		if list := devices(t, a, "alice"); len(list) != 1 || list[0].ID != thief {
			t.Errorf("who stays for long is forgotten: %+v", list)
		}
	})
}

// A revoked device must not come in again because others came, or time went by.
func TestARevokedDeviceIsKeptOutWhateverElseIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, memory.New())
		add(t, a, "alice", "secret")
		revoke := func(g Agent) error {
			id := signIn(t, a, "alice", g, "password")
			if _, _, err := a.IssueToken(t.Context(), "alice", g, "M"); err != nil {
				t.Fatal(err)
			}
			return a.Revoke(t.Context(), "alice", id)
		}
		if err := revoke(phone()); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < maxRevoked; i++ {
			time.Sleep(time.Minute)
			if err := revoke(Agent{ID: fmt.Sprint("revoked", i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := revoke(laptop()); !errors.Is(err, ErrPasswordKnown) {
			t.Error("more are revoked than are kept out:", err)
		}
		for i := range maxDevices + 10 {
			time.Sleep(time.Minute)
			signIn(t, a, "alice", Agent{ID: fmt.Sprint("flood", i)}, "password")
		}
		time.Sleep(deviceLife + time.Hour)
		if err := a.ForgetDevices(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := a.SignedIn(t.Context(), "alice", phone(), "password"); !errors.Is(err, ErrRevoked) {
			t.Error("it is in again:", err)
		}
		if left, _ := a.records(t.Context(), "alice"); len(left) != maxRevoked {
			t.Errorf("%d kept", len(left))
		}
	})
}

func TestClientsThatCannotBeToldApartAreNobody(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	id := signIn(t, a, "alice", Agent{Software: "Sly", Device: "Alice's phone"}, "password")
	signIn(t, a, "alice", phone(), "password")
	for _, d := range devices(t, a, "alice") {
		if d.Nameless != (d.ID == id) || d.Nameless && (d.Name != "" || d.Software != "") {
			t.Errorf("%+v", d)
		}
	}
	if err := a.Revoke(t.Context(), "alice", id); !errors.Is(err, ErrPasswordKnown) {
		t.Error(err)
	}
}

func TestARevokedDeviceIsForgottenAndThatIsToldWhenItIsDurable(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	secret, _, err := a.IssueToken(t.Context(), "alice", phone(), "M")
	if err != nil {
		t.Fatal(err)
	}
	id := a.DeviceID("alice", phone())
	var told []string
	a.OnRevoke(func(bare jid.JID, device string) {
		told = append(told, bare.String()+" "+device)
		if list, err := a.Devices(context.Background(), "alice"); err != nil || len(list) != 0 {
			t.Error("told before it was done", err)
		}
	})
	if err := a.Revoke(t.Context(), "alice", "other"); !errors.Is(err, ErrDevice) {
		t.Error(err)
	}
	if err := a.Revoke(t.Context(), "alice", id); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, []string{"alice@example.org " + id}) {
		t.Error(told)
	}
	if tokens, _ := a.Tokens("alice", phone(), "M"); len(tokens) != 1 || tokens[0].Refuse != sasl.CredentialsExpired {
		t.Errorf("%s is still good, or is nothing: who shows it cannot be told why", secret)
	}
	if err := a.Revoke(t.Context(), "alice", id); !errors.Is(err, ErrDevice) {
		t.Error(err)
	}
}

func TestADeviceThatKnowsThePasswordIsRevokedByChangingIt(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	phoneID := signIn(t, a, "alice", phone(), "password")
	laptopID := signIn(t, a, "alice", laptop(), "password")
	if err := a.Revoke(t.Context(), "alice", phoneID); !errors.Is(err, ErrPasswordKnown) {
		t.Fatal(err)
	}
	var told []string
	a.OnPassword(func(bare jid.JID, session any) { told = append(told, fmt.Sprint(bare, " ", session)) })
	if err := a.ChangePassword(t.Context(), "alice", "a new password", Changer{Device: laptopID, Session: "its session"}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, []string{"alice@example.org its session"}) {
		t.Error(told)
	}
	for _, d := range devices(t, a, "alice") {
		if d.Password != (d.ID == laptopID) || d.Token {
			t.Errorf("%+v", d)
		}
	}
	if err := a.Revoke(t.Context(), "alice", phoneID); err != nil {
		t.Error(err)
	}
	if err := a.Revoke(t.Context(), "alice", laptopID); !errors.Is(err, ErrPasswordKnown) {
		t.Error("the changer knows the new one:", err)
	}
}

// A client that keeps the password beside its token must not be back a second later.
func TestADeviceWithATokenIsOffUntilThePasswordIsAnother(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	id := signIn(t, a, "alice", phone(), "password")
	if _, _, err := a.IssueToken(t.Context(), "alice", phone(), "M"); err != nil {
		t.Fatal(err)
	}
	if err := a.Revoke(t.Context(), "alice", id); err != nil {
		t.Fatal(err)
	}
	if tokens, _ := a.Tokens("alice", phone(), "M"); len(tokens) != 1 || tokens[0].Refuse == "" || len(devices(t, a, "alice")) != 0 {
		t.Error("it still has access")
	}
	if _, err := a.SignedIn(t.Context(), "alice", phone(), "password"); !errors.Is(err, ErrRevoked) {
		t.Error("let in again:", err)
	}
	if _, _, err := a.IssueToken(t.Context(), "alice", phone(), "M"); !errors.Is(err, ErrRevoked) {
		t.Error("given a token:", err)
	}
	if err := a.Revoke(t.Context(), "alice", id); !errors.Is(err, ErrDevice) {
		t.Error(err)
	}
	if err := a.Passwd(t.Context(), "alice", "new"); err != nil {
		t.Fatal(err)
	}
	signIn(t, a, "alice", phone(), "password")
}

// breaking is a store whose accounts cannot be changed.
type breaking struct{ store.Accounts }

func (breaking) SetAccount(context.Context, store.Account) error { return errors.New("power cut") }

func TestAPasswordChangeThatBreaksOffLeavesNoTokenAndADoubtfulDevice(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	id := signIn(t, a, "alice", phone(), "password")
	if _, _, err := a.IssueToken(t.Context(), "alice", phone(), "M"); err != nil {
		t.Fatal(err)
	}
	a.OnPassword(func(jid.JID, any) { t.Error("told of what did not happen") })
	a.accounts = breaking{a.accounts}
	if err := a.Passwd(t.Context(), "alice", "new"); err == nil {
		t.Fatal("no error")
	}
	if d := devices(t, a, "alice")[0]; d.Token || !d.Password {
		t.Errorf("%+v", d)
	}
	if err := a.Revoke(t.Context(), "alice", id); err != nil {
		t.Fatal(err)
	}
	if _, err := a.SignedIn(t.Context(), "alice", phone(), "password"); !errors.Is(err, ErrRevoked) {
		t.Error("the old password lets it in:", err)
	}
}

// A sign-in that began before a change must not leave what the change has ended.
func TestASignInThatAChangeOvertakesIsNotBelieved(t *testing.T) {
	for name, change := range map[string]func(*Auth) error{
		"password": func(a *Auth) error { return a.Passwd(context.Background(), "alice", "new") },
		"revoked":  func(a *Auth) error { return a.Revoke(context.Background(), "alice", a.DeviceID("alice", phone())) },
		"removed and made again": func(a *Auth) error {
			_, err := a.Add(context.Background(), "alice", "another")
			return errors.Join(a.Remove(context.Background(), "alice"), err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, memory.New())
			add(t, a, "alice", "secret")
			signIn(t, a, "alice", phone(), "token")
			g := phone()
			g.Since = a.Epoch()
			if a.Changed("alice", g) {
				t.Fatal("nothing has changed yet")
			}
			if err := change(a); err != nil && name != "removed and made again" {
				t.Fatal(err)
			}
			if name == "removed and made again" {
				add(t, a, "alice", "another")
			}
			if !a.Changed("alice", g) {
				t.Error("who binds a session would not know")
			}
			if _, err := a.SignedIn(t.Context(), "alice", g, "password"); !errors.Is(err, ErrChanged) {
				t.Error("signed in:", err)
			}
			if _, _, err := a.IssueToken(t.Context(), "alice", g, "M"); !errors.Is(err, ErrChanged) {
				t.Error("token issued:", err)
			}
			g.Since = a.Epoch()
			if _, err := a.SignedIn(t.Context(), "alice", g, "password"); err != nil {
				t.Error("the next time:", err)
			}
		})
	}
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	add(t, a, "bob", "secret")
	g := phone()
	g.Since = a.Epoch()
	if err := a.Passwd(t.Context(), "bob", "new"); err != nil || a.Changed("alice", g) {
		t.Error("somebody else's change counts", err)
	}
}

func TestChangesAreForgottenWhenNoSignInIsAsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, memory.New())
		for i := range 3 * minSweep {
			a.changed(fmt.Sprint("user", i), "")
			time.Sleep(changeMemory / minSweep)
		}
		if len(a.moments) > 2*minSweep+1 {
			t.Errorf("%d changes are remembered", len(a.moments))
		}
	})
}

func TestARemovedAccountLeavesNoDevice(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	signIn(t, a, "alice", phone(), "password")
	if err := a.Remove(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Devices(t.Context(), "alice"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	add(t, a, "alice", "another")
	if len(devices(t, a, "alice")) != 0 {
		t.Error("the next owner of the name has them")
	}
}

func TestDevicesThatNobodyUsesAreForgottenForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, memory.New())
		add(t, a, "alice", "secret")
		add(t, a, "bob", "secret")
		signIn(t, a, "alice", phone(), "password")
		time.Sleep(deviceLife)
		signIn(t, a, "bob", phone(), "password")
		for _, want := range []int{1, 0} {
			if err := a.ForgetDevices(t.Context()); err != nil {
				t.Fatal(err)
			}
			alices, _ := a.records(t.Context(), "alice")
			bobs, _ := a.records(t.Context(), "bob")
			if len(alices) != want || len(bobs) != 1 {
				t.Errorf("%d and %d are kept", len(alices), len(bobs))
			}
			time.Sleep(time.Hour)
		}
	})
}

// Whoever hears that it was removed signs out, perhaps before the server is told to revoke it.
func TestADeviceThatHasSignedOutIsRevokedAllTheSame(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	id := signIn(t, a, "alice", phone(), "password")
	issue(t, a, phone())
	if err := a.SignOut(t.Context(), "alice", id); err != nil {
		t.Fatal(err)
	}
	if err := a.Revoke(t.Context(), "alice", id); err != nil {
		t.Fatal(err)
	}
	if _, err := a.SignedIn(t.Context(), "alice", phone(), "password"); !errors.Is(err, ErrRevoked) {
		t.Error("it is let in by the password:", err)
	}
}

func TestADeviceThatSignsOutIsLetInByThePasswordAgain(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	id := signIn(t, a, "alice", phone(), "password")
	secret := issue(t, a, phone())
	if err := a.SetKeys(t.Context(), "alice", id, 77); err != nil {
		t.Fatal(err)
	}
	if d := devices(t, a, "alice"); len(d) != 1 || d[0].Keys != 77 || !d[0].Token {
		t.Errorf("%+v", d)
	}
	if err := a.SignOut(t.Context(), "alice", id); err != nil {
		t.Fatal(err)
	}
	if _, refused := show(t, a, phone(), mech, secret); refused != sasl.CredentialsExpired {
		t.Error("its token:", refused)
	}
	if d := devices(t, a, "alice"); len(d) != 1 || !d[0].Password || d[0].Token {
		t.Errorf("that it knows the password is not told: %+v", d)
	}
	signIn(t, a, "alice", phone(), "password")
	for _, other := range []string{"nothing", a.DeviceID("alice", Agent{})} {
		if err := a.SetKeys(t.Context(), "alice", other, 77); !errors.Is(err, ErrDevice) {
			t.Error(other, err)
		}
	}
}
