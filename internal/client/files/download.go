package files

import (
	"context"
	"errors"
	"io"
	"strings"
)

// Download is a file to fetch, and how far that has come. It is a value: what its
// row keeps. It holds secrets.
type Download struct {
	ID     string `json:"id"` // whose it is; the engine's own
	Source Source `json:"source"`
	Name   string `json:"name"`             // clean
	Type   string `json:"type,omitempty"`   // media type, as declared
	Size   int64  `json:"size"`             // of the file itself, as declared; -1 unknown
	Sums   []Sum  `json:"sums,omitempty"`   // of the file itself
	Most   int64  `json:"most"`             // bytes that it may have; 0 for no limit
	Target string `json:"target,omitempty"` // where it goes; the engine's own

	// What the server has said, for a later attempt.
	ETag  string `json:"etag,omitempty"`
	Total int64  `json:"total"` // bytes as they lie there, -1 unknown; 0 is unknown too
}

// FromLink is the download of a link's file.
func FromLink(id string, l Link) Download {
	return Download{ID: id, Source: l.Source, Name: l.Name, Size: -1, Total: -1}
}

// FromShare is the download of a shared file from one of its sources.
func FromShare(id string, s *Share, from Source) Download {
	return Download{ID: id, Source: from, Name: s.Name, Type: s.Type, Size: s.Size, Sums: s.Sums, Total: -1}
}

// Part keeps what has come of a file, as it came: encrypted, if it is.
type Part interface {
	Size() (int64, error)         // 0 when there is nothing
	Append(b []byte) error        // at its end
	Open() (io.ReadCloser, error) // from its beginning
	Cut() error                   // to nothing
	Remove() error                // when it is not needed any more
}

// Sink takes a file that may yet turn out to be none: what is written is nowhere to be
// seen before Commit.
type Sink interface {
	io.Writer
	Commit() error // the file is there, durable
	Abort()        // it never was; does nothing after Commit
}

// Fetch is what a download works with.
type Fetch struct {
	Part Part
	Sink func() (Sink, error) // a new one; may be asked for twice
	// Note is told when the server has said what the next attempt can begin with: to be
	// put into the download's row. It may be nil.
	Note func(Download)
	Tell Progress // may be nil
}

// Download fetches a file: what is missing of it, where a former attempt got some, and
// decrypts it into the sink, which is committed only if all of it is what was
// sent. Errors are Failures, or ctx's; after ctx's, and after Unreachable, the part stays,
// and the download can be taken up again, also by another run of the program.
func (t *Transfers) Download(ctx context.Context, d Download, f Fetch) error {
	if d.Total <= 0 {
		d.Total = -1
	}
	if err := d.Source.usable(t.Policy); err != nil {
		return err
	}
	if d.Most > 0 && d.Size > d.Most {
		return tooLarge(d.Most)
	}
	g := &getting{t: t, d: d, f: f}
	err := g.whole(ctx)
	if kindOf(err) == Tampered && g.doubtful {
		if err = g.restart(); err == nil {
			err = g.whole(ctx)
		}
	}
	switch k := kindOf(err); {
	case err == nil, k == Tampered, k == Gone, k == TooLarge, k == Unreadable:
		return errors.Join(err, local(f.Part.Remove()))
	}
	return err
}

// kindOf is the kind of a Failure, "" for other errors and for none.
func kindOf(err error) Kind {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return ""
}

// getting is a download that runs.
type getting struct {
	t *Transfers
	d Download
	f Fetch
	// doubtful: the part comes from more than one answer, or from an earlier run, or its
	// end was taken for the file's. It may be pieces of two files, have holes from a power
	// cut, or lack its end: once, it is fetched again before anybody is blamed.
	doubtful bool
}

// whole fetches all and decrypts it.
func (g *getting) whole(ctx context.Context) error {
	if err := g.t.retry(ctx, g.attempt); err != nil {
		return err
	}
	return g.unseal(ctx)
}

func (g *getting) restart() error {
	g.doubtful, g.d.ETag, g.d.Total = false, "", -1
	return local(g.f.Part.Cut())
}

// local makes an error of this machine's disk one for people.
func local(err error) error {
	if err == nil {
		return nil
	}
	return fail(Local, err, "the file cannot be kept on this device")
}

// proven tells whether what was put together from pieces will be found out if they do
// not belong together.
func (g *getting) proven() bool {
	want, _ := strongest(g.d.Sums)
	return g.d.Source.Cipher != Clear || want != nil
}

// attempt fetches what is missing.
func (g *getting) attempt(ctx context.Context) (reached int64, err error) {
	have, err := g.have()
	if err != nil {
		return 0, err
	}
	if g.d.Total > 0 && have == g.d.Total {
		g.doubtful = true
		return have, nil
	}
	ctx, moved, stop := g.t.watch(ctx)
	defer stop()
	a, err := g.t.Doer.Get(ctx, GetRequest{URL: g.d.Source.URL, From: have, ETag: g.d.ETag})
	if err != nil {
		return have, blame(ctx, err)
	}
	defer a.Body.Close()
	moved()
	from, err := g.begin(a, have)
	if err != nil {
		return have, err
	}
	m := &meter{done: from, told: from, total: g.d.Total, moved: moved, tell: g.f.Tell}
	m.say()
	err = g.take(ctx, a.Body, m)
	return m.done, err
}

// have is how much of the file is here and can be built upon.
func (g *getting) have() (int64, error) {
	n, err := g.f.Part.Size()
	if err != nil {
		return 0, local(err)
	}
	if n > 0 && (g.d.Total > 0 && n > g.d.Total || g.d.ETag == "" && !g.proven()) {
		return 0, g.restart()
	}
	return n, nil
}

// begin reads the head of an answer and says from which byte its body goes on.
// RFC 9110 §13.1.5, §14.4
func (g *getting) begin(a *Answer, have int64) (from int64, err error) {
	switch a.Status {
	case 200:
		return 0, g.fresh(a, have)
	case 206:
		first, total, ok := contentRange(a.ContentRange)
		other := g.d.ETag != "" && a.ETag != "" && a.ETag != g.d.ETag || g.d.Total > 0 && total > 0 && total != g.d.Total
		if !ok || first != have || have == 0 || other {
			return 0, g.again("the server sent another part than was asked for")
		}
		g.doubtful = true
		return have, g.learn(g.d.ETag, total)
	case 416:
		if _, total, ok := contentRange(a.ContentRange); ok && total == have && have > 0 {
			g.d.Total, g.doubtful = total, true
			return have, nil // all of it was here; nothing is left to take
		}
		return 0, g.again("the server has less than was here already")
	}
	return 0, answered(a)
}

// again begins anew in the next attempt.
func (g *getting) again(why string) error {
	if err := g.restart(); err != nil {
		return err
	}
	return may(errors.New(why))
}

// fresh begins the file with an answer that has all of it.
func (g *getting) fresh(a *Answer, have int64) error {
	if have > 0 {
		if err := g.restart(); err != nil {
			return err
		}
	}
	g.d.Total = -1 // what an earlier answer said is of no account
	return g.learn(strong(a.ETag), a.Size)
}

// learn notes what an answer says of the whole file, and refuses too large ones before
// a byte of them has come.
func (g *getting) learn(etag string, total int64) error {
	if total < 0 {
		total = g.d.Total
	}
	if most := g.most(); most > 0 && total > most {
		return g.large()
	}
	if changed := etag != g.d.ETag || total != g.d.Total; !changed {
		return nil
	}
	g.d.ETag, g.d.Total = etag, total
	if g.f.Note != nil {
		g.f.Note(g.d)
	}
	return nil
}

// slack is how many bytes a file may have beyond its declared size: padding, which is
// cut off.
// XEP-0448#file-receive
const slack = 1 << 20

// most is how many bytes may come, 0 for any number.
func (g *getting) most() int64 {
	most := g.d.Most
	if g.d.Size >= 0 && (most == 0 || g.d.Size+slack < most) {
		most = g.d.Size + slack
	}
	if most == 0 {
		return maxPlain + tagSize
	}
	return most + tagSize
}

func (g *getting) large() error {
	if g.d.Size >= 0 && (g.d.Most == 0 || g.d.Size+slack < g.d.Most) {
		return fail(Tampered, nil, "the file is not the size that its sender said")
	}
	return tooLarge(g.d.Most)
}

// take appends a body to the part.
func (g *getting) take(ctx context.Context, body io.Reader, m *meter) error {
	buf, most := make([]byte, chunk), g.most()
	for m.total < 0 || m.done < m.total {
		n, err := body.Read(buf)
		if m.total >= 0 {
			n = int(min(int64(n), m.total-m.done)) // more than was announced is not ours
		}
		if m.done+int64(n) > most {
			return g.large()
		}
		if n > 0 {
			if err := g.f.Part.Append(buf[:n]); err != nil {
				return local(err)
			}
			m.add(n)
		}
		switch {
		case err == io.EOF && m.total < 0:
			g.d.Total, g.doubtful = m.done, true
			return nil
		case err != nil && (m.total < 0 || m.done < m.total):
			return blame(ctx, err)
		}
	}
	return nil
}

// strong is an ETag that If-Range may be asked with, else "".
// RFC 9110 §8.8.3, §13.1.5
func strong(etag string) string {
	inner, ok := strings.CutPrefix(etag, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if !ok || !closed || len(etag) > 256 || inner == "" || !printable(inner) || strings.Contains(inner, `"`) {
		return ""
	}
	return etag
}

// contentRange reads the first byte and the size of the whole: "bytes 5-9/10", "bytes
// */10" (first -1), "bytes 5-9/*" (total -1).
// RFC 9110 §14.4
func contentRange(s string) (first, total int64, ok bool) {
	s, isBytes := strings.CutPrefix(s, "bytes ")
	span, all, two := strings.Cut(s, "/")
	total = number(all, 1<<62)
	if !isBytes || !two || total < 0 && all != "*" {
		return 0, 0, false
	}
	if span == "*" {
		return -1, total, true
	}
	a, b, two := strings.Cut(span, "-")
	first, last := number(a, 1<<62), number(b, 1<<62)
	return first, total, two && first >= 0 && last >= first && (total < 0 || last < total)
}
