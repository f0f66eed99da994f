package sqlite

import "strings"

// The index of entries by owner is derived from the packed groups. Writing it
// with every group would touch a random page per owner; so entries wait in the
// tail, and a round of merging now and then writes all of them in the order of
// the index, one bounded slice per transaction. The watermark moves only at the
// end of a round: a round that was cut short is done over, and what it left above
// the watermark is not looked at.

const (
	mergeFrom  = 50000 // entries in the tail that start a round
	mergeSlice = 500   // entries that a slice writes at least
	mergeRows  = 25    // entries in one statement
)

// round is a merge under way.
type round struct {
	through uint64 // the watermark to be
	parts   []part // what is left to write
}

// mergeSlice writes the next slice, in the transaction at work. It writes twice
// what the transaction adds, so that the tail is bounded.
func (w *writer) mergeSlice() error {
	if w.round == nil {
		return nil
	}
	var args []any
	n := 0
	for left := max(w.o.mergeSlice, 2*w.fresh); left > 0 && len(w.round.parts) > 0; left-- {
		p := &w.round.parts[0]
		e := p.entries[0]
		args = append(args, p.owner, int64(e.seq), e.peer, e.time, int64(e.flags))
		if n++; n == mergeRows {
			if err := w.c.exec(insertEntries(n), args...); err != nil {
				return err
			}
			args, n = args[:0], 0
		}
		if p.entries = p.entries[1:]; len(p.entries) == 0 {
			w.round.parts = w.round.parts[1:]
		}
	}
	for ; len(args) > 0; args = args[5:] {
		if err := w.c.exec(insertEntries(1), args[:5]...); err != nil {
			return err
		}
	}
	if len(w.round.parts) == 0 {
		return w.c.setMeta(metaMerged, w.round.through)
	}
	return nil
}

// merged notes, after a commit, what the slice in it brought about.
func (w *writer) merged() {
	if w.round != nil && len(w.round.parts) == 0 {
		w.e.tail.trim(w.round.through)
		w.round = nil
	}
	if w.round == nil && w.e.tail.length() >= w.o.mergeFrom {
		last := w.e.last.Load()
		w.round = &round{through: last, parts: w.e.tail.through(last)}
	}
}

func insertEntries(rows int) string {
	if rows == 1 {
		return `REPLACE INTO entry(owner, seq, peer, time, flags) VALUES (?, ?, ?, ?, ?)`
	}
	return insertMany
}

var insertMany = `REPLACE INTO entry(owner, seq, peer, time, flags) VALUES (?, ?, ?, ?, ?)` +
	strings.Repeat(`, (?, ?, ?, ?, ?)`, mergeRows-1)

// load reads, at the start, what the engine keeps in memory.
func (w *writer) load() error {
	merged, err := w.c.meta(metaMerged)
	if err != nil {
		return err
	}
	if w.version, err = w.c.meta(metaVersion); err != nil {
		return err
	}
	last, err := w.c.meta(metaLast)
	if err != nil {
		return err
	}
	r, err := w.c.one(`SELECT (SELECT max(seq) FROM payload), (SELECT max(n) FROM grp)`)
	if err != nil {
		return err
	}
	w.newest, w.nextGroup = max(last, uint64(r.int(0))), r.int(1)+1
	w.e.last.Store(w.newest)
	w.e.tail.merged = merged
	return w.loadTail(merged)
}

// loadTail fills the tail from the packed groups above the watermark.
func (w *writer) loadTail(merged uint64) error {
	r, err := w.c.one(`SELECT grp FROM payload WHERE seq > ? ORDER BY seq LIMIT 1`, int64(merged))
	if err != nil || r == nil {
		return err
	}
	return w.c.query(func(r row) error {
		g, err := unpack(r.int(0), r.int(1), r.blob(2))
		if err == nil {
			w.e.tail.add(g)
		}
		return err
	}, `SELECT n, time, packed FROM grp WHERE n >= ? ORDER BY n`, r.int(0))
}
