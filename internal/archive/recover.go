package archive

import (
	"context"
	"time"

	"mirsal/internal/store"
)

// recover reads the groups of recent minutes, as they were before the start.
func (a *Archive) recover(ctx context.Context) error {
	since := time.Now().Add(-a.cfg.Resumption).UnixMilli()
	return a.log.Replay(ctx, since, func(g store.Group) error {
		a.latest = max(a.latest, g.Time)
		for _, m := range g.Marks {
			h, known := a.marks[m.Session]
			if !known {
				h = m.H
			}
			a.marks[m.Session] = higher(h, m.H)
		}
		for i := range g.Records {
			if key, keyed := a.repeats.keyOfRecord(&g.Records[i]); keyed {
				a.repeats.again(key, time.UnixMilli(g.Records[i].Time))
			}
		}
		return nil
	})
}

// RecoveredH is the count of handled stanzas that was durable when the server
// last ended, for a resumable session of that time: never lower than what the
// session was told. ok is false when nothing is known of it, or its time to
// resume is over.
// XEP-0198#resumption
func (a *Archive) RecoveredH(session [16]byte) (h uint32, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h, ok = a.marks[session]
	return h, ok
}

// forgetMarks drops the recovered counts once nobody may resume by them.
func (a *Archive) forgetMarks() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.marks = nil
}
