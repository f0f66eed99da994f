package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"mirsal/internal/store"
)

// expected is what a user of the store may count on at some moment.
type expected struct {
	groups   map[uint64]int  // acknowledged: first number -> size
	deleting map[uint64]bool // numbers whose deletion began
	deleted  map[uint64]bool // numbers whose deletion was acknowledged
	key      int             // the latest acknowledged batch
	accounts int             // accounts acknowledged
}

func newExpected() *expected {
	return &expected{groups: map[uint64]int{}, deleting: map[uint64]bool{}, deleted: map[uint64]bool{}}
}

func TestWhatWasAcknowledgedSurvivesAPowerCut(t *testing.T) {
	for seed := range uint64(3) {
		r := recordWork(t, seed, "FULL")
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 12 {
			n := rng.IntN(len(r.steps) + 1)
			if err := checkCut(t, r, n, rng); err != nil {
				t.Errorf("seed %d, cut at %d of %d: %v", seed, n, len(r.steps), err)
			}
		}
	}
}

// The harness itself must see a loss where there is one.
func TestPowerCutsWithoutSyncsAreSeenToLose(t *testing.T) {
	r := recordWork(t, 7, "OFF")
	rng := rand.New(rand.NewPCG(7, 1))
	lost := 0
	for range 20 {
		if err := checkCut(t, r, rng.IntN(len(r.steps)+1), rng); err != nil {
			lost++
		}
	}
	if lost == 0 {
		t.Error("20 power cuts with synchronous=OFF lost nothing")
	}
}

func bucketsOf(kv store.KV) (a, b *store.Bucket) {
	return kv.Declare(store.Space{Name: "a", Fields: "f", Purpose: "p"}), kv.Declare(store.Space{Name: "b", Fields: "f", Purpose: "p"})
}

// recordWork runs a few hundred changes of all kinds, with checkpoints and merges
// among them, and records what reached the disk.
func recordWork(t *testing.T, seed uint64, synchronous string) *recorder {
	t.Helper()
	r, vfs := newRecorder(t)
	dir := t.TempDir()
	s := open(t, dir, Options{Synchronous: synchronous, vfs: vfs, mergeFrom: 300, mergeSlice: 50, checkpointPages: 60, walLimitPages: 200, watchEvery: 1})
	a, b := bucketsOf(s)
	r.begin(t, dir)
	done := make(chan error, 2)
	go func() { done <- changeKeys(r, s, a, b) }()
	go func() { done <- appendAndDelete(r, s, rand.New(rand.NewPCG(seed, 2))) }()
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	steps := len(r.steps)
	r.mu.Unlock()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r.steps = r.steps[:steps]
	return r
}

func changeKeys(r *recorder, s *engine, a, b *store.Bucket) error {
	for i := 1; i <= 150; i++ {
		value := fmt.Append(nil, i)
		if err := s.Apply(context.Background(), "o", a.Set("k", value), b.Set("k", value)); err != nil {
			return err
		}
		r.note(func(e *expected) { e.key = i })
		if i%50 == 0 {
			if err := s.AddAccounts(context.Background(), []store.Account{{Name: fmt.Sprint("user", i/50)}}); err != nil {
				return err
			}
			r.note(func(e *expected) { e.accounts = i / 50 })
		}
	}
	return nil
}

func appendAndDelete(r *recorder, s *engine, rng *rand.Rand) error {
	for range 120 {
		g := groupOf(1+rng.IntN(12), 20, s.Last()+1)
		if err := s.Append(g); err != nil {
			return err
		}
		first, size := g.First, len(g.Records)
		r.note(func(e *expected) { e.groups[first] = size })
		if rng.IntN(8) > 0 {
			continue
		}
		gone := 1 + rng.Uint64N(s.Last())
		r.note(func(e *expected) { e.deleting[gone] = true })
		if err := s.Delete(context.Background(), []uint64{gone}); err != nil {
			return err
		}
		r.note(func(e *expected) { e.deleted[gone] = true })
	}
	return nil
}

// checkCut opens what a power cut leaves and holds it against the promises.
func checkCut(t *testing.T, r *recorder, n int, rng *rand.Rand) error {
	dir, want := r.cut(t, n, rng)
	opened, err := Open(dir, Options{Synchronous: "OFF"})
	if err != nil {
		return err
	}
	defer opened.Close()
	s := opened.(*engine)
	return errors.Join(checkIntegrity(s), checkKeys(s, want), checkGroups(s, want), checkArchives(s))
}

func checkIntegrity(s *engine) error {
	return s.read(context.Background(), func(c *conn) error {
		r, err := c.one(`PRAGMA integrity_check`)
		if err == nil && r.text(0) != "ok" {
			err = errors.New(r.text(0))
		}
		return err
	})
}

func checkKeys(s *engine, want *expected) error {
	a, b := bucketsOf(s)
	var values [2]int
	for i, bucket := range []*store.Bucket{a, b} {
		if it, err := bucket.Get(context.Background(), "o", "k"); err == nil {
			fmt.Sscan(string(it.Value), &values[i])
		}
	}
	if values[0] != values[1] || values[0] < want.key {
		return fmt.Errorf("keys %v, acknowledged %d", values, want.key)
	}
	for i := range want.accounts {
		if _, err := s.Account(context.Background(), fmt.Sprint("user", i+1)); err != nil {
			return fmt.Errorf("account %d: %w", i+1, err)
		}
	}
	return nil
}

// checkGroups looks at the packed groups and the payloads.
func checkGroups(s *engine, want *expected) error {
	there := map[uint64]bool{}
	err := s.Replay(context.Background(), 0, func(g store.Group) error {
		for i, r := range g.Records {
			seq := g.First + uint64(i)
			there[seq] = r.Body != nil
			if r.Body == nil && !want.deleting[seq] {
				return fmt.Errorf("group at %d is without %d", g.First, seq)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for first, size := range want.groups {
		for seq := first; seq < first+uint64(size); seq++ {
			if !there[seq] && !want.deleting[seq] {
				return fmt.Errorf("acknowledged %d is lost", seq)
			}
			if s.Last() < seq {
				return fmt.Errorf("last is %d, %d was used", s.Last(), seq)
			}
		}
	}
	for seq := range want.deleted {
		if there[seq] {
			return fmt.Errorf("deleted %d is back", seq)
		}
	}
	return nil
}

// checkArchives compares what owners see with what the groups hold.
func checkArchives(s *engine) error {
	facts := map[string][]uint64{}
	err := s.Replay(context.Background(), 0, func(g store.Group) error {
		for i, r := range g.Records {
			for _, en := range r.Entries {
				facts[en.Owner] = append(facts[en.Owner], g.First+uint64(i))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for owner, want := range facts {
		rows, _, err := s.Page(context.Background(), store.Query{Owner: owner, Limit: 10000})
		var got []uint64
		for _, r := range rows {
			got = append(got, r.Seq)
		}
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			return fmt.Errorf("%s sees %v of %v, %v", owner, got, want, err)
		}
	}
	return nil
}
