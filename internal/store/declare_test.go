package store_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mirsal/internal/store"
)

func TestBoundsHoldTheKeysOfTheRangeAndNoOthers(t *testing.T) {
	text := rapid.StringMatching(`[ab\xff]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		r := store.Range{From: text.Draw(t, "from"), To: text.Draw(t, "to"), Prefix: text.Draw(t, "prefix")}
		key := text.Draw(t, "key")
		want := key >= r.From && (r.To == "" || key < r.To) && strings.HasPrefix(key, r.Prefix)
		from, to, ok := r.Bounds()
		if got := ok && key >= from && (to == "" || key < to); got != want {
			t.Fatalf("%+v holds %q: %v, bounds %q %q %v", r, key, want, from, to, ok)
		}
	})
}
