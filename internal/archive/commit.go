package archive

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
)

// How long a group that could not be written waits for the next try, and how
// often the log says so.
const (
	retryFirst = 250 * time.Millisecond
	retryMost  = 5 * time.Second
	sayAgain   = time.Minute
)

// failure is why nothing is committed at present.
type failure struct {
	err   error
	since time.Time
}

// Healthy is nil unless the last try to write to the disk failed.
func (a *Archive) Healthy() error {
	f := a.failing.Load()
	if f == nil {
		return nil
	}
	return fmt.Errorf("messages are held since %s: %w", f.since.Format(time.TimeOnly), f.err)
}

// commitGroups is the committer: what waits becomes a group, and the next one
// gathers while this one is written.
func (a *Archive) commitGroups() {
	defer close(a.durable)
	for {
		batch := a.take(a.batch())
		if len(batch) == 0 || !a.commit(batch) {
			return
		}
		a.written(batch)
		a.durable <- batch
	}
}

// batch is an empty slice, used before where possible.
func (a *Archive) batch() []*core.Transit {
	select {
	case b := <-a.spare:
		return b[:0]
	default:
		return make([]*core.Transit, 0, 64)
	}
}

// commit makes a batch durable; false when the archive must stop before that.
func (a *Archive) commit(batch []*core.Transit) bool {
	a.fill(batch)
	g := &a.group
	if len(g.Records)+len(g.Marks) == 0 {
		return true
	}
	start := time.Now()
	g.Time = max(start.UnixMilli(), a.latest) // a clock that jumps back must not reorder groups
	if !a.write(g) {
		return false
	}
	a.latest = g.Time
	a.metrics.wrote(g, time.Since(start))
	clear(g.Records)
	clear(a.entries)
	return true
}

// fill makes a.group of a batch.
func (a *Archive) fill(batch []*core.Transit) {
	g := &a.group
	g.First, g.Records, g.Marks = 0, g.Records[:0], g.Marks[:0]
	a.entries = a.entries[:0]
	clear(a.marked)
	for _, t := range batch {
		if t.Mark != [16]byte{} {
			a.fillMark(t)
		}
		if t.Seq == 0 {
			continue
		}
		if len(g.Records) == 0 {
			g.First = t.Seq
		}
		g.Records = append(g.Records, a.record(t))
	}
}

func (a *Archive) record(t *core.Transit) store.Record {
	from := len(a.entries)
	for i := range t.Owners {
		o := &t.Owners[i]
		a.entries = append(a.entries, store.Entry{Owner: o.JID.String(), Peer: o.Peer.String(), Flags: o.Flags})
	}
	return store.Record{Time: t.Time.UnixMilli(), Body: t.Stanza.Raw, Entries: a.entries[from:len(a.entries):len(a.entries)]}
}

// fillMark adds a session's count; of several the highest stands, since a
// count that is sent for by itself may come late.
func (a *Archive) fillMark(t *core.Transit) {
	g := &a.group
	i, ok := a.marked[t.Mark]
	if !ok {
		a.marked[t.Mark] = len(g.Marks)
		g.Marks = append(g.Marks, store.Mark{Session: t.Mark, H: t.H})
		return
	}
	g.Marks[i].H = higher(g.Marks[i].H, t.H)
}

// higher is the later of two counts that grow modulo 2^32.
// XEP-0198#acking
func higher(x, y uint32) uint32 {
	if int32(y-x) > 0 {
		return y
	}
	return x
}

// write appends a group, trying until it works; false when it never will.
func (a *Archive) write(g *store.Group) bool {
	var told time.Time
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := a.log.Append(g)
		switch {
		case err == nil:
			a.recovered()
			return true
		case errors.Is(err, store.ErrFatal):
			a.fatal(err)
			return false
		}
		told = a.failed(err, told)
		if !a.pause(wait) {
			return false
		}
	}
}

// failed notes that nothing can be committed, and says so now and then.
func (a *Archive) failed(err error, told time.Time) time.Time {
	now := time.Now()
	f := a.failing.Load()
	if f == nil {
		f = &failure{since: now}
	}
	a.failing.Store(&failure{err, f.since})
	a.metrics.failures.Inc()
	a.metrics.healthy.Set(0)
	if now.Sub(told) < sayAgain {
		return told
	}
	a.cfg.Log.Error("messages cannot be stored: senders are held until they can", "err", err, "since", f.since)
	return now
}

func (a *Archive) recovered() {
	if f := a.failing.Swap(nil); f != nil {
		a.metrics.healthy.Set(1)
		a.cfg.Log.Info("messages are stored again", "held", time.Since(f.since).Round(time.Millisecond))
	}
}

// fatal stops committing for good: what is on disk is known after a restart.
func (a *Archive) fatal(err error) {
	a.failing.Store(&failure{err, time.Now()})
	a.metrics.healthy.Set(0)
	a.cfg.Log.Error("the state of the message log is unknown: stopping", "err", err)
	if a.cfg.Fatal != nil {
		a.cfg.Fatal(err)
	}
}

// pause waits; false when the archive closes.
func (a *Archive) pause(d time.Duration) bool {
	clock := time.NewTimer(d)
	defer clock.Stop()
	select {
	case <-clock.C:
		return true
	case <-a.stop:
		return false
	}
}

// releaseGroups hands durable transits on, in the order of their places.
func (a *Archive) releaseGroups() {
	for batch := range a.durable {
		for _, t := range batch {
			a.release(t)
		}
		clear(batch)
		select {
		case a.spare <- batch:
		default:
		}
	}
}

// release hands one transit on. A feature that panics over it costs its sender
// the session, not everybody the server.
func (a *Archive) release(t *core.Transit) {
	defer func() {
		if p := recover(); p != nil {
			a.metrics.panics.Inc()
			a.cfg.Log.Error("a message broke its delivery", "panic", p, "stack", string(debug.Stack()))
			if t.Session != nil {
				t.Session.Close(nil)
			}
		}
	}()
	t.Release()
}
