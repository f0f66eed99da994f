package files

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"time"
)

// Transfers sends and fetches files. Its methods block, each on the goroutine of its
// caller, and may run at the same time.
type Transfers struct {
	Doer   Doer
	Policy Policy
	Rand   io.Reader // keys, names, jitter; safe for several goroutines
	// Network is nil where nobody knows of one.
	Network *Network

	// Zero is the default.
	Patience time.Duration // without a byte until an attempt is given up: 1 min
	Attempts int           // in a row that got no further until it is all given up: 8
	Least    time.Duration // first pause between attempts: 1 s
	Most     time.Duration // longest pause: 1 min
}

// Progress hears how many bytes have gone or come, about 200 times at most in an attempt.
// done falls when a transfer has to begin again; total is -1 while unknown. It is called
// from one goroutine at a time, which need not be the caller's, and must not block.
type Progress func(done, total int64)

// longestWait is the longest that a server may have us wait before an attempt.
const longestWait = 5 * time.Minute

var errStalled = errors.New("nothing moved for too long")

// passing marks an error that may pass, and when the server would have us come back.
type passing struct {
	err   error
	after time.Duration
}

func (p *passing) Error() string { return p.err.Error() }
func (p *passing) Unwrap() error { return p.err }

// may marks an error as one that may pass.
func may(err error) error { return &passing{err: err} }

// retry runs attempts until one ends with nil or with an error that does not pass.
// An attempt tells how far it got; only those that got no further than any before it
// are counted, so that a long transfer over a bad network arrives, and a server that
// goes in circles is left. Without a network nothing is counted.
func (t *Transfers) retry(ctx context.Context, attempt func(ctx context.Context) (reached int64, err error)) error {
	furthest, failed := int64(0), 0
	for {
		_, back := t.Network.state()
		reached, err := attempt(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var p *passing
		if !errors.As(err, &p) {
			return err
		}
		if failed++; reached > furthest {
			furthest, failed = reached, 1
		}
		away, _ := t.Network.state()
		if failed >= or(t.Attempts, 8) && !away && !closed(back) {
			return gaveUp(p.err)
		}
		if p.after > 0 {
			back = nil // the server has said when
		}
		if came, err := t.pause(ctx, failed, p.after, back); err != nil {
			return err
		} else if came {
			failed = 0
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// gaveUp is the last attempt's error: in its own words, where it has some.
func gaveUp(err error) error {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return fail(Unreachable, err, "the file service cannot be reached, or the connection broke too often")
}

// pause waits longer after each failure: half of it for certain, half by chance, so
// that those whom one outage stopped do not come back in one moment. The network's return,
// which each has for itself, ends it.
func (t *Transfers) pause(ctx context.Context, failed int, after time.Duration, back <-chan struct{}) (came bool, err error) {
	d := or(t.Least, time.Second)
	for most := or(t.Most, time.Minute); failed > 1 && d < most; failed-- {
		d = min(2*d, most)
	}
	d = max(d/2+t.chance(d/2), min(after, longestWait))
	clock := time.NewTimer(d)
	defer clock.Stop()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-back:
		return true, nil
	case <-clock.C:
		return false, nil
	}
}

// chance is a random duration below d.
func (t *Transfers) chance(d time.Duration) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(t.Rand, b[:]); err != nil || d <= 0 {
		return 0
	}
	return time.Duration(binary.BigEndian.Uint64(b[:]) % uint64(d))
}

func or[T int | time.Duration](v, usual T) T {
	if v == 0 {
		return usual
	}
	return v
}

// blame is the error of an attempt: what ended it, and whether that may pass.
func blame(ctx context.Context, err error) error {
	var f *Failure
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStalled):
		return may(cause)
	case errors.As(err, &f):
		return f
	}
	return may(noURL(err))
}

// meter counts what moves and tells of it, not too often.
type meter struct {
	done, total int64
	told        int64
	moved       func()
	tell        Progress
}

func (m *meter) add(n int) {
	m.done += int64(n)
	m.moved()
	if step := max(m.total/200, chunk); m.done-m.told >= step || m.done == m.total {
		m.say()
	}
}

// reach counts up to n.
func (m *meter) reach(n int64) {
	if n > m.done {
		m.add(int(n - m.done))
	}
}

func (m *meter) say() {
	m.told = m.done
	if m.tell != nil {
		m.tell(m.done, m.total)
	}
}

// answered makes an error of a status that is no success. Of the body nothing is read:
// what a server of files writes there is made for browsers.
func answered(a *Answer) error {
	switch s := a.Status; {
	case s == 413:
		return tooLarge(0)
	case s == 507:
		return fail(Full, status(s), "the server has no room for files now")
	case s == 404 || s == 410:
		return fail(Gone, status(s), "the file is not there any more")
	case s == 401 || s == 403:
		return fail(Refused, status(s), "the server does not give this file, or take it")
	case s == 408 || s == 425 || s == 429 || s >= 500 && s != 501 && s != 505:
		return &passing{err: fail(Unreachable, status(s), "the file service is busy or out of order"), after: retryAfter(a.RetryAfter)}
	case s >= 300 && s < 400:
		return fail(Refused, status(s), "the file service sends us elsewhere, which is not safe to follow")
	}
	return fail(Refused, status(a.Status), "the file service refused")
}

func status(s int) error { return errors.New("HTTP status " + strconv.Itoa(s)) }

// retryAfter reads seconds; dates are not waited for.
// RFC 9110 §10.2.3
func retryAfter(s string) time.Duration {
	n := number(s, int64(longestWait/time.Second))
	if n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}
