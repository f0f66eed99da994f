package archive

import (
	"mirsal/internal/core"
)

// nsSID is the namespace of stanza-id and origin-id.
const nsSID = "urn:xmpp:sid:0"

// Append satisfies core.Archive. It returns at once unless too much waits for
// the disk. t.Elem is read, so it must still be valid.
func (a *Archive) Append(t *core.Transit) {
	key, keyed := a.repeats.keyOf(t)
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.waiting > a.cfg.Waiting && !a.closing {
		a.room.Wait()
	}
	if a.closing {
		return
	}
	if len(t.Owners) > 0 {
		t.Repeats = keyed && a.repeats.again(key, t.Time)
		if t.Repeats {
			a.metrics.repeats.Inc()
		} else {
			t.Seq = a.next
			a.next++
		}
	}
	a.queue = append(a.queue, t)
	a.waiting += cost(t)
	a.work.Signal()
}

// cost is what a transit holds in memory, about.
func cost(t *core.Transit) int {
	if t.Stanza == nil {
		return 256
	}
	return 256 + len(t.Stanza.Raw)
}

// take waits for something to commit and moves as much of it to batch as one
// group may hold; nothing when the archive closes and all is taken.
func (a *Archive) take(batch []*core.Transit) []*core.Transit {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.head == len(a.queue) && !a.closing {
		a.work.Wait()
	}
	for size := 0; a.head < len(a.queue) && len(batch) < groupRecords && size < groupBytes; a.head++ {
		t := a.queue[a.head]
		a.queue[a.head] = nil
		size += cost(t)
		batch = append(batch, t)
	}
	a.tidy()
	return batch
}

// tidy gives the taken part of the queue back; under mu.
func (a *Archive) tidy() {
	const large = 8192
	switch {
	case a.head < len(a.queue) && a.head < large:
		return
	case a.head == len(a.queue) && cap(a.queue) > large:
		a.queue = nil
	default:
		n := copy(a.queue, a.queue[a.head:])
		clear(a.queue[n:])
		a.queue = a.queue[:n]
	}
	a.head = 0
}

// written counts a batch out of what waits.
func (a *Archive) written(batch []*core.Transit) {
	n := 0
	for _, t := range batch {
		n += cost(t)
	}
	a.mu.Lock()
	a.waiting -= n
	if a.waiting <= a.cfg.Waiting {
		a.room.Broadcast()
	}
	a.mu.Unlock()
}

// Waiting is how many bytes were appended and are not durable yet.
func (a *Archive) Waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting
}
