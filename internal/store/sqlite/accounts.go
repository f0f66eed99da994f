package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"mirsal/internal/store"
)

func (e *engine) Account(ctx context.Context, name string) (a store.Account, err error) {
	err = e.read(ctx, func(c *conn) error {
		r, err := c.one(`SELECT created, admin, disabled, scram1, scram256 FROM account WHERE name = ?`, name)
		if err != nil {
			return err
		}
		if r == nil {
			return store.ErrNotFound
		}
		a = store.Account{Name: name, Created: r.int(0), Admin: r.int(1) != 0, Disabled: r.int(2) != 0}
		return errors.Join(unpackScram(&a.SHA1, r.blob(3)), unpackScram(&a.SHA256, r.blob(4)))
	})
	return a, err
}

func (e *engine) AddAccounts(ctx context.Context, as []store.Account) error {
	c := e.writer.c
	return e.writer.do(ctx, func() error {
		for _, a := range as {
			n, err := c.change(`INSERT INTO account(created, admin, disabled, scram1, scram256, name)
				VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, columns(a)...)
			if err != nil {
				return err
			}
			if n == 0 {
				return store.ErrExists
			}
		}
		return nil
	}, nil)
}

func (e *engine) SetAccount(ctx context.Context, a store.Account) error {
	return e.changeAccount(ctx, `UPDATE account SET created = ?, admin = ?, disabled = ?, scram1 = ?, scram256 = ?
		WHERE name = ?`, columns(a)...)
}

func (e *engine) RemoveAccount(ctx context.Context, name string) error {
	return e.changeAccount(ctx, `DELETE FROM account WHERE name = ?`, name)
}

func (e *engine) changeAccount(ctx context.Context, text string, args ...any) error {
	return e.writer.do(ctx, func() error {
		n, err := e.writer.c.change(text, args...)
		if err == nil && n == 0 {
			return store.ErrNotFound
		}
		return err
	}, nil)
}

func (e *engine) AccountNames(ctx context.Context) (names []string, err error) {
	err = e.read(ctx, func(c *conn) error {
		return c.query(func(r row) error {
			names = append(names, r.text(0))
			return nil
		}, `SELECT name FROM account ORDER BY name`)
	})
	return names, err
}

func columns(a store.Account) []any {
	return []any{a.Created, bit(a.Admin), bit(a.Disabled), packScram(a.SHA1), packScram(a.SHA256), a.Name}
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// packScram writes the iterations and the three keys, each behind its length.
func packScram(s store.Scram) []byte {
	b := binary.AppendVarint(nil, int64(s.Iterations))
	for _, part := range [][]byte{s.Salt, s.StoredKey, s.ServerKey} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	return b
}

func unpackScram(s *store.Scram, b []byte) error {
	d := decoder{b: b}
	s.Iterations = int(d.varint())
	for _, part := range []*[]byte{&s.Salt, &s.StoredKey, &s.ServerKey} {
		if n := d.count(1); n > 0 {
			*part = bytes.Clone(d.bytes(n))
		}
	}
	if d.bad || len(d.b) != 0 {
		return errors.New("damaged account")
	}
	return nil
}
