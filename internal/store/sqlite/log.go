package sqlite

import (
	"context"
	"strings"

	"mirsal/internal/store"
)

func (e *engine) Append(g *store.Group) error {
	if len(g.Records)+len(g.Marks) == 0 {
		select {
		case <-e.closed:
			return store.ErrClosed
		default:
			return nil
		}
	}
	var kept *group
	return e.writer.do(context.Background(), func() (err error) {
		kept, err = e.writer.appendGroup(g)
		return err
	}, func() error {
		e.publish(kept)
		return nil
	})
}

func (e *engine) Last() uint64 { return e.last.Load() }

// publish lets readers see a group that is durable now.
func (e *engine) publish(g *group) {
	if len(g.records) > 0 {
		e.tail.add(g)
		e.last.Store(g.last())
	}
}

// appendGroup writes the payloads, which all land at the end of their table, and
// one packed row for the rest.
func (w *writer) appendGroup(g *store.Group) (*group, error) {
	if err := g.Valid(w.newest); err != nil {
		return nil, err
	}
	kept := &group{n: w.nextGroup, time: g.Time, marks: g.Marks}
	if len(g.Records) > 0 {
		kept.first = g.First
	}
	if err := w.payloads(kept.n, g); err != nil {
		return nil, err
	}
	for _, r := range g.Records {
		entries, err := w.entries(r.Entries)
		if err != nil {
			return nil, err
		}
		kept.records = append(kept.records, record{time: r.Time, entries: entries})
		w.fresh += len(entries)
	}
	if err := w.c.exec(`INSERT INTO grp(n, time, packed) VALUES (?, ?, ?)`, kept.n, kept.time, kept.pack()); err != nil {
		return nil, err
	}
	w.nextGroup++
	if len(kept.records) > 0 {
		w.newest = kept.last()
	}
	return kept, nil
}

const (
	payloadRows   = 16 // payloads in one statement
	insertPayload = `INSERT INTO payload(seq, grp, body) VALUES (?, ?, ?)`
)

var insertPayloads = insertPayload + strings.Repeat(`, (?, ?, ?)`, payloadRows-1)

// payloads writes the bodies of a group.
func (w *writer) payloads(n int64, g *store.Group) error {
	args := make([]any, 0, 3*payloadRows)
	for i, r := range g.Records {
		body := r.Body
		if body == nil {
			body = []byte{}
		}
		if args = append(args, int64(g.First)+int64(i), n, body); len(args) == cap(args) {
			if err := w.c.exec(insertPayloads, args...); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	for ; len(args) > 0; args = args[3:] {
		if err := w.c.exec(insertPayload, args[:3]...); err != nil {
			return err
		}
	}
	return nil
}

// entries numbers the names of entries, and drops those of an owner that came
// before.
func (w *writer) entries(in []store.Entry) ([]entry, error) {
	out := make([]entry, 0, len(in))
	seen := make(map[int64]bool, len(in))
	for _, e := range in {
		owner, err := w.in.intern(w.c, e.Owner)
		if err != nil {
			return nil, err
		}
		if seen[owner] {
			continue
		}
		seen[owner] = true
		peer, err := w.in.intern(w.c, e.Peer)
		if err != nil {
			return nil, err
		}
		out = append(out, entry{owner, peer, e.Flags})
	}
	return out, nil
}
