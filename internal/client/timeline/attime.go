package timeline

import (
	"math"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// This file is finding the first message of a day, however far back that is.

// mostTurned bounds how many lines are looked at one by one: those that archives gave no places.
const mostTurned = 1000

// fillBack is how many messages are asked for at a time on the way back to a day.
const fillBack = 200

// Found is what AtTime found.
type Found struct {
	ID          string // the message
	Messages    []port.Message
	More, Newer bool
	Back        time.Time // how far is known, where the time lies before that
}

// AtTime is the first message of a time or later, with those around it as Around has them; the
// newest where there is none so late. When fetch is not nil the time may lie in a part that is not here
// yet, and the query reads on towards it, as with Page. Errors are as Page's.
func (b *Book) AtTime(name string, at time.Time, limit int) (f Found, fetch *Query, err error) {
	c := b.list[name]
	if c == nil {
		return f, nil, port.Failf(port.NoSuchChat, "there is no such chat")
	}
	r, before, err := b.firstFrom(name, at.UnixMilli())
	if err != nil || r == nil {
		return f, nil, err
	}
	if high, _, ok := b.hole(c, r.at.Pos); ok && r.at.Pos >= high && (before == nil || before.at.Pos < high) {
		if a := b.known[b.archiveOf(c.Address, c.Room)]; a.live && r.Time > at.UnixMilli() {
			f.Back, fetch = r.when(), b.filling(c, a, r.at, fillBack)
		}
	}
	f.ID = r.ID
	f.Messages, f.More, f.Newer, err = b.Around(name, r.ID, limit)
	return f, fetch, err
}

// firstFrom is the first line that is shown of a time (Unix milliseconds) or later, else the last, and
// the one before it; nil where there is none. Lines stand in the order of their times, or nearly:
// so places are halved.
func (b *Book) firstFrom(name string, at int64) (found, before *record, err error) {
	low, high := uint64(0), uint64(math.MaxUint64)
	for low < high {
		half := low + (high-low)/2
		r, err := b.shownFrom(name, half)
		if err != nil {
			return nil, nil, err
		}
		if r == nil || r.Time >= at {
			high = half
		} else {
			low = half + 1
		}
	}
	if found, err = b.shownFrom(name, low); err != nil {
		return nil, nil, err
	}
	next := order{math.MaxUint64, math.MaxUint32}
	if found != nil {
		next = found.at
	}
	for range mostTurned {
		before, err = b.lineBefore(name, next)
		if err != nil || before == nil || found != nil && before.Time < at {
			return found, before, err
		}
		found, next = before, before.at
	}
	return found, before, nil
}

// shownFrom is the first line at a place or behind it that is shown; nil for none.
func (b *Book) shownFrom(name string, pos uint64) (r *record, err error) {
	q := keep.Range{Prefix: name + "\x00"}
	if pos > 0 {
		q.After = rowKey(name, order{pos - 1, math.MaxUint32})
	}
	var decoding error
	err = b.kept.scan(tableRows, q, func(key string, v []byte) bool {
		if len(v) > 0 && v[0]&isHidden != 0 {
			return true
		}
		r, decoding = decode(key, v)
		return false
	})
	if err == nil {
		err = decoding
	}
	return r, err
}
