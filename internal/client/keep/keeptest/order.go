package keeptest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"mirsal/internal/client/keep"
)

// hard are keys whose order or prefix goes wrong where they are not compared as
// unsigned bytes, or where a prefix's end is computed carelessly.
func hard() []string {
	k := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x01", "A", "a", "a\x00", "a\x00b", "a\xff", "a\xff\xff", "aa", "ab", "b",
		"Z", "\u00e4", "\u0645", "\U0001f600", "\uffff", "\x7f", "\x80", "\xfe", "\xff", "\xff\x00", "\xff\xff", "10", "9"}
	slices.Sort(k)
	return k
}

func order(t *testing.T, s keep.Store) {
	want := hard()
	shuffled := slices.Clone(want)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, k := range shuffled {
		put(t, s, "t", k)
	}
	if got := keys(t, s, "t", keep.Range{}); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	slices.Reverse(want)
	if got := keys(t, s, "t", keep.Range{Reverse: true}); !slices.Equal(got, want) {
		t.Errorf("reversed: got  %q\nwant %q", got, want)
	}
}

// expected is what a range selects, by the words of its definition.
func expected(all []string, r keep.Range) []string {
	var out []string
	for _, k := range all {
		if r.Has(k) {
			out = append(out, k)
		}
	}
	if r.Reverse {
		slices.Reverse(out)
	}
	if r.Limit > 0 && len(out) > r.Limit {
		out = out[:r.Limit]
	}
	return out
}

func ranges(t *testing.T, s keep.Store) {
	all := hard()
	put(t, s, "t", all...)
	put(t, s, "s", "a", "\xff\xff")
	put(t, s, "u", "", "a")
	bounds := []string{"", "\x00", "a", "a\x00", "a\xff", "b", "nothing", "\xff", "\xff\xff", "\xff\xff\xff"}
	for _, prefix := range []string{"", "\x00", "a", "a\xff", "none", "\xff", "\xff\xff"} {
		for _, after := range bounds {
			for _, before := range bounds {
				for _, limit := range []int{0, 1, 3} {
					checkRange(t, s, all, keep.Range{Prefix: prefix, After: after, Before: before, Limit: limit})
				}
			}
		}
	}
}

func checkRange(t *testing.T, s keep.Store, all []string, r keep.Range) {
	t.Helper()
	for range 2 {
		if got, want := keys(t, s, "t", r), expected(all, r); !slices.Equal(got, want) {
			t.Errorf("%+v:\n got %q\nwant %q", r, got, want)
		}
		r.Reverse = true
	}
}

func ends(t *testing.T, s keep.Store) {
	put(t, s, "t", "1", "2", "3")
	n := 0
	if err := s.Scan("t", keep.Range{}, func(string, []byte) bool { n++; return n < 2 }); err != nil || n != 2 {
		t.Errorf("called %d times, want 2; %v", n, err)
	}
	put(t, s, "t", "4") // a scan that was left holds nothing up
	if got := keys(t, s, "t", keep.Range{}); len(got) != 4 {
		t.Errorf("got %q", got)
	}
}

// model compares a store with a map over random batches.
func model(t *testing.T, s keep.Store) {
	r := rand.New(rand.NewPCG(7, 11))
	want := map[string]string{}
	for range 60 {
		var b keep.Batch
		for range r.IntN(12) {
			k := string([]byte{byte(r.IntN(4) * 85), byte(r.IntN(4))}[:1+r.IntN(2)])
			if r.IntN(3) == 0 {
				b.Delete("t", k)
				delete(want, k)
				continue
			}
			v := fmt.Sprint(r.Uint32())
			b.Put("t", k, []byte(v))
			want[k] = v
		}
		apply(t, s, &b)
		compare(t, s, want)
	}
}

func compare(t *testing.T, s keep.Store, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	if err := s.Scan("t", keep.Range{}, func(k string, v []byte) bool { got[k] = string(v); return true }); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
	for k, v := range want {
		if string(get(t, s, "t", k)) != v {
			t.Fatalf("%q: Get and Scan disagree", k)
		}
	}
}
