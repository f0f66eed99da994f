package httpd

import (
	"testing"

	"mirsal/internal/xmpp/xtok"
)

// events are what c2s finds in the bytes of a stream that has begun.
func events(t *testing.T, b []byte) []xtok.Event {
	t.Helper()
	s := xtok.New(xtok.Limits{})
	header := appendHeader(nil, xtok.Elem{}, "1.0")
	if ev, n, err := s.Next(header); ev != xtok.Open || n != len(header) || err != nil {
		t.Fatal(ev, err)
	}
	var all []xtok.Event
	for len(b) > 0 {
		ev, n, err := s.Next(b)
		if err != nil || ev == xtok.More {
			t.Fatalf("%q is no part of a stream: %v", b, err)
		}
		all = append(all, ev)
		b = b[n:]
	}
	return all
}

// Whatever a frame holds, c2s finds exactly what was checked.
func FuzzAFrameIsOneEvent(f *testing.F) {
	for _, s := range []string{"<a/>", "<a xmlns='u'><b/>x</a>", "<close xmlns='" + nsFraming + "'/>", "<a/><b/>", "<p:a xmlns:p='u' xml:lang='de'/>", "<a b='>'/>", "<a xmlns='&amp;'/>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		c := &wsConn{limits: xtok.Limits{Size: 1 << 16, Depth: 50, Attrs: 50, Name: 256, Prefixes: 50, Nodes: 1000}}
		b, err := c.unframe(frame)
		if err != nil {
			return
		}
		if e, err := xtok.Parse(frame, xtok.Limits{}); err != nil {
			t.Fatalf("%q was taken: %v", frame, err)
		} else if e.Is(nsFraming, "open") {
			return // its header is c2s's to judge
		}
		if all := events(t, b); len(all) != 1 {
			t.Fatalf("%q became %q: %v", frame, b, all)
		}
	})
}

// Each child of a body is one element of the stream.
func FuzzABodyIsItsChildren(f *testing.F) {
	for _, s := range []string{"", "<a/>", "<message/><iq xmlns='jabber:client'/>", "<b:body/>", "<message xmlns:p='u'><p:a/></message>", "<message a=\" xmlns='http://jabber.org/protocol/httpbind'\"/>"} {
		f.Add([]byte("<body xmlns='" + nsBind + "' xmlns:b='" + nsBind + "' rid='1'>" + s + "</body>"))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := xtok.Parse(body, xtok.Limits{Size: 1 << 16, Depth: 50, Attrs: 50, Name: 256, Prefixes: 50, Nodes: 1000})
		if err != nil {
			return
		}
		q, ok := readReq(e)
		if !ok || q.restarts() {
			return
		}
		want := 0
		for range e.Children() {
			want++
		}
		if q.terminates() {
			want++
		}
		if all := events(t, q.appendStream(nil)); len(all) != want {
			t.Fatalf("%q became %d events instead of %d", body, len(all), want)
		}
	})
}
