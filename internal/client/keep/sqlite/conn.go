//go:build !js

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mirsal/internal/client/keep"
)

// applicationID marks a file as the client's ("mrsk"), schemaVersion says which
// tables it has.
const (
	applicationID = 0x6d72736b
	schemaVersion = 1
)

// schema is what a new database gets in one transaction. Everything is a BLOB,
// which SQLite compares byte by byte.
const schema = `CREATE TABLE entry(
	tab BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
	PRIMARY KEY(tab, key)) WITHOUT ROWID`

// setup is done to each connection, and not by its address, where the driver would
// sort it. The locking mode is first: it keeps the lock, from the first read to the end, for this
// program alone, and what read before it would make a file of shared memory.
const setup = `PRAGMA locking_mode = EXCLUSIVE;
	PRAGMA trusted_schema = OFF;
	PRAGMA cell_size_check = ON;
	PRAGMA synchronous = FULL;
	PRAGMA secure_delete = ON;
	PRAGMA cache_size = -4096`

// connect opens the one connection.
func connect(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	at := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: "_pragma=busy_timeout(0)"}
	db, err := sql.Open("sqlite", at.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &Store{db: db, conn: conn, stmts: map[string]*sql.Stmt{}}
	if err := s.run(setup); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// ready takes the lock, sees whose file this is and makes the tables of a new one.
func (s *Store) ready(unclean bool) error {
	id, err := s.number(`PRAGMA application_id`)
	if err != nil {
		return err
	}
	version, err := s.number(`PRAGMA user_version`)
	if err != nil {
		return err
	}
	tables, err := s.number(`SELECT count(*) FROM sqlite_schema`)
	switch {
	case err != nil:
		return err
	case id == 0 && version == 0 && tables == 0:
		return s.make()
	case id != applicationID:
		return fmt.Errorf("%s is no file of mirsal's", fileName)
	case version != schemaVersion:
		return fmt.Errorf("%s was written by another version of mirsal (schema %d, this one knows %d)", fileName, version, schemaVersion)
	}
	if err := s.writeAhead(); err != nil {
		return err
	}
	if unclean {
		return s.check(`PRAGMA quick_check(1)`)
	}
	return nil
}

func (s *Store) make() error {
	if err := s.writeAhead(); err != nil {
		return err
	}
	return s.run(fmt.Sprintf(`BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT`,
		schema, applicationID, schemaVersion))
}

// writeAhead turns the write-ahead log on, which stays on, and takes the lock of
// the writer: in this locking mode nobody else gets in any more.
func (s *Store) writeAhead() error {
	var mode string
	if err := s.conn.QueryRowContext(context.Background(), `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("journal mode is %s: the file system must allow a write-ahead log", mode)
	}
	return s.run(`BEGIN IMMEDIATE; COMMIT`)
}

// check runs a pragma that says ok or what is wrong.
func (s *Store) check(pragma string) error {
	var found string
	if err := s.conn.QueryRowContext(context.Background(), pragma).Scan(&found); err != nil {
		return plain(err)
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", keep.ErrDamaged, found)
	}
	return nil
}

func (s *Store) number(query string) (n int64, err error) {
	err = s.conn.QueryRowContext(context.Background(), query).Scan(&n)
	return n, err
}

func (s *Store) run(script string) error {
	_, err := s.conn.ExecContext(context.Background(), script)
	return err
}

// stmt returns the kept statement of a text, preparing it the first time. The
// texts are constants, so they are few.
func (s *Store) stmt(text string) (*sql.Stmt, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if st := s.stmts[text]; st != nil {
		return st, nil
	}
	st, err := s.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, plain(err)
	}
	s.stmts[text] = st
	return st, nil
}

// plain says SQLite's errors that people can do something about in their words.
func plain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return keep.ErrInUse
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", keep.ErrDamaged, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk is full: %w", err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fmt.Errorf("the local data may not be written: %w", err)
	}
	return err
}

// full tells whether the disk had no room.
func full(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL
}

// noTransaction is the complaint of a ROLLBACK that found nothing to undo.
func noTransaction(err error) bool {
	return strings.Contains(err.Error(), "no transaction is active")
}
