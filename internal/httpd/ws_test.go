package httpd

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mirsal/internal/xmpp/xtok"
)

// dialed is a WebSocket: our end of it as c2s sees it, and the client's.
type dialed struct {
	arrival
	ws *websocket.Conn
}

func dial(t *testing.T, s *side) *dialed {
	t.Helper()
	srv := httptest.NewServer(s.h)
	ws, answer, err := websocket.Dial(t.Context(), srv.URL+"/ws", &websocket.DialOptions{
		Subprotocols: []string{"other", "xmpp"}, HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}}, CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	if ws.Subprotocol() != "xmpp" || answer.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Error(answer.Header)
	}
	ws.SetReadLimit(-1)
	d := &dialed{<-s.streams, ws}
	t.Cleanup(func() {
		ws.CloseNow()
		d.Close()
		srv.Close()
	})
	return d
}

func (d *dialed) send(t *testing.T, frame string) {
	t.Helper()
	if err := d.ws.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
}

func (d *dialed) receive(t *testing.T) string {
	t.Helper()
	kind, b, err := d.ws.Read(t.Context())
	if err != nil || kind != websocket.MessageText {
		t.Fatal(kind, err)
	}
	return string(b)
}

// read is what the stream has next: n bytes, or an error.
func (d *dialed) read(n int) (string, error) {
	b := make([]byte, n)
	n, err := io.ReadFull(d, b)
	return string(b[:n]), err
}

func TestFramesAreAStream(t *testing.T) {
	d := dial(t, newSide(t, nil))
	if d.via.Name != "websocket" || !d.via.Secure || d.via.Bindings != nil {
		t.Error(d.via)
	}
	for _, c := range []struct{ frame, want string }{
		{"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0' xml:lang='d&apos;e'/>",
			"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' xml:lang='d&apos;e' version='1.0'>"},
		{"<f:open xmlns:f='urn:ietf:params:xml:ns:xmpp-framing' from='a@example.org'></f:open>",
			"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='a@example.org'>"},
		{"<message xmlns='jabber:client'><body>x</body></message>", "<message xmlns='jabber:client'><body>x</body></message>"},
		{"<message><body>x</body></message>", "<message xmlns=''><body>x</body></message>"},
		{"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "</stream:stream>"},
	} {
		d.send(t, c.frame)
		if got, err := d.read(len(c.want)); got != c.want || err != nil {
			t.Errorf("%s\n got %s %v\nwant %s", c.frame, got, err, c.want)
		}
	}
}

func TestAStreamIsFrames(t *testing.T) {
	d := dial(t, newSide(t, nil))
	d.say(t, greeting)
	d.say(t, features)
	d.say(t, "<message xmlns='jabber:client'>1</message><message>2</message><r xmlns='urn:xmpp:sm:3'/>")
	d.say(t, greeting) // restarted
	d.say(t, "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
	open := "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='S' from='example.org' version='1.0' xml:lang='en'/>"
	for _, want := range []string{
		open, "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
		"<message xmlns='jabber:client'>1</message>", "<message xmlns='jabber:client'>2</message>", "<r xmlns='urn:xmpp:sm:3'/>", open,
		"<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
		"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
	} {
		if got := d.receive(t); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	if _, err := d.Write([]byte("<message>")); err == nil {
		t.Error("half an element was sent")
	}
}

// RFC 7395 §3.3
func TestAFrameIsExactlyOneElement(t *testing.T) {
	for frame, condition := range map[string]string{
		"": "not-well-formed", " ": "not-well-formed", "text": "not-well-formed", " <a/>": "not-well-formed",
		"<a xmlns='u'/><b xmlns='u'/>": "not-well-formed", "<a xmlns='u'/>text": "not-well-formed", "<a xmlns='u'>": "not-well-formed", "</a>": "not-well-formed",
		"<?xml version='1.0'?><a xmlns='u'/>": "restricted-xml", "<!-- x --><a xmlns='u'/>": "restricted-xml", "<a xmlns='u'/><!-- x -->": "restricted-xml",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>": "restricted-xml", "<a xmlns='u'>&b;</a>": "restricted-xml", "<p:a/>": "bad-namespace-prefix",
		"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>":  "not-well-formed",
		"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'/>": "invalid-namespace",
		"</stream:stream>": "not-well-formed", "<a xmlns='u'>" + strings.Repeat("x", 1000) + "</a>": "policy-violation",
		"<a>" + strings.Repeat("<a>", 20) + strings.Repeat("</a>", 20) + "</a>": "policy-violation",
	} {
		d := dial(t, newSide(t, nil))
		d.send(t, frame)
		_, err := d.read(1)
		var bad *xtok.Error
		if !errors.As(err, &bad) || bad.Condition != condition {
			t.Errorf("%q: %v instead of %s", frame, err, condition)
		}
	}
}

func TestBinaryFramesAreRefused(t *testing.T) {
	d := dial(t, newSide(t, nil))
	if err := d.ws.Write(t.Context(), websocket.MessageBinary, []byte("<a/>")); err != nil {
		t.Fatal(err)
	}
	var bad *xtok.Error
	if _, err := d.read(1); !errors.As(err, &bad) {
		t.Error(err)
	}
}

func TestFramesMayBeLongerOnceThereIsASession(t *testing.T) {
	d := dial(t, newSide(t, nil))
	d.via.Bound()
	long := "<a xmlns='u'>" + strings.Repeat("x", 5000) + "</a>"
	d.send(t, long)
	if got, err := d.read(len(long)); got != long {
		t.Error(err)
	}
	d.send(t, "<a xmlns='u'>"+strings.Repeat("x", 10_000)+"</a>")
	if _, err := d.read(1); err == nil {
		t.Error("longer than any stanza")
	}
}

func TestWithoutTheSubprotocolThereIsNoWebSocket(t *testing.T) {
	s := newSide(t, nil)
	for _, offered := range []string{"", "chat", "xmpp2, chat"} {
		w := s.ask("GET", "/ws", "127.0.0.1:1", "", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: "+offered)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "xmpp") {
			t.Errorf("%q: %d %s", offered, w.Code, w.Body)
		}
	}
	w := s.ask("GET", "/ws", "127.0.0.1:1", "", "Sec-WebSocket-Protocol: xmpp")
	if w.Code != http.StatusUpgradeRequired {
		t.Error("no WebSocket at all:", w.Code)
	}
}

func TestWhatAnEndedWebSocketIsToTheStream(t *testing.T) {
	for name, end := range map[string]func(*dialed){
		"closed in order": func(d *dialed) { d.ws.Close(websocket.StatusNormalClosure, "") },
		"going away":      func(d *dialed) { d.ws.Close(websocket.StatusGoingAway, "") },
		"cut":             func(d *dialed) { d.ws.CloseNow() },
	} {
		d := dial(t, newSide(t, nil))
		go end(d)
		_, err := d.Read(make([]byte, 10))
		var bad *xtok.Error
		if err == nil || errors.As(err, &bad) {
			t.Error(name, err)
		}
	}
}

func TestClosingSaysGoodbyeAndFreesTheReader(t *testing.T) {
	d := dial(t, newSide(t, nil))
	if _, err := d.Write([]byte(greeting)); err != nil || d.receive(t) == "" {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		_, err := d.Read(make([]byte, 10))
		read <- err
	}()
	closed := make(chan error)
	go func() { closed <- d.Close() }()
	_, _, err := d.ws.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Error(err)
	}
	if <-read == nil || <-closed != nil {
		t.Error("not closed in order")
	}
	if d.Close() == nil {
		t.Error("closed twice")
	}
}

func TestAPeerThatDoesNotAnswerIsCutOff(t *testing.T) {
	s := newSide(t, nil)
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	nc, _ := rawDial(t, srv.URL)
	defer nc.Close()
	a := <-s.streams
	a.say(t, greeting)
	_ = a.Close() // returns, though nobody answers
	if _, err := a.Read(make([]byte, 1)); err == nil {
		t.Error("still open")
	}
}

func TestAWebSocketsReadsEndWithTheirDeadline(t *testing.T) {
	d := dial(t, newSide(t, nil))
	_ = d.SetReadDeadline(time.Now().Add(-time.Second))
	_, err := d.read(1)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

// rawDial makes a WebSocket by hand.
func rawDial(t *testing.T, url string) (net.Conn, *bufio.Reader) {
	t.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(nc, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"+rawFrame(0x81, "<early xmlns='u'/>"))
	r := bufio.NewReader(nc)
	answer, err := http.ReadResponse(r, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(answer, err)
	}
	return nc, r
}

// rawFrame is a client's frame with a mask of zeros.
func rawFrame(first byte, text string) string {
	b := []byte{first}
	switch n := len(text); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0xfe), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0xff), uint64(n))
	}
	return string(b) + "\x00\x00\x00\x00" + text
}

// What no browser sends.
func TestHostileFrames(t *testing.T) {
	for name, c := range map[string]struct{ bytes, want string }{
		"fragments":                   {rawFrame(0x01, "<a xml") + rawFrame(0x00, "ns='u'") + rawFrame(0x89, "ping") + rawFrame(0x80, "/>"), "<a xmlns='u'/>"},
		"fragments that are too long": {rawFrame(0x01, "<a xmlns='u'>") + strings.Repeat(rawFrame(0x00, strings.Repeat("x", 100)), 11), "policy-violation"},
		"64-bit length":               {"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00<a>" + strings.Repeat("x", 2000), "policy-violation"},
		"negative length":             {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", "ended"},
		"no mask":                     {"\x81\x04<a/>", "ended"},
		"reserved bits":               {rawFrame(0xc1, "<a/>"), "ended"},
		"unknown opcode":              {rawFrame(0x83, "<a/>"), "ended"},
		"continuation of nothing":     {rawFrame(0x80, "<a/>"), "ended"},
		"a message inside another":    {rawFrame(0x01, "<a") + rawFrame(0x81, "<b/>"), "ended"},
		"a fragmented ping":           {rawFrame(0x09, "x"), "ended"},
		"a long ping":                 {rawFrame(0x89, strings.Repeat("x", 126)), "ended"},
		"text after close":            {rawFrame(0x88, "\x03\xe8") + rawFrame(0x81, "<a xmlns='u'/>"), "ended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSide(t, nil)
			srv := httptest.NewServer(s.h)
			defer srv.Close()
			nc, _ := rawDial(t, srv.URL)
			defer nc.Close()
			d := &dialed{arrival: <-s.streams}
			defer d.Close()
			const early = "<early xmlns='u'/>"
			if got, err := d.read(len(early)); got != early {
				t.Fatal("what came with the handshake:", got, err)
			}
			_ = d.SetReadDeadline(time.Now().Add(20 * time.Second))
			io.WriteString(nc, c.bytes)
			got, err := d.read(len("<a xmlns='u'/>"))
			var bad *xtok.Error
			switch {
			case errors.As(err, &bad):
				got = bad.Condition
			case err != nil:
				got = "ended"
			}
			if got != c.want {
				t.Errorf("%s instead of %s (%v)", got, c.want, err)
			}
		})
	}
}

func TestAPingFloodEndsTheStream(t *testing.T) {
	s := newSide(t, nil)
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	nc, r := rawDial(t, srv.URL)
	defer nc.Close()
	a := <-s.streams
	defer a.Close()
	over := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, a)
		over <- err
	}()
	io.WriteString(nc, strings.Repeat(rawFrame(0x89, "abcd"), controlMost))
	got := make([]byte, controlMost*6)
	_ = nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadFull(r, got); err != nil || strings.Count(string(got), "\x8a\x04abcd") != controlMost {
		t.Error("the pongs:", err)
	}
	go io.WriteString(nc, strings.Repeat(rawFrame(0x89, "abcd"), 2000))
	var bad *xtok.Error
	if err := <-over; !errors.As(err, &bad) || bad.Condition != "policy-violation" {
		t.Error(err)
	}
	a.say(t, greeting+"<stream:error xmlns:stream='http://etherx.jabber.org/streams'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
	go a.Close()
	_ = nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	if rest, _ := io.ReadAll(r); !strings.Contains(string(rest), "<policy-violation") {
		t.Errorf("the client hears %q", rest)
	}
}

func TestAQuietWebSocketIsPinged(t *testing.T) {
	s := newSide(t, nil)
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	nc, r := rawDial(t, srv.URL)
	defer nc.Close()
	a := <-s.streams
	defer a.Close()
	go io.Copy(io.Discard, a)
	go a.Conn.(*wsConn).tick()
	head := make([]byte, 2)
	_ = nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadFull(r, head); err != nil || head[0] != 0x89 {
		t.Errorf("%x %v", head, err)
	}
}

func TestOneWriteIsOneWriteBelow(t *testing.T) {
	ours, theirs := net.Pipe()
	b := &burst{Conn: ours, from: ours}
	b.hold()
	b.Write([]byte("one"))
	b.Write([]byte("two"))
	done := make(chan error)
	go func() { done <- b.release() }()
	p := make([]byte, 100)
	if n, err := theirs.Read(p); string(p[:n]) != "onetwo" || err != nil {
		t.Error(string(p[:n]), err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
