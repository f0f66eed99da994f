package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/store"
)

func kvTests() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"an incomplete or second declaration panics":      declarePanics,
		"spaces are listed by name":                       spacesListed,
		"a put is read back and a delete removes it":      putGetDelete,
		"an undeclared space is an error":                 undeclared,
		"values are copied in and out":                    valuesCopied,
		"a batch is all or nothing":                       batchAtomic,
		"preconditions see the ops before them":           preconditions,
		"versions grow across delete and re-creation":     versionsGrow,
		"scans keep order, bounds, prefix and limit":      scans,
		"any bytes are a key":                             oddKeys,
		"removing an owner leaves the others":             removeOwner,
		"concurrent increments by precondition all count": increments,
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return
}

func declarePanics(t *testing.T, s store.Store) {
	declare(s, "taken")
	for _, bad := range []store.Space{
		{}, {Name: "a", Fields: "f"}, {Name: "a", Purpose: "p"}, {Fields: "f", Purpose: "p"},
		{Name: "a", Fields: "f", Purpose: "p", Life: -time.Second},
		{Name: "taken", Fields: "f", Purpose: "p"},
	} {
		if !panics(func() { s.Declare(bad) }) {
			t.Errorf("Declare(%+v) did not panic", bad)
		}
	}
}

func spacesListed(t *testing.T, s store.Store) {
	declare(s, "b")
	declare(s, "a")
	var names []string
	for _, sp := range s.Spaces() {
		names = append(names, sp.Name)
	}
	if !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("spaces %v", names)
	}
}

func putGetDelete(t *testing.T, s store.Store) {
	b, ctx := declare(s, "s"), background()
	if _, err := b.Get(ctx, "o", "k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("absent key: %v", err)
	}
	must(t, b.Delete(ctx, "o", "k"))
	for _, value := range [][]byte{[]byte("v"), {}, nil, []byte{0, 255}} {
		must(t, b.Put(ctx, "o", "k", value))
		it, err := b.Get(ctx, "o", "k")
		must(t, err)
		if it.Value == nil || string(it.Value) != string(value) || it.Key != "k" || it.Version == 0 {
			t.Errorf("put %q, got %+v", value, it)
		}
	}
	must(t, b.Delete(ctx, "o", "k"))
	if _, err := b.Get(ctx, "o", "k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted key: %v", err)
	}
}

func undeclared(t *testing.T, s store.Store) {
	other := store.NewBucket(s, store.Space{Name: "other"})
	if _, err := other.Get(background(), "o", "k"); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if err := other.Put(background(), "o", "k", nil); err == nil {
		t.Error("put succeeded")
	}
	if _, err := other.Scan(background(), "o", store.Range{}); err == nil {
		t.Error("scan succeeded")
	}
	if err := s.Apply(background(), "o", store.Op{Key: "k"}); err == nil {
		t.Error("op without space succeeded")
	}
}

func valuesCopied(t *testing.T, s store.Store) {
	b, value := declare(s, "s"), []byte("abc")
	must(t, b.Put(background(), "o", "k", value))
	value[0] = 'X'
	it, err := b.Get(background(), "o", "k")
	must(t, err)
	it.Value[1] = 'Y'
	again, err := b.Get(background(), "o", "k")
	must(t, err)
	if string(again.Value) != "abc" {
		t.Errorf("got %q", again.Value)
	}
}

func batchAtomic(t *testing.T, s store.Store) {
	a, b, ctx := declare(s, "a"), declare(s, "b"), background()
	must(t, s.Apply(ctx, "o", a.Set("1", []byte("x")), b.Set("1", []byte("y")), b.Set("2", nil)))
	fails := b.Set("9", []byte("z"))
	fails.If = ptr(77)
	err := s.Apply(ctx, "o", a.Set("1", []byte("changed")), b.Unset("2"), a.Set("new", nil), fails)
	if !errors.Is(err, store.ErrConflict) {
		t.Fatalf("failing precondition: %v", err)
	}
	if got := dump(t, a, "o") + "|" + dump(t, b, "o"); got != "1=x|1=y 2=" {
		t.Errorf("after the conflict: %s", got)
	}
	must(t, s.Apply(ctx, "o"))
}

// dump writes an owner's items of a space as "key=value key=value".
func dump(t *testing.T, b *store.Bucket, owner string) string {
	t.Helper()
	items, err := b.Scan(background(), owner, store.Range{})
	must(t, err)
	return join(items)
}

func join(items []store.Item) string {
	var parts []string
	for _, it := range items {
		parts = append(parts, it.Key+"="+string(it.Value))
	}
	return strings.Join(parts, " ")
}

func preconditions(t *testing.T, s store.Store) {
	b, ctx := declare(s, "s"), background()
	create := store.Op{Space: b, Key: "k", Value: []byte("1"), If: ptr(0)}
	must(t, s.Apply(ctx, "o", create))
	if err := s.Apply(ctx, "o", create); !errors.Is(err, store.ErrConflict) {
		t.Errorf("second creation: %v", err)
	}
	must(t, s.Apply(ctx, "o", b.Unset("k"), create))
	if err := s.Apply(ctx, "o", b.Set("l", nil), store.Op{Space: b, Key: "l", If: ptr(0)}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("deleting what the batch created, if absent: %v", err)
	}
	it, err := b.Get(ctx, "o", "k")
	must(t, err)
	must(t, s.Apply(ctx, "o", store.Op{Space: b, Key: "k", Value: []byte("2"), If: &it.Version}))
	if err := s.Apply(ctx, "o", store.Op{Space: b, Key: "k", If: &it.Version}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("delete of an old version: %v", err)
	}
	must(t, s.Apply(ctx, "other", create))
}

func versionsGrow(t *testing.T, s store.Store) {
	b, ctx, last := declare(s, "s"), background(), uint64(0)
	for i := range 5 {
		must(t, b.Put(ctx, "o", "k", []byte("v")))
		it, err := b.Get(ctx, "o", "k")
		must(t, err)
		if it.Version <= last {
			t.Errorf("version %d after %d", it.Version, last)
		}
		last = it.Version
		if i%2 == 1 {
			must(t, b.Delete(ctx, "o", "k"))
		}
	}
}

func scans(t *testing.T, s store.Store) {
	b, ctx := declare(s, "s"), background()
	for _, key := range []string{"b", "a/2", "a/1", "a", "a/10", "c", "a0", "\xff", "\xff\xff"} {
		must(t, b.Put(ctx, "o", key, nil))
	}
	must(t, b.Put(ctx, "p", "a/3", nil))
	for _, c := range []struct {
		r    store.Range
		want string
	}{
		{store.Range{}, "a a/1 a/10 a/2 a0 b c \xff \xff\xff"},
		{store.Range{Reverse: true, Limit: 3}, "\xff\xff \xff c"},
		{store.Range{Limit: 2}, "a a/1"},
		{store.Range{Limit: 99, From: "b"}, "b c \xff \xff\xff"},
		{store.Range{To: "a/2"}, "a a/1 a/10"},
		{store.Range{Prefix: "a/"}, "a/1 a/10 a/2"},
		{store.Range{Prefix: "a/", From: "a/10", To: "a/2"}, "a/10"},
		{store.Range{Prefix: "a/", From: "a", To: "b", Reverse: true, Limit: 2}, "a/2 a/10"},
		{store.Range{Prefix: "\xff"}, "\xff \xff\xff"},
		{store.Range{From: "c", To: "b"}, ""},
		{store.Range{Prefix: "zz"}, ""},
	} {
		items, err := b.Scan(ctx, "o", c.r)
		must(t, err)
		var keys []string
		for _, it := range items {
			keys = append(keys, it.Key)
		}
		if got := strings.Join(keys, " "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.r, got, c.want)
		}
	}
}

func oddKeys(t *testing.T, s store.Store) {
	b, ctx := declare(s, "s"), background()
	for _, key := range []string{"", "\x00", "a\x00b", "\xfe\xff", "ü", "'; --"} {
		must(t, b.Put(ctx, key, key, []byte(key)))
		it, err := b.Get(ctx, key, key)
		must(t, err)
		if it.Key != key || string(it.Value) != key {
			t.Errorf("%q became %+v", key, it)
		}
	}
	owners, err := b.Owners(ctx)
	must(t, err)
	if want := []string{"", "\x00", "'; --", "a\x00b", "ü", "\xfe\xff"}; !slices.Equal(owners, want) {
		t.Errorf("owners %q, want %q", owners, want)
	}
}

func removeOwner(t *testing.T, s store.Store) {
	a, b, ctx := declare(s, "a"), declare(s, "b"), background()
	for _, owner := range []string{"", "o", "p"} {
		must(t, s.Apply(ctx, owner, a.Set("k", nil), b.Set("k", nil), b.Set("l", nil)))
	}
	must(t, s.RemoveOwner(ctx, "o"))
	for _, sp := range []*store.Bucket{a, b} {
		owners, err := sp.Owners(ctx)
		must(t, err)
		if !slices.Equal(owners, []string{"", "p"}) {
			t.Errorf("owners left: %q", owners)
		}
	}
	if got := dump(t, b, "p"); got != "k= l=" {
		t.Errorf("the other owner has %q", got)
	}
}

func increments(t *testing.T, s store.Store) {
	const workers, each = 4, 10
	b, done := declare(s, "s"), make(chan error)
	for range workers {
		go func() {
			var err error
			for i := 0; i < each && err == nil; i++ {
				err = increment(s, b)
			}
			done <- err
		}()
	}
	for range workers {
		must(t, <-done)
	}
	if got, want := dump(t, b, "o"), fmt.Sprintf("n=%d", workers*each); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// increment adds one to the number at key n, trying again on conflict.
func increment(s store.Store, b *store.Bucket) error {
	for {
		it, err := b.Get(background(), "o", "n")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		var n int
		fmt.Sscan(string(it.Value), &n)
		err = s.Apply(background(), "o", store.Op{Space: b, Key: "n", Value: fmt.Append(nil, n+1), If: &it.Version})
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}
