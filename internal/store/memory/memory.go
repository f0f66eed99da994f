// Package memory is the store engine that forgets: plain maps and slices under
// one mutex. It is the reference for what store's contract means and serves
// tests; it is no cache and keeps nothing across a restart.
package memory

import (
	"sync"

	"mirsal/internal/store"
)

// New returns an empty store.
func New() store.Store {
	return &engine{
		cells:    make(map[place]map[string]store.Item),
		accounts: make(map[string]store.Account),
	}
}

type engine struct {
	store.Declarations

	mu       sync.RWMutex // guards all below, held for single operations only
	closed   bool
	version  uint64 // of the latest write to any key
	cells    map[place]map[string]store.Item
	accounts map[string]store.Account
	last     uint64
	groups   []store.Group // in the order of their coming
}

// place is where keys live.
type place struct{ owner, space string }

func (e *engine) Declare(s store.Space) *store.Bucket { return e.Declarations.Declare(e, s) }

func (e *engine) Version() string { return "memory" }

func (e *engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return nil
}

// read runs f under the read lock unless the store is closed.
func (e *engine) read(f func() error) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return store.ErrClosed
	}
	return f()
}

// write runs f under the lock unless the store is closed.
func (e *engine) write(f func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return store.ErrClosed
	}
	return f()
}
