package jingle_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/xtok"
)

// folder is where the recorded exchanges are.
const folder = "testdata/exchanges"

// call is an Invite or a Session.
type call interface{ Append([]byte) []byte }

// read reads either.
func read(e xtok.Elem) (call, error) {
	if e.NS() == jingle.NSInvite {
		v, err := jingle.ParseInvite(e)
		return v, err
	}
	v, err := jingle.ParseSession(e)
	return v, err
}

// fataler is a testing.T, a testing.F or a rapid.T.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// written requires of what was read that it is written within its limit, and
// read again as the same and written as the same.
func written(t fataler, v call) []byte {
	t.Helper()
	out := v.Append(nil)
	most := jingle.MostSession
	if _, ok := v.(jingle.Invite); ok {
		most = jingle.MostInvite
	}
	if len(out) > most {
		t.Fatalf("%d bytes are written, more than %d: %s", len(out), most, out)
	}
	e, err := xtok.Parse(out, xtok.Limits{})
	if err != nil {
		t.Fatalf("what is written is no XML: %v: %s", err, out)
	}
	again, err := read(e)
	if err != nil {
		t.Fatalf("what is written is not read: %v: %s", err, out)
	}
	if !reflect.DeepEqual(again, v) {
		t.Fatalf("written and read again it is another:\n%+v\n%+v\n%s", v, again, out)
	}
	if b := again.Append(nil); !bytes.Equal(b, out) {
		t.Fatalf("it is not written the same twice:\n%s\n%s", out, b)
	}
	return out
}

// second is the second reader: a child process with expat, which knows the
// grammar from docs/protocol/calls.md.
type second struct {
	in    io.WriteCloser
	out   io.Reader
	batch [][]byte
	seen  map[string]bool
	Count int // elements that it has looked at
}

func startSecond(t testing.TB) *second {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("python3 is missing; it drives expat")
		}
		t.Skip("needs python3, which drives expat")
	}
	c := exec.Command(python, "testdata/reader.py", "../../../docs/protocol/calls.md")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := &second{in: in, out: out, seen: map[string]bool{}}
	t.Cleanup(func() {
		in.Close()
		c.Wait()
	})
	return s
}

// check has an element looked at, with others at a time. The same bytes are
// looked at once.
func (s *second) check(t fataler, doc []byte) {
	t.Helper()
	if s.seen[string(doc)] {
		return
	}
	if len(s.seen) > 1<<18 {
		s.seen = map[string]bool{}
	}
	s.seen[string(doc)] = true
	s.batch = append(s.batch, bytes.Clone(doc))
	if len(s.batch) == 1000 {
		s.finish(t)
	}
}

// finish has the last of them looked at.
func (s *second) finish(t fataler) {
	t.Helper()
	msg := binary.BigEndian.AppendUint32(nil, uint32(len(s.batch)))
	for _, doc := range s.batch {
		msg = append(binary.BigEndian.AppendUint32(msg, uint32(len(doc))), doc...)
	}
	s.Count += len(s.batch)
	s.batch = s.batch[:0]
	if said := s.ask(t, msg); said != "" {
		t.Fatalf("the second reader: %s", said)
	}
}

func (s *second) ask(t fataler, msg []byte) string {
	t.Helper()
	if _, err := s.in.Write(msg); err != nil {
		t.Fatalf("the second reader: %v", err)
	}
	var head [4]byte
	if _, err := io.ReadFull(s.out, head[:]); err != nil {
		t.Fatalf("the second reader: %v", err)
	}
	answer := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(s.out, answer); err != nil {
		t.Fatalf("the second reader: %v", err)
	}
	return string(answer)
}

// complaint is what the second reader says of one element, "" for nothing.
func (s *second) complaint(t fataler, doc string) string {
	t.Helper()
	msg := binary.BigEndian.AppendUint32(nil, 1)
	msg = binary.BigEndian.AppendUint32(msg, uint32(len(doc)))
	return s.ask(t, append(msg, doc...))
}
