// Package indexeddb is the keep.Store of the browser: one database of IndexedDB,
// a batch one of its transactions, with durability "strict"; before it a Mirror, since
// each question to IndexedDB takes about a millisecond.
//
// It runs in a Worker, where blocking a goroutine on the browser blocks nobody else;
// it must not be called from a function that JavaScript called. Invariants: every
// transaction that writes asks whether this store is the latest that was opened, and
// does nothing when it is not, so that two programs on one database never write in
// turns, whatever became of the lock that should keep them apart; all of a profile is
// in the one database, so that what the browser throws away it throws away together;
// the mirror has what the database has, or nothing.
package indexeddb

import (
	"mirsal/internal/client/keep"
)

// Mirror holds the tables of a store in memory, each from its first use on and as long as
// it is not too large. What is written is written below first. Nobody else may write
// there.
type Mirror struct {
	below  keep.Store
	most   int
	tables map[keep.Table]*held
	over   bool
}

// held is a table in memory; rows is nil for one that is too large.
type held struct {
	rows *keep.Memory
	size int // bytes of keys and values
}

// NewMirror holds tables up to most bytes each.
func NewMirror(below keep.Store, most int) *Mirror {
	return &Mirror{below: below, most: most, tables: map[keep.Table]*held{}}
}

// table brings a table here at its first use; nil for one that is asked for below.
func (m *Mirror) table(t keep.Table) (keep.Store, error) {
	if m.over {
		return nil, keep.ErrClosed
	}
	h := m.tables[t]
	if h == nil {
		h = &held{rows: keep.NewMemory()}
		if err := m.bring(t, h); err != nil {
			return nil, err
		}
		m.tables[t] = h
	}
	if h.rows == nil {
		return m.below, nil
	}
	return h.rows, nil
}

func (m *Mirror) bring(t keep.Table, h *held) error {
	var rows keep.Batch
	err := m.below.Scan(t, keep.Range{}, func(key string, value []byte) bool {
		h.size += len(key) + len(value)
		rows.Put(t, key, value)
		return h.size <= m.most
	})
	if err == nil {
		err = h.rows.Apply(&rows)
	}
	if h.size > m.most {
		h.rows = nil
	}
	return err
}

// Get is of keep.Store.
func (m *Mirror) Get(t keep.Table, key string) ([]byte, error) {
	s, err := m.table(t)
	if err != nil {
		return nil, err
	}
	return s.Get(t, key)
}

// Scan is of keep.Store.
func (m *Mirror) Scan(t keep.Table, r keep.Range, f func(key string, value []byte) bool) error {
	s, err := m.table(t)
	if err != nil {
		return err
	}
	return s.Scan(t, r, f)
}

// Apply is of keep.Store.
func (m *Mirror) Apply(b *keep.Batch) error {
	if err := m.below.Apply(b); err != nil {
		return err
	}
	for _, step := range b.Steps() {
		h := m.tables[step.Table]
		if h == nil || h.rows == nil {
			continue
		}
		if err := h.apply(step); err != nil {
			return err
		}
		if h.size > m.most {
			h.rows = nil
		}
	}
	return nil
}

func (h *held) apply(step keep.Step) error {
	old, err := h.rows.Get(step.Table, step.Key)
	if err != nil {
		return err
	}
	if old != nil {
		h.size -= len(step.Key) + len(old)
	}
	var b keep.Batch
	if step.Value == nil {
		b.Delete(step.Table, step.Key)
	} else {
		b.Put(step.Table, step.Key, step.Value)
		h.size += len(step.Key) + len(step.Value)
	}
	return h.rows.Apply(&b)
}

// Close is of keep.Store.
func (m *Mirror) Close() error {
	m.over = true
	m.tables = nil
	return m.below.Close()
}
