package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"mirsal/internal/store"
)

// closedRefuses checks that every method says ErrClosed after Close.
func closedRefuses(t *testing.T, s store.Store) {
	b, ctx := declare(s, "s"), background()
	must(t, s.Close())
	must(t, s.Close())
	group := &store.Group{First: 1, Records: []store.Record{between(1, alice, bob, "x")}}
	for name, f := range map[string]func() error{
		"Get":           func() error { _, err := b.Get(ctx, "o", "k"); return err },
		"Scan":          func() error { _, err := b.Scan(ctx, "o", store.Range{}); return err },
		"Owners":        func() error { _, err := b.Owners(ctx); return err },
		"Put":           func() error { return b.Put(ctx, "o", "k", nil) },
		"RemoveOwner":   func() error { return s.RemoveOwner(ctx, "o") },
		"Append":        func() error { return s.Append(group) },
		"Page":          func() error { _, _, err := s.Page(ctx, store.Query{Owner: alice, Limit: 1}); return err },
		"Find":          func() error { _, err := s.Find(ctx, alice, []uint64{1}); return err },
		"Count":         func() error { _, err := s.Count(ctx, store.Query{Owner: alice}); return err },
		"Replay":        func() error { return s.Replay(ctx, 0, func(store.Group) error { return nil }) },
		"Expire":        func() error { _, err := s.Expire(ctx, 1, 1); return err },
		"Delete":        func() error { return s.Delete(ctx, []uint64{1}) },
		"Forget":        func() error { return s.Forget(ctx, alice) },
		"Account":       func() error { _, err := s.Account(ctx, "a"); return err },
		"AddAccounts":   func() error { return s.AddAccounts(ctx, []store.Account{{Name: "a"}}) },
		"SetAccount":    func() error { return s.SetAccount(ctx, store.Account{Name: "a"}) },
		"RemoveAccount": func() error { return s.RemoveAccount(ctx, "a") },
		"AccountNames":  func() error { _, err := s.AccountNames(ctx); return err },
	} {
		if err := f(); !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}

// keepsAcrossReopen checks that a restart changes nothing that can be read.
func keepsAcrossReopen(t *testing.T, open Open, reopen Reopen) {
	s := open(t)
	b, ctx := declare(s, "s"), background()
	must(t, b.Put(ctx, "o", "k", []byte("v")))
	before, err := b.Get(ctx, "o", "k")
	must(t, err)
	must(t, b.Delete(ctx, "o", "k"))
	must(t, b.Put(ctx, "o", "l", []byte("w")))
	must(t, s.AddAccounts(ctx, []store.Account{testAccount("a")}))
	fill(t, s)
	must(t, s.Append(&store.Group{Time: 9999, Marks: []store.Mark{mark(7, 8)}}))
	must(t, s.Delete(ctx, []uint64{2, 59, 60}))
	rows, groups := ownersSeqs(t, s, alice), collect(t, s, 0)

	s = reopen(t, s)
	b = declare(s, "s")
	if got := dump(t, b, "o"); got != "l=w" {
		t.Errorf("keys %q", got)
	}
	must(t, b.Put(ctx, "o", "k", nil))
	if it, err := b.Get(ctx, "o", "k"); err != nil || it.Version <= before.Version {
		t.Errorf("version %d after %d, %v", it.Version, before.Version, err)
	}
	if a, err := s.Account(ctx, "a"); err != nil || !reflect.DeepEqual(a, testAccount("a")) {
		t.Errorf("account %+v, %v", a, err)
	}
	if got := ownersSeqs(t, s, alice); !slices.Equal(got, rows) {
		t.Errorf("rows %v, were %v", got, rows)
	}
	if got := collect(t, s, 0); !reflect.DeepEqual(got, groups) {
		t.Errorf("groups differ:\n%+v\n%+v", got, groups)
	}
	if s.Last() != 60 {
		t.Errorf("last %d", s.Last())
	}
	must(t, s.Append(&store.Group{First: 61, Time: 1, Records: []store.Record{between(1, alice, bob, "more")}}))
	if got := ownersSeqs(t, s, alice); !slices.Equal(got, append(rows, 61)) {
		t.Errorf("after another group %v", got)
	}
}
