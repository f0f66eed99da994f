package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/internal/store"
	"mirsal/internal/store/blobtest"
)

func open(t *testing.T) store.Blob {
	t.Helper()
	f, err := Open(filepath.Join(t.TempDir(), "uploads"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestContract(t *testing.T) {
	blobtest.Run(t, open, func(t *testing.T, b store.Blob) store.Blob {
		dir := b.(*Folder).dir
		// as a crash leaves it
		if err := os.WriteFile(filepath.Join(dir, tmp, "123"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return again
	})
}

func TestNothingIsLeftInTheFolderOfWhatWasBrokenOff(t *testing.T) {
	f := open(t).(*Folder)
	_ = f.Put(t.Context(), "half", 10, strings.NewReader("only"))
	if left, err := os.ReadDir(f.path(tmp)); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

func TestFilesAreForTheServerAlone(t *testing.T) {
	f := open(t).(*Folder)
	if err := f.Put(t.Context(), "secret", 1, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(f.dir, func(path string, d os.DirEntry, err error) error {
		if info, _ := d.Info(); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	f := open(t).(*Folder)
	if err := f.Put(t.Context(), "mine", 1, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"lost+found", "README", "mi/README.txt"} {
		if err := os.WriteFile(f.path(path), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_ = f.List(t.Context(), "", func(name string) error {
		if name != "mine" {
			t.Errorf("%q is listed", name)
		}
		return nil
	})
}
