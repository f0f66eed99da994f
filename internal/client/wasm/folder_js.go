package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"syscall/js"

	"mirsal/internal/client/files"
)

// folder is client.Files on the origin's private files, by disk.js: parts/ has what
// has come of downloads, unsaved/ what is being decrypted, and files/ what is whole,
// with what the page gave to be sent. A path is one of these names and a name in it.
type folder struct {
	disk js.Value
	http *fetcher
}

func newFolder(h host) *folder {
	return &folder{h.Get("disk"), &fetcher{policy(), h}}
}

// policy allows plain HTTP to this very machine only, and only where the page is from it:
// its server is the account's.
func policy() files.Policy {
	return files.Policy{PlainLoopback: files.Loopback(js.Global().Get("location").Get("hostname").String())}
}

// Open is of client.Files.
func (f *folder) Open(path string) (io.ReadCloser, int64, error) {
	file, err := await(f.disk.Call("open", path))
	if err != nil {
		return nil, 0, err
	}
	if file.IsNull() {
		return nil, 0, errors.New("the file is not here any more")
	}
	return &blob{file: file}, int64(file.Get("size").Float()), nil
}

// Part is of client.Files.
func (f *folder) Part(id string) files.Part {
	sum := sha256.Sum256([]byte(id))
	return &part{f, "parts/" + hex.EncodeToString(sum[:16])}
}

// Save is of client.Files. The page saves to where people have their files; here is
// one place only, and so path must be "".
func (f *folder) Save(path, _ string) (files.Sink, func() string, error) {
	if path != "" {
		return nil, nil, errors.New("a browser has no place of that name")
	}
	name, err := await(f.disk.Call("fresh"))
	if err != nil {
		return nil, nil, err
	}
	s := &sink{f: f, name: name.String()}
	return s, func() string { return s.path }, nil
}

// HTTP is of client.Files.
func (f *folder) HTTP() files.Doer { return f.http }

// Policy is of client.Files.
func (f *folder) Policy() files.Policy { return policy() }

// append writes to the end of a file, durably.
func (f *folder) append(path string, b []byte) error {
	_, err := await(f.disk.Call("append", path, array(b)))
	return err
}

func (f *folder) remove(path string) error {
	_, err := await(f.disk.Call("remove", path))
	return err
}

// part is a files.Part.
type part struct {
	f    *folder
	path string
}

func (p *part) Size() (int64, error) {
	file, err := await(p.f.disk.Call("open", p.path))
	if err != nil || file.IsNull() {
		return 0, err
	}
	return int64(file.Get("size").Float()), nil
}

func (p *part) Append(b []byte) error { return p.f.append(p.path, b) }

func (p *part) Open() (io.ReadCloser, error) {
	file, err := await(p.f.disk.Call("open", p.path))
	if err != nil {
		return nil, err
	}
	return &blob{file: file}, nil
}

func (p *part) Cut() error    { return p.f.remove(p.path) }
func (p *part) Remove() error { return p.f.remove(p.path) }

// sink is a files.Sink.
type sink struct {
	f          *folder
	name, path string
	waiting    []byte // less than gather, not yet written
}

// gather is how many bytes are written at once: opening a file costs more than
// writing to it.
const gather = 1 << 20

func (s *sink) Write(b []byte) (int, error) {
	s.waiting = append(s.waiting, b...)
	if len(s.waiting) < gather {
		return len(b), nil
	}
	return len(b), s.flush()
}

func (s *sink) flush() error {
	err := s.f.append("unsaved/"+s.name, s.waiting)
	s.waiting = s.waiting[:0]
	return err
}

func (s *sink) Commit() error {
	if err := s.flush(); err != nil {
		return err
	}
	if _, err := await(s.f.disk.Call("save", s.name)); err != nil {
		return err
	}
	s.path = "files/" + s.name
	return nil
}

func (s *sink) Abort() {
	if s.path == "" {
		_ = s.f.remove("unsaved/" + s.name)
	}
}

// blob reads a Blob, or null as one without bytes.
type blob struct {
	file js.Value
	at   int64
	rest []byte
}

func (b *blob) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		if err := b.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *blob) more() error {
	if b.file.IsNull() || b.at >= int64(b.file.Get("size").Float()) {
		return io.EOF
	}
	buffer, err := await(b.file.Call("slice", b.at, b.at+gather).Call("arrayBuffer"))
	if err != nil {
		return err
	}
	b.rest = slice(js.Global().Get("Uint8Array").New(buffer))
	b.at += int64(len(b.rest))
	if len(b.rest) == 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (b *blob) Close() error { return nil }
