package indexeddb

import (
	"errors"
	"fmt"
	"testing"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/keep/keeptest"
)

func TestAMirrorKeepsTheContract(t *testing.T) {
	for _, most := range []int{0, 100, 1 << 20} {
		t.Run(fmt.Sprint(most, " bytes a table"), func(t *testing.T) {
			keeptest.Run(t, func(*testing.T) keeptest.Opener {
				return func(*testing.T) keep.Store { return NewMirror(keep.NewMemory(), most) }
			}, true)
		})
	}
}

// below is a store that counts what it is asked, and refuses batches.
type below struct {
	keep.Store
	asked  int
	refuse error
}

func (b *below) Get(t keep.Table, key string) ([]byte, error) {
	b.asked++
	return b.Store.Get(t, key)
}

func (b *below) Scan(t keep.Table, r keep.Range, f func(string, []byte) bool) error {
	b.asked++
	return b.Store.Scan(t, r, f)
}

func (b *below) Apply(batch *keep.Batch) error {
	if b.refuse != nil {
		return b.refuse
	}
	return b.Store.Apply(batch)
}

func batch(key, value string) *keep.Batch {
	var b keep.Batch
	b.Put("t", key, []byte(value))
	return &b
}

func TestATableIsAskedForOnceUntilItIsTooLarge(t *testing.T) {
	b := &below{Store: keep.NewMemory()}
	m := NewMirror(b, 50)
	for i := range 5 {
		if err := m.Apply(batch("k", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if v, err := m.Get("t", "k"); string(v) != fmt.Sprint(i) || err != nil {
			t.Fatalf("got %q, %v", v, err)
		}
	}
	if b.asked != 1 {
		t.Errorf("the store below was asked %d times, want once", b.asked)
	}
	if err := m.Apply(batch("large", string(make([]byte, 50)))); err != nil {
		t.Fatal(err)
	}
	if v, err := m.Get("t", "k"); string(v) != "4" || err != nil || b.asked != 2 {
		t.Errorf("got %q, %v; asked %d times, want twice", v, err, b.asked)
	}
}

func TestWhatIsRefusedBelowIsNotInTheMirror(t *testing.T) {
	b := &below{Store: keep.NewMemory()}
	m := NewMirror(b, 1000)
	if err := m.Apply(batch("k", "kept")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Get("t", "k"); err != nil {
		t.Fatal(err)
	}
	b.refuse = keep.ErrInUse
	if err := m.Apply(batch("k", "refused")); !errors.Is(err, keep.ErrInUse) {
		t.Errorf("Apply: %v", err)
	}
	if v, _ := m.Get("t", "k"); string(v) != "kept" {
		t.Errorf("the mirror shows %q", v)
	}
}
