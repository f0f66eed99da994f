package conn

import (
	"io"
	"testing"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// papers are frames of a test's.
type papers struct{ in, out []string }

func (p *papers) read() ([]byte, error) {
	if len(p.in) == 0 {
		return nil, io.EOF
	}
	b := p.in[0]
	p.in = p.in[1:]
	return []byte(b), nil
}

func (p *papers) write(b []byte) error { p.out = append(p.out, string(b)); return nil }
func (p *papers) close() error         { return nil }

func TestEachElementIsAFrame(t *testing.T) {
	p := &papers{in: []string{
		"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>", "<message xmlns='jabber:client'/>", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
	}}
	f := &framed{frames: p, limits: bounds(false)}
	f.Open(stream.Header{From: jid.MustParse("alice@example.org"), To: jid.MustParse("example.org"), Lang: "en"})
	f.Write([]byte("<a/>"), []byte("<b/>"))
	f.End()
	want := []string{"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='alice@example.org' to='example.org' xml:lang='en' version='1.0'/>", "<a/>", "<b/>", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"}
	for i := range want {
		if i >= len(p.out) || p.out[i] != want[i] {
			t.Fatalf("written: %q", p.out)
		}
	}
	for _, want := range []xtok.Event{xtok.Open, xtok.Element, xtok.Close} {
		if ev, _, err := f.Read(); ev != want || err != nil {
			t.Errorf("read: %v, %v", ev, err)
		}
	}
	if _, _, err := f.Read(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestWhatIsNoFrameEndsTheStream(t *testing.T) {
	for _, bad := range []string{"", " <a/>", "<a/><b/>", "text", "<a>", "<?xml version='1.0'?><a/>", "<!-- --><a/>"} {
		f := &framed{frames: &papers{in: []string{bad}}, limits: bounds(true)}
		if _, _, err := f.Read(); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
