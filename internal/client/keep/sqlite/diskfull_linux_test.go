package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mirsal/internal/client/keep"
)

// smallDisk mounts a file system of a few megabytes.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("keep-test", dir, "tmpfs", 0, "size=4m,mode=700"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("mount: ", err)
		}
		t.Skip("mount refused: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestAFullDiskTearsNothingAndIsSurvived(t *testing.T) {
	disk := smallDisk(t)
	ballast, dir := filepath.Join(disk, "ballast"), filepath.Join(disk, "profile")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	applied := fill(t, s)
	for range 3 {
		if err := s.Apply(pair(applied)); err == nil || errors.Is(err, keep.ErrBroken) || !strings.Contains(err.Error(), "the disk is full") {
			t.Fatalf("Apply on a full disk: %v", err)
		}
	}
	pairs(t, s, applied)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(pair(applied)); err != nil {
		t.Fatalf("Apply after space was freed: %v", err)
	}
	pairs(t, s, applied+1)
	if err := errors.Join(s.Check(), s.Close()); err != nil {
		t.Fatal(err)
	}
	pairs(t, open(t, dir), applied+1)
}

// pair is a batch of two large values.
func pair(i int) *keep.Batch {
	var b keep.Batch
	for _, table := range []keep.Table{"a", "b"} {
		b.Put(table, fmt.Sprintf("%06d", i), bytes.Repeat([]byte{byte(i)}, 60_000))
	}
	return &b
}

// fill applies pairs until the disk is full and returns how many there are.
func fill(t *testing.T, s *Store) (applied int) {
	t.Helper()
	for ; applied < 1000; applied++ {
		err := s.Apply(pair(applied))
		if errors.Is(err, keep.ErrBroken) {
			t.Fatalf("after %d: %v", applied, err)
		}
		if err != nil {
			return applied
		}
	}
	t.Fatal("the disk is never full")
	return 0
}

// pairs checks that there are exactly so many, whole.
func pairs(t *testing.T, s *Store, want int) {
	t.Helper()
	for _, table := range []keep.Table{"a", "b"} {
		n := 0
		if err := s.Scan(table, keep.Range{}, func(string, []byte) bool { n++; return true }); err != nil || n != want {
			t.Errorf("table %s has %d values, want %d (%v)", table, n, want, err)
		}
	}
}
