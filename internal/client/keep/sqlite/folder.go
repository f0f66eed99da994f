//go:build !js

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// fileName is the database in a profile's folder.
const fileName = "keep.db"

// prepare makes the folder and an empty file if need be, both for their owner
// alone. No existing file is opened here: closing it would give free the locks
// that SQLite holds on it elsewhere in this program.
func prepare(folder string) (path string, fresh bool, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", false, err
	}
	if err := private(folder); err != nil {
		return "", false, err
	}
	path = filepath.Join(folder, fileName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return path, true, f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return "", false, err
	}
	return path, false, tighten(path)
}

// private refuses a folder in which others may put files in the place of ours.
func private(folder string) error {
	i, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if runtime.GOOS != "windows" && i.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others may write in this folder (%v); make it yours alone: chmod 700", i.Mode().Perm())
	}
	return nil
}

// tighten takes a database away from others, and refuses what is no plain file.
func tighten(path string) error {
	i, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case !i.Mode().IsRegular():
		return fmt.Errorf("%s is no file", fileName)
	case i.Mode().Perm()&0o077 != 0:
		return os.Chmod(path, 0o600)
	}
	return nil
}

// syncFolders makes the entries of a new file and its folder durable. Windows
// has no such thing.
func syncFolders(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return errors.Join(syncFolder(folder), syncFolder(filepath.Join(folder, "..")))
}

func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
