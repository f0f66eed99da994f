package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"mirsal/internal/store"
)

func accountTests() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"an account is kept whole":                 accountRoundTrip,
		"adding is all or nothing":                 addAtomic,
		"changing or removing an absent one fails": absentAccount,
	}
}

func testAccount(name string) store.Account {
	return store.Account{Name: name, Created: 1234567, Admin: true,
		SHA1:   store.Scram{Salt: []byte("salt\x00"), Iterations: 4096, StoredKey: []byte{1}, ServerKey: []byte{2}},
		SHA256: store.Scram{Salt: []byte{0xff}, Iterations: 10000, StoredKey: []byte{3}, ServerKey: []byte{4}}}
}

func accountRoundTrip(t *testing.T, s store.Store) {
	ctx, a := background(), testAccount("alice")
	must(t, s.AddAccounts(ctx, []store.Account{a, testAccount("Bob")}))
	got, err := s.Account(ctx, "alice")
	must(t, err)
	if !reflect.DeepEqual(got, a) {
		t.Errorf("got %+v", got)
	}
	a.Disabled, a.Admin, a.SHA256.Iterations = true, false, 20000
	must(t, s.SetAccount(ctx, a))
	if got, err = s.Account(ctx, "alice"); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("after the change %+v, %v", got, err)
	}
	names, err := s.AccountNames(ctx)
	if err != nil || !slices.Equal(names, []string{"Bob", "alice"}) {
		t.Errorf("names %v, %v", names, err)
	}
	must(t, s.RemoveAccount(ctx, "alice"))
	if _, err := s.Account(ctx, "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removed account: %v", err)
	}
}

func addAtomic(t *testing.T, s store.Store) {
	ctx := background()
	must(t, s.AddAccounts(ctx, []store.Account{testAccount("a")}))
	for _, as := range [][]store.Account{
		{testAccount("b"), testAccount("a")}, {testAccount("c"), testAccount("c")},
	} {
		if err := s.AddAccounts(ctx, as); !errors.Is(err, store.ErrExists) {
			t.Errorf("adding %s twice: %v", as[1].Name, err)
		}
	}
	must(t, s.AddAccounts(ctx, nil))
	names, err := s.AccountNames(ctx)
	if err != nil || !slices.Equal(names, []string{"a"}) {
		t.Errorf("names %v, %v", names, err)
	}
}

func absentAccount(t *testing.T, s store.Store) {
	if err := s.SetAccount(background(), testAccount("a")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("set: %v", err)
	}
	if err := s.RemoveAccount(background(), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("remove: %v", err)
	}
}
