package profile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOnlyWhatLiesInTheProfilesOwnFolderIsRemoved(t *testing.T) {
	folder := t.TempDir()
	p, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	write := func(parts ...string) string {
		name := filepath.Join(append([]string{folder}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	fetched, inside := write("files", "cat.png"), write("files", "deeper", "cat.png")
	chosen, database := write("elsewhere", "cat.png"), write("other")
	for path, stays := range map[string]bool{fetched: false, inside: true, chosen: true, database: true,
		filepath.Join(folder, "files", "..", "other"): true, filepath.Join(folder, "files", "never"): false, "": true, "files": true} {
		if err := p.Forget(path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
		if _, err := os.Stat(path); (err == nil) != stays && path != "" && path != "files" {
			t.Errorf("%q: stays: %v", path, err == nil)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "files")); err != nil {
		t.Error(err)
	}
	given := write("parts", "0123")
	if err := p.Keep(nil); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(given); err == nil {
		t.Error("what is left of a download that was given up is still there")
	}
}
