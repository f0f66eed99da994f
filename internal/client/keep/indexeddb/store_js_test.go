package indexeddb

import (
	"errors"
	"fmt"
	"syscall/js"
	"testing"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/keep/keeptest"
)

// These tests run in a browser's Worker: e2e/wasm takes them there.

func TestTheBrowserKeepsTheContract(t *testing.T) {
	n := 0
	keeptest.Run(t, func(*testing.T) keeptest.Opener {
		n++
		name := fmt.Sprint("contract", n, time.Now().UnixNano())
		return func(t *testing.T) keep.Store { return open(t, name) }
	}, false)
}

func TestTheBrowserBehindAMirrorKeepsTheContract(t *testing.T) {
	n := 0
	keeptest.Run(t, func(*testing.T) keeptest.Opener {
		n++
		name := fmt.Sprint("mirrored", n, time.Now().UnixNano())
		return func(t *testing.T) keep.Store { return NewMirror(open(t, name), 1<<20) }
	}, false)
}

func open(t *testing.T, name string) *Store {
	t.Helper()
	s, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(s *Store, key, value string) error {
	var b keep.Batch
	b.Put("t", key, []byte(value))
	return s.Apply(&b)
}

func TestWhoIsNotTheLatestWritesNothing(t *testing.T) {
	name := fmt.Sprint("latest", time.Now().UnixNano())
	first := open(t, name)
	defer first.Close()
	if err := put(first, "k", "first"); err != nil {
		t.Fatal(err)
	}
	second := open(t, name)
	defer second.Close()
	if err := put(first, "k", "again"); !errors.Is(err, keep.ErrInUse) {
		t.Errorf("the first one's batch: %v, want ErrInUse", err)
	}
	if v, err := second.Get("t", "k"); string(v) != "first" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if err := put(second, "k", "second"); err != nil {
		t.Error(err)
	}
}

// What the browser throws away is an error, and not an empty profile.
func TestADatabaseThatIsTakenAwayIsToldOf(t *testing.T) {
	name := fmt.Sprint("away", time.Now().UnixNano())
	s := open(t, name)
	defer s.Close()
	if err := put(s, "k", "v"); err != nil {
		t.Fatal(err)
	}
	deleted := make(chan bool, 1)
	done := js.FuncOf(func(js.Value, []js.Value) any { deleted <- true; return nil })
	defer done.Release()
	js.Global().Get("indexedDB").Call("deleteDatabase", name).Set("onsuccess", done)
	<-deleted
	if v, err := s.Get("t", "k"); !errors.Is(err, ErrGone) {
		t.Errorf("Get: %q, %v", v, err)
	}
	if err := put(s, "k", "v"); !errors.Is(err, ErrGone) {
		t.Errorf("Apply: %v", err)
	}
}
