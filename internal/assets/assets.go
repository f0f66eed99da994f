// Package assets serves the files of a folder that does not change: the screen for
// browsers, which is embedded in the program. It names each by its hash, hands it out packed
// where the browser takes that, and lists all hashes, so that anybody can compare what a
// server hands out with what a release holds.
//
// It is no file server: it serves what it has found at the start, under exactly those
// names, and sets no policy (httpd does). Invariants: a hash is of the unpacked file; a packed
// one (NAME.br, NAME.gz) stands for NAME and is no file of its own; files whose name, or a
// folder's, begins with a dot are not there; the manifest of one set of files is always the same bytes.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
)

// index is what makes a folder the screen.
const index = "index.html"

// Set is a folder's files.
type Set struct {
	fsys  fs.FS
	files map[string]*file // by name
	names []string         // in order
	sums  func() error     // hashes all, once
}

// file is one file, in up to three shapes.
type file struct {
	name          string
	plain, br, gz bool
	size          int64  // unpacked
	sum           string // SHA-256 of it, in hexadecimal
}

// New finds the files of a folder. A name that is no path of a plain URL is an error.
func New(fsys fs.FS) (*Set, error) {
	s := &Set{fsys: fsys, files: map[string]*file{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), ".") && d.IsDir():
			return fs.SkipDir
		case d.IsDir(), strings.HasPrefix(d.Name(), "."):
			return nil
		}
		return s.add(name)
	})
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	for name, f := range s.files {
		if !f.plain && !f.gz {
			return nil, fmt.Errorf("assets: %s is there packed with Brotli only, which nobody here can unpack: add %s or %s.gz", name, name, name)
		}
	}
	s.names = slices.Sorted(maps.Keys(s.files))
	s.sums = sync.OnceValue(s.hashAll)
	return s, nil
}

func (s *Set) add(path string) error {
	if strings.ContainsFunc(path, odd) {
		return fmt.Errorf("%q is no name for a URL", path)
	}
	name, br := strings.CutSuffix(path, ".br")
	name, gz := strings.CutSuffix(name, ".gz")
	f := s.files[name]
	if f == nil {
		f = &file{name: name}
		s.files[name] = f
	}
	switch {
	case br && gz:
		return fmt.Errorf("%q is packed twice", path)
	case br:
		f.br = true
	case gz:
		f.gz = true
	default:
		f.plain = true
	}
	return nil
}

// odd tells characters that a pattern or a URL would read as something else.
func odd(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./", r)
}

// Built tells whether there is a screen.
func (s *Set) Built() bool { return s.files[index] != nil }

// Names lists the files, in order.
func (s *Set) Names() []string { return s.names }

// Asset is one file as the manifest lists it.
type Asset struct {
	Path   string `json:"path"` // from the root of the site, without a slash in front
	Size   int64  `json:"size"` // bytes, unpacked
	SHA256 string `json:"sha256"`
}

// List lists all files in the order of their names.
func (s *Set) List() ([]Asset, error) {
	if err := s.sums(); err != nil {
		return nil, err
	}
	list := make([]Asset, 0, len(s.names))
	for _, name := range s.names {
		f := s.files[name]
		list = append(list, Asset{f.name, f.size, f.sum})
	}
	return list, nil
}

// Manifest is the list as JSON, one line a file: the same bytes for the same files.
func (s *Set) Manifest() ([]byte, error) {
	list, err := s.List()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("{\"version\":1,\"files\":[")
	for i, a := range list {
		line, err := json.Marshal(a)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n")
		b.Write(line)
	}
	b.WriteString("\n]}\n")
	return b.Bytes(), nil
}

// Hash is SHA-256 in hexadecimal.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// hashAll reads every file once.
func (s *Set) hashAll() error {
	for _, name := range s.names {
		f := s.files[name]
		r, err := s.unpacked(f)
		if err != nil {
			return fmt.Errorf("assets: %s: %w", name, err)
		}
		h := sha256.New()
		f.size, err = io.Copy(h, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("assets: %s: %w", name, err)
		}
		f.sum = hex.EncodeToString(h.Sum(nil))
	}
	return nil
}

// unpacked reads a file as it is.
func (s *Set) unpacked(f *file) (io.ReadCloser, error) {
	if f.plain {
		return s.fsys.Open(f.name)
	}
	packed, err := s.fsys.Open(f.name + ".gz")
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(packed)
	if err != nil {
		return nil, errors.Join(err, packed.Close())
	}
	return &unpacking{r, packed}, nil
}

// unpacking closes what it reads from.
type unpacking struct {
	io.Reader
	from io.Closer
}

func (u *unpacking) Close() error { return u.from.Close() }
