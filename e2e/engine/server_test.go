package engine

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"mirsal/e2e/device"
)

func stop(t *testing.T, s *device.Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

func restart(t *testing.T, s *device.Server) {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
}

// grep names the files below a folder that hold a text, or the file itself.
func grep(t *testing.T, folder, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		has, err := holds(path, []byte(text))
		if has {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// holds looks for a text in a file of any size.
func holds(path string, text []byte) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const piece = 1 << 20
	for buf := make([]byte, 0, piece); ; {
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if bytes.Contains(buf, text) {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		tail := min(len(buf), len(text)-1) // it may begin here and go on in the next piece
		buf = buf[:copy(buf, buf[len(buf)-tail:])]
	}
}
