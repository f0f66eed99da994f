package sqlite

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// recorder is a layer between SQLite and the disk that writes down what is
// written and what is synced, so that a test can make the disk of any power cut:
// what was synced before it, and any part of what was not.
//
// It is a VFS that passes everything on to SQLite's own and replaces three
// methods of database and log files. The shared memory file is not recorded: it
// does not outlive a power cut.
type recorder struct {
	mu    sync.Mutex
	base  map[string][]byte // the files when recording began
	steps []step
	files map[uintptr]string                       // names of open files
	own   map[uintptr]uintptr                      // our methods by SQLite's own
	orig  map[uintptr]*sqlite3.Tsqlite3_io_methods // SQLite's own by ours
	keep  []any                                    // functions that C memory refers to
	fail  func(stepKind) int32                     // nil, or the result code of a step, 0 to let it pass
}

// step is one thing that happened; the last fields are set for their kinds only.
type step struct {
	kind stepKind
	file string
	at   int64 // of a write, or the size to truncate to
	data []byte
	note func(*expected) // of an acknowledgement
}

type stepKind int

const (
	wrote stepKind = iota
	truncated
	synced
	noted
)

// at reads C memory as a T.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// pointer is how C memory refers to a Go function.
func pointer[F any](r *recorder, f F) uintptr {
	box := &f
	r.keep = append(r.keep, box)
	return **(**uintptr)(unsafe.Pointer(&box))
}

// function is the Go function that C memory refers to.
func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

type (
	openFunc     = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	writeFunc    = func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	truncateFunc = func(*libc.TLS, uintptr, int64) int32
	syncFunc     = func(*libc.TLS, uintptr, int32) int32
)

// newRecorder registers the layer under a name of its own.
func newRecorder(t *testing.T) (r *recorder, name string) {
	r = &recorder{files: map[uintptr]string{}, own: map[uintptr]uintptr{}, orig: map[uintptr]*sqlite3.Tsqlite3_io_methods{}}
	name = fmt.Sprintf("recorder%p", r)
	tls := libc.NewTLS()
	below := sqlite3.Xsqlite3_vfs_find(tls, 0)
	cname, err := libc.CString(name)
	if err != nil {
		t.Fatal(err)
	}
	vfs := libc.Xcalloc(tls, 1, types.Size_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	v := at[sqlite3.Tsqlite3_vfs](vfs)
	*v = *at[sqlite3.Tsqlite3_vfs](below)
	openBelow := function[openFunc](v.FxOpen)
	v.FzName, v.FpNext = cname, 0
	v.FxOpen = pointer(r, openFunc(func(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
		rc := openBelow(tls, below, name, file, flags, out)
		if rc == sqlite3.SQLITE_OK && flags&(sqlite3.SQLITE_OPEN_MAIN_DB|sqlite3.SQLITE_OPEN_WAL) != 0 {
			r.opened(tls, file, filepath.Base(libc.GoString(name)))
		}
		return rc
	}))
	if rc := sqlite3.Xsqlite3_vfs_register(tls, vfs, 0); rc != sqlite3.SQLITE_OK {
		t.Fatal("register the layer: ", rc)
	}
	t.Cleanup(func() {
		sqlite3.Xsqlite3_vfs_unregister(tls, vfs)
		tls.Close()
		runtime.KeepAlive(r) // the collector does not see what C memory refers to
	})
	return r, name
}

// opened puts our methods into an open file.
func (r *recorder) opened(tls *libc.TLS, file uintptr, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	methods := at[uintptr](file) // the first field of sqlite3_file
	if r.own[*methods] == 0 {
		r.own[*methods] = r.methods(tls, at[sqlite3.Tsqlite3_io_methods](*methods))
	}
	r.files[file] = name
	*methods = r.own[*methods]
}

// methods makes a copy of SQLite's own methods that records.
func (r *recorder) methods(tls *libc.TLS, own *sqlite3.Tsqlite3_io_methods) uintptr {
	ours := libc.Xcalloc(tls, 1, types.Size_t(unsafe.Sizeof(*own)))
	m := at[sqlite3.Tsqlite3_io_methods](ours)
	*m = *own
	m.FxWrite = pointer(r, writeFunc(func(tls *libc.TLS, file, data uintptr, n int32, off int64) int32 {
		if rc := r.failing(wrote); rc != 0 {
			return rc
		}
		r.add(file, step{kind: wrote, at: off, data: bytes.Clone(unsafe.Slice(at[byte](data), n))})
		return function[writeFunc](own.FxWrite)(tls, file, data, n, off)
	}))
	m.FxTruncate = pointer(r, truncateFunc(func(tls *libc.TLS, file uintptr, size int64) int32 {
		r.add(file, step{kind: truncated, at: size})
		return function[truncateFunc](own.FxTruncate)(tls, file, size)
	}))
	m.FxSync = pointer(r, syncFunc(func(tls *libc.TLS, file uintptr, flags int32) int32 {
		if rc := r.failing(synced); rc != 0 {
			return rc
		}
		rc := function[syncFunc](own.FxSync)(tls, file, flags)
		if rc == sqlite3.SQLITE_OK {
			r.add(file, step{kind: synced})
		}
		return rc
	}))
	return ours
}

func (r *recorder) failing(kind stepKind) int32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail == nil {
		return 0
	}
	return r.fail(kind)
}

// failWith makes steps of a kind fail; code 0 ends that.
func (r *recorder) failWith(kind stepKind, code int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = func(k stepKind) int32 {
		if k == kind {
			return code
		}
		return 0
	}
}

func (r *recorder) add(file uintptr, s step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.file = r.files[file]
	r.steps = append(r.steps, s)
}

// note writes down what has become true for whoever used the store.
func (r *recorder) note(f func(*expected)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, step{kind: noted, note: f})
}

// begin takes what is on disk as durable and forgets what led to it.
func (r *recorder) begin(t *testing.T, dir string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.base, r.steps = map[string][]byte{}, nil
	for _, name := range []string{dbName, dbName + "-wal"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		r.base[name] = data
	}
}

// cut makes the directory that a power cut before step n leaves, and returns what
// had been promised by then. Unsynced writes survive in sectors of 512 bytes, each
// by chance, so that they also come out of order.
func (r *recorder) cut(t *testing.T, n int, rng *rand.Rand) (dir string, want *expected) {
	disk, pending := map[string][]byte{}, map[string][]step{}
	for name, data := range r.base {
		disk[name] = bytes.Clone(data)
	}
	want = newExpected()
	for _, s := range r.steps[:n] {
		switch s.kind {
		case noted:
			s.note(want)
		case synced:
			for _, p := range pending[s.file] {
				disk[s.file] = p.on(disk[s.file])
			}
			delete(pending, s.file)
		default:
			pending[s.file] = append(pending[s.file], s)
		}
	}
	chance := []float64{0, 0.1, 0.5, 0.9, 1}[rng.IntN(5)]
	dir = t.TempDir()
	for name, data := range disk {
		for _, p := range pending[name] {
			for _, sector := range p.sectors() {
				if rng.Float64() < chance {
					data = sector.on(data)
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, want
}

// on carries a write or truncation out.
func (s step) on(data []byte) []byte {
	size := s.at + int64(len(s.data))
	if s.kind == truncated || size > int64(len(data)) {
		data = append(data[:min(int64(len(data)), size)], make([]byte, max(0, size-int64(len(data))))...)
	}
	copy(data[s.at:], s.data)
	return data
}

func (s step) sectors() (parts []step) {
	if s.kind == truncated {
		return []step{s}
	}
	for rest := s; len(rest.data) > 0; {
		n := min(int64(len(rest.data)), 512-rest.at%512)
		part := rest
		part.data = rest.data[:n]
		rest.at, rest.data = rest.at+n, rest.data[n:]
		parts = append(parts, part)
	}
	return parts
}
