package archive

import (
	"context"
	"errors"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// Keep is how long messages are kept. The zero Keep is 30 days.
type Keep struct {
	Days int
	// Delivered removes a message once it has reached a session of everyone who
	// keeps it and a week has passed. Messages to those who never come back stay.
	Delivered bool
}

// Register attaches the archive's rules and chores to the host.
func (a *Archive) Register(h *core.Host, r *core.Router) {
	a.cursors.log = a.cfg.Log
	h.Keep = append(h.Keep, func(t *core.Transit) { a.keep(r, t) })
	// XEP-0424#disco: they are archived; without #tombstone, since none are put
	h.Disco(core.Server, nsRetract)
	h.Disco(core.Account, nsRetract)
	h.AccountGone = append(h.AccountGone, a.accountGone)
	h.Every(time.Second, func(time.Time) { a.cursors.Flush() })
	h.Every(sweepEvery, a.sweepTick)
	h.Every(a.cfg.Resumption, func(time.Time) { a.forgetMarks() })
}

// Cursors tell how far accounts have been given their messages.
func (a *Archive) Cursors() *Cursors { return a.cursors }

func (a *Archive) accountGone(bare jid.JID) {
	a.prefs.forget(bare)
	err := errors.Join(a.cursors.forget(bare), a.log.Forget(context.Background(), bare.String()))
	if err != nil {
		a.cfg.Log.Error("an account's archive could not be removed", "jid", bare.String(), "err", err)
	}
}

// How often messages are looked at whose time may be over, and how many are
// removed in one step: the committer waits for a step.
const (
	sweepEvery = 10 * time.Minute
	sweepStep  = 1000
)

func (a *Archive) sweepTick(now time.Time) {
	n, err := a.Sweep(context.Background(), now)
	if err != nil {
		a.cfg.Log.Error("old messages could not be removed", "err", err)
	}
	if n > 0 {
		a.cfg.Log.Info("old messages removed", "messages", n)
	}
}

// Sweep removes what is over at a time, and returns how many messages.
func (a *Archive) Sweep(ctx context.Context, now time.Time) (n int, err error) {
	if a.cfg.Keep.Delivered {
		n, err = a.sweepDelivered(ctx, now)
	} else {
		n, err = a.sweepOld(ctx, now)
	}
	a.metrics.expired.Add(float64(n))
	if c, ok := a.log.(store.Checkpointer); ok && n > 0 {
		err = errors.Join(err, c.Checkpoint())
	}
	return n, err
}

func (a *Archive) sweepOld(ctx context.Context, now time.Time) (total int, err error) {
	days := a.cfg.Keep.Days
	if days == 0 {
		days = 30
	}
	before := now.AddDate(0, 0, -days).UnixMilli()
	for {
		n, err := a.log.Expire(ctx, before, sweepStep)
		total += n
		if err != nil || n < sweepStep || a.closed() {
			return total, err
		}
	}
}

// errEnough ends a Replay.
var errEnough = errors.New("enough")

// sweepDelivered reads everything older than the time of grace: what it leaves
// are only messages that somebody has yet to get.
func (a *Archive) sweepDelivered(ctx context.Context, now time.Time) (total int, err error) {
	a.cursors.age(now)
	before := now.Add(-grace).UnixMilli()
	for !a.closed() {
		seqs, err := a.deliveredBefore(ctx, before)
		if err != nil || len(seqs) == 0 {
			return total, err
		}
		if err := a.log.Delete(ctx, seqs); err != nil {
			return total, err
		}
		total += len(seqs)
	}
	return total, nil
}

func (a *Archive) deliveredBefore(ctx context.Context, before int64) (seqs []uint64, err error) {
	err = a.log.Replay(ctx, 0, func(g store.Group) error {
		if g.Time >= before || len(seqs) >= sweepStep {
			return errEnough
		}
		for i := range g.Records {
			if seq := g.First + uint64(i); g.Records[i].Body != nil && a.reached(&g.Records[i], seq) {
				seqs = append(seqs, seq)
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return seqs, err
}

// reached tells whether every owner who was sent a record had it a time of
// grace ago.
func (a *Archive) reached(r *store.Record, seq uint64) bool {
	for _, e := range r.Entries {
		if e.Flags&Incoming != 0 && a.cursors.aged(e.Owner) < seq {
			return false
		}
	}
	return true
}

func (a *Archive) closed() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}

// Page, Find and Count are the log's, for those who show archives to clients:
// see store.Log.
func (a *Archive) Page(ctx context.Context, q store.Query) (rows []store.Row, more bool, err error) {
	return a.log.Page(ctx, q)
}

// Find returns those of seqs that are in the owner's archive, ascending.
func (a *Archive) Find(ctx context.Context, owner string, seqs []uint64) ([]store.Row, error) {
	return a.log.Find(ctx, owner, seqs)
}

// Count is the number of rows that a query selects.
func (a *Archive) Count(ctx context.Context, q store.Query) (int, error) { return a.log.Count(ctx, q) }

// Forget removes the archive of an owner that is no account: a room.
func (a *Archive) Forget(ctx context.Context, owner string) error { return a.log.Forget(ctx, owner) }
