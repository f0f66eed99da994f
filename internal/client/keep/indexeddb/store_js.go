package indexeddb

import (
	"errors"
	"fmt"
	"slices"
	"syscall/js"

	"mirsal/internal/client/keep"
)

// rows is the object store of all tables: keys as key makes them, values sealed; mark is
// the row that says who wrote last, below all others. Version 1 had no own, and values as
// they are.
const (
	rows    = "rows"
	version = 2
)

// ErrGone is for a database that the browser has taken away: it is not to be had again,
// and opening it makes an empty one. It wraps keep.ErrBroken.
var ErrGone = fmt.Errorf("the browser has taken its storage away: %w", keep.ErrBroken)

// Store is an open database.
type Store struct {
	db     js.Value
	sealer *sealer
	lost   bool // the browser has closed it
	over   bool // we have
	epoch  int

	// One request at a time: what it comes to is sent here by the functions below.
	done    chan error
	ok, bad js.Func
	gone    js.Func
	check   js.Func
	stolen  bool // what check found in the present transaction
}

// Open opens the database of that name, which is made if need be. Whoever had it
// open writes nothing to it from now on: that one's next Apply is ErrInUse.
func Open(name string) (*Store, error) {
	s := &Store{done: make(chan error, 1)}
	s.ok = js.FuncOf(func(js.Value, []js.Value) any { s.done <- nil; return nil })
	s.bad = js.FuncOf(func(_ js.Value, args []js.Value) any {
		args[0].Call("preventDefault") // else it would be told again, by whole browser's console
		s.done <- errorOf(args[0].Get("target").Get("error"))
		return nil
	})
	s.gone = js.FuncOf(func(js.Value, []js.Value) any { s.lose(); return nil })
	s.check = js.FuncOf(func(this js.Value, _ []js.Value) any { s.look(this); return nil })
	if err := s.open(name); err != nil {
		s.Close()
		return nil, fmt.Errorf("the browser's storage cannot be opened: %w", err)
	}
	return s, nil
}

func (s *Store) open(name string) error {
	return try(func() error {
		request := js.Global().Get("indexedDB").Call("open", name, version)
		upgrade := js.FuncOf(func(_ js.Value, args []js.Value) any {
			if args[0].Get("oldVersion").Int() < 1 {
				request.Get("result").Call("createObjectStore", rows)
			}
			request.Get("result").Call("createObjectStore", own)
			return nil
		})
		defer upgrade.Release()
		request.Set("onupgradeneeded", upgrade)
		db, err := s.wait(request)
		if err != nil {
			return err
		}
		s.db = db
		// close: the browser took it away. versionchange: somebody wants to delete it,
		// and cannot while it is open.
		db.Set("onclose", s.gone)
		db.Set("onversionchange", s.gone)
		if err := s.begin(); err != nil {
			return err
		}
		return s.unlock()
	})
}

// lose ends the use of a database that is taken away.
func (s *Store) lose() {
	s.lost = true
	s.db.Call("close")
}

// begin makes this store the latest.
func (s *Store) begin() error {
	tx := s.transaction("readwrite", rows)
	table := tx.Call("objectStore", rows)
	last, err := s.wait(table.Call("get", mark()))
	if err != nil {
		return err
	}
	if last.Type() == js.TypeNumber {
		s.epoch = last.Int()
	}
	s.epoch++
	table.Call("put", s.epoch, mark())
	return s.finish(tx)
}

// look compares the mark with our own, within a transaction that writes.
func (s *Store) look(request js.Value) {
	if v := request.Get("result"); v.Type() != js.TypeNumber || v.Int() != s.epoch {
		s.stolen = true
		request.Get("transaction").Call("abort")
	}
}

func (s *Store) transaction(mode string, stores ...any) js.Value {
	return s.db.Call("transaction", stores, mode, map[string]any{"durability": "strict"})
}

// writes is a transaction that is undone if this store is not the latest. The answer comes
// before it can end.
func (s *Store) writes(stores ...any) js.Value {
	s.stolen = false
	tx := s.transaction("readwrite", append([]any{rows}, stores...)...)
	tx.Call("objectStore", rows).Call("get", mark()).Set("onsuccess", s.check)
	return tx
}

// wait waits for a request, in a transaction that stays open if the next request is
// made at once.
func (s *Store) wait(request js.Value) (js.Value, error) {
	request.Set("onsuccess", s.ok)
	request.Set("onerror", s.bad)
	if err := <-s.done; err != nil {
		return js.Null(), err
	}
	return request.Get("result"), nil
}

// finish waits until a transaction is durable, or was undone.
func (s *Store) finish(tx js.Value) error {
	undone := js.FuncOf(func(js.Value, []js.Value) any { s.done <- errorOf(tx.Get("error")); return nil })
	defer undone.Release()
	tx.Set("oncomplete", s.ok)
	tx.Set("onabort", undone)
	if err := <-s.done; err == nil || !s.stolen {
		return err
	}
	return keep.ErrInUse
}

// usable is the error of a store that is not open any more.
func (s *Store) usable() error {
	switch {
	case s.over:
		return keep.ErrClosed
	case s.lost:
		return ErrGone
	}
	return nil
}

// Get is of keep.Store.
func (s *Store) Get(t keep.Table, k string) (value []byte, err error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	err = try(func() error {
		at := key(t, k)
		v, err := s.wait(s.transaction("readonly", rows).Call("objectStore", rows).Call("get", array(at)))
		if err != nil || v.IsUndefined() {
			return err
		}
		values, err := s.sealer.open([]string{at}, []js.Value{v})
		if err == nil {
			value = values[0]
		}
		return err
	})
	return value, s.why(err)
}

// Apply is of keep.Store.
func (s *Store) Apply(b *keep.Batch) error {
	if err := s.usable(); err != nil || b.Len() == 0 {
		return err
	}
	var puts []row
	var deletes []string
	for _, step := range last(b.Steps()) {
		if k := key(step.Table, step.Key); step.Value == nil {
			deletes = append(deletes, k)
		} else {
			puts = append(puts, row{k, step.Value})
		}
	}
	return s.why(try(func() error { return s.write(puts, deletes) }))
}

// write writes rows, none of them twice, in one transaction. They are sealed before it
// begins: it would end while one waits for anything else.
func (s *Store) write(puts []row, deletes []string) error {
	if len(puts)+len(deletes) == 0 {
		return nil
	}
	sealed, err := s.sealer.seal(puts)
	if err != nil {
		return err
	}
	tx := s.writes()
	table := tx.Call("objectStore", rows)
	for i, r := range puts {
		table.Call("put", sealed[i], array(r.key))
	}
	for _, k := range deletes {
		table.Call("delete", array(k))
	}
	return s.finish(tx)
}

// last leaves out what a later step of the batch writes again: every message of an
// archive's page has the whole of its ratchet with it, and each request costs as much as
// opening a message.
func last(steps []keep.Step) []keep.Step {
	type row struct {
		table keep.Table
		key   string
	}
	seen := make(map[row]bool, len(steps))
	out := make([]keep.Step, 0, len(steps))
	for _, step := range slices.Backward(steps) {
		if r := (row{step.Table, step.Key}); !seen[r] {
			seen[r] = true
			out = append(out, step)
		}
	}
	return out
}

// why says of an error what is known of its cause.
func (s *Store) why(err error) error {
	if err != nil && s.lost {
		return ErrGone
	}
	return err
}

// Close is of keep.Store.
func (s *Store) Close() error {
	if s.over {
		return nil
	}
	s.over = true
	if !s.db.IsUndefined() {
		s.db.Set("onclose", js.Null())
		s.db.Set("onversionchange", js.Null())
		s.db.Call("close")
	}
	for _, f := range []js.Func{s.ok, s.bad, s.gone, s.check} {
		f.Release()
	}
	return nil
}

// try makes an exception of JavaScript's an error.
func try(f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case js.Error:
			err = errorOf(p.Value)
		default:
			panic(p)
		}
	}()
	return f()
}

// errorOf is a DOMException as an error; null is a transaction that was aborted.
func errorOf(v js.Value) error {
	if !v.Truthy() {
		return errors.New("the browser's storage gave up")
	}
	return errors.New(v.Get("name").String() + ": " + v.Get("message").String())
}
