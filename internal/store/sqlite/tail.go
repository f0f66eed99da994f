package sqlite

import (
	"maps"
	"slices"
	"sort"
	"sync"
)

// tailEntry is an entry that the index may not have yet.
type tailEntry struct {
	seq   uint64
	time  int64
	peer  int64
	flags uint8
}

// tail holds, in memory, the entries above the watermark merged. Only the writer
// changes it, after the commit. Readers take slices, whose elements never change.
type tail struct {
	mu     sync.RWMutex // guards all, for single operations
	merged uint64       // entries up to it are in the index; those above only here
	owners map[int64][]tailEntry
	size   int
}

// add appends a group's entries above the watermark.
func (t *tail) add(g *group) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, r := range g.records {
		seq := g.first + uint64(i)
		if seq <= t.merged {
			continue
		}
		for _, e := range r.entries {
			t.owners[e.owner] = append(t.owners[e.owner], tailEntry{seq, r.time, e.peer, e.flags})
		}
		t.size += len(r.entries)
	}
}

// of returns an owner's entries, ascending, and the watermark that they begin
// above.
func (t *tail) of(owner int64) ([]tailEntry, uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.owners[owner], t.merged
}

func (t *tail) length() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.size
}

// through returns what a merge up to seq must write, by owner.
func (t *tail) through(seq uint64) (parts []part) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, owner := range slices.Sorted(maps.Keys(t.owners)) {
		es := t.owners[owner]
		if n := after(es, seq); n > 0 {
			parts = append(parts, part{owner, es[:n]})
		}
	}
	return parts
}

// part is a run of one owner's entries.
type part struct {
	owner   int64
	entries []tailEntry
}

// trim raises the watermark and lets go of what it covers.
func (t *tail) trim(merged uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.merged = merged
	for owner, es := range t.owners {
		n := after(es, merged)
		t.size -= n
		if n == len(es) {
			delete(t.owners, owner)
		} else {
			t.owners[owner] = es[n:]
		}
	}
}

// remove drops entries: the numbers of each owner, ascending.
func (t *tail) remove(gone map[int64][]uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for owner, seqs := range gone {
		es := t.owners[owner]
		var kept []tailEntry // a new slice, as readers may hold the old one
		for _, e := range es {
			if _, found := slices.BinarySearch(seqs, e.seq); !found {
				kept = append(kept, e)
			}
		}
		t.size -= len(es) - len(kept)
		if t.owners[owner] = kept; len(kept) == 0 {
			delete(t.owners, owner)
		}
	}
}

// after returns how many of es have numbers up to seq.
func after(es []tailEntry, seq uint64) int {
	return sort.Search(len(es), func(i int) bool { return es[i].seq > seq })
}
