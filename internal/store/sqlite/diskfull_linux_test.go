package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"mirsal/internal/store"
)

// smallDisk mounts a file system of a few megabytes.
func smallDisk(t *testing.T) string {
	if os.Geteuid() != 0 {
		t.Skip("TestAFullDiskIsSurvived needs root to mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("mirsal-test", dir, "tmpfs", 0, "size=6m"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("mount: ", err)
		}
		t.Skip("TestAFullDiskIsSurvived: mount refused: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestAFullDiskIsSurvived(t *testing.T) {
	disk := smallDisk(t)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(disk, "data"), Options{})
	bucket := s.Declare(store.Space{Name: "s", Fields: "f", Purpose: "p"})
	last := fillUp(t, s)
	for range 3 {
		err := bucket.Put(context.Background(), "o", "k", make([]byte, 100_000))
		if err == nil || errors.Is(err, store.ErrFatal) {
			t.Fatalf("put on a full disk: %v", err)
		}
	}
	if s.Last() != last {
		t.Errorf("last is %d, %d was acknowledged", s.Last(), last)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(groupOf(16, 10, last+1)); err != nil {
		t.Fatalf("append after space was freed: %v", err)
	}
	if err := bucket.Put(context.Background(), "o", "k", nil); err != nil {
		t.Fatal(err)
	}
	holds(t, s, last+16)
	holds(t, reopen(t, s), last+16)
}

// fillUp appends until the disk is full, and returns the last number.
func fillUp(t *testing.T, s *engine) uint64 {
	for {
		last := s.Last()
		err := s.Append(groupOf(16, 10, last+1))
		if errors.Is(err, store.ErrFatal) || last > 20000 {
			t.Fatalf("after %d: %v", last, err)
		}
		if err != nil {
			return last
		}
	}
}

// holds checks that all numbers up to last are there and the database is whole.
func holds(t *testing.T, s *engine, last uint64) {
	t.Helper()
	n := uint64(0)
	err := s.Replay(context.Background(), 0, func(g store.Group) error {
		n += uint64(len(g.Records))
		return nil
	})
	if err := errors.Join(err, checkIntegrity(s), checkArchives(s)); err != nil || n != last || s.Last() != last {
		t.Errorf("%d records, last %d, want %d: %v", n, s.Last(), last, err)
	}
}
