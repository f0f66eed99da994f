// Package folder keeps blobs as files in a folder: the engine of store.Blob for one
// machine. It is no cache and knows nothing of what it keeps.
//
// A blob is DIR/xx/NAME, where xx is how its name begins; DIR/tmp holds those that
// are being put. Invariants: a file under its name is whole and on disk, because it is
// moved there when it is, and the move is on disk when Put returns; what is in
// tmp at the start was broken off, and is removed. One process has the folder.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"mirsal/internal/store"
)

// Folder is an engine. It satisfies store.Blob.
type Folder struct {
	dir string

	mu     sync.Mutex
	shards map[string]bool // that are there, and on disk
}

const tmp = "tmp"

// Open makes the folder where it is missing, and removes what was broken off.
func Open(dir string) (*Folder, error) {
	f := &Folder{dir: dir, shards: map[string]bool{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(f.path(tmp)); err != nil {
		return nil, err
	}
	if err := os.Mkdir(f.path(tmp), 0o700); err != nil {
		return nil, err
	}
	return f, syncDir(dir)
}

func (f *Folder) path(parts ...string) string {
	return filepath.Join(append([]string{f.dir}, parts...)...)
}

// shard is the folder of a name.
func shard(name string) string { return name[:2] }

// String tells where the files are.
func (f *Folder) String() string { return "folder " + f.dir }

// Put satisfies store.Blob.
func (f *Folder) Put(ctx context.Context, name string, size int64, r io.Reader) error {
	if err := store.CheckBlobName(name); err != nil {
		return err
	}
	if err := f.makeShard(shard(name)); err != nil {
		return err
	}
	file, err := os.CreateTemp(f.path(tmp), "*")
	if err != nil {
		return err
	}
	err = Fill(ctx, file, size, r)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return f.move(file.Name(), name)
}

// move gives a whole file its name.
func (f *Folder) move(from, name string) error {
	to := f.path(shard(name), name)
	if err := os.Rename(from, to); err != nil {
		return errors.Join(err, os.Remove(from))
	}
	if err := syncDir(f.path(shard(name))); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

// chunk is how much is read and written at a time.
const chunk = 128 << 10

var chunks = sync.Pool{New: func() any { b := make([]byte, chunk); return &b }}

// Fill copies size bytes of r, which must end there, to w: else store.ErrLength. It
// looks at the context now and then.
func Fill(ctx context.Context, w io.Writer, size int64, r io.Reader) error {
	if size < 0 {
		return store.ErrLength
	}
	buf := chunks.Get().(*[]byte)
	defer chunks.Put(buf)
	// one byte more than there should be, to see whether it ends
	n, err := io.CopyBuffer(onlyWriter{w}, &watched{ctx, io.LimitReader(r, size+1)}, *buf)
	if err == nil && n != size {
		err = fmt.Errorf("%w: %d bytes or more instead of %d", store.ErrLength, n, size)
	}
	return err
}

// onlyWriter hides what would bring buffers of its own.
type onlyWriter struct{ io.Writer }

// watched is a reader that ends with a context.
type watched struct {
	ctx context.Context
	r   io.Reader
}

func (w *watched) Read(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(b)
}

// makeShard makes a folder for names and has that on disk.
func (f *Folder) makeShard(s string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shards[s] {
		return nil
	}
	if err := os.Mkdir(f.path(s), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(f.dir); err != nil {
		return err
	}
	f.shards[s] = true
	return nil
}

// syncDir has the names in a folder on disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// reader is a file with its size. Being a file, it can be sent by the system.
type reader struct {
	*os.File
	size int64
}

func (r *reader) Size() int64 { return r.size }

// Open satisfies store.Blob.
func (f *Folder) Open(_ context.Context, name string) (store.BlobReader, error) {
	if err := store.CheckBlobName(name); err != nil {
		return nil, err
	}
	file, err := os.Open(f.path(shard(name), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &reader{file, info.Size()}, nil
}

// Delete satisfies store.Blob. That it is gone may not be on disk yet: what
// comes back after a power cut has lost its record, and is swept.
func (f *Folder) Delete(_ context.Context, name string) error {
	if err := store.CheckBlobName(name); err != nil {
		return err
	}
	err := os.Remove(f.path(shard(name), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// List satisfies store.Blob.
func (f *Folder) List(ctx context.Context, prefix string, call func(name string) error) error {
	shards, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, s := range shards {
		first := prefix[:min(2, len(prefix))]
		if len(s.Name()) != 2 || !s.IsDir() || !strings.HasPrefix(s.Name(), first) {
			continue
		}
		if err := f.listShard(ctx, s.Name(), prefix, call); err != nil {
			return err
		}
	}
	return nil
}

func (f *Folder) listShard(ctx context.Context, s, prefix string, call func(name string) error) error {
	files, err := os.ReadDir(f.path(s))
	if err != nil {
		return err
	}
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), prefix) || store.CheckBlobName(file.Name()) != nil {
			continue // somebody else's
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := call(file.Name()); err != nil {
			return err
		}
	}
	return nil
}

// Free satisfies store.Blob.
func (f *Folder) Free() (int64, error) { return FreeAt(f.dir) }

// FreeAt is how many bytes fit into the file system of a folder.
func FreeAt(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil
}
