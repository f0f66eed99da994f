//go:build !js

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"mirsal/internal/client/keep"
)

// The scans: with and without an upper bound, both ways. -1 is no limit.
const (
	upTo   = `SELECT key, value FROM entry WHERE tab = ?1 AND key >= ?2 AND key < ?4 ORDER BY key LIMIT ?3`
	upAll  = `SELECT key, value FROM entry WHERE tab = ?1 AND key >= ?2 ORDER BY key LIMIT ?3`
	downTo = `SELECT key, value FROM entry WHERE tab = ?1 AND key >= ?2 AND key < ?4 ORDER BY key DESC LIMIT ?3`
	down   = `SELECT key, value FROM entry WHERE tab = ?1 AND key >= ?2 ORDER BY key DESC LIMIT ?3`
)

// Scan is of keep.Store.
func (s *Store) Scan(t keep.Table, r keep.Range, f func(key string, value []byte) bool) error {
	text, args := scan(t, r)
	st, err := s.stmt(text)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(context.Background(), args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t, plain(err))
	}
	if err := errors.Join(each(rows, f), rows.Close()); err != nil {
		return fmt.Errorf("read %s: %w", t, plain(err))
	}
	return nil
}

func scan(t keep.Table, r keep.Range) (text string, args []any) {
	from, to := r.Bounds()
	limit := r.Limit
	if limit <= 0 {
		limit = -1
	}
	args = []any{[]byte(t), []byte(from), limit}
	if to == "" {
		if r.Reverse {
			return down, args
		}
		return upAll, args
	}
	args = append(args, []byte(to))
	if r.Reverse {
		return downTo, args
	}
	return upTo, args
}

func each(rows *sql.Rows, f func(key string, value []byte) bool) error {
	for rows.Next() {
		var key, value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return err
		}
		if value == nil {
			value = []byte{}
		}
		if !f(string(key), value) {
			break
		}
	}
	return rows.Err()
}
