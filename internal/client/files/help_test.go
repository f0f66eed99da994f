package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
)

// web is a Doer that keeps files in memory and breaks connections as told. Each
// request takes the next step; when they are used up all goes well.
type web struct {
	files map[string][]byte // by GET address
	etag  string
	steps []step
	gets  []GetRequest
	puts  []PutRequest
	got   [][]byte // bodies of puts, as far as they came
}

// step is what happens to one request.
type step struct {
	err     error   // no answer at all
	answer  *Answer // instead of the file
	after   int     // bytes until the body breaks off, 0 never
	whole   bool    // Range is ignored
	unsized bool    // no Content-Length
	stall   bool    // nothing ever comes
	before  func()  // the file changes meanwhile
}

func (w *web) next() (s step) {
	if len(w.steps) > 0 {
		s, w.steps = w.steps[0], w.steps[1:]
	}
	if s.before != nil {
		s.before()
	}
	return s
}

var errBroke = errors.New("the connection broke")

// breaking gives a text and then an error.
type breaking struct {
	r   io.Reader
	err error
}

func (b *breaking) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func (*breaking) Close() error { return nil }

func answer(status int, body []byte) *Answer {
	return &Answer{Status: status, Size: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body))}
}

func (w *web) Get(ctx context.Context, r GetRequest) (*Answer, error) {
	w.gets = append(w.gets, r)
	s := w.next()
	switch {
	case s.stall:
		<-ctx.Done()
		return nil, ctx.Err()
	case s.err != nil:
		return nil, s.err
	case s.answer != nil:
		return s.answer, nil
	}
	all, there := w.files[r.URL]
	if !there {
		return answer(404, nil), nil
	}
	return w.serve(r, s, all), nil
}

func (w *web) serve(r GetRequest, s step, all []byte) *Answer {
	a := answer(200, all)
	if from := int(r.From); from > 0 && !s.whole && (r.ETag == "" || r.ETag == w.etag) {
		if from >= len(all) {
			a = answer(416, nil)
			a.ContentRange = fmt.Sprintf("bytes */%d", len(all))
			return a
		}
		a = answer(206, all[from:])
		a.ContentRange = fmt.Sprintf("bytes %d-%d/%d", from, len(all)-1, len(all))
	}
	a.ETag = w.etag
	if s.unsized {
		a.Size = -1
	}
	if s.after > 0 {
		a.Body = &breaking{io.LimitReader(a.Body, int64(s.after)), errBroke}
	}
	return a
}

func (w *web) Put(ctx context.Context, r PutRequest) (*Answer, error) {
	w.puts = append(w.puts, r)
	s := w.next()
	body := io.Reader(r.Body)
	if s.after > 0 {
		body = io.LimitReader(body, int64(s.after))
	}
	b, err := io.ReadAll(body)
	w.got = append(w.got, b)
	switch {
	case err != nil:
		return nil, err
	case s.stall:
		<-ctx.Done()
		return nil, ctx.Err()
	case s.answer != nil:
		return s.answer, nil
	case s.err != nil || s.after > 0:
		return nil, errBroke
	}
	w.files[strings.Replace(r.URL, "/put/", "/get/", 1)] = b
	return answer(201, nil), nil
}

// slots is an upload service's side of a web.
type slots struct {
	asked []Request
	errs  []error // one for each question, nil for a slot; then slots
}

func (s *slots) ask(_ context.Context, r Request) (Slot, error) {
	s.asked = append(s.asked, r)
	if len(s.errs) > 0 {
		err := s.errs[0]
		s.errs = s.errs[1:]
		if err != nil {
			return Slot{}, err
		}
	}
	n, name := len(s.asked), url.PathEscape(r.Name)
	return Slot{
		Put: fmt.Sprintf("https://up.example/put/%d/%s", n, name), Get: fmt.Sprintf("https://up.example/get/%d/%s", n, name),
		Headers: []Header{{"Authorization", "Basic x"}},
	}, nil
}

// memoryPart is a Part.
type memoryPart struct {
	b       []byte
	removed bool
}

func (p *memoryPart) Size() (int64, error) { return int64(len(p.b)), nil }

func (p *memoryPart) Append(b []byte) error {
	p.b = append(p.b, b...)
	return nil
}

func (p *memoryPart) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(p.b)), nil }
func (p *memoryPart) Cut() error                   { p.b = nil; return nil }
func (p *memoryPart) Remove() error                { p.b, p.removed = nil, true; return nil }

// memorySink is a Sink that notes what was committed.
type memorySink struct {
	bytes.Buffer
	committed, aborted int
}

func (s *memorySink) Commit() error { s.committed++; return nil }
func (s *memorySink) Abort()        { s.aborted++ }

// scene is one download with all that it needs.
type scene struct {
	web   *web
	t     *Transfers
	d     Download
	plain []byte
	part  *memoryPart
	sinks []*memorySink
	notes []Download
	tells [][2]int64
}

const place = "https://files.example/get/a.bin"

// newScene is a file of so many bytes, encrypted, on the web.
func newScene(size int) *scene {
	plain, key, iv := random(9, size), random(10, 32), random(11, 12)
	return &scene{
		web:   &web{files: map[string][]byte{place: reference(nil2{}, key, iv, plain)}, etag: `"one"`},
		plain: plain, part: &memoryPart{},
		d: Download{ID: "m1", Source: Source{URL: place, Cipher: AES256, Key: key, IV: iv}, Name: "a.bin", Size: -1, Total: -1},
	}
}

// nil2 is a testing.TB for what cannot fail.
type nil2 struct{ testing.TB }

func (nil2) Helper() {}

func (s *scene) run(ctx context.Context) error {
	s.t = &Transfers{Doer: s.web, Rand: rand.Reader}
	return s.t.Download(ctx, s.d, Fetch{
		Part: s.part,
		Sink: func() (Sink, error) {
			s.sinks = append(s.sinks, &memorySink{})
			return s.sinks[len(s.sinks)-1], nil
		},
		Note: func(d Download) { s.notes = append(s.notes, d) },
		Tell: func(done, total int64) { s.tells = append(s.tells, [2]int64{done, total}) },
	})
}

// arrived checks that the file was committed once, right, and nothing else was.
func (s *scene) arrived(t *testing.T) {
	t.Helper()
	if err := s.run(t.Context()); err != nil {
		t.Fatalf("Download: %v", err)
	}
	last := s.sinks[len(s.sinks)-1]
	if last.committed != 1 || !bytes.Equal(last.Bytes(), s.plain) {
		t.Errorf("committed %d times, %d bytes, want %d", last.committed, last.Len(), len(s.plain))
	}
	if !s.part.removed {
		t.Error("the part is still there")
	}
	for _, sink := range s.sinks[:len(s.sinks)-1] {
		if sink.committed != 0 || sink.aborted == 0 {
			t.Error("a file that was none was committed, or not aborted")
		}
	}
}

// refused checks that it failed in one way and nothing was committed.
func (s *scene) refused(t *testing.T, want Kind) *Failure {
	t.Helper()
	err := s.run(t.Context())
	var f *Failure
	if !errors.As(err, &f) || f.Kind != want {
		t.Fatalf("got %v, want the kind %s", err, want)
	}
	for _, sink := range s.sinks {
		if sink.committed != 0 || sink.aborted == 0 {
			t.Error("a file that was none was committed, or not aborted")
		}
	}
	if want == Tampered && !s.part.removed {
		t.Error("the part is still there")
	}
	if strings.Contains(err.Error(), "/get/") {
		t.Errorf("the error tells the link: %v", err)
	}
	return f
}
