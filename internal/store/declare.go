package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Declarations is the book of declared spaces that every engine keeps the same
// way. The zero value is ready; it may be used from any goroutine.
type Declarations struct {
	mu      sync.RWMutex
	buckets map[string]*Bucket // by name of space
}

// Declare makes the bucket of a space of kv. It panics as KV.Declare says.
func (d *Declarations) Declare(kv KV, s Space) *Bucket {
	if s.Name == "" || s.Fields == "" || s.Purpose == "" || s.Life < 0 {
		panic(fmt.Sprintf("store: space %q is not fully declared", s.Name))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.buckets[s.Name] != nil {
		panic(fmt.Sprintf("store: space %q is declared twice", s.Name))
	}
	if d.buckets == nil {
		d.buckets = make(map[string]*Bucket)
	}
	b := NewBucket(kv, s)
	d.buckets[s.Name] = b
	return b
}

// Spaces lists the declarations in the order of their names.
func (d *Declarations) Spaces() []Space {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var ss []Space
	for b := range maps.Values(d.buckets) {
		ss = append(ss, b.Space)
	}
	slices.SortFunc(ss, func(a, b Space) int { return cmp.Compare(a.Name, b.Name) })
	return ss
}

// Check returns an error unless the space is declared.
func (d *Declarations) Check(space string) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.buckets[space] == nil {
		return fmt.Errorf("store: space %q is not declared", space)
	}
	return nil
}

// CheckOps returns an error unless each op names a bucket declared here.
func (d *Declarations) CheckOps(ops []Op) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, op := range ops {
		if op.Space == nil || d.buckets[op.Space.Space.Name] != op.Space {
			return fmt.Errorf("store: op on key %q of a space that is not declared here", op.Key)
		}
	}
	return nil
}

// Bounds folds From, To and Prefix into one half-open range from <= key < to;
// to is "" for no upper bound. ok is false when no key can be in it.
func (r Range) Bounds() (from, to string, ok bool) {
	from, to = max(r.From, r.Prefix), r.To
	if end := afterPrefix(r.Prefix); end != "" && (to == "" || end < to) {
		to = end
	}
	return from, to, to == "" || from < to
}

// afterPrefix is the least string above all that begin with p, "" for none.
func afterPrefix(p string) string {
	for p != "" && p[len(p)-1] == 0xff {
		p = p[:len(p)-1]
	}
	if p == "" {
		return ""
	}
	return p[:len(p)-1] + string([]byte{p[len(p)-1] + 1})
}
