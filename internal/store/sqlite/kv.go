package sqlite

import (
	"context"
	"errors"

	"mirsal/internal/store"
)

func (e *engine) Apply(ctx context.Context, owner string, ops ...store.Op) error {
	if err := e.CheckOps(ops); err != nil {
		return err
	}
	if len(ops) == 0 {
		return ctx.Err()
	}
	return e.writer.do(ctx, func() error { return e.writer.apply(owner, ops) }, nil)
}

func (w *writer) apply(owner string, ops []store.Op) error {
	for _, op := range ops {
		w.version++
		if err := w.applyOp(owner, op); err != nil {
			return err
		}
	}
	return w.c.exec(`UPDATE meta SET value = ? WHERE key = 'version'`, int64(w.version))
}

func (w *writer) applyOp(owner string, op store.Op) error {
	space := op.Space.Space.Name
	if op.If != nil {
		r, err := w.c.one(`SELECT version FROM kv WHERE space = ? AND owner = ? AND key = ?`, space, owner, op.Key)
		if err != nil {
			return err
		}
		var have uint64
		if r != nil {
			have = uint64(r.int(0))
		}
		if have != *op.If {
			return store.ErrConflict
		}
	}
	if op.Value == nil {
		return w.c.exec(`DELETE FROM kv WHERE space = ? AND owner = ? AND key = ?`, space, owner, op.Key)
	}
	return w.c.exec(`REPLACE INTO kv(space, owner, key, version, value) VALUES (?, ?, ?, ?, ?)`,
		space, owner, op.Key, int64(w.version), op.Value)
}

func (e *engine) RemoveOwner(ctx context.Context, owner string) error {
	return e.writer.do(ctx, func() error {
		return eachSpace(e.writer.c, func(space string) error {
			return e.writer.c.exec(`DELETE FROM kv WHERE space = ? AND owner = ?`, space, owner)
		})
	}, nil)
}

// eachSpace calls f with the spaces that hold something, declared or not.
func eachSpace(c *conn, f func(space string) error) error {
	r, err := c.one(`SELECT min(space) FROM kv`)
	for err == nil && r[0] != nil {
		if err = f(r.text(0)); err == nil {
			r, err = c.one(`SELECT min(space) FROM kv WHERE space > ?`, r.text(0))
		}
	}
	return err
}

func (e *engine) ReadKey(ctx context.Context, owner, space, key string) (it store.Item, err error) {
	if err := e.Check(space); err != nil {
		return it, err
	}
	err = e.read(ctx, func(c *conn) error {
		r, err := c.one(`SELECT version, value FROM kv WHERE space = ? AND owner = ? AND key = ?`, space, owner, key)
		if err != nil {
			return err
		}
		if r == nil {
			return store.ErrNotFound
		}
		it = store.Item{Key: key, Value: r.blob(1), Version: uint64(r.int(0))}
		return nil
	})
	return it, err
}

const (
	scanUp       = `SELECT key, version, value FROM kv WHERE space = ? AND owner = ? AND key >= ? ORDER BY key LIMIT ?`
	scanUpTo     = `SELECT key, version, value FROM kv WHERE space = ? AND owner = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?`
	scanDown     = `SELECT key, version, value FROM kv WHERE space = ? AND owner = ? AND key >= ? ORDER BY key DESC LIMIT ?`
	scanDownFrom = `SELECT key, version, value FROM kv WHERE space = ? AND owner = ? AND key >= ? AND key < ? ORDER BY key DESC LIMIT ?`
)

func (e *engine) ReadRange(ctx context.Context, owner, space string, r store.Range) (items []store.Item, err error) {
	if err := errors.Join(ctx.Err(), e.Check(space)); err != nil {
		return nil, err
	}
	from, to, some := r.Bounds()
	if !some {
		return nil, nil
	}
	limit := int64(r.Limit)
	if limit <= 0 {
		limit = -1
	}
	text, args := scanUp, []any{space, owner, from}
	if r.Reverse {
		text = scanDown
	}
	if to != "" {
		args = append(args, to)
		text = map[bool]string{false: scanUpTo, true: scanDownFrom}[r.Reverse]
	}
	err = e.read(ctx, func(c *conn) error {
		return c.query(func(r row) error {
			items = append(items, store.Item{Key: r.text(0), Version: uint64(r.int(1)), Value: r.blob(2)})
			return nil
		}, text, append(args, limit)...)
	})
	return items, err
}

func (e *engine) ReadOwners(ctx context.Context, space string) (owners []string, err error) {
	if err := e.Check(space); err != nil {
		return nil, err
	}
	err = e.read(ctx, func(c *conn) error {
		r, err := c.one(`SELECT min(owner) FROM kv WHERE space = ?`, space)
		for err == nil && r[0] != nil {
			owners = append(owners, r.text(0))
			r, err = c.one(`SELECT min(owner) FROM kv WHERE space = ? AND owner > ?`, space, r.text(0))
		}
		return err
	})
	return owners, err
}
