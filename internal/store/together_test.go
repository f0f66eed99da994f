package store_test

import (
	"errors"
	"fmt"
	"testing"

	"mirsal/internal/store"
	"mirsal/internal/store/memory"
)

func TestOpsOfManyOwnersAreAllAppliedButThoseThatFail(t *testing.T) {
	engine := memory.New()
	defer engine.Close()
	b := engine.Declare(store.Space{Name: "test", Fields: "a value", Purpose: "this test"})
	ops := map[string][]store.Op{}
	stale := uint64(99)
	for i := range 1000 {
		op := b.Set("key", []byte{1})
		if i%10 == 0 {
			op.If = &stale
		}
		ops[fmt.Sprintf("user%d@example.org", i)] = []store.Op{op}
	}
	failed := store.ApplyAll(t.Context(), engine, ops)
	for owner, list := range ops {
		_, err := b.Get(t.Context(), owner, "key")
		if wanted := list[0].If == nil; (err == nil) != wanted || (failed[owner] == nil) != wanted {
			t.Errorf("%s: %v, %v", owner, err, failed[owner])
		}
		if err := failed[owner]; err != nil && !errors.Is(err, store.ErrConflict) {
			t.Error(err)
		}
	}
	if failed := store.ApplyAll(t.Context(), engine, nil); len(failed) != 0 {
		t.Errorf("nothing to do, and %v", failed)
	}
}
