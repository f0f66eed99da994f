package limits

import (
	"math"
	"sync/atomic"
	"time"
)

// rate is how a bucket fills: one piece in each gap, up to burst of time's worth.
// The zero rate has no bound.
type rate struct {
	gap   int64 // nanoseconds for fine pieces
	burst int64 // nanoseconds
}

// fine is how many pieces a gap is for, so that a byte's gap is no fraction.
const fine = 1 << 10

// perTime is n pieces in a time, most of them at once.
func perTime(n int, in time.Duration, most int) rate {
	if n <= 0 {
		return rate{}
	}
	gap := int64(in) * fine / int64(n)
	return rate{gap: gap, burst: gap / fine * int64(most)}
}

func (r rate) cost(n int) int64 { return r.gap * int64(n) / fine }

// bucket is a budget: the time at which it is full again. It is guarded by
// its owner; shared is for those without one.
type bucket int64

// take takes n pieces if they are there.
func (b *bucket) take(r rate, now int64, n int) bool {
	at := max(int64(*b), now) + r.cost(n)
	if r.gap != 0 && at-now > r.burst {
		return false
	}
	*b = bucket(at)
	return true
}

// owe takes n pieces whether they are there or not, to a debt of most.
func (b *bucket) owe(r rate, now int64, n int, most time.Duration) {
	*b = bucket(min(max(int64(*b), now)+r.cost(n), now+r.burst+int64(most)))
}

// wait is how long until the bucket is out of debt.
func (b bucket) wait(r rate, now int64) time.Duration {
	return time.Duration(max(0, int64(b)-now-r.burst))
}

// shared is a bucket that many take from without a lock.
type shared struct{ at atomic.Int64 }

// owe takes n pieces and returns how long until the bucket is out of debt.
func (s *shared) owe(r rate, now int64, n int) time.Duration {
	for {
		old := s.at.Load()
		b := bucket(old)
		b.owe(r, now, n, math.MaxInt64/4)
		if s.at.CompareAndSwap(old, int64(b)) {
			return b.wait(r, now)
		}
	}
}
