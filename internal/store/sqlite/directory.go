package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	dbName   = "mirsal.db"
	lockName = "lock"
)

// oldestSQLite is the first release without the WAL-reset bug, by which
// committed pages could be lost (https://sqlite.org/wal.html#walresetbug).
const oldestSQLite = "3.51.3"

// lockDir makes the directory if need be and takes its lock, which the process
// holds until the file is closed or it dies.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("data directory %s is in use by another mirsal", dir)
		}
		return nil, fmt.Errorf("lock data directory %s: %w", dir, err)
	}
	return f, nil
}

// checkHeader tells whether there is a database, and refuses one that is not ours
// by its first bytes, before SQLite could touch it
// (https://sqlite.org/fileformat2.html#the_database_header).
func checkHeader(path string) (exists bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, 100)
	n, err := io.ReadFull(f, head)
	if n == 0 && err == io.EOF {
		return false, nil
	}
	if n < len(head) || !bytes.HasPrefix(head, []byte("SQLite format 3\x00")) ||
		binary.BigEndian.Uint32(head[68:]) != applicationID {
		return false, fmt.Errorf("%s is not a mirsal database", path)
	}
	if v := binary.BigEndian.Uint32(head[60:]); v != schemaVersion {
		return false, fmt.Errorf("%s has schema version %d, this mirsal knows only %d", path, v, schemaVersion)
	}
	return true, nil
}

// syncDir makes the directory's entries durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// dsn names the database for the driver.
func dsn(path, vfs string, readOnly bool) string {
	q := url.Values{"_pragma": {"busy_timeout(2000)", "trusted_schema(0)"}}
	if readOnly {
		q.Set("mode", "ro")
	}
	if vfs != "" {
		q.Set("vfs", vfs)
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

// create makes the database beside its place and moves it there when it is
// complete, so that a crash leaves either none or a whole one.
func create(dir string, o Options) error {
	path, draft := filepath.Join(dir, dbName), filepath.Join(dir, dbName+".new")
	for _, ending := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.RemoveAll(draft + ending); err != nil {
			return err
		}
	}
	// What SQLite makes beside the file gets the same permissions.
	if err := os.WriteFile(draft, nil, 0o600); err != nil {
		return err
	}
	if err := writeSchema(draft, o); err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	if o.Synchronous == "OFF" {
		return nil
	}
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
}

func writeSchema(path string, o Options) error {
	c, err := connect(dsn(path, o.vfs, false))
	if err != nil {
		return err
	}
	err = c.run(fmt.Sprintf(`PRAGMA synchronous = %s; BEGIN IMMEDIATE; %s
		PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT; PRAGMA journal_mode = WAL`,
		o.Synchronous, schema, applicationID, schemaVersion))
	return errors.Join(err, c.close())
}

// openWriter opens the one connection that writes.
func openWriter(dir string, o Options) (*conn, error) {
	c, err := connect(dsn(filepath.Join(dir, dbName), o.vfs, false))
	if err != nil {
		return nil, err
	}
	if err := prepareWriter(c, o); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func prepareWriter(c *conn, o Options) error {
	v, err := c.one(`SELECT sqlite_version()`)
	if err != nil {
		return err
	}
	if olderThan(v.text(0), oldestSQLite) {
		return fmt.Errorf("SQLite %s can lose committed data; at least %s is needed", v.text(0), oldestSQLite)
	}
	// The checkpoints are the writer's: see writer.watchLog.
	if err := c.run(`PRAGMA secure_delete = ON; PRAGMA cache_size = -32768;
		PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = ` + o.Synchronous); err != nil {
		return err
	}
	mode, err := c.one(`PRAGMA journal_mode`)
	if err == nil && mode.text(0) != "wal" {
		err = fmt.Errorf("journal mode is %s; the file system must allow a write-ahead log", mode.text(0))
	}
	return err
}

// olderThan compares versions of the form 3.51.3.
func olderThan(v, than string) bool {
	a, b := strings.Split(v, "."), strings.Split(than, ".")
	for i := range b {
		var x int
		if i < len(a) {
			x, _ = strconv.Atoi(a[i])
		}
		if y, _ := strconv.Atoi(b[i]); x != y {
			return x < y
		}
	}
	return false
}
