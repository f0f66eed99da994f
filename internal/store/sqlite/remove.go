package sqlite

import (
	"context"
	"slices"

	"mirsal/internal/store"
)

// removeChunk is how many payloads one job removes, so that no commit waits long.
const removeChunk = 128

// removal is what one job takes away. The packed groups are rewritten, so that
// nothing remains of a deleted record, neither its text nor whose it was.
type removal struct {
	w      *writer
	groups map[int64]*group   // changed ones, by their keys
	gone   map[int64][]uint64 // entries taken away, by owner
	count  int                // as Expire counts
}

// remove runs f as a job of the writer and then lets readers see it.
func (e *engine) remove(ctx context.Context, f func(*removal) error) (*removal, error) {
	r := &removal{w: e.writer, groups: make(map[int64]*group), gone: make(map[int64][]uint64)}
	err := e.writer.do(ctx, func() error {
		if err := f(r); err != nil {
			return err
		}
		return r.write()
	}, func() error {
		for _, seqs := range r.gone {
			slices.Sort(seqs)
		}
		if len(r.gone) > 0 {
			e.tail.remove(r.gone)
		}
		return nil
	})
	return r, err
}

// record deletes a record with all its entries.
func (r *removal) record(g *group, i int) error {
	seq := g.first + uint64(i)
	for _, en := range g.records[i].entries {
		if err := r.entry(en.owner, seq); err != nil {
			return err
		}
	}
	g.records[i] = record{deleted: true}
	r.groups[g.n] = g
	r.count++
	return r.w.c.exec(`DELETE FROM payload WHERE seq = ?`, int64(seq))
}

func (r *removal) entry(owner int64, seq uint64) error {
	r.w.round = nil // its next slice, in this very transaction, may hold the entry
	r.gone[owner] = append(r.gone[owner], seq)
	return r.w.c.exec(`DELETE FROM entry WHERE owner = ? AND seq = ?`, owner, int64(seq))
}

// drop deletes a group's row, with its marks.
func (r *removal) drop(g *group) error {
	delete(r.groups, g.n)
	return r.w.c.exec(`DELETE FROM grp WHERE n = ?`, g.n)
}

// group returns the group of a number, nil when there is no payload by it.
func (r *removal) group(seq uint64) (*group, error) {
	if seq == 0 || seq > store.MaxSeq {
		return nil, nil
	}
	found, err := r.w.c.one(`SELECT g.n, g.time, g.packed FROM payload p CROSS JOIN grp g ON g.n = p.grp WHERE p.seq = ?`, int64(seq))
	if err != nil || found == nil {
		return nil, err
	}
	if g := r.groups[found.int(0)]; g != nil {
		return g, nil
	}
	g, err := unpack(found.int(0), found.int(1), found.blob(2))
	if err == nil && (seq < g.first || seq > g.last()) {
		err = errPacked
	}
	return g, err
}

// write puts the changed groups back.
func (r *removal) write() error {
	for _, g := range r.groups {
		if g.empty() && len(g.marks) == 0 {
			if err := r.drop(g); err != nil {
				return err
			}
			continue
		}
		if g.empty() {
			g.first, g.records = 0, nil
		}
		if err := r.w.c.exec(`UPDATE grp SET packed = ? WHERE n = ?`, g.pack(), g.n); err != nil {
			return err
		}
	}
	return r.w.c.setMeta(metaLast, r.w.newest)
}

func (e *engine) Delete(ctx context.Context, seqs []uint64) error {
	removed := 0
	for chunk := range slices.Chunk(seqs, removeChunk) {
		r, err := e.remove(ctx, func(r *removal) error { return r.delete(chunk) })
		if err != nil {
			return err
		}
		removed += r.count
	}
	return e.erase(ctx, removed)
}

func (r *removal) delete(seqs []uint64) error {
	for _, seq := range seqs {
		g, err := r.group(seq)
		if err != nil {
			return err
		}
		if g == nil {
			continue
		}
		if err := r.record(g, int(seq-g.first)); err != nil {
			return err
		}
	}
	return nil
}

func (e *engine) Expire(ctx context.Context, before int64, limit int) (n int, err error) {
	for n < limit {
		want := min(limit-n, removeChunk)
		r, err := e.remove(ctx, func(r *removal) error { return r.expire(before, want) })
		if err != nil {
			return n, err
		}
		n += r.count
		if r.count < want {
			return n, e.erase(ctx, n)
		}
	}
	return n, ctx.Err()
}

// expire removes up to limit payloads of the oldest groups before a time.
func (r *removal) expire(before int64, limit int) error {
	groups, err := r.oldest(before, limit)
	for i := 0; i < len(groups) && err == nil && r.count < limit; i++ {
		err = r.expireGroup(groups[i], limit)
	}
	return err
}

// oldest returns groups before a time, as many as may be needed.
func (r *removal) oldest(before int64, limit int) (groups []*group, err error) {
	err = r.w.c.query(func(found row) error {
		g, err := unpack(found.int(0), found.int(1), found.blob(2))
		groups = append(groups, g)
		return err
	}, `SELECT n, time, packed FROM grp WHERE time < ? ORDER BY time, n LIMIT ?`, before, int64(limit))
	return groups, err
}

func (r *removal) expireGroup(g *group, limit int) error {
	if g.empty() {
		r.count++
		return r.drop(g)
	}
	for i := range g.records {
		if g.records[i].deleted || r.count == limit {
			continue
		}
		if err := r.record(g, i); err != nil {
			return err
		}
	}
	if g.empty() {
		return r.drop(g)
	}
	return nil
}

func (e *engine) Replace(ctx context.Context, seq uint64, body []byte) error {
	if body == nil {
		body = []byte{}
	}
	if seq > store.MaxSeq {
		return store.ErrNotFound
	}
	err := e.writer.do(ctx, func() error {
		found, err := e.writer.c.one(`UPDATE payload SET body = ? WHERE seq = ? RETURNING seq`, body, int64(seq))
		if err == nil && found == nil {
			err = store.ErrNotFound
		}
		return err
	}, nil)
	if err != nil {
		return err
	}
	return e.erase(ctx, 1)
}

func (e *engine) Forget(ctx context.Context, owner string) error {
	last, removed := e.Last(), 0
	for {
		var seqs []uint64
		r, err := e.remove(ctx, func(r *removal) (err error) {
			id, err := storedID(r.w.c, owner)
			if err != nil || id == 0 {
				return err
			}
			if seqs, err = r.owned(id, last); err != nil {
				return err
			}
			return r.forget(id, seqs)
		})
		if err != nil {
			return err
		}
		if removed += r.count; len(seqs) == 0 {
			return e.erase(ctx, removed)
		}
	}
}

// owned returns numbers up to last that an owner has, from the index or the tail.
func (r *removal) owned(owner int64, last uint64) (seqs []uint64, err error) {
	err = r.w.c.query(func(found row) error {
		seqs = append(seqs, uint64(found.int(0)))
		return nil
	}, `SELECT seq FROM entry WHERE owner = ? AND seq <= ? LIMIT ?`, owner, int64(last), int64(removeChunk))
	recent, _ := r.w.e.tail.of(owner)
	for _, en := range recent[:min(after(recent, last), removeChunk)] {
		seqs = append(seqs, en.seq)
	}
	slices.Sort(seqs)
	return slices.Compact(seqs), err
}

// forget takes one owner's entries away, and records that nobody else has.
func (r *removal) forget(owner int64, seqs []uint64) error {
	for _, seq := range seqs {
		if err := r.entry(owner, seq); err != nil {
			return err
		}
		g, err := r.group(seq)
		if err != nil {
			return err
		}
		if g == nil {
			continue
		}
		i := int(seq - g.first)
		rec := &g.records[i]
		rec.entries = slices.DeleteFunc(rec.entries, func(en entry) bool { return en.owner == owner })
		r.groups[g.n] = g
		if len(rec.entries) == 0 {
			if err := r.record(g, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// erase empties the log after texts were removed; the database itself overwrites
// what is deleted (secure_delete). A reader in the way leaves it to the next time.
func (e *engine) erase(ctx context.Context, removed int) error {
	if removed == 0 {
		return ctx.Err()
	}
	if err := e.Checkpoint(); err != nil {
		e.writer.log.Warn("storage: deleted texts remain until the next sweep", "err", err)
	}
	return nil
}
