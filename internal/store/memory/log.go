package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"mirsal/internal/store"
)

func (e *engine) Append(g *store.Group) error {
	return e.write(func() error {
		if err := g.Valid(e.last); err != nil {
			return err
		}
		if len(g.Records)+len(g.Marks) == 0 {
			return nil
		}
		kept := cloneGroup(*g)
		for i := range kept.Records {
			kept.Records[i].Body = clone(kept.Records[i].Body) // nil means deleted
		}
		if n := len(kept.Records); n > 0 {
			e.last = kept.First + uint64(n) - 1
		} else {
			kept.First = 0
		}
		e.groups = append(e.groups, kept)
		return nil
	})
}

func (e *engine) Last() uint64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.last
}

// each calls f with every record that there is, in the order of numbers.
func (e *engine) each(f func(seq uint64, r *store.Record)) {
	for _, g := range e.groups {
		for i := range g.Records {
			if g.Records[i].Body != nil {
				f(g.First+uint64(i), &g.Records[i])
			}
		}
	}
}

// selectRows returns all rows that q selects, its Limit ignored.
func (e *engine) selectRows(q store.Query) (rows []store.Row) {
	e.each(func(seq uint64, r *store.Record) {
		i := slices.IndexFunc(r.Entries, func(en store.Entry) bool { return en.Owner == q.Owner })
		if i < 0 || !matches(q, seq, r.Time, r.Entries[i].Peer) {
			return
		}
		row := store.Row{Seq: seq, Time: r.Time, Peer: r.Entries[i].Peer, Flags: r.Entries[i].Flags}
		if !q.NoBody {
			row.Body = clone(r.Body)
		}
		rows = append(rows, row)
	})
	return rows
}

func matches(q store.Query, seq uint64, time int64, peer string) bool {
	return (q.Peer == "" || q.Peer == peer) &&
		seq > q.After && (q.Before == 0 || seq < q.Before) &&
		(q.From == 0 || time >= q.From) && (q.To == 0 || time <= q.To)
}

func (e *engine) Page(ctx context.Context, q store.Query) (rows []store.Row, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	err = e.read(func() error {
		rows = e.selectRows(q)
		return nil
	})
	limit := max(q.Limit, 0)
	if more = len(rows) > limit; !more {
		return rows, false, err
	}
	if q.Backward {
		return rows[len(rows)-limit:], true, err
	}
	return rows[:limit], true, err
}

func (e *engine) Find(ctx context.Context, owner string, seqs []uint64) (rows []store.Row, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = e.read(func() error {
		rows = slices.DeleteFunc(e.selectRows(store.Query{Owner: owner}), func(r store.Row) bool {
			return !slices.Contains(seqs, r.Seq)
		})
		return nil
	})
	return rows, err
}

func (e *engine) Count(ctx context.Context, q store.Query) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	q.NoBody = true
	err = e.read(func() error {
		n = len(e.selectRows(q))
		return nil
	})
	return n, err
}

func (e *engine) Replay(ctx context.Context, since int64, f func(store.Group) error) error {
	var groups []store.Group
	err := e.read(func() error {
		for _, i := range e.byTime() {
			if e.groups[i].Time >= since {
				groups = append(groups, cloneGroup(e.groups[i]))
			}
		}
		return nil
	})
	for _, g := range groups {
		if err := firstErr(err, ctx.Err()); err != nil {
			return err
		}
		if err := f(g); err != nil {
			return err
		}
	}
	return firstErr(err, ctx.Err())
}

// byTime returns the indexes of groups in the order of their times.
func (e *engine) byTime() []int {
	order := make([]int, len(e.groups))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(e.groups[a].Time, e.groups[b].Time) })
	return order
}

func (e *engine) Expire(ctx context.Context, before int64, limit int) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	err = e.write(func() error {
		for _, i := range e.byTime() {
			if g := &e.groups[i]; g.Time < before && n < limit {
				n += expireGroup(g, limit-n)
			}
		}
		e.dropEmpty()
		return nil
	})
	return n, err
}

// expireGroup deletes at most limit records of g, and its marks with the last.
func expireGroup(g *store.Group, limit int) (n int) {
	if !hasPayload(g) {
		g.Marks = nil
		return 1
	}
	for i := range g.Records {
		if g.Records[i].Body != nil && n < limit {
			g.Records[i] = store.Record{}
			n++
		}
	}
	if !hasPayload(g) {
		g.Marks = nil
	}
	return n
}

func hasPayload(g *store.Group) bool {
	return slices.ContainsFunc(g.Records, func(r store.Record) bool { return r.Body != nil })
}

func (e *engine) Delete(ctx context.Context, seqs []uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.write(func() error {
		e.each(func(seq uint64, r *store.Record) {
			if slices.Contains(seqs, seq) {
				*r = store.Record{}
			}
		})
		e.dropEmpty()
		return nil
	})
}

func (e *engine) Replace(ctx context.Context, seq uint64, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.write(func() error {
		err := store.ErrNotFound
		e.each(func(at uint64, r *store.Record) {
			if at == seq {
				r.Body, err = clone(body), nil
			}
		})
		return err
	})
}

func (e *engine) Forget(ctx context.Context, owner string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.write(func() error {
		e.each(func(_ uint64, r *store.Record) {
			had := len(r.Entries)
			r.Entries = slices.DeleteFunc(r.Entries, func(en store.Entry) bool { return en.Owner == owner })
			if had > 0 && len(r.Entries) == 0 {
				*r = store.Record{}
			}
		})
		e.dropEmpty()
		return nil
	})
}

// dropEmpty removes groups that hold nothing, and the places of records in those
// that hold only marks.
func (e *engine) dropEmpty() {
	e.groups = slices.DeleteFunc(e.groups, func(g store.Group) bool {
		return len(g.Marks) == 0 && !hasPayload(&g)
	})
	for i := range e.groups {
		if g := &e.groups[i]; !hasPayload(g) {
			g.First, g.Records = 0, nil
		}
	}
}

func cloneGroup(g store.Group) store.Group {
	g.Marks, g.Records = slices.Clone(g.Marks), slices.Clone(g.Records)
	for i := range g.Records {
		r := &g.Records[i]
		r.Body = bytes.Clone(r.Body)
		r.Entries = firstEntries(r.Entries)
	}
	return g
}

// firstEntries copies entries, without those of an owner that came before.
func firstEntries(entries []store.Entry) (kept []store.Entry) {
	for _, en := range entries {
		if !slices.ContainsFunc(kept, func(k store.Entry) bool { return k.Owner == en.Owner }) {
			kept = append(kept, en)
		}
	}
	return kept
}
