package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/config"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

// lasting is a store that several lives of a server may use, one after the other.
type lasting struct {
	store.Store
	spaces map[string]*store.Bucket
}

func (l lasting) Declare(s store.Space) *store.Bucket {
	if l.spaces[s.Name] == nil {
		l.spaces[s.Name] = l.Store.Declare(s)
	}
	return l.spaces[s.Name]
}

func lastingStore() lasting { return lasting{memory.New(), map[string]*store.Bucket{}} }

func testConfig() config.Auth {
	return config.Auth{Iterations: MinIterations, Invitation: config.Duration{Duration: 7 * 24 * time.Hour}}
}

func open(t *testing.T, s store.Store) *Auth {
	t.Helper()
	a, err := New(t.Context(), s, jid.MustParse("example.org"), testConfig())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// logIn says what a client hears: nil when it is let in.
func logIn(t *testing.T, a *Auth, name, password string) error {
	t.Helper()
	x, err := sasl.Start(sasl.SCRAMSHA256, a.Domain(), nil, a.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sasl.NewClient(sasl.SCRAMSHA256, name, password, sasl.Binding{})
	if err != nil {
		t.Fatal(err)
	}
	var in []byte
	for {
		out, done, err := c.Next(in)
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return nil
		}
		if in, _, err = x.Next(out); err != nil {
			return err
		}
	}
}

func TestAnAddedAccountCanLogIn(t *testing.T) {
	a := open(t, memory.New())
	name, err := a.Add(t.Context(), "Alice@EXAMPLE.org", "secret word")
	if err != nil || name != "alice" || !a.Exists("alice") {
		t.Fatal(name, err)
	}
	if err := logIn(t, a, "ALICE", "secret word"); err != nil {
		t.Error(err)
	}
	if err := logIn(t, a, "alice", "other"); err == nil {
		t.Error("a wrong password is let in")
	}
	if _, err := a.Add(t.Context(), "alice", "x"); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
}

func TestNamesThatNoAccountCanHaveAreRefused(t *testing.T) {
	a := open(t, memory.New())
	for name, want := range map[string]error{
		"": ErrName, "a b": ErrName, "a/b": ErrName, "@example.org": ErrName, "a@example.org/x": ErrName,
		"\x00": ErrName, strings.Repeat("a", 1024): ErrName, "a@example.com": ErrDomain, "a@b@c": ErrName,
	} {
		if _, err := a.Add(t.Context(), name, "secret"); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", name, err, want)
		}
	}
	if _, err := a.Add(t.Context(), "bob", ""); !errors.Is(err, ErrPassword) {
		t.Error(err)
	}
	if a.Count() != 0 {
		t.Error("something was added")
	}
}

func TestAnUnknownNameHasTheSameKeysEachTime(t *testing.T) {
	s := lastingStore()
	one, err := open(t, s).Credentials("mallory")
	if err != nil {
		t.Fatal(err)
	}
	two, _ := open(t, s).Credentials("mallory")
	other, _ := open(t, memory.New()).Credentials("mallory")
	if !bytes.Equal(one.SHA1.Salt, two.SHA1.Salt) || bytes.Equal(one.SHA1.Salt, other.SHA1.Salt) {
		t.Error("the salt must be the server's own, and stay")
	}
	if bytes.Equal(one.SHA1.Salt, one.SHA256.Salt) || len(one.SHA256.Salt) != saltSize || one.SHA1.Iterations != MinIterations {
		t.Error("it does not look like an account")
	}
}

func TestAChangedPasswordReplacesTheOldOne(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "old")
	if err := a.Passwd(t.Context(), "alice", "new"); err != nil {
		t.Fatal(err)
	}
	if logIn(t, a, "alice", "old") == nil || logIn(t, a, "alice", "new") != nil {
		t.Error("the old one opens, or the new one does not")
	}
	if err := a.Passwd(t.Context(), "nobody", "new"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func add(t *testing.T, a *Auth, name, password string) {
	t.Helper()
	if _, err := a.Add(t.Context(), name, password); err != nil {
		t.Fatal(err)
	}
}

func TestARemovedAccountLeavesNothing(t *testing.T) {
	s := memory.New()
	a := open(t, s)
	add(t, a, "alice", "secret")
	b := s.Declare(store.Space{Name: "notes", Fields: "x", Purpose: "test"})
	if err := b.Put(t.Context(), "alice@example.org", "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	var told []string
	a.OnRemove(Removal{
		Closing: func(j jid.JID) {
			told = append(told, fmt.Sprintln("closing", j, a.Exists(j.Local()), logIn(t, a, "alice", "secret") == nil))
		},
		Gone: func(j jid.JID) {
			_, err := b.Get(t.Context(), j.String(), "k")
			told = append(told, fmt.Sprintln("gone", j, errors.Is(err, store.ErrNotFound)))
		},
	})
	if err := a.Remove(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	want := []string{"closing alice@example.org false false\n", "gone alice@example.org true\n"}
	if !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
	if err := a.Remove(t.Context(), "alice"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if names, _ := a.List(t.Context()); len(names) != 0 {
		t.Error(names)
	}
}

func TestAnImportIsAllOrNothingAndNamesTheLine(t *testing.T) {
	for _, c := range []struct {
		name, list, want string
		err              error
	}{
		{"good", "alice\tone\n\nBob@example.org\ttwo three\r\n", "", nil},
		{"no tab", "alice\tone\nbob two\n", "line 2", ErrName},
		{"bad name", "a b\tone\n", "line 1", ErrName},
		{"twice", "alice\tone\nALICE\ttwo\n", "line 2", ErrExists},
		{"taken", "alice\tone\ncarol\ttwo\n", "line 2", ErrExists},
		{"no password", "alice\t\n", "line 1", ErrPassword},
		{"other domain", "alice@example.com\tone\n", "line 1", ErrDomain},
		{"long line", strings.Repeat("a", 1<<17), "line 1", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := open(t, memory.New())
			add(t, a, "carol", "x")
			n, err := a.Import(t.Context(), strings.NewReader(c.list))
			if c.want == "" {
				if err != nil || n != 2 || logIn(t, a, "bob", "two three") != nil {
					t.Error(n, err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%v, want %s: … %v", err, c.want, c.err)
			}
			if strings.Contains(fmt.Sprint(err), "one") || a.Count() != 1 {
				t.Errorf("%d accounts after %v", a.Count(), err)
			}
		})
	}
}

func TestACancelledImportAddsNothing(t *testing.T) {
	a := open(t, memory.New())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Import(ctx, strings.NewReader("alice\tone\n")); !errors.Is(err, context.Canceled) || a.Count() != 0 {
		t.Error(err)
	}
}

func TestDataBelongsToOneDomain(t *testing.T) {
	s := lastingStore()
	if a, err := New(t.Context(), s, jid.JID{}, testConfig()); err != nil || !a.Domain().IsZero() {
		t.Fatal(err)
	} else if _, err := a.Invite(t.Context(), Offer{}); !errors.Is(err, ErrDomain) {
		t.Error("an invitation to nowhere:", err)
	}
	open(t, s)
	if a, err := New(t.Context(), s, jid.JID{}, testConfig()); err != nil || a.Domain().String() != "example.org" {
		t.Error(err)
	}
	if _, err := New(t.Context(), s, jid.MustParse("example.com"), testConfig()); !errors.Is(err, ErrDomain) {
		t.Error(err)
	}
}

func invite(t *testing.T, a *Auth, admin bool, life time.Duration) Invitation {
	t.Helper()
	in, err := a.Invite(t.Context(), Offer{Admin: admin, Life: life})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestAnInvitationMakesOneAccount(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "taken", "x")
	in := invite(t, a, true, 0)
	if in.URI != "xmpp:example.org?register;preauth="+in.Token {
		t.Error(in.URI)
	}
	for name, want := range map[string]error{"taken": ErrExists, "b/d": ErrName} {
		if _, err := a.Redeem(t.Context(), in.Token, name, "one good secret"); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.Redeem(t.Context(), in.Token, "root", "eight or more\x00"); !errors.Is(err, ErrPassword) {
		t.Error(err)
	}
	if err := a.Invited(t.Context(), in.Token); err != nil {
		t.Fatal("used up by what failed:", err)
	}
	if _, err := a.Redeem(t.Context(), in.Token, "Root", "one good secret"); err != nil {
		t.Fatal(err)
	}
	if ok, err := a.Admin(t.Context(), "root"); !ok || err != nil || logIn(t, a, "root", "one good secret") != nil {
		t.Error("no administrator was made", err)
	}
	if _, err := a.Redeem(t.Context(), in.Token, "more", "one good secret"); !errors.Is(err, ErrInvitation) || a.Invited(t.Context(), in.Token) == nil {
		t.Error("used twice:", err)
	}
	if err := a.Invited(t.Context(), "guess"); !errors.Is(err, ErrInvitation) {
		t.Error(err)
	}
}

func TestARacedInvitationMakesOneAccount(t *testing.T) {
	a := open(t, memory.New())
	in := invite(t, a, false, 0)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := a.Redeem(context.Background(), in.Token, fmt.Sprint("user", i), "one good secret")
			if err != nil && !errors.Is(err, ErrInvitation) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a.Count() != 1 {
		t.Errorf("%d accounts", a.Count())
	}
}

func TestAnInvitationGoesOutOfDateWhenShownNotWhenUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, memory.New())
		in := invite(t, a, false, time.Hour)
		time.Sleep(time.Hour)
		if err := a.Invited(t.Context(), in.Token); !errors.Is(err, ErrInvitation) {
			t.Error(err)
		}
		// XEP-0445 §4: who showed it in time may still register
		if _, err := a.Redeem(t.Context(), in.Token, "late", "one good secret"); err != nil {
			t.Error(err)
		}
		in = invite(t, a, false, time.Hour)
		time.Sleep(3 * time.Hour)
		invite(t, a, false, 0)
		if _, err := a.Redeem(t.Context(), in.Token, "later", "one good secret"); !errors.Is(err, ErrInvitation) {
			t.Error("a dead invitation was not swept:", err)
		}
	})
}

// failing is a store whose accounts cannot be written: what a crash between the
// claim and the account leaves.
type failing struct{ store.Accounts }

func (failing) AddAccounts(context.Context, []store.Account) error { return errors.New("power cut") }

func TestACrashLeavesAnInvitationThatWorksOnce(t *testing.T) {
	s := memory.New()
	a := open(t, s)
	in := invite(t, a, false, 0)
	a.accounts = failing{s}
	if _, err := a.Redeem(t.Context(), in.Token, "alice", "one good secret"); err == nil {
		t.Fatal("no error")
	}
	a.accounts = s
	if _, err := a.Redeem(t.Context(), in.Token, "bob", "one good secret"); err != nil {
		t.Error("the claim of a name that never came to be holds the token:", err)
	}
	// the other moment: the account is there, its invitation too
	in = invite(t, a, false, 0)
	value := []byte(fmt.Sprintf(`{"expires":%d,"claimed":"bob"}`, in.Expires.Unix()))
	if err := a.invites.Put(t.Context(), owner, keyOf(in.Token), value); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Redeem(t.Context(), in.Token, "carol", "one good secret"); !errors.Is(err, ErrInvitation) {
		t.Error("used twice:", err)
	}
}
