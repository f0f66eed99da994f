package auth

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/sasl"
)

func TestAFloodOfPasswordsLeavesACoreAndIsToldToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork(2)
		hold := make(chan struct{})
		var mu sync.Mutex
		running, most, done, busy := 0, 0, 0, 0
		for range 10 * workQueue {
			go func() {
				err := w.do(func() {
					mu.Lock()
					running++
					most = max(most, running)
					mu.Unlock()
					<-hold
					mu.Lock()
					running--
					mu.Unlock()
				})
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, ErrBusy) {
					busy++
				} else {
					done++
				}
			}()
		}
		synctest.Wait()
		if most != 2 || busy != 9*workQueue || done != 0 {
			t.Errorf("%d ran at a time, %d were sent away", most, busy)
		}
		close(hold)
		synctest.Wait()
		if done != workQueue || most != 2 {
			t.Errorf("%d were served, %d at a time", done, most)
		}
		if err := w.do(func() {}); err != nil {
			t.Error("still busy:", err)
		}
	})
}

func TestWorkThatPanicsGivesItsPlaceBack(t *testing.T) {
	w := newWork(1)
	func() {
		defer func() { recover() }()
		w.do(func() { panic("no") })
	}()
	if err := w.do(func() {}); err != nil || w.here.Load() != 0 {
		t.Error(err)
	}
}

func TestALongListWaitsWithoutTakingOthersPlacesInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork(1)
		hold := make(chan struct{})
		for range 2 * workQueue {
			go w.wait(context.Background(), func() { <-hold })
		}
		synctest.Wait()
		waits := make(chan error, 1)
		go func() { waits <- w.do(func() {}) }()
		close(hold)
		if err := <-waits; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		w.slots <- struct{}{}
		if err := w.wait(ctx, func() {}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// Everything that makes or checks keys of a password asks for its turn, whether
// the name is known or not (attack 18).
func TestAllWorkOnPasswordsWaitsForItsTurn(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	a.work = &work{slots: make(chan struct{})}
	a.work.here.Store(workQueue)
	_, err := a.Add(t.Context(), "bob", "secret")
	for what, err := range map[string]error{
		"a new account":    err,
		"a password":       a.Passwd(t.Context(), "alice", "new"),
		"PLAIN":            logInPlain(a, "alice", "secret"),
		"PLAIN of nobody":  logInPlain(a, "mallory", "secret"),
		"PLAIN by a guess": logInPlain(a, "alice", "guess"),
	} {
		if !errors.Is(err, ErrBusy) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if condition := sasl.AsFailure(logInPlain(a, "alice", "secret")).Condition; condition != sasl.TemporaryAuthFailure {
		t.Error(condition)
	}
	if err := logIn(t, a, "alice", "secret"); err != nil {
		t.Error("a login that needs no such work:", err)
	}
}

func TestTheServerKeepsHalfTheCores(t *testing.T) {
	a := open(t, memory.New())
	if want := max(1, runtime.GOMAXPROCS(0)/2); cap(a.work.slots) != want {
		t.Errorf("%d, want %d", cap(a.work.slots), want)
	}
	a.OnRemove(Removal{Later: true})
	if cap(a.work.slots) != runtime.GOMAXPROCS(0) {
		t.Error("a command without a server does not use the machine")
	}
}
