package files

import (
	"context"
	"sync"
	"time"
)

// soon is how long an attempt may stand still once the network is back: what was on its way
// over the old one may wait for ever.
const soon = 10 * time.Second

// A Network is whether there is one, as far as its owner knows. Transfers that pause go on
// at once when it comes back, and do not give up while it is away. The zero Network is there;
// so is nil. Its methods may be called from any goroutine.
type Network struct {
	mu   sync.Mutex // both below
	away bool
	back chan struct{} // closed at the next return; nil until somebody waits for that
}

// Set tells what has become of it.
func (n *Network) Set(there bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if there && n.away && n.back != nil {
		close(n.back)
		n.back = nil
	}
	n.away = !there
}

// state tells whether there is no network, and what is closed when it is back from its next
// absence, or this one.
func (n *Network) state() (away bool, back <-chan struct{}) {
	if n == nil {
		return false, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.back == nil {
		n.back = make(chan struct{})
	}
	return n.away, n.back
}

// watch cancels an attempt in which nothing moves: the context it returns ends, and
// why tells that from the caller's own ending it.
func (t *Transfers) watch(ctx context.Context) (_ context.Context, moved, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	patience := or(t.Patience, time.Minute)
	clock := time.AfterFunc(patience, func() { cancel(errStalled) })
	_, back := t.Network.state()
	go func() {
		select {
		case <-back:
			clock.Reset(min(patience, soon))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { clock.Reset(patience) }, func() { clock.Stop(); cancel(nil) }
}
