package hostile

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// Attacks over WebSocket and BOSH; the innocent pair talks over them, too.
func TestWebAttacks(t *testing.T) {
	v := attackWeb(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim)
	}{
		{"01-07 hostile XML in frames and bodies", testWebXML},
		{"46 WebSocket handshakes", testWebSocketHandshakes},
		{"46 WebSocket frames", testWebSocketFrames},
		{"46 a ping flood", testPingFlood},
		{"46 BOSH request ids", testRequestIDs},
		{"46 BOSH sessions and keys of others", testSessionsOfOthers},
		{"46 a thousand held requests", testHeldRequests},
		{"46 BOSH numbers", testNumbers},
		{"50 forwarded requests", testForwarded},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v)
			v.undisturbed(t)
		})
	}
}

func attackWeb(t *testing.T) *victim {
	t.Helper()
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--http", "127.0.0.1:0", "--http-plain", "127.0.0.1:0",
		"--set", "c2s.require_tls=false", "--set", "c2s.negotiation=10s", "--set", "c2s.write=10s", "--set", "limits.sessions=30",
	}})
	s.Accounts(password, "alice", "bob", "mallory", "witness")
	v := &victim{Server: s, ctx: t.Context()}
	p := &pair{stop: make(chan struct{})}
	alice, bob := v.over(t, v.websocket(), "alice"), v.over(t, v.bosh(), "bob")
	if err := bob.Send("<presence/>"); err != nil {
		t.Fatal(err)
	}
	for n := next(t, bob); n.Attr("from") != bob.JID; n = next(t, bob) {
	}
	p.run.Go(func() { p.write(alice) })
	p.run.Go(func() { p.read(v.ctx, bob) })
	t.Cleanup(func() {
		close(p.stop)
		bob.Kill()
		p.run.Wait()
	})
	v.pair = p
	return v
}

func (v *victim) websocket() xmppclient.Options {
	return xmppclient.Options{Domain: mirsal.Domain, WebSocket: "ws://" + v.Addr("http-plain") + "/ws"}
}

func (v *victim) bosh() xmppclient.Options {
	return xmppclient.Options{Domain: mirsal.Domain, BOSH: "https://" + v.Addr("http") + "/bosh"}
}

// over logs somebody in.
func (v *victim) over(t *testing.T, o xmppclient.Options, name string) *xmppclient.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	c, err := xmppclient.Dial(ctx, o)
	if err == nil {
		err = c.Login(ctx, name, password)
	}
	if err == nil {
		err = c.Bind(ctx, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

// testWebXML sends what the attacks 1 to 7 send over TCP, as a stranger and as
// somebody who is logged in.
func testWebXML(t *testing.T, v *victim) {
	witness := v.over(t, v.websocket(), "witness")
	to := "to='" + witness.JID + "'"
	for _, bad := range []string{
		billionLaugh + "<message><body>&c;</body></message>", "<message><body>&c;</body></message>",
		"<message " + numbered(1000, "a%d='' ") + "/>", "<message " + numbered(500, "xmlns:p%d='urn:x' ") + "/>",
		"<message><" + strings.Repeat("q", 5000) + "/></message>", "<message>" + strings.Repeat("<a>", 100_000), "<message><body>" + strings.Repeat("x", 2<<20),
		"<!-- x -->", "<message><![CDATA[x]]></message>", "<message><?php x?></message>", "<?xml version='1.0'?><message/>",
		"<message " + to + "><body>\xff</body></message>", "<message " + to + "><body>&#0;</body></message>", "<message " + to + "><body>\xed\xa0\x80</body></message>",
		"<message " + to + "><a b='1' b='2'/></message>", "<message " + to + "><p:x/></message>", "<message " + to + "><a></b></message>", "<message " + to + "><body>x</message>",
		"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' to='" + mirsal.Domain + "' version='1.0'/>", "</stream:stream>",
	} {
		v.refusedFrame(t, bad)
		v.refusedBody(t, bad)
	}
	v.witnessed(t, witness)
}

// refusedFrame sends a frame on an open stream, without and with a login.
func (v *victim) refusedFrame(t *testing.T, frame string) {
	t.Helper()
	for _, loggedIn := range []bool{false, true} {
		var ws *websocket.Conn
		if loggedIn {
			c := v.over(t, v.websocket(), "mallory")
			if err := c.Raw(frame); err != nil {
				continue // refused before all was sent
			}
			got, err := c.Next(v.ctx)
			if err == nil && !got.Is(xmppclient.NSStream, "error") {
				t.Errorf("logged in, %.80q: %s", frame, got)
			}
			c.Kill()
			continue
		}
		ws = v.openWebSocket(t)
		_ = ws.Write(v.ctx, websocket.MessageText, []byte(frame))
		got := untilClosed(v.ctx, ws)
		if !strings.Contains(got, "<stream:error") || !strings.HasSuffix(got, "<close xmlns='"+xmppclient.NSFraming+"'/>") {
			t.Errorf("%.80q: %.300q", frame, got)
		}
	}
}

// openWebSocket is one with a stream on it.
func (v *victim) openWebSocket(t *testing.T) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(v.ctx, v.websocket().WebSocket, &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	_ = ws.Write(v.ctx, websocket.MessageText, []byte("<open xmlns='"+xmppclient.NSFraming+"' to='"+mirsal.Domain+"' version='1.0'/>"))
	for range 2 {
		if _, _, err := ws.Read(v.ctx); err != nil {
			t.Fatal(err)
		}
	}
	return ws
}

// untilClosed is all that comes before the end.
func untilClosed(ctx context.Context, ws *websocket.Conn) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all strings.Builder
	for {
		_, b, err := ws.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return "still open"
			}
			return all.String()
		}
		all.Write(b)
	}
}

// refusedBody sends a body's content in a session of its own.
func (v *victim) refusedBody(t *testing.T, content string) {
	t.Helper()
	s := v.session(t, "")
	if got := s.post(t, 1, "", content); !strings.Contains(got, "type='terminate'") {
		t.Errorf("%.80q: %.300q", content, got)
	}
	if got := s.post(t, 1, "", ""); !strings.Contains(got, "type='terminate'") {
		t.Errorf("%.80q: the session goes on: %.300q", content, got)
	}
}

// session is a BOSH session by hand.
type session struct {
	*xmppclient.Poster
	sid   string
	first int
}

// session makes one; its requests are numbered from 1.
func (v *victim) session(t *testing.T, attrs string) *session {
	t.Helper()
	s := &session{Poster: xmppclient.NewPoster(v.bosh()), first: 4711}
	t.Cleanup(s.Drop)
	got := s.post(t, 0, " to='"+mirsal.Domain+"' wait='5' hold='1' ver='1.11' "+attrs, "")
	all, err := xmppclient.Parse(got, "")
	if err != nil || len(all) != 1 || all[0].Attr("sid") == "" || all[0].Child(xmppclient.NSStream, "features") == nil {
		t.Fatalf("no session: %s", got)
	}
	s.sid = all[0].Attr("sid")
	return s
}

func (s *session) text(n int, attrs, content string) string {
	if s.sid != "" {
		attrs += " sid='" + s.sid + "'"
	}
	return fmt.Sprintf("<body xmlns='%s' rid='%d' %s>%s</body>", xmppclient.NSBOSH, s.first+n, attrs, content)
}

func (s *session) post(t *testing.T, n int, attrs, content string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, got, err := s.Post(ctx, s.text(n, attrs, content))
	if err != nil {
		return "no answer: " + err.Error()
	}
	return got
}

const authSCRAM = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1tYWxsb3J5LHI9YWJjZGVmZ2hpag==</auth>"

func testRequestIDs(t *testing.T, v *victim) {
	s := v.session(t, "")
	challenge := s.post(t, 1, "", authSCRAM)
	if !strings.Contains(challenge, "<challenge") {
		t.Fatal(challenge)
	}
	for range 3 {
		if again := s.post(t, 1, "", authSCRAM); again != challenge {
			t.Errorf("a request sent again: %s instead of %s", again, challenge)
		}
	}
	if got := s.post(t, 50, "", ""); !strings.Contains(got, "condition='item-not-found'") {
		t.Errorf("a jump: %s", got)
	}
	if got := s.post(t, 2, "", ""); !strings.Contains(got, "condition='item-not-found'") {
		t.Errorf("after a jump: %s", got)
	}
	for _, n := range []int{-4710, -1} {
		s = v.session(t, "")
		if got := s.post(t, n, "", ""); !strings.Contains(got, "condition='item-not-found'") {
			t.Errorf("a request id of long ago: %s", got)
		}
	}
}

func testSessionsOfOthers(t *testing.T, v *victim) {
	seed := hash("seed")
	s := v.session(t, " newkey='"+hash(seed)+"'")
	if got := s.post(t, 1, " key='"+seed+"'", authSCRAM); !strings.Contains(got, "<challenge") {
		t.Errorf("the right key: %s", got)
	}
	if got := s.post(t, 2, " key='"+seed+"'", authSCRAM); !strings.Contains(got, "condition='item-not-found'") {
		t.Errorf("a key that was used: %s", got)
	}
	s = v.session(t, " newkey='"+hash(seed)+"'")
	if got := s.post(t, 1, "", authSCRAM); !strings.Contains(got, "condition='item-not-found'") {
		t.Errorf("no key: %s", got)
	}
	unknown := s.post(t, 1, "", "")
	s.sid = "nobodys"
	if got := s.post(t, 1, "", ""); got != unknown {
		t.Errorf("a session that never was: %s, one that is over: %s", got, unknown)
	}
}

func hash(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func testHeldRequests(t *testing.T, v *victim) {
	v.bounded(t, 96<<20, 0, func() {
		s := v.session(t, "")
		var ended sync.Map
		var all sync.WaitGroup
		for n := 1; n <= 1000; n++ {
			all.Go(func() {
				got := s.post(t, n, "", "")
				ended.Store(strings.Contains(got, "type='terminate'"), true)
			})
		}
		all.Wait()
		if _, ok := ended.Load(true); !ok {
			t.Error("a thousand requests at once and no end of the session")
		}
		if got := s.post(t, 1001, "", ""); !strings.Contains(got, "condition='item-not-found'") {
			t.Errorf("afterwards: %s", got)
		}
	})
}

func testNumbers(t *testing.T, v *victim) {
	p := xmppclient.NewPoster(v.bosh())
	defer p.Drop()
	for _, c := range []struct{ attrs, want string }{
		{"rid='9' wait='2147483648' hold='1000'", " wait='60' hold='1'"},
		{"rid='9' wait='99999999999999999999' hold='-1'", " wait='60' hold='1'"},
		{"rid='9' wait='-5' hold='x'", " wait='60' hold='1'"},
		{"rid='9007199254740992'", "condition='bad-request'"},
		{"rid='-1'", "condition='bad-request'"},
		{"rid='1e3'", "condition='bad-request'"},
		{"", "condition='bad-request'"},
	} {
		_, got, err := p.Post(v.ctx, "<body xmlns='"+xmppclient.NSBOSH+"' to='"+mirsal.Domain+"' "+c.attrs+"/>")
		if err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s %v", c.attrs, got, err)
		}
	}
	s := v.session(t, "")
	if got := s.post(t, 1, " pause='2147483648'", ""); !strings.HasPrefix(got, "<body") || strings.Contains(got, "terminate") {
		t.Errorf("a pause: %s", got)
	}
}

func testWebSocketHandshakes(t *testing.T, v *victim) {
	at := "http://" + v.Addr("http-plain") + "/ws"
	for _, offered := range []string{"", "chat", "xmpp-framing"} {
		r, _ := http.NewRequest("GET", at, nil)
		r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {offered}}
		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode != http.StatusBadRequest {
			t.Errorf("offering %q: %v %v", offered, answer, err)
		}
		answer.Body.Close()
	}
	o := v.websocket()
	o.Header = http.Header{"Origin": {"https://elsewhere.example"}}
	v.over(t, o, "mallory").Kill()
}

func testWebSocketFrames(t *testing.T, v *victim) {
	open := "<open xmlns='" + xmppclient.NSFraming + "' to='%s' version='1.0'/>"
	ws, _, err := websocket.Dial(v.ctx, v.websocket().WebSocket, &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	_ = ws.Write(v.ctx, websocket.MessageText, []byte(fmt.Sprintf(open, "other.example")))
	if got := untilClosed(v.ctx, ws); !strings.Contains(got, "<host-unknown") {
		t.Errorf("another host: %s", got)
	}
	for name, frames := range map[string]string{
		"two stanzas":     frame(0x81, "<message xmlns='jabber:client'/><message xmlns='jabber:client'/>"),
		"half a stanza":   frame(0x81, "<message xmlns='jabber:client'>") + frame(0x81, "</message>"),
		"text":            frame(0x81, "text"),
		"nothing":         frame(0x81, ""),
		"binary":          frame(0x82, "<message xmlns='jabber:client'/>"),
		"64-bit length":   "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00" + strings.Repeat("<", 1<<20),
		"many fragments":  frame(0x01, "<message xmlns='jabber:client'>") + strings.Repeat(frame(0x00, "<a/>"), 100_000),
		"another stream":  frame(0x81, fmt.Sprintf(open, mirsal.Domain)),
		"no mask":         "\x81\x04<a/>",
		"unknown opcodes": frame(0x8b, "x"),
	} {
		c := v.rawWebSocket(t)
		go write(c, frames)
		got := ending(t, c)
		if strings.Contains(got, "<iq") {
			t.Errorf("%s: %.300q", name, got)
		}
	}
	c := v.rawWebSocket(t)
	write(c, frame(0x88, "\x03\xe8")+frame(0x81, authSCRAM))
	if got := ending(t, c); strings.Contains(got, "<challenge") {
		t.Error("text after the close frame is heard")
	}
}

func testPingFlood(t *testing.T, v *victim) {
	told := v.rawWebSocket(t)
	write(told, strings.Repeat(frame(0x89, "x"), 100))
	readUntil(t, told, "<policy-violation")
	v.bounded(t, 32<<20, 0, func() {
		c := v.rawWebSocket(t)
		for range 50 {
			write(c, strings.Repeat(frame(0x89, strings.Repeat("x", 125)), 1000)) // and nobody reads the pongs
		}
		c.Close()
	})
}

// frame is a client's WebSocket frame with a mask of zeros.
func frame(first byte, text string) string {
	n := len(text)
	if n < 126 {
		return string([]byte{first, 0x80 | byte(n), 0, 0, 0, 0}) + text
	}
	return string([]byte{first, 0xfe, byte(n >> 8), byte(n), 0, 0, 0, 0}) + text
}

// rawWebSocket is one made by hand, with a stream on it.
func (v *victim) rawWebSocket(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", v.Addr("http-plain"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_, _ = io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"+
		frame(0x81, "<open xmlns='"+xmppclient.NSFraming+"' to='"+mirsal.Domain+"' version='1.0'/>"))
	readUntil(t, c, "</stream:features>")
	return c
}

func testForwarded(t *testing.T, v *victim) {
	for _, path := range []string{"/", "/bosh", "/ws", "/.well-known/host-meta"} {
		for _, h := range []string{"Forwarded: for=127.0.0.1;proto=https", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example", "X-Real-IP: 127.0.0.1"} {
			r, _ := http.NewRequest("GET", "http://"+v.Addr("http-plain")+path, nil)
			k, value, _ := strings.Cut(h, ": ")
			r.Header.Set(k, value)
			answer, err := http.DefaultClient.Do(r)
			if err != nil || answer.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %s: %v %v", path, h, answer.StatusCode, err)
			}
			answer.Body.Close()
		}
	}
	r, _ := http.NewRequest("GET", "http://"+v.Addr("http-plain")+"/.well-known/host-meta.json", nil)
	r.Host = "evil.example"
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if b, _ := io.ReadAll(answer.Body); strings.Contains(string(b), "evil") || !strings.Contains(string(b), "https://"+mirsal.Domain) {
		t.Errorf("host-meta for another Host: %s", b)
	}
}
