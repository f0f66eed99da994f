package sqlite

import (
	"log/slog"
	"sync"
)

// mover moves the write-ahead log into the database beside the commits, on a
// connection and a goroutine of its own: a commit need not wait while pages are
// copied and the database is synced.
type mover struct {
	c    *conn
	log  *slog.Logger
	work chan struct{} // closed by stop
	over chan struct{}
	// one is held during a checkpoint: SQLite refuses a second one at once,
	// without waiting.
	one sync.Mutex
}

func newMover(c *conn, log *slog.Logger) *mover {
	return &mover{c: c, log: log, work: make(chan struct{}, 1), over: make(chan struct{})}
}

// kick asks for a checkpoint and does not wait for it.
func (m *mover) kick() {
	select {
	case m.work <- struct{}{}:
	default:
	}
}

// alone runs another connection's checkpoint while this one makes none.
func (m *mover) alone(checkpoint func()) {
	m.one.Lock()
	defer m.one.Unlock()
	checkpoint()
}

func (m *mover) loop() {
	defer close(m.over)
	for range m.work {
		m.alone(func() {
			if _, err := m.c.one(`PRAGMA wal_checkpoint(PASSIVE)`); err != nil {
				m.log.Error("storage: checkpoint", "err", err)
			}
		})
	}
}

// stop waits for the checkpoint under way and closes the connection. No kick
// may follow.
func (m *mover) stop() error {
	close(m.work)
	<-m.over
	return m.c.close()
}
