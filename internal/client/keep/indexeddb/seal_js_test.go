package indexeddb

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"syscall/js"
	"testing"
	"time"

	"mirsal/internal/client/keep"
)

// raw is a database as whoever has the browser's files sees it.
type raw struct {
	*Store
	t *testing.T
}

func openRaw(t *testing.T, name string, version int) raw {
	t.Helper()
	r := raw{&Store{done: make(chan error, 1)}, t}
	r.ok = js.FuncOf(func(js.Value, []js.Value) any { r.done <- nil; return nil })
	r.bad = js.FuncOf(func(_ js.Value, args []js.Value) any {
		r.done <- errorOf(args[0].Get("target").Get("error"))
		return nil
	})
	r.gone = js.FuncOf(func(js.Value, []js.Value) any { return nil })
	r.check = js.FuncOf(func(js.Value, []js.Value) any { return nil })
	request := js.Global().Get("indexedDB").Call("open", name, version)
	upgrade := js.FuncOf(func(js.Value, []js.Value) any { request.Get("result").Call("createObjectStore", rows); return nil })
	defer upgrade.Release()
	request.Set("onupgradeneeded", upgrade)
	db, err := r.wait(request)
	if err != nil {
		t.Fatal(err)
	}
	r.db = db
	return r
}

// all is what is kept of rows, by their keys, but for the marks.
func (r raw) all() map[string]js.Value {
	keys, kept, err := r.rowsFrom(js.Global().Get("IDBKeyRange").Call("bound", array("\x00\x00"), array("\x01"), false, true), 1<<20)
	if err != nil {
		r.t.Fatal(err)
	}
	all := map[string]js.Value{}
	for i, k := range keys {
		all[k] = kept[i]
	}
	return all
}

func (r raw) change(store string, f func(table js.Value)) {
	r.t.Helper()
	tx := r.transaction("readwrite", store)
	f(tx.Call("objectStore", store))
	if err := r.finish(tx); err != nil {
		r.t.Fatal(err)
	}
}

// plainly keeps rows as programs did that sealed nothing, t's keys being their own values.
func plainly(t *testing.T, name string, keys ...string) {
	t.Helper()
	old := openRaw(t, name, 1)
	defer old.Close()
	old.change(rows, func(table js.Value) {
		table.Call("put", 7, mark())
		for _, k := range keys {
			table.Call("put", array(k), array(key("t", k)))
		}
	})
}

func sealedName(what string) string { return fmt.Sprint(what, time.Now().UnixNano()) }

func contents(t *testing.T, s keep.Store) map[string]string {
	t.Helper()
	got := map[string]string{}
	if err := s.Scan("t", keep.Range{}, func(k string, v []byte) bool { got[k] = string(v); return true }); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestNothingIsKeptThatCanBeReadWithoutTheKey(t *testing.T) {
	name := sealedName("sealed")
	s := open(t, name)
	needle := "the needle in the haystack"
	for range 2 {
		if err := put(s, "k", needle); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	r := openRaw(t, name, version)
	defer r.Close()
	kept := r.all()
	if len(kept) != 1 {
		t.Fatalf("there are %d rows", len(kept))
	}
	for _, v := range kept {
		if !isSealed(v) || bytes.Contains(slice(js.Global().Get("Uint8Array").New(v)), []byte(needle)) {
			t.Error("the value can be read")
		}
	}
	got, err := r.wait(r.transaction("readonly", own).Call("objectStore", own).Call("get", ownKey))
	if err != nil || !isKey(got) {
		t.Fatalf("there is no key: %v", err)
	}
	if _, err := await(js.Global().Get("crypto").Get("subtle").Call("exportKey", "raw", got)); err == nil {
		t.Error("a script can read the key")
	}
}

func TestTheSameIsNeverSealedTheSame(t *testing.T) {
	name := sealedName("nonces")
	s := open(t, name)
	defer s.Close()
	seen := map[string]bool{}
	for range 3 {
		sealed, err := s.sealer.seal([]row{{"a", []byte("v")}, {"a", []byte("v")}})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range sealed {
			seen[string(slice(js.Global().Get("Uint8Array").New(v, 0, nonceSize)))] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("6 values have %d nonces", len(seen))
	}
}

func TestAValueOpensInItsOwnRowOnly(t *testing.T) {
	for what, harm := range map[string]func(table, v js.Value){
		"the value of another row":   func(table, v js.Value) { table.Call("put", v, array(key("t", "b"))) },
		"the value of another table": func(table, v js.Value) { table.Call("put", v, array(key("u", "a"))) },
		"one bit changed": func(table, v js.Value) {
			b := js.Global().Get("Uint8Array").New(v)
			b.SetIndex(20, b.Index(20).Int()^1)
			table.Call("put", b.Get("buffer"), array(key("t", "a")))
		},
		"a value that is not sealed": func(table, _ js.Value) { table.Call("put", array("plain"), array(key("t", "a"))) },
		"hardly a value":             func(table, v js.Value) { table.Call("put", v.Call("slice", 0, 12), array(key("t", "a"))) },
	} {
		t.Run(what, func(t *testing.T) {
			name := sealedName("swapped")
			s := open(t, name)
			if err := errors.Join(put(s, "a", "of a"), put(s, "b", "of b")); err != nil {
				t.Fatal(err)
			}
			s.Close()
			r := openRaw(t, name, version)
			v := r.all()[key("t", "a")]
			r.change(rows, func(table js.Value) { harm(table, v) })
			r.Close()
			s = open(t, name)
			defer s.Close()
			var err error
			for _, table := range []keep.Table{"t", "u"} {
				err = errors.Join(err, s.Scan(table, keep.Range{}, func(string, []byte) bool { return true }))
			}
			if !errors.Is(err, keep.ErrDamaged) {
				t.Errorf("reading it: %v, want ErrDamaged", err)
			}
		})
	}
}

func TestWhatOlderProgramsKeptIsSealedAndNothingOfItLost(t *testing.T) {
	name := sealedName("older")
	want := map[string]string{}
	var keys []string
	for i := range 2*page + 7 {
		k := fmt.Sprintf("key %04d", i)
		keys = append(keys, k)
		want[k] = k
	}
	plainly(t, name, keys...)
	s := open(t, name)
	if s.epoch != 8 {
		t.Errorf("the mark is %d, want the next after 7", s.epoch)
	}
	if got := contents(t, s); !maps.Equal(got, want) {
		t.Errorf("%d rows are there, want %d", len(got), len(want))
	}
	s.Close()
	r := openRaw(t, name, version)
	defer r.Close()
	for k, v := range r.all() {
		if !isSealed(v) {
			t.Fatalf("%q is as it was", k)
		}
	}
}

// Who is stopped in the midst of sealing has some rows of either kind.
func TestSealingGoesOnWhereItWasStopped(t *testing.T) {
	name := sealedName("stopped")
	plainly(t, name, "a", "b", "c")
	s := open(t, name)
	s.Close()
	r := openRaw(t, name, version)
	r.change(own, func(table js.Value) { table.Call("delete", ownWhole) })
	r.change(rows, func(table js.Value) { table.Call("put", array("b"), array(key("t", "b"))) })
	r.Close()
	s = open(t, name)
	defer s.Close()
	if got := contents(t, s); !maps.Equal(got, map[string]string{"a": "a", "b": "b", "c": "c"}) {
		t.Errorf("there is %v", got)
	}
}

func TestADatabaseWithoutItsKeyIsGone(t *testing.T) {
	for what, harm := range map[string]func(table js.Value){
		"no key":      func(table js.Value) { table.Call("delete", ownKey) },
		"nothing":     func(table js.Value) { table.Call("clear") },
		"not a key":   func(table js.Value) { table.Call("put", js.Null(), ownKey) },
		"another one": func(table js.Value) { table.Call("put", "key", ownKey) },
	} {
		t.Run(what, func(t *testing.T) {
			name := sealedName("lost")
			s := open(t, name)
			if err := put(s, "k", "v"); err != nil {
				t.Fatal(err)
			}
			s.Close()
			r := openRaw(t, name, version)
			r.change(own, harm)
			r.Close()
			for range 2 { // and stays so
				if _, err := Open(name); !errors.Is(err, ErrLost) || !errors.Is(err, ErrGone) {
					t.Errorf("Open: %v, want ErrLost", err)
				}
			}
		})
	}
}
