// Package storetest is the contract of store as tests: every engine runs it.
// What it checks is promised to callers; what it does not check is not.
package storetest

import (
	"context"
	"testing"

	"mirsal/internal/store"
)

// Open returns a new empty store, closed and removed with the test.
type Open func(t *testing.T) store.Store

// Reopen closes a store that Open returned and opens the same one again.
type Reopen func(t *testing.T, s store.Store) store.Store

// Run checks an engine against the contract. An engine that keeps things across
// a restart passes how it is reopened.
func Run(t *testing.T, open func(t *testing.T) store.Store, reopen ...func(t *testing.T, s store.Store) store.Store) {
	groups := []struct {
		name  string
		tests map[string]func(*testing.T, store.Store)
	}{{"KV", kvTests()}, {"Log", logTests()}, {"Removal", removalTests()}, {"Accounts", accountTests()}}
	for _, g := range groups {
		for name, f := range g.tests {
			t.Run(g.name+"/"+name, func(t *testing.T) { f(t, open(t)) })
		}
	}
	t.Run("Closed", func(t *testing.T) { closedRefuses(t, open(t)) })
	for _, r := range reopen {
		t.Run("Reopen", func(t *testing.T) { keepsAcrossReopen(t, open, r) })
	}
	t.Run("LikeMemory", func(t *testing.T) { likeMemory(t, open, reopen) })
}

func background() context.Context { return context.Background() }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func declare(kv store.KV, name string) *store.Bucket {
	return kv.Declare(store.Space{Name: name, Fields: "key -> value", Purpose: "test"})
}

func ptr(v uint64) *uint64 { return &v }
