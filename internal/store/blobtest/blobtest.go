// Package blobtest is the contract of store.Blob as tests: every engine runs it.
// What it checks is promised to callers; what it does not check is not.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"mirsal/internal/store"
)

// Run checks an engine against the contract. open returns a new empty one;
// reopen closes it as a crash would and opens the same one again.
func Run(t *testing.T, open func(t *testing.T) store.Blob, reopen func(t *testing.T, b store.Blob) store.Blob) {
	for name, f := range map[string]func(*testing.T, store.Blob){
		"what is put is read back":                     roundTrip,
		"every part can be read":                       parts,
		"the newer one counts":                         replace,
		"a length that was not kept leaves nothing":    wrongLength,
		"an error on the way leaves nothing":           brokenOff,
		"an error on the way leaves the old one":       brokenOffOver,
		"a deleted one is gone":                        deleted,
		"names are listed in order, by their prefix":   listed,
		"who lists may delete and stop":                listAndDelete,
		"names that are none are refused":              badNames,
		"many at a time do not disturb each other":     manyAtATime,
		"there is room, and a name without a password": told,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
	t.Run("what was put survives, what was broken off does not", func(t *testing.T) {
		b := open(t)
		put(t, b, "kept", "text")
		_ = b.Put(t.Context(), "half", 100, &endless{})
		b = reopen(t, b)
		if got := names(t, b, ""); !slices.Equal(got, []string{"kept"}) {
			t.Errorf("%q", got)
		}
		if got := read(t, b, "kept"); got != "text" {
			t.Errorf("%q", got)
		}
	})
}

// endless gives bytes for ever.
type endless struct{}

func (*endless) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func put(t *testing.T, b store.Blob, name, text string) {
	t.Helper()
	if err := b.Put(t.Context(), name, int64(len(text)), strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, b store.Blob, name string) string {
	t.Helper()
	f, err := b.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := io.ReadAll(f)
	if err != nil || int64(len(all)) != f.Size() {
		t.Fatalf("%d bytes of %d, %v", len(all), f.Size(), err)
	}
	return string(all)
}

func names(t *testing.T, b store.Blob, prefix string) (all []string) {
	t.Helper()
	if err := b.List(t.Context(), prefix, func(name string) error { all = append(all, name); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func missing(t *testing.T, b store.Blob, name string) {
	t.Helper()
	if f, err := b.Open(t.Context(), name); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s: %v", name, err)
		if err == nil {
			f.Close()
		}
	}
}

func random(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return string(b)
}

func roundTrip(t *testing.T, b store.Blob) {
	for i, text := range []string{"", "x", random(1000), random(3 << 20)} {
		name := fmt.Sprintf("abc-%d", i)
		if err := b.Put(t.Context(), name, int64(len(text)), iotest.HalfReader(strings.NewReader(text))); err != nil {
			t.Fatal(err)
		}
		if read(t, b, name) != text {
			t.Errorf("%d bytes come back as others", len(text))
		}
	}
	missing(t, b, "never-put")
}

func parts(t *testing.T, b store.Blob) {
	text := random(100_000)
	put(t, b, "whole", text)
	f, err := b.Open(t.Context(), "whole")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, at := range []int64{99_999, 0, 50_000, 100_000} {
		if n, err := f.Seek(at, io.SeekStart); n != at || err != nil {
			t.Fatal(n, err)
		}
		got, err := io.ReadAll(io.LimitReader(f, 1000))
		if want := text[at:min(at+1000, 100_000)]; err != nil || string(got) != want {
			t.Errorf("from %d: %d bytes instead of %d, %v", at, len(got), len(want), err)
		}
	}
	if n, err := f.Seek(-10, io.SeekEnd); n != 99_990 || err != nil {
		t.Error(n, err)
	}
	if n, err := f.Seek(5, io.SeekCurrent); n != 99_995 || err != nil {
		t.Error(n, err)
	}
	if got, err := io.ReadAll(f); err != nil || string(got) != text[99_995:] {
		t.Error(len(got), err)
	}
	if _, err := f.Seek(-1, io.SeekStart); err == nil {
		t.Error("a place before the beginning")
	}
}

func replace(t *testing.T, b store.Blob) {
	put(t, b, "same", "old and long")
	put(t, b, "same", "new")
	if got := read(t, b, "same"); got != "new" {
		t.Errorf("%q", got)
	}
}

func wrongLength(t *testing.T, b store.Blob) {
	for text, size := range map[string]int64{"": 1, "short": 6, "long": 3, "some": 0} {
		if err := b.Put(t.Context(), "wrong", size, strings.NewReader(text)); !errors.Is(err, store.ErrLength) {
			t.Errorf("%q for %d bytes: %v", text, size, err)
		}
	}
	if err := b.Put(t.Context(), "wrong", -1, strings.NewReader("")); err == nil {
		t.Error("a negative length")
	}
	missing(t, b, "wrong")
	if got := names(t, b, ""); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}

func brokenOff(t *testing.T, b store.Blob) {
	broken := errors.New("the line is cut")
	r := io.MultiReader(strings.NewReader(random(300_000)), iotest.ErrReader(broken))
	if err := b.Put(t.Context(), "half", 1<<20, r); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Put(ctx, "cancelled", 3, strings.NewReader("abc")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	missing(t, b, "half")
	missing(t, b, "cancelled")
	if got := names(t, b, ""); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}

func brokenOffOver(t *testing.T, b store.Blob) {
	put(t, b, "same", "old")
	_ = b.Put(t.Context(), "same", 100, iotest.ErrReader(errors.New("cut")))
	if got := read(t, b, "same"); got != "old" {
		t.Errorf("%q", got)
	}
}

func deleted(t *testing.T, b store.Blob) {
	put(t, b, "one", "1")
	put(t, b, "one-more", "2")
	for range 2 {
		if err := b.Delete(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
	}
	missing(t, b, "one")
	if got := read(t, b, "one-more"); got != "2" {
		t.Errorf("%q", got)
	}
}

func listed(t *testing.T, b store.Blob) {
	all := []string{"aa0", "aab", "ab-c", "abc", "abcd", "b00", "zzz"}
	for _, i := range rand.Perm(len(all)) {
		put(t, b, all[i], "x")
	}
	for prefix, want := range map[string][]string{
		"": all, "a": all[:5], "aa": all[:2], "ab": all[2:5], "abc": all[3:5], "zzzz": nil, "c": nil,
	} {
		if got := names(t, b, prefix); !slices.Equal(got, want) {
			t.Errorf("%q: %q instead of %q", prefix, got, want)
		}
	}
}

func listAndDelete(t *testing.T, b store.Blob) {
	for i := range 10 {
		put(t, b, fmt.Sprintf("n%02d", i), "x")
	}
	enough := errors.New("enough")
	seen := 0
	err := b.List(t.Context(), "", func(name string) error {
		if seen++; seen > 5 {
			return enough
		}
		return b.Delete(t.Context(), name)
	})
	if !errors.Is(err, enough) || len(names(t, b, "")) != 5 {
		t.Errorf("%v, %q", err, names(t, b, ""))
	}
}

func badNames(t *testing.T, b store.Blob) {
	for _, name := range []string{
		"", "a", "ab", "../abc", "abc/def", "ab\x00c", "ABC", "abc.tmp", "é00", "a b c", strings.Repeat("a", store.MaxBlobName+1),
	} {
		_, opened := b.Open(t.Context(), name)
		for what, err := range map[string]error{
			"put": b.Put(t.Context(), name, 1, strings.NewReader("x")), "opened": opened, "deleted": b.Delete(t.Context(), name),
		} {
			if !errors.Is(err, store.ErrName) {
				t.Errorf("%q was %s: %v", name, what, err)
			}
		}
	}
	longest := strings.Repeat("a", store.MaxBlobName)
	put(t, b, longest, "x")
	read(t, b, longest)
}

func manyAtATime(t *testing.T, b store.Blob) {
	var run sync.WaitGroup
	for i := range 20 {
		run.Go(func() {
			name, text := fmt.Sprintf("many-%d", i), bytes.Repeat([]byte{byte(i)}, 10_000+i)
			if err := b.Put(t.Context(), name, int64(len(text)), bytes.NewReader(text)); err != nil {
				t.Error(err)
				return
			}
			f, err := b.Open(t.Context(), name)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		})
	}
	run.Wait()
}

func told(t *testing.T, b store.Blob) {
	if n, err := b.Free(); err != nil || n <= 0 {
		t.Errorf("%d bytes are free, %v", n, err)
	}
	if b.String() == "" {
		t.Error("without a name")
	}
}
