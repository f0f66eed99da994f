package auth

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrBusy tells that too many passwords wait to be worked on: try again later.
var ErrBusy = errors.New("too much is waiting for the work on passwords")

// workQueue is how many passwords may be worked on or wait for it: at the usual
// iterations half a second's work of one core.
const workQueue = 64

// work lets few goroutines derive keys at a time, so that a flood of passwords
// leaves cores for chat.
type work struct {
	slots chan struct{}
	here  atomic.Int64
}

func newWork(cores int) *work { return &work{slots: make(chan struct{}, max(1, cores))} }

// do runs f when its turn comes, or returns ErrBusy at once.
func (w *work) do(f func()) error {
	defer w.here.Add(-1)
	if w.here.Add(1) > workQueue {
		return ErrBusy
	}
	return w.wait(context.Background(), f)
}

// wait runs f when its turn comes, however many wait.
func (w *work) wait(ctx context.Context, f func()) error {
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-w.slots }()
	f()
	return nil
}
