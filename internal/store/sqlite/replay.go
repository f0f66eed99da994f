package sqlite

import (
	"context"

	"mirsal/internal/store"
)

// replayChunk groups are read at a time, so that a slow f holds no reader and no
// part of the log.
const replayChunk = 32

func (e *engine) Replay(ctx context.Context, since int64, f func(store.Group) error) error {
	time, n := since, int64(0)
	for {
		var groups []store.Group
		var read int
		err := e.read(ctx, func(c *conn) error {
			packed, err := groupsAfter(c, time, n)
			if err != nil {
				return err
			}
			if read = len(packed); read > 0 {
				end := packed[read-1]
				if end.time < time || end.time == time && end.n <= n {
					return errPacked // a damaged index could lead in circles
				}
				time, n = end.time, end.n
			}
			groups, err = e.whole(c, packed)
			return err
		})
		for i := 0; i < len(groups) && err == nil; i++ {
			if err = ctx.Err(); err == nil {
				err = f(groups[i])
			}
		}
		if err != nil || read < replayChunk {
			return err
		}
	}
}

// groupsAfter returns the groups that follow (time, n) in the order of times.
func groupsAfter(c *conn, time, n int64) (groups []*group, err error) {
	err = c.query(func(r row) error {
		g, err := unpack(r.int(0), r.int(1), r.blob(2))
		groups = append(groups, g)
		return err
	}, `SELECT n, time, packed FROM grp WHERE time >= ?1 AND (time > ?1 OR n > ?2) ORDER BY time, n LIMIT ?3`,
		time, n, int64(replayChunk))
	return groups, err
}

// whole adds bodies and names. A group that is gone meanwhile is left out.
func (e *engine) whole(c *conn, packed []*group) (groups []store.Group, err error) {
	for _, p := range packed {
		g := store.Group{Time: p.time, Marks: p.marks}
		if !p.empty() {
			g.First = p.first
			if g.Records, err = e.records(c, p); err != nil {
				return nil, err
			}
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func (e *engine) records(c *conn, p *group) ([]store.Record, error) {
	records := make([]store.Record, len(p.records))
	err := c.query(func(r row) error {
		i := uint64(r.int(0)) - p.first
		if i >= uint64(len(records)) {
			return errPacked
		}
		records[i] = store.Record{Time: p.records[i].time, Body: r.blob(1)}
		return nil
	}, `SELECT seq, body FROM payload WHERE seq BETWEEN ? AND ?`, int64(p.first), int64(p.last()))
	for i, r := range p.records {
		if records[i].Body == nil {
			continue
		}
		for _, en := range r.entries {
			out := store.Entry{Flags: en.flags}
			if out.Owner, err = e.names.name(c, en.owner); err != nil {
				return nil, err
			}
			if out.Peer, err = e.names.name(c, en.peer); err != nil {
				return nil, err
			}
			records[i].Entries = append(records[i].Entries, out)
		}
	}
	return records, err
}
