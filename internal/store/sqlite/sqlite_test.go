package sqlite

import (
	"testing"

	"mirsal/internal/store"
	"mirsal/internal/store/storetest"
)

func open(t testing.TB, dir string, o Options) *engine {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*engine)
}

func TestSQLiteKeepsTheContract(t *testing.T) {
	storetest.Run(t,
		func(t *testing.T) store.Store { return open(t, t.TempDir(), Options{Synchronous: "OFF"}) },
		func(t *testing.T, s store.Store) store.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, s.(*engine).dir, Options{Synchronous: "OFF"})
		})
}
