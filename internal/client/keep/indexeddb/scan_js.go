package indexeddb

import (
	"syscall/js"

	"mirsal/internal/client/keep"
)

// page is how many rows are asked for at once; backPage is how many backwards, where
// mostly a screenful is wanted and how many are passed over is not known before.
const (
	page     = 500
	backPage = 64
)

// Scan is of keep.Store.
func (s *Store) Scan(t keep.Table, r keep.Range, f func(key string, value []byte) bool) error {
	if err := s.usable(); err != nil {
		return err
	}
	from, to, some := bounds(t, r)
	if !some {
		return nil
	}
	left := r.Limit
	if left <= 0 {
		left = -1
	}
	err := try(func() error {
		if r.Reverse {
			return s.backward(t, from, to, left, f)
		}
		return s.forward(t, from, to, left, f)
	})
	return s.why(err)
}

// forward reads page by page; left is how many are wanted, -1 for all. Nobody writes
// meanwhile: a store is used by one goroutine, and it alone writes.
func (s *Store) forward(t keep.Table, from, to string, left int, f func(string, []byte) bool) error {
	for left != 0 {
		want := page
		if left > 0 {
			want = min(want, left)
		}
		table := s.transaction("readonly").Call("objectStore", rows)
		within := span(from, to)
		keys := table.Call("getAllKeys", within, want)
		values, err := s.wait(table.Call("getAll", within, want)) // the second is answered last
		if err != nil {
			return err
		}
		keys = keys.Get("result")
		n := values.Length()
		for i := range n {
			from = string(slice(js.Global().Get("Uint8Array").New(keys.Index(i))))
			if !f(from[header(t):], slice(values.Index(i))) {
				return nil
			}
		}
		if n < want {
			return nil
		}
		from += "\x00"
		left = max(left-n, -1)
	}
	return nil
}

// backward reads page by page where the browser can (getAllRecords, of 2025), else row by row.
func (s *Store) backward(t keep.Table, from, to string, left int, f func(string, []byte) bool) error {
	if js.Global().Get("IDBObjectStore").Get("prototype").Get("getAllRecords").IsUndefined() {
		return s.stepBack(t, from, to, left, f)
	}
	for left != 0 && from < to {
		want := backPage
		if left > 0 {
			want = min(want, left)
		}
		table := s.transaction("readonly").Call("objectStore", rows)
		found, err := s.wait(table.Call("getAllRecords", map[string]any{"query": span(from, to), "count": want, "direction": "prev"}))
		if err != nil {
			return err
		}
		n := found.Length()
		for i := range n {
			row := found.Index(i)
			to = string(slice(js.Global().Get("Uint8Array").New(row.Get("key"))))
			if !f(to[header(t):], slice(row.Get("value"))) {
				return nil
			}
		}
		if n < want {
			return nil
		}
		left = max(left-n, -1)
	}
	return nil
}

func (s *Store) stepBack(t keep.Table, from, to string, left int, f func(string, []byte) bool) error {
	table := s.transaction("readonly").Call("objectStore", rows)
	request := table.Call("openCursor", span(from, to), "prev")
	for {
		cursor, err := s.wait(request)
		if err != nil || cursor.IsNull() {
			return err
		}
		k := string(slice(js.Global().Get("Uint8Array").New(cursor.Get("key"))))
		if left--; !f(k[header(t):], slice(cursor.Get("value"))) || left == 0 {
			return nil
		}
		cursor.Call("continue")
	}
}

// Keys are binary, which IndexedDB compares byte by byte: the length of the table's
// name in two bytes, the name, the key.

// mark is the key of the row that says who wrote last; no table's row has it.
func mark() js.Value { return array("\x00") }

func header(t keep.Table) int { return 2 + len(t) }

func key(t keep.Table, k string) string {
	return string([]byte{byte(len(t) >> 8), byte(len(t))}) + string(t) + k
}

// bounds is a range of keys as from <= key < to; false when nothing can be in it.
func bounds(t keep.Table, r keep.Range) (from, to string, some bool) {
	low, high := r.Bounds()
	from = key(t, low)
	if high != "" {
		to = key(t, high)
	} else {
		_, to = keep.Range{Prefix: key(t, "")}.Bounds()
	}
	return from, to, from < to
}

func span(from, to string) js.Value {
	return js.Global().Get("IDBKeyRange").Call("bound", array(from), array(to), false, true)
}

// array is bytes for JavaScript; slice is its bytes for Go.
func array[T string | []byte](b T) js.Value {
	a := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(a, []byte(b))
	return a
}

func slice(a js.Value) []byte {
	b := make([]byte, a.Length())
	js.CopyBytesToGo(b, a)
	return b
}
