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
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

// Names that mean something.
const (
	index  = "index.html"    // makes a folder the screen
	theirs = "manifest.json" // of whoever built it; the set makes its own
)

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
	// by hashAll
	size   int64  // unpacked
	sum    string // SHA-256 of it, in hexadecimal
	packed []byte // with gzip, where there is no .gz and it is worth the while
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
		case d.IsDir(), strings.HasPrefix(d.Name(), "."), name == theirs:
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

func (s *Set) add(found string) error {
	if strings.ContainsFunc(found, odd) {
		return fmt.Errorf("%q is no name for a URL", found)
	}
	name, br := strings.CutSuffix(found, ".br")
	name, gz := strings.CutSuffix(name, ".gz")
	f := s.files[name]
	if f == nil {
		f = &file{name: name}
		s.files[name] = f
	}
	switch {
	case br && gz:
		return fmt.Errorf("%q is packed twice", found)
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

// Asset is one file.
type Asset struct {
	Path   string // from the root of the site, without a slash in front
	Size   int64  // bytes, unpacked
	SHA256 string // in hexadecimal
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

// Manifest is the list as JSON: {"files":{PATH:"sha256-…"}}, with hashes as in HTML's
// integrity, indented by tabs; the same bytes for the same files.
func (s *Set) Manifest() ([]byte, error) {
	list, err := s.List()
	if err != nil {
		return nil, err
	}
	files := map[string]string{} // written in the order of the names
	for _, a := range list {
		sum, _ := hex.DecodeString(a.SHA256)
		files[a.Path] = "sha256-" + base64.StdEncoding.EncodeToString(sum)
	}
	b, err := json.MarshalIndent(map[string]any{"files": files}, "", "\t")
	return append(b, '\n'), err
}

// Hash is SHA-256 in hexadecimal.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// hashAll reads every file once.
func (s *Set) hashAll() error {
	for _, name := range s.names {
		if err := s.hash(s.files[name]); err != nil {
			return fmt.Errorf("assets: %s: %w", name, err)
		}
	}
	return nil
}

// hash reads a file, and packs what is text and was not packed when it was built.
func (s *Set) hash(f *file) error {
	r, err := s.unpacked(f)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	var text bytes.Buffer
	to := io.Writer(h)
	if f.plain && !f.gz && isText(f.name) {
		to = io.MultiWriter(h, &text)
	}
	if f.size, err = io.Copy(to, r); err != nil {
		return err
	}
	f.sum = hex.EncodeToString(h.Sum(nil))
	if text.Len() >= worth {
		f.packed, err = pack(text.Bytes())
	}
	return err
}

// worth is how long a text has to be to be packed, in bytes: less fits in one packet.
const worth = 1 << 10

func isText(name string) bool {
	return slices.Contains([]string{".html", ".js", ".mjs", ".css", ".json", ".webmanifest", ".svg", ".txt"}, path.Ext(name))
}

func pack(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(text)
		err = errors.Join(err, w.Close())
	}
	return b.Bytes(), err
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
