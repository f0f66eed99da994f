package sqlite

import (
	"context"
	"errors"
	"sync"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"mirsal/internal/store"
)

func TestAFailedSyncStopsAllWritesUntilARestart(t *testing.T) {
	r, vfs := newRecorder(t)
	s := open(t, t.TempDir(), Options{vfs: vfs})
	bucket := s.Declare(store.Space{Name: "s", Fields: "f", Purpose: "p"})
	if err := s.Append(groupOf(4, 10, 1)); err != nil {
		t.Fatal(err)
	}
	r.failWith(synced, sqlite3.SQLITE_IOERR_FSYNC)
	if err := s.Append(groupOf(4, 10, 5)); !errors.Is(err, store.ErrFatal) {
		t.Fatalf("append whose sync failed: %v", err)
	}
	r.failWith(synced, 0)
	for name, err := range map[string]error{
		"append":     s.Append(groupOf(4, 10, 5)),
		"put":        bucket.Put(context.Background(), "o", "k", nil),
		"checkpoint": s.Checkpoint(),
	} {
		if !errors.Is(err, store.ErrFatal) {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
	if rows, _, err := s.Page(context.Background(), store.Query{Owner: "user5@example.org", Limit: 9}); err != nil {
		t.Errorf("reading goes on: %v, %v", rows, err)
	}
	s = reopen(t, s)
	if last := s.Last(); last != 4 && last != 8 {
		t.Errorf("after the restart last is %d", last)
	}
	holds(t, s, s.Last())
}

func TestAFailedWriteIsUndoneAndTheNextSucceeds(t *testing.T) {
	r, vfs := newRecorder(t)
	s := open(t, t.TempDir(), Options{vfs: vfs, mergeFrom: 10, mergeSlice: 4})
	for i, seq := 0, uint64(1); i < 30; i, seq = i+1, s.Last()+1 {
		r.failWith(wrote, sqlite3.SQLITE_FULL)
		if err := s.Append(groupOf(4, 10, seq)); err == nil || errors.Is(err, store.ErrFatal) {
			t.Fatalf("append to a full disk: %v", err)
		}
		if s.Last() != seq-1 {
			t.Fatalf("last is %d after the failure, was %d", s.Last(), seq-1)
		}
		r.failWith(wrote, 0)
		if err := s.Append(groupOf(4, 10, seq)); err != nil {
			t.Fatal(err)
		}
		holds(t, s, seq+3)
	}
	holds(t, reopen(t, s), 120)
}

func TestOneFailingJobLeavesTheOthersOfItsTransaction(t *testing.T) {
	s := open(t, t.TempDir(), Options{Synchronous: "OFF"})
	bucket := s.Declare(store.Space{Name: "s", Fields: "f", Purpose: "p"})
	blocked, release := make(chan struct{}), make(chan struct{})
	go s.writer.do(context.Background(), func() error { close(blocked); <-release; return nil }, nil)
	<-blocked
	var all sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		op := bucket.Set(string(rune('a'+i)), []byte("v"))
		if i%2 == 1 {
			op.If = new(uint64)
			*op.If = 99
		}
		j := &job{result: make(chan error, 1), tx: func() error { return s.writer.apply("o", []store.Op{op}) }}
		if err := s.writer.queue(context.Background(), j); err != nil {
			t.Fatal(err)
		}
		all.Go(func() { errs[i] = <-j.result })
	}
	close(release)
	all.Wait()
	for i, err := range errs {
		if errors.Is(err, store.ErrConflict) != (i%2 == 1) {
			t.Errorf("job %d: %v", i, err)
		}
	}
	if items, err := bucket.Scan(context.Background(), "o", store.Range{}); err != nil || len(items) != 10 {
		t.Errorf("%d items, %v", len(items), err)
	}
}
