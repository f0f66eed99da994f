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

// checkHeader refuses a file that is not ours by its first bytes, before SQLite
// could touch it (https://sqlite.org/fileformat2.html#the_database_header).
func checkHeader(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 100)
	n, err := io.ReadFull(f, head)
	if n == 0 && err == io.EOF {
		return nil // made, and then nothing was written
	}
	if n < len(head) || !bytes.HasPrefix(head, []byte("SQLite format 3\x00")) ||
		binary.BigEndian.Uint32(head[68:]) != applicationID {
		return fmt.Errorf("%s is not a mirsal database", path)
	}
	if v := binary.BigEndian.Uint32(head[60:]); v != schemaVersion {
		return fmt.Errorf("%s has schema version %d, this mirsal knows only %d", path, v, schemaVersion)
	}
	return nil
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

// openWriter opens the one connection that writes, and makes the database when
// there is none.
func openWriter(dir string, o Options) (*conn, error) {
	c, err := connect(dsn(filepath.Join(dir, dbName), o.vfs, false))
	if err != nil {
		return nil, err
	}
	if err := prepareWriter(c, dir, o); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func prepareWriter(c *conn, dir string, o Options) error {
	v, err := c.one(`SELECT sqlite_version()`)
	if err != nil {
		return err
	}
	if olderThan(v.text(0), oldestSQLite) {
		return fmt.Errorf("SQLite %s can lose committed data; at least %s is needed", v.text(0), oldestSQLite)
	}
	if err := c.run(`PRAGMA secure_delete = ON; PRAGMA cache_size = -32768; PRAGMA synchronous = EXTRA`); err != nil {
		return err
	}
	if err := createSchema(c); err != nil {
		return err
	}
	// The checkpoints are the writer's: see writer.checkpoint.
	if err := c.run(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = ` + o.Synchronous); err != nil {
		return err
	}
	if mode, err := c.one(`PRAGMA journal_mode`); err != nil || mode.text(0) != "wal" {
		return errors.Join(fmt.Errorf("the file system of %s does not allow a write-ahead log", dir), err)
	}
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
}

// createSchema makes the tables in one transaction, together with the marks in
// the header, so that a file is either new or ours. It is not yet in WAL mode,
// else the header would lag behind the log.
func createSchema(c *conn) error {
	v, err := c.one(`PRAGMA user_version`)
	if err != nil || v.int(0) == schemaVersion {
		return err
	}
	return c.run(fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		schema, applicationID, schemaVersion))
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
