package limits

import (
	"container/list"
	"context"
	"runtime"
	"sync"
	"time"
)

// Bounds of those who wait for their handshake.
const (
	waitersMost    = 1024
	laneMost       = 64 // of one prefix
	handshakeWaits = 5 * time.Second
	// of so many turns one is a stranger's while people from familiar places wait
	strangersTurn = 4
)

// Handshake waits until this peer's handshake may compute. done, to be called
// once, lets the next go on; call it before waiting for the network. err is a *Refused, or ctx's.
//
// Half of the processors compute at a time, whatever comes. Prefixes take
// turns, those from which people sign in first; three turns of four are theirs.
func (p *Peer) Handshake(ctx context.Context) (done func(), err error) {
	if !p.l.cfg.Enabled {
		return func() {}, nil
	}
	if err := p.turn(ctx); err != nil {
		return nil, err
	}
	return p.l.queue.leave, nil
}

// turn waits for a turn, which ends with queue.leave.
func (p *Peer) turn(ctx context.Context) error {
	l, r := p.l, &p.l.rates
	ok, scope := l.takeBoth(p.origin, func(s *source, crowded bool, now int64) bool {
		if crowded {
			return s.handshake.take(r.crowdHandshake, now, 1)
		}
		return s.handshake.take(r.handshake, now, 1)
	})
	if !ok {
		return l.refuse("handshakes", scope, p.origin.net)
	}
	home := p.origin.exempt() || l.familiar.knows(p.origin.prefix)
	scope, err := l.queue.enter(ctx, p.origin.prefix, home)
	if err == nil && scope != "" {
		return l.refuse("handshakes", scope, p.origin.net)
	}
	return err
}

// queue is who computes a handshake and who waits for it.
type queue struct {
	metrics *Metrics

	mu      sync.Mutex // held for moments
	free    int        // who may compute now
	again   list.List  // of *waiter: in the middle of a handshake
	home    class      // from familiar places
	away    class
	waiting int // in home and away
	turns   int
}

// class is prefixes that take turns.
type class struct {
	lanes map[uint64]*lane
	ring  list.List // of *lane, the next in front
}

// lane is those of one prefix, the next in front.
type lane struct {
	prefix  uint64
	at      *list.Element
	waiters list.List // of *waiter
}

// waiter hears once: true when it may compute, false when it must make room.
type waiter struct {
	class *class // nil in again
	lane  *lane
	at    *list.Element
	turn  chan bool
}

func (q *queue) init(workers int, m *Metrics) {
	if workers <= 0 {
		workers = max(1, runtime.GOMAXPROCS(0)/2)
	}
	q.free, q.metrics = workers, m
	q.home.lanes, q.away.lanes = map[uint64]*lane{}, map[uint64]*lane{}
}

// enter waits for a turn; scope is what was full otherwise.
func (q *queue) enter(ctx context.Context, prefix uint64, home bool) (scope string, err error) {
	q.mu.Lock()
	if q.free > 0 {
		q.free--
		q.mu.Unlock()
		return "", nil
	}
	c := &q.away
	if home {
		c = &q.home
	}
	// exempt ones (prefix 0) stand for many
	if n := c.lanes[prefix]; n != nil && n.waiters.Len() >= laneMost && prefix != 0 {
		q.mu.Unlock()
		return "prefix", nil
	}
	if q.waiting >= waitersMost {
		q.makeRoom()
	}
	w := c.join(prefix)
	q.waiting++
	q.mu.Unlock()
	return q.await(ctx, w)
}

// reenter waits in front of all, in the middle of a handshake.
func (q *queue) reenter(ctx context.Context) error {
	q.mu.Lock()
	if q.free > 0 {
		q.free--
		q.mu.Unlock()
		return nil
	}
	w := &waiter{turn: make(chan bool, 1)}
	w.at = q.again.PushBack(w)
	q.mu.Unlock()
	_, err := q.await(ctx, w)
	return err
}

func (q *queue) await(ctx context.Context, w *waiter) (scope string, err error) {
	q.metrics.handshakes.Inc()
	defer q.metrics.handshakes.Dec()
	late := time.NewTimer(handshakeWaits)
	defer late.Stop()
	select {
	case ok := <-w.turn:
		return scopeOf(ok), nil
	case <-late.C:
		scope, err = "server", context.DeadlineExceeded
	case <-ctx.Done():
		err = ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case ok := <-w.turn: // at the last moment
		return scopeOf(ok), nil
	default:
	}
	q.remove(w)
	if w.class != nil && scope != "" {
		err = nil // refused, in a word
	}
	return scope, err
}

func scopeOf(ok bool) string {
	if ok {
		return ""
	}
	return "server"
}

// leave gives the turn to the next.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.next()
	if w == nil {
		q.free++
		return
	}
	q.remove(w)
	w.turn <- true
}

// next is whose turn it is.
func (q *queue) next() *waiter {
	if e := q.again.Front(); e != nil {
		return e.Value.(*waiter)
	}
	q.turns++
	first, second := &q.home, &q.away
	if q.turns%strangersTurn == 0 {
		first, second = second, first
	}
	if w := first.next(); w != nil {
		return w
	}
	return second.next()
}

func (q *queue) remove(w *waiter) {
	if w.class == nil {
		q.again.Remove(w.at)
		return
	}
	w.class.remove(w)
	q.waiting--
}

// makeRoom sends the one away who has waited longest in the longest of a few
// lanes: of strangers, while there are any.
func (q *queue) makeRoom() {
	for _, c := range []*class{&q.away, &q.home} {
		if n := c.longest(); n != nil {
			w := n.waiters.Front().Value.(*waiter)
			q.remove(w)
			w.turn <- false
			return
		}
	}
}

func (c *class) join(prefix uint64) *waiter {
	n := c.lanes[prefix]
	if n == nil {
		n = &lane{prefix: prefix}
		n.at = c.ring.PushBack(n)
		c.lanes[prefix] = n
	}
	w := &waiter{class: c, lane: n, turn: make(chan bool, 1)}
	w.at = n.waiters.PushBack(w)
	return w
}

// next is the first of the prefix whose turn it is; the prefix goes to the end.
func (c *class) next() *waiter {
	e := c.ring.Front()
	if e == nil {
		return nil
	}
	c.ring.MoveToBack(e)
	return e.Value.(*lane).waiters.Front().Value.(*waiter)
}

func (c *class) remove(w *waiter) {
	n := w.lane
	n.waiters.Remove(w.at)
	if n.waiters.Len() == 0 {
		c.ring.Remove(n.at)
		delete(c.lanes, n.prefix)
	}
}

func (c *class) longest() (found *lane) {
	seen := 0
	for _, n := range c.lanes {
		if found == nil || n.waiters.Len() > found.waiters.Len() {
			found = n
		}
		if seen++; seen == looks {
			break
		}
	}
	return found
}
