package keep

import (
	"bytes"
	"slices"
)

// Memory is a Store that forgets: for tests, and for a session that is to leave
// nothing behind. It is durable only as long as the program.
type Memory struct {
	tables map[Table]*sheet // nil once closed
}

// sheet is one table: its values, and its keys in order.
type sheet struct {
	values map[string][]byte
	keys   []string
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{tables: map[Table]*sheet{}}
}

// Get is of Store.
func (m *Memory) Get(t Table, key string) ([]byte, error) {
	if m.tables == nil {
		return nil, ErrClosed
	}
	s := m.tables[t]
	if s == nil {
		return nil, nil
	}
	return bytes.Clone(s.values[key]), nil
}

// Scan is of Store.
func (m *Memory) Scan(t Table, r Range, f func(key string, value []byte) bool) error {
	if m.tables == nil {
		return ErrClosed
	}
	s := m.tables[t]
	if s == nil {
		return nil
	}
	keys := s.within(r)
	if r.Limit > 0 && len(keys) > r.Limit {
		if r.Reverse {
			keys = keys[len(keys)-r.Limit:]
		} else {
			keys = keys[:r.Limit]
		}
	}
	for i := range keys {
		key := keys[i]
		if r.Reverse {
			key = keys[len(keys)-1-i]
		}
		if !f(key, bytes.Clone(s.values[key])) {
			break
		}
	}
	return nil
}

// Apply is of Store.
func (m *Memory) Apply(b *Batch) error {
	if m.tables == nil {
		return ErrClosed
	}
	for _, step := range b.Steps() {
		s := m.tables[step.Table]
		if s == nil {
			s = &sheet{values: map[string][]byte{}}
			m.tables[step.Table] = s
		}
		if step.Value == nil {
			s.remove(step.Key)
		} else {
			s.put(step.Key, bytes.Clone(step.Value))
		}
	}
	return nil
}

// Close is of Store.
func (m *Memory) Close() error {
	m.tables = nil
	return nil
}

// within returns the keys of a range, in order.
func (s *sheet) within(r Range) []string {
	from, to := r.Bounds()
	first, _ := slices.BinarySearch(s.keys, from)
	last := len(s.keys)
	if to != "" {
		last, _ = slices.BinarySearch(s.keys, to)
	}
	if first >= last {
		return nil
	}
	return s.keys[first:last]
}

func (s *sheet) put(key string, value []byte) {
	if _, there := s.values[key]; !there {
		i, _ := slices.BinarySearch(s.keys, key)
		s.keys = slices.Insert(s.keys, i, key)
	}
	s.values[key] = value
}

func (s *sheet) remove(key string) {
	if _, there := s.values[key]; !there {
		return
	}
	i, _ := slices.BinarySearch(s.keys, key)
	s.keys = slices.Delete(s.keys, i, i+1)
	delete(s.values, key)
}
