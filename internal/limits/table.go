package limits

import "sync"

// table remembers a bounded number of things by hashed key, in shards. What it
// forgets, of those that may be forgotten, is the one longest out of use among a few.
type table[T any] struct {
	idle   func(*T, int64) bool // may be forgotten without a loss; under the shard's lock
	most   int                  // in each shard
	shards [shards]shard[T]
}

const shards = 16

type shard[T any] struct {
	mu sync.Mutex // held for a look-up and what is done to the entry
	m  map[uint64]*entry[T]
}

type entry[T any] struct {
	used  int64
	pins  int32 // who hold on to it
	value T
}

// How many entries are looked at to find one to forget, and how many at most
// where others are held on to.
const (
	looks     = 8
	looksMost = 64
)

func (t *table[T]) init(most int, idle func(*T, int64) bool) {
	t.most, t.idle = most/shards, idle
	for i := range t.shards {
		t.shards[i].m = map[uint64]*entry[T]{}
	}
}

// with runs f on the entry of a key, which is made where there is none.
func (t *table[T]) with(key uint64, now int64, f func(e *entry[T])) {
	s := &t.shards[key%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.m[key]
	if e == nil {
		if len(s.m) >= t.most {
			t.forget(s, now)
		}
		e = &entry[T]{}
		s.m[key] = e
	}
	e.used = now
	f(e)
}

// forget makes room in a shard. Entries that are held on to stay: as many as
// there are connections may go over the bound.
func (t *table[T]) forget(s *shard[T], now int64) {
	var worst uint64
	var found *entry[T]
	seen := 0
	for k, e := range s.m {
		if seen++; seen > looks && found != nil || seen > looksMost {
			break
		}
		if e.pins > 0 {
			continue
		}
		if t.idle(&e.value, now) {
			delete(s.m, k)
			return
		}
		if found == nil || e.used < found.used {
			worst, found = k, e
		}
	}
	if found != nil {
		delete(s.m, worst)
	}
}
