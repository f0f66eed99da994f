package profile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"mirsal/internal/client/files"
)

// Keep is of client.Sweeper.
func (p *Profile) Keep(ids []string) error {
	return files.Disk{Folder: filepath.Join(p.folder, "parts")}.Keep(ids)
}

// Forget is of client.Sweeper: only what was fetched without saying where to is removed.
func (p *Profile) Forget(path string) error {
	own, err := filepath.Abs(filepath.Join(p.folder, "files"))
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil || filepath.Dir(path) != own {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
