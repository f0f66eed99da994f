package sqlite

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"sort"

	"mirsal/internal/store"
)

// selection is a query with its names as numbers and its bounds made plain:
// from seq to seq and from time to time, both inclusive.
type selection struct {
	owner, peer    int64 // peer 0: all
	first, last    uint64
	from, to       int64
	backward, body bool
}

// resolve turns q into a selection; false when it can select nothing.
func (e *engine) resolve(c *conn, q store.Query) (s selection, ok bool, err error) {
	s = selection{first: q.After + 1, last: store.MaxSeq, from: math.MinInt64, to: math.MaxInt64,
		backward: q.Backward, body: !q.NoBody}
	if q.Before > 0 {
		s.last = min(q.Before-1, s.last)
	}
	if q.From != 0 {
		s.from = q.From
	}
	if q.To != 0 {
		s.to = q.To
	}
	if q.After >= s.last || s.from > s.to {
		return s, false, nil
	}
	if s.owner, err = e.names.id(c, q.Owner); err != nil || s.owner == 0 {
		return s, false, err
	}
	if q.Peer != "" {
		s.peer, err = e.names.id(c, q.Peer)
		return s, s.peer != 0, err
	}
	return s, true, nil
}

func (e *engine) Page(ctx context.Context, q store.Query) (rows []store.Row, more bool, err error) {
	limit := max(q.Limit, 0)
	err = e.read(ctx, func(c *conn) error {
		s, ok, err := e.resolve(c, q)
		if err != nil || !ok {
			return err
		}
		rows, err = e.fetch(c, s, limit+1)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	// Rows are in the order of the walk here, so the surplus one is the last.
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	if q.Backward {
		slices.Reverse(rows)
	}
	return rows, more, nil
}

// fetch returns at most want rows in the order of the walk. The tail is looked at
// before the index: what a merge takes out of it meanwhile is still in hand.
func (e *engine) fetch(c *conn, s selection, want int) (rows []store.Row, err error) {
	recent, merged := e.tail.of(s.owner)
	if s.backward {
		if rows, err = e.fetchTail(c, s, recent, want); err != nil || len(rows) == want {
			return rows, err
		}
		old, err := e.fetchIndex(c, s, merged, want-len(rows))
		return append(rows, old...), err
	}
	if rows, err = e.fetchIndex(c, s, merged, want); err != nil || len(rows) == want {
		return rows, err
	}
	young, err := e.fetchTail(c, s, recent, want-len(rows))
	return append(rows, young...), err
}

const (
	whereOwner = ` WHERE e.owner = ? AND e.seq BETWEEN ? AND ? AND e.time BETWEEN ? AND ?`
	wherePeer  = whereOwner + ` AND e.peer = ?`
	bare       = `SELECT e.seq, e.time, e.peer, e.flags, NULL FROM entry e`
	withBody   = `SELECT e.seq, e.time, e.peer, e.flags, p.body FROM entry e CROSS JOIN payload p ON p.seq = e.seq`
	upwards    = ` ORDER BY e.seq LIMIT ?`
	downwards  = ` ORDER BY e.seq DESC LIMIT ?`
)

// indexQueries are the texts by peer given, backward and with body.
var indexQueries = map[[3]bool]string{
	{false, false, false}: bare + whereOwner + upwards,
	{false, false, true}:  withBody + whereOwner + upwards,
	{false, true, false}:  bare + whereOwner + downwards,
	{false, true, true}:   withBody + whereOwner + downwards,
	{true, false, false}:  bare + wherePeer + upwards,
	{true, false, true}:   withBody + wherePeer + upwards,
	{true, true, false}:   bare + wherePeer + downwards,
	{true, true, true}:    withBody + wherePeer + downwards,
}

func (s selection) args(merged uint64) []any {
	args := []any{s.owner, int64(s.first), int64(min(s.last, merged)), s.from, s.to}
	if s.peer != 0 {
		args = append(args, s.peer)
	}
	return args
}

func (e *engine) fetchIndex(c *conn, s selection, merged uint64, want int) (rows []store.Row, err error) {
	if s.first > merged {
		return nil, nil
	}
	var peers []int64
	err = c.query(func(r row) error {
		out := store.Row{Seq: uint64(r.int(0)), Time: r.int(1), Flags: uint8(r.int(3))}
		if s.body {
			out.Body = r.blob(4)
		}
		rows, peers = append(rows, out), append(peers, r.int(2))
		return nil
	}, indexQueries[[3]bool{s.peer != 0, s.backward, s.body}], append(s.args(merged), int64(want))...)
	for i := 0; i < len(rows) && err == nil; i++ {
		rows[i].Peer, err = e.names.name(c, peers[i])
	}
	return rows, err
}

// fetchTail selects from the entries in memory and reads their bodies.
func (e *engine) fetchTail(c *conn, s selection, recent []tailEntry, want int) (rows []store.Row, err error) {
	recent = recent[sort.Search(len(recent), func(i int) bool { return recent[i].seq >= s.first }):after(recent, s.last)]
	for i := range recent {
		en := recent[i]
		if s.backward {
			en = recent[len(recent)-1-i]
		}
		if len(rows) == want {
			break
		}
		if !s.matches(en) {
			continue
		}
		out := store.Row{Seq: en.seq, Time: en.time, Flags: en.flags}
		if out.Peer, err = e.names.name(c, en.peer); err != nil {
			return nil, err
		}
		rows = append(rows, out)
	}
	if s.body && len(rows) > 0 {
		return readBodies(c, rows)
	}
	return rows, nil
}

func (s selection) matches(en tailEntry) bool {
	return (s.peer == 0 || en.peer == s.peer) && en.time >= s.from && en.time <= s.to
}

// readBodies fills in the bodies of rows, and drops those deleted meanwhile.
func readBodies(c *conn, rows []store.Row) ([]store.Row, error) {
	bodies := make(map[uint64][]byte, len(rows))
	seqs := make([]uint64, len(rows))
	for i, r := range rows {
		seqs[i] = r.Seq
	}
	list, err := json.Marshal(seqs)
	if err != nil {
		return nil, err
	}
	err = c.query(func(r row) error {
		bodies[uint64(r.int(0))] = r.blob(1)
		return nil
	}, `SELECT p.seq, p.body FROM json_each(?) j CROSS JOIN payload p ON p.seq = j.value`, string(list))
	kept := rows[:0]
	for _, r := range rows {
		if r.Body = bodies[r.Seq]; r.Body != nil {
			kept = append(kept, r)
		}
	}
	return kept, err
}

func (e *engine) Find(ctx context.Context, owner string, seqs []uint64) (rows []store.Row, err error) {
	seqs = slices.Clone(seqs)
	slices.Sort(seqs)
	err = e.read(ctx, func(c *conn) error {
		for _, seq := range slices.Compact(seqs) {
			if seq == 0 || seq > store.MaxSeq {
				continue
			}
			s, ok, err := e.resolve(c, store.Query{Owner: owner, After: seq - 1, Before: seq + 1})
			if err != nil || !ok {
				return err
			}
			found, err := e.fetch(c, s, 1)
			if err != nil {
				return err
			}
			rows = append(rows, found...)
		}
		return nil
	})
	return rows, err
}

func (e *engine) Count(ctx context.Context, q store.Query) (n int, err error) {
	err = e.read(ctx, func(c *conn) error {
		s, ok, err := e.resolve(c, q)
		if err != nil || !ok {
			return err
		}
		recent, merged := e.tail.of(s.owner)
		for _, en := range recent {
			if en.seq >= s.first && en.seq <= s.last && s.matches(en) {
				n++
			}
		}
		if s.first > merged {
			return nil
		}
		text := `SELECT count(*) FROM entry e` + whereOwner
		if s.peer != 0 {
			text = `SELECT count(*) FROM entry e` + wherePeer
		}
		r, err := c.one(text, s.args(merged)...)
		if err == nil {
			n += int(r.int(0))
		}
		return err
	})
	return n, err
}
