//go:build !js

package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/keep/keeptest"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	keeptest.Run(t, func(t *testing.T) keeptest.Opener {
		dir := filepath.Join(t.TempDir(), "profile")
		return func(t *testing.T) keep.Store { return open(t, dir) }
	}, false)
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func write(t *testing.T, s *Store, key, value string) {
	t.Helper()
	var b keep.Batch
	b.Put("t", key, []byte(value))
	if err := s.Apply(&b); err != nil {
		t.Fatal(err)
	}
}

func TestOneProfileIsOpenedOnceAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "profile")
	s := open(t, dir)
	write(t, s, "k", "v")
	for range 3 { // a refused opener must not have let go of the first one's lock
		if _, err := Open(dir); !errors.Is(err, keep.ErrInUse) {
			t.Fatalf("second Open: %v, want ErrInUse", err)
		}
	}
	write(t, s, "k", "w")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if v, err := open(t, dir).Get("t", "k"); err != nil || string(v) != "w" {
		t.Errorf("after closing: %q, %v", v, err)
	}
}

func TestOnlyTheOwnerCanReadTheProfile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "profile")
	s := open(t, dir)
	write(t, s, "k", "v")
	for name, want := range map[string]os.FileMode{"": 0o700, fileName: 0o600, fileName + "-wal": 0o600} {
		i, err := os.Stat(filepath.Join(dir, name))
		if err != nil || i.Mode().Perm() != want {
			t.Errorf("%q: %v, want %v (%v)", name, i.Mode().Perm(), want, err)
		}
	}
}

func TestAProfileIsOneFileAndItsLog(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		s := open(t, dir)
		write(t, s, "k", fmt.Sprint(i))
		if got := names(t, dir); got != "keep.db keep.db-wal" {
			t.Errorf("open: %s", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := names(t, dir); got != "keep.db" {
			t.Errorf("closed: %s", got)
		}
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestAProfileThatOthersReadIsTakenFromThem(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, fileName)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if i, _ := os.Stat(path); i.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", i.Mode().Perm())
	}
}

func TestAFolderThatOthersWriteIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o775); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("Open: %v", err)
	}
}

func TestALinkInThePlaceOfTheFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(dir, fileName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("opened")
	}
}

func TestForeignAndNewerAndDamagedFilesAreRefused(t *testing.T) {
	good := func(t *testing.T, dir, change string) {
		s := open(t, dir)
		if err := s.run(change); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		make func(t *testing.T, dir string)
		want string
	}{
		"no database": {func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, fileName), []byte(strings.Repeat("hello ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		"another's database": {func(t *testing.T, dir string) { good(t, dir, `PRAGMA application_id = 7`) }, "no file of mirsal's"},
		"a newer version":    {func(t *testing.T, dir string) { good(t, dir, `PRAGMA user_version = 99`) }, "schema 99"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.make(t, dir)
			if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open: %v, want %q", err, c.want)
			}
		})
	}
}

func TestDamageIsFound(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 200 {
		write(t, s, strings.Repeat("k", i+1), strings.Repeat("v", 300))
	}
	if err := s.Check(); err != nil {
		t.Fatalf("Check of a sound store: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	spoil(t, filepath.Join(dir, fileName))
	s, err := Open(dir)
	if err == nil {
		err = s.Check()
		s.Close()
	}
	if !errors.Is(err, keep.ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}

// spoil overwrites the middle of a file.
func spoil(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8192; i < len(b)-4096; i++ {
		b[i] = 0xa5
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAFailedStepUndoesItsBatch(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, "k", "before")
	// a trigger that fails stands for a disk that does
	if err := s.run(`CREATE TRIGGER fail BEFORE INSERT ON entry WHEN NEW.key = x'62' BEGIN SELECT RAISE(ABORT, 'full'); END`); err != nil {
		t.Fatal(err)
	}
	var b keep.Batch
	b.Put("t", "k", []byte("after"))
	b.Put("t", "a", []byte("1"))
	b.Put("t", "b", []byte("2"))
	if err := s.Apply(&b); err == nil || errors.Is(err, keep.ErrBroken) {
		t.Fatalf("Apply: %v", err)
	}
	if v, err := s.Get("t", "k"); err != nil || string(v) != "before" {
		t.Errorf("k is %q, %v", v, err)
	}
	if v, err := s.Get("t", "a"); err != nil || v != nil {
		t.Errorf("a is %q, %v", v, err)
	}
	write(t, s, "c", "the store goes on")
}

func TestCommitsAreSyncedAndDeletedValuesOverwritten(t *testing.T) {
	s := open(t, t.TempDir())
	for pragma, want := range map[string]int64{"synchronous": 2, "secure_delete": 1, "trusted_schema": 0} {
		if got, err := s.number("PRAGMA " + pragma); err != nil || got != want {
			t.Errorf("%s is %d, want %d (%v)", pragma, got, want, err)
		}
	}
}

func TestDeletedValuesAreGoneFromTheFilesAfterClosing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	const secret = "a chain key that was used"
	write(t, s, "k", secret)
	var b keep.Batch
	b.Delete("t", "k")
	if err := errors.Join(s.Apply(&b), s.Close()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), secret) {
			t.Errorf("%s still has it", f.Name())
		}
	}
}
