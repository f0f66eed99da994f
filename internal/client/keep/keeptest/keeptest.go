// Package keeptest is the contract of keep.Store as tests, which every store
// passes: the one in memory, that of programs and that of the browser. It needs
// no operating system; what needs one (killing a process) stands beside the
// stores that have one.
package keeptest

import (
	"testing"

	"mirsal/internal/client/keep"
)

// Opener opens the store under test. Each call within one test gives a store on
// the same data, the former having been closed; forgets says that there is none
// to be had again, as in memory. Called for another test it starts empty.
type Opener func(t *testing.T) keep.Store

// Run runs the suite. fresh returns an Opener on new data.
func Run(t *testing.T, fresh func(t *testing.T) Opener, forgets bool) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, keep.Store)
	}{
		{"a key that was never written is absent", absent},
		{"an empty value is there", emptyValues},
		{"an empty key and an empty table are like others", emptyNames},
		{"keys, values and tables hold any bytes", anyBytes},
		{"tables are apart", apart},
		{"the last of several steps for a key counts", lastCounts},
		{"batches can be added up and used again", added},
		{"slices handed in are not kept", handedIn},
		{"slices handed out belong to the caller", handedOut},
		{"deleting what is not there is no error", deleteAbsent},
		{"an empty batch is nothing", nothing},
		{"scans come in the order of the keys' bytes", order},
		{"every range is what its bounds say, both ways", ranges},
		{"a scan ends when its function says so", ends},
		{"a large batch is applied wholly", large},
		{"a large value comes back", largeValue},
		{"any sequence of batches leaves what a map would hold", model},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t, fresh(t))) })
	}
	t.Run("a closed store refuses everything", func(t *testing.T) { closed(t, fresh(t)) })
	if !forgets {
		t.Run("what was applied is there after opening again", func(t *testing.T) { reopened(t, fresh(t)) })
	}
}

// open opens a store that is closed with its test.
func open(t *testing.T, o Opener) keep.Store {
	t.Helper()
	s := o(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func apply(t *testing.T, s keep.Store, b *keep.Batch) {
	t.Helper()
	if err := s.Apply(b); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

// put writes keys with themselves as values.
func put(t *testing.T, s keep.Store, table keep.Table, keys ...string) {
	t.Helper()
	var b keep.Batch
	for _, k := range keys {
		b.Put(table, k, []byte(k))
	}
	apply(t, s, &b)
}

func get(t *testing.T, s keep.Store, table keep.Table, key string) []byte {
	t.Helper()
	v, err := s.Get(table, key)
	if err != nil {
		t.Fatalf("Get(%q, %q): %v", table, key, err)
	}
	return v
}

// keys lists what a scan gives.
func keys(t *testing.T, s keep.Store, table keep.Table, r keep.Range) []string {
	t.Helper()
	var out []string
	err := s.Scan(table, r, func(k string, v []byte) bool {
		if v == nil {
			t.Errorf("the value of %q is nil", k)
		}
		out = append(out, k)
		return true
	})
	if err != nil {
		t.Fatalf("Scan(%q, %+v): %v", table, r, err)
	}
	return out
}
