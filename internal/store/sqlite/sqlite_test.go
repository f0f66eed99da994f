package sqlite

import (
	"flag"
	"os"
	"testing"

	"mirsal/internal/store"
	"mirsal/internal/store/storetest"
)

// TestMain lowers the number of random walks, each of which opens databases, unless
// the command line asks for one.
func TestMain(m *testing.M) {
	if checks := flag.Lookup("rapid.checks"); checks != nil {
		checks.Value.Set("20")
	}
	flag.Parse()
	os.Exit(m.Run())
}

func open(t testing.TB, dir string, o Options) *engine {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*engine)
}

func reopen(t *testing.T, s *engine) *engine {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, s.dir, s.writer.o)
}

func contract(t *testing.T, o Options) {
	storetest.Run(t,
		func(t *testing.T) store.Store { return open(t, t.TempDir(), o) },
		func(t *testing.T, s store.Store) store.Store { return reopen(t, s.(*engine)) })
}

func TestSQLiteKeepsTheContractFromTheTail(t *testing.T) {
	contract(t, Options{Synchronous: "OFF"})
}

func TestSQLiteKeepsTheContractWhileItMerges(t *testing.T) {
	contract(t, Options{Synchronous: "OFF", mergeFrom: 4, mergeSlice: 1, checkpointPages: 3, watchEvery: 1})
}
