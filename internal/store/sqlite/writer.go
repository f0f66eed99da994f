package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"mirsal/internal/store"
)

const (
	queueLength = 256 // jobs that wait before callers do
	batchLimit  = 256 // jobs in one transaction

	pageSize = 4096 // SQLite's default
	// A passive checkpoint, beside the commits, after so many new pages in the log.
	checkpointPages = 1024
	// How many commits go by between two looks at the log: each costs as much as
	// a few messages, and so many commits add half the limit below at the most.
	watchEvery = 8
	// With so many pages in the log (16 MiB) the writer pauses until all of it is in
	// the database, and begins it anew: a log that is written over syncs faster than
	// one that grows.
	walLimitPages = 16 << 20 / pageSize
)

// job is one change. Its tx runs inside a transaction, and done, which may be
// nil, outside of one when that is durable; both run on the writer's goroutine.
type job struct {
	tx     func() error
	done   func() error
	result chan error
}

// counters are what a transaction moves and its failure puts back.
type counters struct {
	version   uint64 // of the latest write to a key
	nextGroup int64  // key of the next group's row
	newest    uint64 // highest sequence number
}

// writer owns the writing connection. All fields but the queue belong to its
// goroutine.
type writer struct {
	e    *engine
	c    *conn
	o    Options
	log  *slog.Logger
	in   interner
	jobs chan *job
	quit chan struct{} // closed when no more jobs come
	over chan struct{} // closed when the goroutine has ended

	sending sync.RWMutex // held for reading while a job is queued, to end in order
	ended   bool         // guarded by sending

	counters
	round *round // the merge under way, nil for none
	fresh int    // entries that the transaction at work adds to the tail
	mover *mover
	moved int64 // pages in the log at the latest checkpoint
	since int   // commits since the log's size was looked at
	fatal error // set once the state on disk is unknown
}

func newWriter(e *engine, c *conn, o Options) *writer {
	return &writer{e: e, c: c, o: o, log: o.Logger, in: interner{cache: &e.names},
		jobs: make(chan *job, queueLength), quit: make(chan struct{}), over: make(chan struct{})}
}

// do queues a change and waits until it is durable. The context ends the wait
// for a place in the queue, not the change.
func (w *writer) do(ctx context.Context, tx, done func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{tx: tx, done: done, result: make(chan error, 1)}
	if err := w.queue(ctx, j); err != nil {
		return err
	}
	return <-j.result
}

func (w *writer) queue(ctx context.Context, j *job) error {
	w.sending.RLock()
	defer w.sending.RUnlock()
	if w.ended {
		return store.ErrClosed
	}
	select {
	case w.jobs <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop lets the writer finish what is queued and waits for its end.
func (w *writer) stop() {
	w.sending.Lock()
	w.ended = true
	w.sending.Unlock()
	close(w.quit)
	<-w.over
}

// loop takes what waits, commits it, then looks after the log. It merges on
// while nothing waits.
func (w *writer) loop() {
	defer close(w.over)
	for {
		batch, ok := w.take()
		if !ok {
			return
		}
		w.commit(batch)
		w.watchLog()
	}
}

// take returns the waiting jobs, or none when there is a merge to go on with. It
// waits if there is neither, and returns false at the end.
func (w *writer) take() (batch []*job, ok bool) {
	select {
	case j := <-w.jobs:
		return w.takeMore(j), true
	default:
	}
	if w.round != nil && w.fatal == nil {
		select {
		case <-w.quit:
		default:
			return nil, true
		}
	}
	select {
	case j := <-w.jobs:
		return w.takeMore(j), true
	case <-w.quit:
		select {
		case j := <-w.jobs:
			return w.takeMore(j), true
		default:
			return nil, false
		}
	}
}

func (w *writer) takeMore(j *job) []*job {
	batch := []*job{j}
	for len(batch) < batchLimit {
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit runs jobs and a slice of the merge as one transaction and answers them.
func (w *writer) commit(batch []*job) {
	if w.fatal != nil {
		answer(batch, w.fatal)
		return
	}
	if len(batch) == 0 && w.round == nil {
		return
	}
	kept, err := w.transact(batch)
	if err != nil {
		w.undo(kept, err)
		return
	}
	w.in.committed()
	for _, j := range kept {
		j.result <- j.finish()
	}
	w.merged()
}

func (j *job) finish() error {
	if j.done == nil {
		return nil
	}
	return j.done()
}

func answer(batch []*job, err error) {
	for _, j := range batch {
		j.result <- err
	}
}

// transact begins, runs and commits. Jobs that fail by themselves are answered;
// the others are returned, and all of them share the error.
func (w *writer) transact(batch []*job) (kept []*job, err error) {
	w.fresh = 0
	before := w.counters
	defer func() {
		if err != nil {
			w.counters = before
		}
	}()
	if err := w.c.exec(`BEGIN IMMEDIATE`); err != nil {
		return batch, err
	}
	for i, j := range batch {
		jobErr, err := w.runJob(j)
		if err != nil {
			return append(kept, batch[i:]...), err
		}
		if jobErr != nil {
			j.result <- jobErr
			continue
		}
		kept = append(kept, j)
	}
	if err := w.mergeSlice(); err != nil {
		return kept, err
	}
	if err := w.c.exec(`COMMIT`); err != nil {
		return kept, &commitError{err}
	}
	return kept, nil
}

// commitError is an error of COMMIT itself.
type commitError struct{ error }

func (e *commitError) Unwrap() error { return e.error }

// runJob runs a job under a savepoint. The second error is one after which the
// whole transaction must end.
func (w *writer) runJob(j *job) (jobErr, txErr error) {
	if err := w.c.exec(`SAVEPOINT job`); err != nil {
		return nil, err
	}
	before, fresh := w.counters, w.fresh
	if jobErr = j.tx(); jobErr != nil {
		w.counters, w.fresh = before, fresh
		w.in.undone()
		// SQLite has rolled back by itself after some errors, a full disk among
		// them; then there is no savepoint to go back to.
		if err := w.c.exec(`ROLLBACK TO job`); err != nil {
			return nil, jobErr
		}
	}
	return jobErr, w.c.exec(`RELEASE job`)
}

// undo ends a failed transaction and answers its jobs. It is clean when SQLite
// rolled back before anything was committed: then the next one may succeed. A
// failed COMMIT may have reached the disk, unless the disk was just full.
func (w *writer) undo(batch []*job, err error) {
	w.in.undone()
	w.round = nil
	rollback := w.c.run(`ROLLBACK`)
	var failed *commitError
	if errors.As(err, &failed) && code(err) != codeFull || rollback != nil && !w.idle() {
		w.fatal = fmt.Errorf("%w: %w", store.ErrFatal, err)
		w.log.Error("storage failed; it needs a restart", "err", err)
		answer(batch, w.fatal)
		return
	}
	if len(batch) == 0 {
		w.log.Error("storage: index not written", "err", err)
	}
	answer(batch, err)
}

// idle tells whether no transaction is open.
func (w *writer) idle() bool {
	if err := w.c.exec(`BEGIN`); err != nil {
		return false
	}
	return w.c.exec(`COMMIT`) == nil
}

// watchLog moves the write-ahead log into the database when it has grown.
func (w *writer) watchLog() {
	if w.since++; w.fatal != nil || w.since < w.o.watchEvery {
		return
	}
	w.since = 0
	r, err := w.c.one(`PRAGMA wal_checkpoint(NOOP)`)
	if err != nil {
		w.log.Error("storage: size of the log", "err", err)
		return
	}
	pages := r.int(1)
	if pages < w.moved {
		w.moved = 0 // it began anew
	}
	if pages-w.moved < w.o.checkpointPages {
		return
	}
	w.moved = pages
	if pages <= w.o.walLimitPages {
		w.mover.kick()
		return
	}
	// commits that never pause keep the log from beginning anew
	w.mover.alone(func() {
		if _, err := w.c.one(`PRAGMA wal_checkpoint(RESTART)`); err != nil {
			w.log.Error("storage: checkpoint", "err", err)
		}
	})
}

// truncateLog moves the whole log into the database and empties it.
func (w *writer) truncateLog() error {
	if w.fatal != nil {
		return w.fatal
	}
	var r row
	var err error
	w.mover.alone(func() { r, err = w.c.one(`PRAGMA wal_checkpoint(TRUNCATE)`) })
	if err != nil {
		return err
	}
	w.moved = 0
	if r.int(0) != 0 {
		return errors.New("storage: a reader holds the log; deleted texts are still in it")
	}
	return nil
}

// Checkpoint implements store.Checkpointer.
func (e *engine) Checkpoint() error {
	return e.writer.do(context.Background(), func() error { return nil }, e.writer.truncateLog)
}
