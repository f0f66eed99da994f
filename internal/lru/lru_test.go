package lru

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The cache holds the latest used keys that fit its budget, at least one.
func TestItHoldsTheLatestUsedThatFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 10
		c := New[int, int](most)
		var recent []int // keys, the latest used first
		sizes := map[int]int{}
		use := func(k int) {
			recent = slices.Insert(slices.DeleteFunc(recent, func(x int) bool { return x == k }), 0, k)
		}
		key := rapid.IntRange(0, 9)
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				k, size := key.Draw(t, "key"), rapid.IntRange(0, 12).Draw(t, "size")
				c.Put(k, size, size)
				use(k)
				sizes[k] = size
				for sum(recent, sizes) > most && len(recent) > 1 {
					recent = recent[:len(recent)-1]
				}
			},
			"get": func(t *rapid.T) {
				k := key.Draw(t, "key")
				v, ok := c.Get(k)
				if held := slices.Contains(recent, k); ok != held || held && v != sizes[k] {
					t.Fatalf("key %d: %d, %v; want %v", k, v, ok, held)
				}
				if ok {
					use(k)
				}
			},
			"drop": func(t *rapid.T) {
				k := key.Draw(t, "key")
				c.Drop(k)
				recent = slices.DeleteFunc(recent, func(x int) bool { return x == k })
			},
			"": func(t *rapid.T) {
				if c.Len() != len(recent) || c.used != sum(recent, sizes) {
					t.Fatalf("holds %d of %d bytes, want %d of %d", c.Len(), c.used, len(recent), sum(recent, sizes))
				}
			},
		})
	})
}

func sum(keys []int, sizes map[int]int) (n int) {
	for _, k := range keys {
		n += sizes[k]
	}
	return n
}
