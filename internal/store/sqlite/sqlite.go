// Package sqlite is the embedded store engine: one SQLite database in one data
// directory, for one process. It is no general database layer; nothing outside
// sees SQL.
//
// One goroutine, the writer, makes all changes. Key batches, archive groups,
// account changes and removals queue there; what waits together shares one
// transaction and one sync, each job under a savepoint of its own. Reads go to a
// few read-only connections beside it.
//
// Invariants: a job is answered with nil only after the commit that holds it was
// synced; entries are served from the index up to the watermark and from memory
// above it, and both are rebuilt from the packed groups; after an error whose
// outcome on disk is unknown, every further write is refused with store.ErrFatal.
package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"mirsal/internal/store"
)

// Options tune an engine. The zero value is right for a server.
type Options struct {
	// Synchronous is FULL by default. OFF is for tests: nothing survives a power
	// cut then.
	Synchronous string
	// Logger hears of what no caller does, such as a failing checkpoint.
	Logger *slog.Logger

	// For tests; zero is the default.
	vfs             string // of SQLite
	mergeFrom       int
	mergeSlice      int
	checkpointPages int64
	watchEvery      int
	walLimitPages   int64
}

// readers is the number of read-only connections: queries beyond it wait.
const readers = 4

type engine struct {
	store.Declarations

	dir     string
	lock    *os.File
	version string
	names   names
	tail    tail
	last    atomic.Uint64
	writer  *writer
	readers chan *conn // idle ones

	close    sync.Once
	closeErr error
	closed   chan struct{} // closed at the beginning of Close
}

// Open opens the store in dir, which it makes if need be, and locks it: a second
// opener, also of another process, gets an error that names the directory. A
// database of another program or another schema version is refused untouched.
func Open(dir string, o Options) (store.Store, error) {
	if o.Synchronous == "" {
		o.Synchronous = "FULL"
	}
	if o.Synchronous != "FULL" && o.Synchronous != "OFF" {
		return nil, fmt.Errorf("sqlite: synchronous %q is neither FULL nor OFF", o.Synchronous)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.mergeFrom = cmp.Or(o.mergeFrom, mergeFrom)
	o.mergeSlice = cmp.Or(o.mergeSlice, mergeSlice)
	o.walLimitPages = cmp.Or(o.walLimitPages, walLimitPages)
	o.watchEvery = cmp.Or(o.watchEvery, watchEvery)
	o.checkpointPages = cmp.Or(o.checkpointPages, checkpointPages)
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	e, err := openLocked(dir, o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	e.lock = lock
	return e, nil
}

func openLocked(dir string, o Options) (*engine, error) {
	path := filepath.Join(dir, dbName)
	exists, err := checkHeader(path)
	if err == nil && !exists {
		if err = create(dir, o); err != nil {
			err = fmt.Errorf("make the database in %s: %w", dir, err)
		}
	}
	if err != nil {
		return nil, err
	}
	c, err := openWriter(dir, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	e := &engine{dir: dir, closed: make(chan struct{}), readers: make(chan *conn, readers)}
	e.tail.owners = make(map[int64][]tailEntry)
	e.writer = newWriter(e, c, o)
	if err := e.start(path, o); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, errors.Join(err, e.closeReaders(len(e.readers)), c.close()))
	}
	second, err := openWriter(dir, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, errors.Join(err, e.closeReaders(len(e.readers)), c.close()))
	}
	e.writer.mover = newMover(second, o.Logger)
	go e.writer.mover.loop()
	go e.writer.loop()
	return e, nil
}

// start reads what is kept in memory and opens the readers.
func (e *engine) start(path string, o Options) error {
	if err := e.writer.load(); err != nil {
		return err
	}
	for range readers {
		c, err := connect(dsn(path, o.vfs, true))
		if err != nil {
			return err
		}
		e.readers <- c
	}
	v, err := e.writer.c.one(`SELECT sqlite_version()`)
	if err == nil {
		e.version = "SQLite " + v.text(0)
	}
	return err
}

func (e *engine) Version() string { return e.version }

func (e *engine) Declare(s store.Space) *store.Bucket { return e.Declarations.Declare(e, s) }

// Close finishes what was queued, then moves the write-ahead log into the
// database and gives the directory free.
func (e *engine) Close() error {
	e.close.Do(func() {
		close(e.closed)
		e.writer.stop()
		e.closeErr = errors.Join(e.closeReaders(readers), e.writer.mover.stop(), e.writer.c.close(), e.lock.Close())
	})
	return e.closeErr
}

// closeReaders waits for the n readers that there are and closes them. After
// that no read can begin.
func (e *engine) closeReaders(n int) (err error) {
	for range n {
		err = errors.Join(err, (<-e.readers).close())
	}
	return err
}

// read runs f with a reader of its own.
func (e *engine) read(ctx context.Context, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-e.closed:
		return store.ErrClosed
	default:
	}
	select {
	case <-e.closed:
		return store.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case c := <-e.readers:
		defer func() { e.readers <- c }()
		return f(c)
	}
}
