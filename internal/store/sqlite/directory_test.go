package sqlite

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/internal/store"
)

func TestASecondOpenerHearsWhichDirectoryIsInUse(t *testing.T) {
	s := open(t, t.TempDir(), Options{Synchronous: "OFF"})
	_, err := Open(s.dir, Options{})
	if err == nil || !strings.Contains(err.Error(), "data directory "+s.dir+" is in use by another mirsal") {
		t.Errorf("second opener: %v", err)
	}
	reopen(t, s)
}

func TestForeignDatabasesAreRefusedUntouched(t *testing.T) {
	foreign := func(script string) []byte {
		path := filepath.Join(t.TempDir(), "x.db")
		c, err := connect(dsn(path, "", false))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.run(script); err != nil {
			t.Fatal(err)
		}
		c.close()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"no database":    {bytes.Repeat([]byte("text"), 100), "is not a mirsal database"},
		"too short":      {[]byte("SQLite format 3\x00"), "is not a mirsal database"},
		"another's":      {foreign("CREATE TABLE t(x)"), "is not a mirsal database"},
		"a later schema": {foreign("PRAGMA application_id = 1836217196; PRAGMA user_version = 99; CREATE TABLE t(x)"), "schema version 99"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.data, c.says) })
	}
}

func refused(t *testing.T, data []byte, says string) {
	dir := t.TempDir()
	path := filepath.Join(dir, dbName)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, Options{})
	if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
		t.Errorf("open: %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(after, data) {
		t.Errorf("the file was changed, %v", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("files left: %v, %v", files, err)
	}
}

func TestAnEmptyFileIsANewDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, dbName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	reopen(t, open(t, dir, Options{Synchronous: "OFF"}))
}

func TestWhatACrashedCreationLeftIsNoObstacle(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{dbName + ".new", dbName + ".new-journal"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half a file"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir, Options{Synchronous: "OFF"})
}

func TestOnlyTheOwnerMayReadTheFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Options{Synchronous: "OFF"})
	if err := s.Append(groupOf(1, 2, 1)); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestTheLogStaysSmallUnderLoad(t *testing.T) {
	s := open(t, t.TempDir(), Options{Synchronous: "OFF", checkpointPages: 50, walLimitPages: 400, watchEvery: 1})
	for s.Last() < 20000 {
		if err := s.Append(groupOf(64, 10, s.Last()+1)); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(s.dir, dbName+"-wal"))
	if err != nil || info.Size() > 2<<20 {
		t.Errorf("the log has %d bytes, %v", info.Size(), err)
	}
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	if info, err = os.Stat(filepath.Join(s.dir, dbName+"-wal")); err != nil || info.Size() != 0 {
		t.Errorf("after a checkpoint it has %d bytes, %v", info.Size(), err)
	}
}

func TestOldSQLiteIsTold(t *testing.T) {
	for v, old := range map[string]bool{"3.51.2": true, "3.9.9": true, "2.99": true, "3.51.3": false, "3.52": false, "3.100.0": false, "4": false} {
		if olderThan(v, oldestSQLite) != old {
			t.Errorf("%s older: %v", v, !old)
		}
	}
}

func TestPathsWithOddCharactersOpen(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "a b?c#d%20e"), Options{Synchronous: "OFF"})
	if _, err := os.Stat(filepath.Join(s.dir, dbName)); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(s.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory %v, %v", info.Mode(), err)
	}
}

func TestDeletedTextIsNowhereOnDisk(t *testing.T) {
	ctx, before := context.Background(), int64(1)
	remove := map[string]func(s *engine) error{
		"Delete": func(s *engine) error { return s.Delete(ctx, []uint64{40}) },
		"Forget": func(s *engine) error { return s.Forget(ctx, "alice@example.org") },
		"Expire": func(s *engine) error { _, err := s.Expire(ctx, before, 1000); return err },
	}
	for name, f := range remove {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), Options{Synchronous: "OFF", mergeFrom: 20})
			secret := []byte("a very secret text")
			for i := range uint64(100) {
				g := groupOf(1, 20, i+1)
				if i == 39 {
					g.Time = 0
					g.Records[0].Body = secret
					g.Records[0].Entries = []store.Entry{{Owner: "alice@example.org", Peer: "bob@example.org"}}
				}
				if err := s.Append(g); err != nil {
					t.Fatal(err)
				}
			}
			if !onDisk(t, s.dir, secret) {
				t.Error("the test looks in the wrong place")
			}
			if err := f(s); err != nil {
				t.Fatal(err)
			}
			if onDisk(t, s.dir, secret) {
				t.Error("the text is still on disk")
			}
		})
	}
}

func onDisk(t *testing.T, dir string, text []byte) bool {
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, text) {
			return true
		}
	}
	return false
}
