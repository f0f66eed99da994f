package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"mirsal/internal/xmpp/stanza"
)

// sending is an upload with all that it needs.
type sending struct {
	web   *web
	slots *slots
	out   Outgoing
	plain []byte
	tells [][2]int64
}

func newSending(size int) *sending {
	s := &sending{web: &web{files: map[string][]byte{}}, slots: &slots{}, plain: random(20, size)}
	s.out = Outgoing{Name: "trip to Sanaa.JPG", Size: int64(size), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(s.plain)), nil
	}}
	return s
}

func (s *sending) run(ctx context.Context) (Link, error) {
	t := &Transfers{Doer: s.web, Rand: rand.Reader}
	return t.Upload(ctx, s.out, s.slots.ask, func(done, total int64) { s.tells = append(s.tells, [2]int64{done, total}) })
}

// arrived checks that whoever gets the link gets the file.
func (s *sending) arrived(t *testing.T) Link {
	t.Helper()
	sent, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, ok := ReadLink(sent.Text(), Policy{})
	if !ok {
		t.Fatalf("%q is no link", sent.Text())
	}
	d := &scene{web: s.web, plain: s.plain, part: &memoryPart{}, d: FromLink("m", l)}
	d.arrived(t)
	return l
}

func (s *sending) refused(t *testing.T, want Kind) *Failure {
	t.Helper()
	_, err := s.run(t.Context())
	var f *Failure
	if !errors.As(err, &f) || f.Kind != want {
		t.Fatalf("got %v, want the kind %s", err, want)
	}
	return f
}

func TestAnUploadArrivesWholeWhateverHappensOnTheWay(t *testing.T) {
	for name, set := range map[string]func(*sending){
		"nothing":                     func(*sending) {},
		"it breaks in the middle":     func(s *sending) { s.web.steps = []step{{after: 100_000}} },
		"it breaks at the end":        func(s *sending) { s.web.steps = []step{{err: errBroke}, {err: errBroke}} },
		"nothing moves for long":      func(s *sending) { s.web.steps = []step{{stall: true}} },
		"the slot is used, or over":   func(s *sending) { s.web.steps = []step{{answer: answer(409, nil)}, {answer: answer(404, nil)}} },
		"the server is busy":          func(s *sending) { s.web.steps = []step{{answer: answer(503, nil)}} },
		"there is no connection":      func(s *sending) { s.slots.errs = []error{errBroke, errBroke} },
		"the service is out of order": func(s *sending) { s.slots.errs = []error{stanza.Errorf(stanza.InternalServerError, "")} },
	} {
		bubbled(t, name, func(t *testing.T) {
			s := newSending(3*chunk + 77)
			set(s)
			s.arrived(t)
			if last := s.tells[len(s.tells)-1]; last[0] != last[1] {
				t.Errorf("the last progress is %v", last)
			}
		})
	}
}

func TestNoKeyEncryptsTwoThings(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s := newSending(1000)
		s.web.steps = []step{{err: errBroke}, {err: errBroke}}
		s.arrived(t)
		if len(s.web.got) != 3 || bytes.Equal(s.web.got[0], s.web.got[1]) || bytes.Equal(s.web.got[1], s.web.got[2]) {
			t.Errorf("%d attempts, some of them alike", len(s.web.got))
		}
		if len(s.slots.asked) != 3 {
			t.Errorf("%d slots", len(s.slots.asked))
		}
	})
}

func TestTheServerIsToldNeitherNameNorTypeNorContent(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s := newSending(1000)
		l := s.arrived(t)
		r := s.slots.asked[0]
		if !strings.HasSuffix(r.Name, ".jpg") || strings.Contains(r.Name, "Sanaa") || len(r.Name) > 200 || r.Type != Octets || r.Size != 1016 {
			t.Errorf("asked %+v", r)
		}
		if l.Name != "trip to Sanaa.JPG" {
			t.Errorf("who has the link reads %q", l.Name)
		}
		if p := s.web.puts[0]; p.Size != 1016 || p.Type != Octets || len(p.Headers) != 1 {
			t.Errorf("put %+v", p)
		}
		if bytes.Contains(s.web.got[0], s.plain[:16]) {
			t.Error("the file went in the clear")
		}
	})
	bubbled(t, "unless it may know the name", func(t *testing.T) {
		s := newSending(1000)
		s.out.ShowName = true
		if l := s.arrived(t); l.Name != "trip to Sanaa.JPG" {
			t.Errorf("%q", l.Name)
		}
	})
}

func TestAnEmptyFileCanBeSent(t *testing.T) {
	bubbled(t, "", func(t *testing.T) { newSending(0).arrived(t) })
}

func TestAFileThatChangesIsNotSent(t *testing.T) {
	for name, now := range map[string]int{"shorter": 999, "longer": 1001, "much longer": 200_000, "nothing": 0} {
		bubbled(t, name, func(t *testing.T) {
			s := newSending(now)
			s.out.Size = 1000
			s.refused(t, Changed)
			if len(s.web.files) > 0 {
				t.Error("it was kept")
			}
		})
	}
	bubbled(t, "or cannot be opened", func(t *testing.T) {
		s := newSending(1)
		s.out.Open = func() (io.ReadCloser, error) { return nil, errBroke }
		s.refused(t, Local)
	})
}

func TestRefusalsOfUploadsAreToldInPlainWords(t *testing.T) {
	app := func(xml string) *stanza.StanzaError {
		e := stanza.Errorf(stanza.NotAcceptable, "File too large. \u202e evil\x1b[2J")
		e.App = []byte(xml)
		return e
	}
	retry := app("<retry xmlns='" + NSUpload + "' stamp='2030-01-02T03:04:05Z'/>")
	retry.Condition, retry.Kind = stanza.ResourceConstraint, "wait"
	for name, c := range map[string]struct {
		err    error
		status int
		most   int64
		want   Kind
		text   string
	}{
		"too large, by the slot": {err: app("<file-too-large xmlns='" + NSUpload + "'><max-file-size>20000</max-file-size></file-too-large>"), want: TooLarge, most: 20000,
			text: "the file is too large; at most 20.0 kB are allowed. The server says: File too large. evil[2J"},
		"too large, without a number": {err: app(""), want: TooLarge},
		"a hostile number":            {err: app("<file-too-large xmlns='" + NSUpload + "'><max-file-size>-7</max-file-size></file-too-large>"), want: TooLarge},
		"the quota":                   {err: retry, want: Full, text: "the server has no more room for this account's files; delete some, or try again later. The server says: File too large. evil[2J"},
		"no member":                   {err: stanza.Errorf(stanza.Forbidden, "Members only"), want: Refused, text: "the server takes no file from this account. The server says: Members only"},
		"no service":                  {err: stanza.Errorf(stanza.ServiceUnavailable, ""), want: Refused, text: "the server takes no files"},
		"too large, by the PUT":       {status: 413, want: TooLarge, text: "the file is too large"},
		"no room":                     {status: 507, want: Full},
		"not allowed":                 {status: 403, want: Refused},
		"a redirect":                  {status: 302, want: Refused},
	} {
		bubbled(t, name, func(t *testing.T) {
			s := newSending(10)
			s.slots.errs = []error{c.err}
			if c.status != 0 {
				s.web.steps = []step{{answer: answer(c.status, nil)}}
			}
			f := s.refused(t, c.want)
			if f.Most != c.most || c.text != "" && f.Text != c.text || c.err == retry && f.Retry.Year() != 2030 {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestAFileAboveTheServicesLimitIsNotEvenAskedFor(t *testing.T) {
	s := newSending(1000)
	s.out.Most = 1015
	if s.refused(t, TooLarge); len(s.slots.asked) > 0 {
		t.Error("asked")
	}
}

func TestUploadsGoNowhereInTheClear(t *testing.T) {
	for _, bad := range []string{"http://up.example/x", "http://127.0.0.1/x", "ftp://up.example/x", "//up.example/x"} {
		for _, slot := range []Slot{{Put: bad, Get: "https://up.example/x"}, {Put: "https://up.example/x", Get: bad}} {
			s := newSending(10)
			tr := &Transfers{Doer: s.web, Rand: rand.Reader}
			_, err := tr.Upload(t.Context(), s.out, func(context.Context, Request) (Slot, error) { return slot, nil }, nil)
			if k := kindOf(err); k != Insecure && k != Unreadable || len(s.web.puts) > 0 {
				t.Errorf("%v: %v, %d puts", slot, err, len(s.web.puts))
			}
		}
	}
}

func TestABodyThatIsReadInAnyStepsIsTheSame(t *testing.T) {
	src := Source{Key: random(1, 32), IV: random(2, 12)}
	s := newSending(2*chunk + 3)
	want := reference(t, src.Key, src.IV, s.plain)
	for _, step := range []int{1, 15, 16, 17, 4096, chunk, 1 << 20} {
		body, err := seal(s.out, src, &meter{moved: func() {}})
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, body, make([]byte, step)); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("step %d: %v", step, err)
		}
		if err := errors.Join(body.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	d := FromLink("id", Link{Source: Source{URL: "https://up.example/secret-path", Cipher: AES256, Key: []byte("kkkkkkkkkkkkkkkk"), IV: []byte("iv")}})
	for _, f := range []string{"%v", "%+v", "%s"} {
		if s := fmt.Sprintf(f, d); strings.Contains(s, "secret-path") || strings.Contains(s, "107 107") || strings.Contains(s, "kkk") {
			t.Errorf("%s prints %s", f, s)
		}
	}
}
