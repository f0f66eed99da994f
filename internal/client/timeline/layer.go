package timeline

import (
	"slices"

	"mirsal/internal/client/keep"
)

// The tables of this package.
const (
	tableRows     keep.Table = "timeline.rows"     // rowKey → record
	tableWhere    keep.Table = "timeline.where"    // ID of a line → its rowKey
	tableMarks    keep.Table = "timeline.marks"    // ids that others gave → mark
	tableWaiting  keep.Table = "timeline.waiting"  // chat, number → change of a message that has not come
	tableReplies  keep.Table = "timeline.replies"  // chat, id that is answered, ID of the answer → nothing
	tableChats    keep.Table = "timeline.chats"    // chat → what is true of it
	tableArchives keep.Table = "timeline.archives" // archive → which parts are known
	tableOutbox   keep.Table = "timeline.outbox"   // number → what is to be sent
	tableMeta     keep.Table = "timeline.meta"     // "next" → the next number
)

// layer is the store as it will be once all batches handed out are in it.
type layer struct {
	store keep.Store
	above map[keep.Table]map[string][]byte // nil: deleted
	batch *keep.Batch                      // of the step that is going on
}

func (l *layer) set(t keep.Table, key string, value []byte) {
	if l.above[t] == nil {
		l.above[t] = map[string][]byte{}
	}
	l.above[t][key] = value
}

func (l *layer) put(t keep.Table, key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	l.set(t, key, value)
	l.batch.Put(t, key, value)
}

func (l *layer) delete(t keep.Table, key string) {
	l.set(t, key, nil)
	l.batch.Delete(t, key)
}

func (l *layer) get(t keep.Table, key string) ([]byte, error) {
	if v, ok := l.above[t][key]; ok {
		return v, nil
	}
	return l.store.Get(t, key)
}

// entry is a key and its value.
type entry struct {
	key   string
	value []byte
}

// scan calls f with a range as it will be. f must not use the layer.
func (l *layer) scan(t keep.Table, r keep.Range, f func(key string, value []byte) bool) error {
	over, gone := l.overlay(t, r)
	if len(over) == 0 {
		return l.store.Scan(t, r, f)
	}
	below, left := r, r.Limit
	if r.Limit > 0 {
		below.Limit += gone
	}
	give := func(key string, value []byte) bool {
		if value != nil {
			left--
			return f(key, value) && left != 0
		}
		return true
	}
	first := func(a, b string) bool { return a < b != r.Reverse && a != b }
	going := true
	err := l.store.Scan(t, below, func(key string, value []byte) bool {
		for going && len(over) > 0 && first(over[0].key, key) {
			going = give(over[0].key, over[0].value)
			over = over[1:]
		}
		if going && len(over) > 0 && over[0].key == key {
			value, over = over[0].value, over[1:]
		}
		going = going && give(key, value)
		return going
	})
	for err == nil && going && len(over) > 0 {
		going = give(over[0].key, over[0].value)
		over = over[1:]
	}
	return err
}

// overlay lists what has changed within a range, in its order, and how many of
// that are not to be counted on from the store: they are gone or there anyway.
func (l *layer) overlay(t keep.Table, r keep.Range) (out []entry, gone int) {
	for key, value := range l.above[t] {
		if r.Has(key) {
			out = append(out, entry{key, value})
		}
	}
	slices.SortFunc(out, func(a, b entry) int {
		if a.key < b.key != r.Reverse {
			return -1
		}
		return 1
	})
	return out, len(out)
}

// list is a range as a slice.
func (l *layer) list(t keep.Table, r keep.Range) (out []entry, err error) {
	err = l.scan(t, r, func(key string, value []byte) bool {
		out = append(out, entry{key, value})
		return true
	})
	return out, err
}
