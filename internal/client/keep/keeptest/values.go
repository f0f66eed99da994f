package keeptest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"mirsal/internal/client/keep"
)

func absent(t *testing.T, s keep.Store) {
	if v := get(t, s, "t", "k"); v != nil {
		t.Errorf("got %q, want nil", v)
	}
	put(t, s, "t", "k")
	if v := get(t, s, "t", "kk"); v != nil {
		t.Errorf("got %q for a longer key, want nil", v)
	}
}

func emptyValues(t *testing.T, s keep.Store) {
	var b keep.Batch
	b.Put("t", "empty", []byte{})
	b.Put("t", "nil", nil)
	apply(t, s, &b)
	for _, k := range []string{"empty", "nil"} {
		if v := get(t, s, "t", k); v == nil || len(v) != 0 {
			t.Errorf("%s: got %#v, want a slice of no bytes", k, v)
		}
	}
	if got := keys(t, s, "t", keep.Range{}); len(got) != 2 {
		t.Errorf("a scan gives %q", got)
	}
}

func emptyNames(t *testing.T, s keep.Store) {
	put(t, s, "", "", "a")
	var b keep.Batch
	b.Put("", "", []byte("value"))
	apply(t, s, &b)
	if v := get(t, s, "", ""); string(v) != "value" {
		t.Errorf("got %q", v)
	}
	if got := keys(t, s, "", keep.Range{}); fmt.Sprintf("%q", got) != `["" "a"]` {
		t.Errorf("a scan gives %q", got)
	}
	b = keep.Batch{}
	b.Delete("", "")
	apply(t, s, &b)
	if v := get(t, s, "", ""); v != nil {
		t.Errorf("after deletion: %q", v)
	}
}

func anyBytes(t *testing.T, s keep.Store) {
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	names := []string{string(all), "\x00", "\x00\x00", "\xff\xff", "caf\xc3\xa9", "cafe\xcc\x81", "\xed\xa0\x80", "'; DROP TABLE entry; --", "%_*?["}
	for i, name := range names {
		var b keep.Batch
		b.Put(keep.Table(name), name, append([]byte{byte(i)}, all...))
		apply(t, s, &b)
	}
	for i, name := range names {
		if v := get(t, s, keep.Table(name), name); !bytes.Equal(v, append([]byte{byte(i)}, all...)) {
			t.Errorf("%q: got %d bytes", name, len(v))
		}
		if got := keys(t, s, keep.Table(name), keep.Range{}); len(got) != 1 || got[0] != name {
			t.Errorf("%q: a scan gives %q", name, got)
		}
	}
}

func apart(t *testing.T, s keep.Store) {
	put(t, s, "a", "1", "2")
	put(t, s, "ab", "3")
	put(t, s, "a\x00", "4")
	var b keep.Batch
	b.Delete("ab", "1")
	apply(t, s, &b)
	if got := keys(t, s, "a", keep.Range{}); len(got) != 2 {
		t.Errorf("table a has %q", got)
	}
	if v := get(t, s, "ab", "2"); v != nil {
		t.Errorf("table ab has table a's value %q", v)
	}
}

func lastCounts(t *testing.T, s keep.Store) {
	var b keep.Batch
	b.Put("t", "put", []byte("1"))
	b.Put("t", "put", []byte("2"))
	b.Put("t", "gone", []byte("1"))
	b.Delete("t", "gone")
	b.Delete("t", "back")
	b.Put("t", "back", []byte("3"))
	apply(t, s, &b)
	for k, want := range map[string]string{"put": "2", "gone": "", "back": "3"} {
		if v := get(t, s, "t", k); string(v) != want {
			t.Errorf("%s: got %q, want %q", k, v, want)
		}
	}
}

func added(t *testing.T, s keep.Store) {
	var a, b keep.Batch
	a.Put("t", "1", []byte("a"))
	b.Put("t", "1", []byte("b"))
	b.Put("t", "2", []byte("b"))
	a.Add(&b)
	a.Add(nil)
	if a.Len() != 3 || b.Len() != 2 {
		t.Errorf("batches have %d and %d steps, want 3 and 2", a.Len(), b.Len())
	}
	apply(t, s, &a)
	apply(t, s, &a)
	if v := get(t, s, "t", "1"); string(v) != "b" {
		t.Errorf("got %q, want what was added last", v)
	}
}

func handedIn(t *testing.T, s keep.Store) {
	v := []byte("before")
	var b keep.Batch
	b.Put("t", "k", v)
	copy(v, "BEFORE")
	apply(t, s, &b)
	copy(v, "after!")
	if got := get(t, s, "t", "k"); string(got) != "before" {
		t.Errorf("got %q", got)
	}
}

func handedOut(t *testing.T, s keep.Store) {
	put(t, s, "t", "value")
	copy(get(t, s, "t", "value"), "XXXXX")
	var held []byte
	if err := s.Scan("t", keep.Range{}, func(_ string, v []byte) bool { held = v; return true }); err != nil {
		t.Fatal(err)
	}
	copy(held, "YYYYY")
	if got := get(t, s, "t", "value"); string(got) != "value" {
		t.Errorf("got %q", got)
	}
}

func deleteAbsent(t *testing.T, s keep.Store) {
	var b keep.Batch
	b.Delete("never", "there")
	b.Put("t", "k", []byte("v"))
	b.Delete("t", "there")
	apply(t, s, &b)
	if got := get(t, s, "t", "k"); string(got) != "v" {
		t.Errorf("the rest of the batch: got %q", got)
	}
}

func nothing(t *testing.T, s keep.Store) {
	apply(t, s, nil)
	apply(t, s, &keep.Batch{})
}

func large(t *testing.T, s keep.Store) {
	const n = 5000
	var b keep.Batch
	for i := range n {
		b.Put("t", fmt.Sprintf("%06d", i), bytes.Repeat([]byte{byte(i)}, 50))
	}
	apply(t, s, &b)
	if got := keys(t, s, "t", keep.Range{}); len(got) != n {
		t.Errorf("%d keys, want %d", len(got), n)
	}
	if got := keys(t, s, "t", keep.Range{Reverse: true, Limit: 2}); fmt.Sprint(got) != "[004999 004998]" {
		t.Errorf("the last are %q", got)
	}
}

func largeValue(t *testing.T, s keep.Store) {
	want := bytes.Repeat([]byte("0123456789abcde\x00"), 1<<16) // 1 MiB
	var b keep.Batch
	b.Put("t", "k", want)
	apply(t, s, &b)
	if !bytes.Equal(get(t, s, "t", "k"), want) {
		t.Error("the value is another")
	}
}

func closed(t *testing.T, o Opener) {
	s := o(t)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	var b keep.Batch
	b.Put("t", "k", nil)
	_, err := s.Get("t", "k")
	for name, err := range map[string]error{
		"Get": err, "Apply": s.Apply(&b),
		"Scan": s.Scan("t", keep.Range{}, func(string, []byte) bool { return true }),
	} {
		if !errors.Is(err, keep.ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
}

func reopened(t *testing.T, o Opener) {
	for i := range 3 {
		s := o(t)
		if got := keys(t, s, "t", keep.Range{}); len(got) != i {
			t.Errorf("opened for the %d. time: %q", i+1, got)
		}
		put(t, s, "t", fmt.Sprint(i))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
