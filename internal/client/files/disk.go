//go:build !js

package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// Disk keeps parts in a folder, which is its own.
type Disk struct{ Folder string }

// Part is where the download of an ID is kept until it is whole.
func (d Disk) Part(id string) Part {
	sum := sha256.Sum256([]byte(id))
	return diskPart(filepath.Join(d.Folder, hex.EncodeToString(sum[:16])))
}

// Keep removes the parts of all downloads but these: those of downloads that
// were given up.
func (d Disk) Keep(ids []string) error {
	known := map[string]bool{}
	for _, id := range ids {
		known[filepath.Base(string(d.Part(id).(diskPart)))] = true
	}
	entries, err := os.ReadDir(d.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if !known[e.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(d.Folder, e.Name())))
		}
	}
	return err
}

// diskPart is the path of a part.
type diskPart string

func (p diskPart) Size() (int64, error) {
	i, err := os.Stat(string(p))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return i.Size(), nil
}

func (p diskPart) Append(b []byte) error {
	if err := os.MkdirAll(filepath.Dir(string(p)), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(string(p), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

func (p diskPart) Open() (io.ReadCloser, error) {
	f, err := os.Open(string(p))
	if errors.Is(err, fs.ErrNotExist) { // an empty file was never appended to
		return io.NopCloser(strings.NewReader("")), nil
	}
	return f, err
}

func (p diskPart) Cut() error { return p.Remove() }

func (p diskPart) Remove() error {
	if err := os.Remove(string(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Saved is a Sink that is a file on the disk, once committed.
type Saved struct {
	temp   *os.File
	folder string
	name   string
	path   string
}

// Save begins a file with a clean name in a folder, which is made if need be. Until
// Commit it has another name; no file that is there is ever replaced.
func Save(folder, name string) (*Saved, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	temp, err := os.CreateTemp(folder, ".mirsal-*.part")
	if err != nil {
		return nil, err
	}
	return &Saved{temp: temp, folder: folder, name: CleanName(name)}, nil
}

// Write is of io.Writer.
func (s *Saved) Write(b []byte) (int, error) { return s.temp.Write(b) }

// Commit is of Sink: the file is at Path then.
func (s *Saved) Commit() error {
	if err := errors.Join(s.temp.Sync(), s.temp.Close()); err != nil {
		return err
	}
	path, err := reserve(s.folder, s.name)
	if err != nil {
		return err
	}
	if err := os.Rename(s.temp.Name(), path); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	s.path = path
	return syncFolder(s.folder)
}

// syncFolder makes a new name durable. Windows has no such thing.
func syncFolder(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Abort is of Sink.
func (s *Saved) Abort() {
	if s.path == "" {
		_ = s.temp.Close()
		_ = os.Remove(s.temp.Name())
	}
}

// Path is where the file lies, "" before Commit.
func (s *Saved) Path() string { return s.path }

// reserve makes an empty file under the first name that is free: name, name (2), …
func reserve(folder, name string) (string, error) {
	end := path.Ext(name)
	stem := strings.TrimSuffix(name, end)
	for i := 1; i <= 1000; i++ {
		try := name
		if i > 1 {
			try = fmt.Sprintf("%s (%d)%s", stem, i, end)
		}
		at := filepath.Join(folder, try)
		f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return at, f.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: too many files of that name", name)
}
