package auth

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

const mech = sasl.HTSHA256None

func issue(t *testing.T, a *Auth, g Agent) string {
	t.Helper()
	secret, expiry, err := a.IssueToken(t.Context(), "alice", g, mech)
	if err != nil || !expiry.After(time.Now()) {
		t.Fatal(expiry, err)
	}
	return secret
}

// show says which token a secret proves to be; "" and the condition when none.
func show(t *testing.T, a *Auth, g Agent, mech, secret string) (id string, refused sasl.Condition) {
	t.Helper()
	x, err := sasl.StartToken(mech, a.Domain(), []sasl.Binding{{Type: sasl.TLSExporter, Data: []byte("channel")}},
		func(user string) ([]sasl.Token, error) { return a.Tokens(user, g, mech) })
	if err != nil {
		t.Fatal(err)
	}
	c, err := sasl.NewTokenClient(mech, "Alice", []byte(secret), sasl.Binding{Type: sasl.TLSExporter, Data: []byte("channel")})
	if err != nil {
		t.Fatal(err)
	}
	out, done, err := x.Next(c.First())
	if err != nil {
		return "", sasl.AsFailure(err).Condition
	}
	if !done || c.Verify(out) != nil || x.User() != "alice" {
		t.Fatal("not a success")
	}
	return x.TokenID(), ""
}

// enter signs in by a token without a count.
func enter(t *testing.T, a *Auth, g Agent, secret string) (rotate bool, refused sasl.Condition) {
	t.Helper()
	id, refused := show(t, a, g, mech, secret)
	if refused != "" {
		return false, refused
	}
	rotate, err := a.UseToken(t.Context(), "alice", g, id, 0, false, false)
	if err != nil {
		t.Fatal(err)
	}
	return rotate, ""
}

func world(t *testing.T) *Auth {
	t.Helper()
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	add(t, a, "bob", "secret")
	return a
}

func TestATokenOpensFromItsDeviceByItsMechanismOnly(t *testing.T) {
	a := world(t)
	secret := issue(t, a, phone())
	if _, refused := enter(t, a, phone(), secret); refused != "" {
		t.Error(refused)
	}
	if _, refused := show(t, a, laptop(), mech, secret); refused != sasl.NotAuthorized {
		t.Error("from another device:", refused)
	}
	if _, refused := show(t, a, Agent{}, mech, secret); refused != sasl.NotAuthorized {
		t.Error("from a device without id:", refused)
	}
	if _, refused := show(t, a, phone(), sasl.HTSHA256Exporter, secret); refused != sasl.NotAuthorized {
		t.Error("by another mechanism:", refused)
	}
	if tokens, err := a.Tokens("bob", phone(), mech); err != nil || len(tokens) != 0 {
		t.Error("for somebody else:", err)
	}
	if _, err := a.UseToken(t.Context(), "alice", laptop(), "x", 0, false, false); !errors.Is(err, ErrToken) {
		t.Error(err)
	}
	if len(devices(t, a, "alice")) != 1 {
		t.Error("a refused token makes a device")
	}
	if _, _, err := a.IssueToken(t.Context(), "alice", Agent{Resource: "x"}, mech); !errors.Is(err, ErrToken) {
		t.Error("a token for a device without id:", err)
	}
}

// XEP-0484 §3.5
func TestTheOldTokenEndsWhenTheNewOneIsUsedAndNotBefore(t *testing.T) {
	a := world(t)
	first := issue(t, a, phone())
	enter(t, a, phone(), first)
	lost := issue(t, a, phone())
	if rotate, refused := enter(t, a, phone(), first); refused != "" || !rotate {
		t.Error("the client that never got the new one is out, or gets no other:", refused)
	}
	second := issue(t, a, phone())
	if _, refused := show(t, a, phone(), mech, lost); refused != sasl.NotAuthorized {
		t.Error("a token that was replaced unused:", refused)
	}
	if _, refused := show(t, a, phone(), mech, first); refused != "" {
		t.Error("the one in use ended too early:", refused)
	}
	if rotate, refused := enter(t, a, phone(), second); refused != "" || rotate {
		t.Error(rotate, refused)
	}
	if r, err := a.record(t.Context(), "alice", a.DeviceID("alice", phone())); err != nil || len(r.Tokens) != 2 || !r.Tokens[0].Spent {
		t.Error("more is kept than the last that was replaced, and the one in use:", err)
	}
	if _, refused := show(t, a, phone(), mech, first); refused != sasl.CredentialsExpired {
		t.Error("the old one still opens:", refused)
	}
}

func TestATokenIsReplacedWhenItIsADayOldAndEndsUnusedAfterAMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := world(t)
		secret := issue(t, a, phone())
		if rotate, _ := enter(t, a, phone(), secret); rotate {
			t.Error("replaced at once")
		}
		time.Sleep(tokenRotate)
		if rotate, _ := enter(t, a, phone(), secret); !rotate {
			t.Error("not replaced")
		}
		id, _ := show(t, a, phone(), mech, secret)
		time.Sleep(tokenLife - tokenRotate)
		if _, refused := show(t, a, phone(), mech, secret); refused != sasl.CredentialsExpired {
			t.Error(refused)
		}
		if _, err := a.UseToken(t.Context(), "alice", phone(), id, 0, false, false); !errors.Is(err, ErrToken) {
			t.Error("it ended between being shown and being used:", err)
		}
		if devices(t, a, "alice")[0].Token {
			t.Error("it counts as access")
		}
	})
}

// XEP-0484 §3.4
func TestACountMustGrowAndGoOn(t *testing.T) {
	s := lastingStore()
	a := open(t, s)
	add(t, a, "alice", "secret")
	id, _ := show(t, a, phone(), mech, issue(t, a, phone()))
	for _, c := range []struct {
		count uint64
		has   bool
		want  error
	}{
		{0, false, nil}, {0, true, nil}, {0, true, ErrToken}, {5, true, nil}, {5, true, ErrToken}, {4, true, ErrToken},
		{0, false, ErrToken}, {6, true, nil}, {1<<63 - 1, true, nil}, {7, true, ErrToken},
	} {
		if _, err := a.UseToken(t.Context(), "alice", phone(), id, c.count, c.has, false); !errors.Is(err, c.want) || err != nil && c.want == nil {
			t.Errorf("%d %v: %v", c.count, c.has, err)
		}
	}
	if _, err := open(t, s).UseToken(t.Context(), "alice", phone(), id, 7, true, false); !errors.Is(err, ErrToken) {
		t.Error("the count did not survive a restart:", err)
	}
	next, _ := show(t, a, phone(), mech, issue(t, a, phone()))
	if _, err := a.UseToken(t.Context(), "alice", phone(), next, 1, true, false); err != nil {
		t.Error("a new token counts anew:", err)
	}
}

// slow is a store that lets others run before it answers a read.
type slow struct{ store.KV }

func (s slow) ReadKey(ctx context.Context, owner, space, key string) (store.Item, error) {
	it, err := s.KV.ReadKey(ctx, owner, space, key)
	for range 1000 {
		runtime.Gosched()
	}
	return it, err
}

func TestOneCountLetsInOnceHoweverManyShowItAtATime(t *testing.T) {
	a := world(t)
	id, _ := show(t, a, phone(), mech, issue(t, a, phone()))
	kept := a.devices
	a.devices = store.NewBucket(slow{a.kv}, kept.Space)
	a.kv = writer{a.kv, kept}
	var in atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := a.UseToken(context.Background(), "alice", phone(), id, 1, true, false); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("%d came in", in.Load())
	}
}

// writer takes ops that name another bucket of its space.
type writer struct {
	store.KV
	kept *store.Bucket
}

func (w writer) Apply(ctx context.Context, owner string, ops ...store.Op) error {
	for i := range ops {
		ops[i].Space = w.kept
	}
	return w.KV.Apply(ctx, owner, ops...)
}

// unwritable is a store that cannot write devices.
type unwritable struct{ store.KV }

func (unwritable) Apply(context.Context, string, ...store.Op) error { return errors.New("disk full") }

func TestACountThatIsNotDurableLetsNobodyIn(t *testing.T) {
	a := world(t)
	id, _ := show(t, a, phone(), mech, issue(t, a, phone()))
	a.kv = unwritable{a.kv}
	if _, err := a.UseToken(t.Context(), "alice", phone(), id, 1, true, false); err == nil {
		t.Error("let in")
	}
}

// XEP-0484 §3.6
func TestALogOutEndsEveryTokenOfTheDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := world(t)
		secret := issue(t, a, phone())
		enter(t, a, phone(), secret)
		unused := issue(t, a, phone())
		other := issue(t, a, laptop())
		time.Sleep(tokenRotate)
		id, _ := show(t, a, phone(), mech, secret)
		if rotate, err := a.UseToken(t.Context(), "alice", phone(), id, 0, false, true); err != nil || rotate {
			t.Error(rotate, err)
		}
		for _, s := range []string{secret, unused} {
			if _, refused := show(t, a, phone(), mech, s); refused != sasl.NotAuthorized {
				t.Error(refused)
			}
		}
		if _, refused := show(t, a, laptop(), mech, other); refused != "" {
			t.Error("another device's:", refused)
		}
	})
}

func TestTokensEndWithThePasswordTheDeviceAndTheAccount(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*Auth) error
		want sasl.Condition
	}{
		// XEP-0484 §4.2
		"password": {func(a *Auth) error { return a.Passwd(context.Background(), "alice", "new") }, sasl.CredentialsExpired},
		"password, by itself": {func(a *Auth) error {
			return a.ChangePassword(context.Background(), "alice", "a new password", Changer{Device: a.DeviceID("alice", phone())})
		}, sasl.CredentialsExpired},
		"device":  {func(a *Auth) error { return a.Revoke(context.Background(), "alice", a.DeviceID("alice", phone())) }, sasl.CredentialsExpired},
		"account": {func(a *Auth) error { return a.Remove(context.Background(), "alice") }, sasl.NotAuthorized},
		"account, disabled": {func(a *Auth) error {
			acc, err := a.account(context.Background(), "alice")
			acc.Disabled = true
			return errors.Join(err, a.accounts.SetAccount(context.Background(), acc))
		}, sasl.AccountDisabled},
	} {
		t.Run(name, func(t *testing.T) {
			a := world(t)
			secret := issue(t, a, phone())
			id, _ := show(t, a, phone(), mech, secret)
			if err := c.end(a); err != nil {
				t.Fatal(err)
			}
			if _, refused := show(t, a, phone(), mech, secret); refused != c.want {
				t.Error(refused)
			}
			if _, err := a.UseToken(t.Context(), "alice", phone(), id, 0, false, false); err == nil && c.want != sasl.AccountDisabled {
				t.Error("one that was shown before is taken")
			}
		})
	}
}

func TestAFirstTokenThatIsNotUsedInTimeEndsAlsoOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := lastingStore()
		a := open(t, kv)
		add(t, a, "alice", "secret")
		secret, _, err := a.IssueFirstToken(t.Context(), "alice", phone(), mech, time.Minute)
		if err != nil || len(devices(t, a, "alice")) != 1 {
			t.Fatal("it is not seen before it is used:", err)
		}
		id, _ := show(t, a, phone(), mech, secret)
		time.Sleep(time.Minute)
		a = open(t, kv)
		if _, refused := show(t, a, phone(), mech, secret); refused != sasl.CredentialsExpired {
			t.Error(refused)
		}
		if _, err := a.UseToken(t.Context(), "alice", phone(), id, 0, false, false); !errors.Is(err, ErrToken) {
			t.Error("it ended between being shown and being used:", err)
		}
		if list := devices(t, a, "alice"); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		if err := a.ForgetDevices(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kept, err := a.records(t.Context(), "alice"); err != nil || len(kept) != 0 {
			t.Error(kept, err)
		}
	})
}

func TestAFirstTokenThatWasUsedInTimeIsLikeAnyOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := lastingStore()
		a := open(t, kv)
		add(t, a, "alice", "secret")
		secret, _, err := a.IssueFirstToken(t.Context(), "alice", phone(), mech, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second)
		enter(t, a, phone(), secret)
		time.Sleep(time.Hour)
		a = open(t, kv)
		if _, refused := enter(t, a, phone(), secret); refused != "" || len(devices(t, a, "alice")) != 1 {
			t.Error(refused)
		}
	})
}

// R30: whoever copies what a device signs in by goes on from the same token. The first of the two
// who gets a new one leaves the other with a token that nobody else would show any more.
func TestATokenThatWasReplacedAndIsShownAgainEndsBothAndIsTold(t *testing.T) {
	a := world(t)
	var ended []string
	var told []Device
	a.OnRevoke(func(_ jid.JID, device string) { ended = append(ended, device) })
	a.OnTheft(func(_ jid.JID, d Device) { told = append(told, d) })
	copied := issue(t, a, phone())
	enter(t, a, phone(), copied)
	issue(t, a, phone())
	if enter(t, a, phone(), copied); len(told) != 0 {
		t.Fatal("an answer that was lost looks like a theft")
	}
	newer := issue(t, a, phone())
	enter(t, a, phone(), newer)
	if _, refused := show(t, a, laptop(), mech, copied); refused != sasl.NotAuthorized || len(told) != 0 {
		t.Error("from another device it is nothing:", refused)
	}
	if _, refused := show(t, a, phone(), mech, copied); refused != sasl.CredentialsExpired {
		t.Error(refused)
	}
	id := a.DeviceID("alice", phone())
	if len(told) != 1 || told[0].ID != id || !slices.Equal(ended, []string{id}) {
		t.Errorf("told %+v, ended %v", told, ended)
	}
	if _, refused := show(t, a, phone(), mech, newer); refused != sasl.CredentialsExpired {
		t.Error("one of the two goes on:", refused)
	}
	if show(t, a, phone(), mech, copied); len(told) != 1 {
		t.Error("told again")
	}
	again := issue(t, a, phone()) // the owner has signed in with the password
	if _, refused := enter(t, a, phone(), again); refused != "" {
		t.Error(refused)
	}
}
