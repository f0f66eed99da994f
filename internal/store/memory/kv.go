package memory

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"mirsal/internal/store"
)

func (e *engine) Apply(ctx context.Context, owner string, ops ...store.Op) error {
	if err := firstErr(ctx.Err(), e.CheckOps(ops)); err != nil {
		return err
	}
	return e.write(func() error {
		// The batch works on copies of the cells that it touches.
		draft := make(map[place]map[string]store.Item)
		version := e.version
		for _, op := range ops {
			p := place{owner, op.Space.Space.Name}
			if draft[p] == nil {
				draft[p] = maps.Clone(e.cells[p])
			}
			if draft[p] == nil {
				draft[p] = make(map[string]store.Item)
			}
			version++
			if err := applyOp(draft[p], op, version); err != nil {
				return err
			}
		}
		maps.Copy(e.cells, draft)
		e.version = version
		return nil
	})
}

func applyOp(cell map[string]store.Item, op store.Op, version uint64) error {
	if op.If != nil && cell[op.Key].Version != *op.If {
		return store.ErrConflict
	}
	if op.Value == nil {
		delete(cell, op.Key)
		return nil
	}
	cell[op.Key] = store.Item{Key: op.Key, Value: clone(op.Value), Version: version}
	return nil
}

func (e *engine) RemoveOwner(ctx context.Context, owner string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.write(func() error {
		maps.DeleteFunc(e.cells, func(p place, _ map[string]store.Item) bool { return p.owner == owner })
		return nil
	})
}

func (e *engine) ReadKey(ctx context.Context, owner, space, key string) (item store.Item, err error) {
	if err := firstErr(ctx.Err(), e.Check(space)); err != nil {
		return item, err
	}
	err = e.read(func() error {
		it, ok := e.cells[place{owner, space}][key]
		if !ok {
			return store.ErrNotFound
		}
		it.Value = clone(it.Value)
		item = it
		return nil
	})
	return item, err
}

func (e *engine) ReadRange(ctx context.Context, owner, space string, r store.Range) (items []store.Item, err error) {
	if err := firstErr(ctx.Err(), e.Check(space)); err != nil {
		return nil, err
	}
	err = e.read(func() error {
		cell := e.cells[place{owner, space}]
		for _, key := range slices.Sorted(maps.Keys(cell)) {
			if contains(r, key) {
				it := cell[key]
				it.Value = clone(it.Value)
				items = append(items, it)
			}
		}
		return nil
	})
	if r.Reverse {
		slices.Reverse(items)
	}
	if r.Limit > 0 && len(items) > r.Limit {
		items = items[:r.Limit]
	}
	return items, err
}

func contains(r store.Range, key string) bool {
	return key >= r.From && (r.To == "" || key < r.To) && strings.HasPrefix(key, r.Prefix)
}

func (e *engine) ReadOwners(ctx context.Context, space string) (owners []string, err error) {
	if err := firstErr(ctx.Err(), e.Check(space)); err != nil {
		return nil, err
	}
	err = e.read(func() error {
		for p, cell := range e.cells {
			if p.space == space && len(cell) > 0 {
				owners = append(owners, p.owner)
			}
		}
		return nil
	})
	slices.Sort(owners)
	return owners, err
}

// clone copies b and never returns nil.
func clone(b []byte) []byte { return append([]byte{}, b...) }

// firstErr returns the first error.
func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func cloneScram(s store.Scram) store.Scram {
	s.Salt, s.StoredKey, s.ServerKey = bytes.Clone(s.Salt), bytes.Clone(s.StoredKey), bytes.Clone(s.ServerKey)
	return s
}
