//go:build !js

// Package sqlite is the keep.Store of programs: one SQLite database in the
// folder of a profile, for one program at a time.
//
// It is no cache and encrypts nothing: who can read the folder as its owner can
// read what is kept. Invariants: what Apply returned nil for was synced to the
// disk; the file is readable by its owner alone; a second opener gets
// keep.ErrInUse; after an error whose outcome on disk is unknown everything is
// refused with keep.ErrBroken. Deleted values are overwritten in the database; in
// the log beside it they stay until Close, or until the log comes around.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"mirsal/internal/client/keep"
)

var _ keep.Store = (*Store)(nil)

// Store is one open database.
type Store struct {
	db    *sql.DB
	conn  *sql.Conn // the only one; nil once closed
	stmts map[string]*sql.Stmt
	err   error // wraps keep.ErrBroken, once that has happened
}

// Open opens the store in a profile's folder, which it makes if need be. The
// errors of others having it open, of a file that is none of ours or of a newer
// version, and of damage are in plain words; keep.ErrInUse and keep.ErrDamaged can be told.
// Where the last program did not close the store, the whole of it is checked first.
func Open(folder string) (*Store, error) {
	path, fresh, err := prepare(folder)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", folder, err)
	}
	_, missing := os.Stat(path + "-wal")
	s, err := connect(path)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", folder, plain(err))
	}
	if err := s.ready(missing == nil); err != nil {
		return nil, fmt.Errorf("profile %s: %w", folder, errors.Join(plain(err), s.Close()))
	}
	if fresh {
		if err := syncFolders(folder); err != nil {
			return nil, fmt.Errorf("profile %s: %w", folder, errors.Join(err, s.Close()))
		}
	}
	return s, nil
}

// Get is of keep.Store.
func (s *Store) Get(t keep.Table, key string) ([]byte, error) {
	get, err := s.stmt(`SELECT value FROM entry WHERE tab = ? AND key = ?`)
	if err != nil {
		return nil, err
	}
	value := []byte{}
	err = get.QueryRowContext(context.Background(), []byte(t), []byte(key)).Scan(&value)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", t, plain(err))
	case value == nil:
		value = []byte{}
	}
	return value, nil
}

// Apply is of keep.Store.
func (s *Store) Apply(b *keep.Batch) error {
	if err := s.usable(); err != nil || b.Len() == 0 {
		return err
	}
	if err := s.run(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("write: %w", plain(err))
	}
	if err := s.steps(b); err != nil {
		return s.undo(err)
	}
	err := s.run(`COMMIT`)
	switch {
	case err == nil:
		return nil
	case full(err): // the log has no end of this transaction then
		return s.undo(err)
	}
	return s.failed(err)
}

func (s *Store) steps(b *keep.Batch) error {
	put, err := s.stmt(`INSERT INTO entry(tab, key, value) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET value = excluded.value`)
	if err != nil {
		return err
	}
	remove, err := s.stmt(`DELETE FROM entry WHERE tab = ? AND key = ?`)
	if err != nil {
		return err
	}
	for _, step := range b.Steps() {
		if step.Value == nil {
			_, err = remove.ExecContext(context.Background(), []byte(step.Table), []byte(step.Key))
		} else {
			_, err = put.ExecContext(context.Background(), []byte(step.Table), []byte(step.Key), step.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// undo takes back a transaction that failed, and returns why it did. Some failures have
// undone it already.
func (s *Store) undo(why error) error {
	why = fmt.Errorf("write: %w", plain(why))
	if err := s.run(`ROLLBACK`); err != nil && !noTransaction(err) {
		return errors.Join(why, s.failed(err))
	}
	return why
}

// failed notes that it is unknown what is on the disk: a commit that could not be
// synced may yet be found there, or not.
func (s *Store) failed(err error) error {
	s.err = fmt.Errorf("%w: %w", keep.ErrBroken, plain(err))
	return s.err
}

// Check reads the whole database and returns keep.ErrDamaged, with a reason, when
// it is not sound.
func (s *Store) Check() error {
	if err := s.usable(); err != nil {
		return err
	}
	return s.check(`PRAGMA integrity_check(1)`)
}

// Close moves the log into the database and gives the profile free.
func (s *Store) Close() error {
	if s.conn == nil {
		return nil
	}
	var errs []error
	for _, st := range s.stmts {
		errs = append(errs, st.Close())
	}
	errs = append(errs, s.conn.Close(), s.db.Close())
	s.conn = nil
	return errors.Join(errs...)
}

func (s *Store) usable() error {
	if s.conn == nil {
		return keep.ErrClosed
	}
	return s.err
}
