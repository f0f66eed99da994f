package httpd

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"mirsal/internal/limits"
)

// budgets are the defaults with requests like connections: so many a second.
func budgets(connections int) func(*Config) {
	return func(c *Config) {
		cfg := limits.Default()
		cfg.Connections = connections
		c.Limits = limits.New(cfg, limits.NewMetrics(nil), c.Log)
	}
}

func TestRequestsHaveAPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(t, budgets(1))
		codes := func(n int, method, path, from string) map[int]int {
			got := map[int]int{}
			for range n {
				w := s.ask(method, path, from, "<body/>")
				got[w.Code]++
				if w.Code == http.StatusTooManyRequests && (w.Header().Get("Connection") != "close" || w.Header().Get("Retry-After") == "") {
					t.Error(w.Header())
				}
			}
			return got
		}
		for _, c := range []struct{ method, url, from string }{
			{"GET", "https://example.org/nothing", "192.0.2.1:5"}, {"POST", "https://example.org/bosh", "192.0.3.1:5"}, {"GET", "https://example.org/ws", "192.0.4.1:5"},
		} {
			if got := codes(30, c.method, c.url, c.from); got[http.StatusTooManyRequests] != 10 {
				t.Errorf("%s: %v", c.url, got)
			}
		}
		if got := codes(30, "GET", "/nothing", "127.0.0.1:5"); got[http.StatusTooManyRequests] != 0 {
			t.Errorf("an exempt address: %v", got)
		}
	})
}

// Who has logged in is paced by the session, whatever others behind the address do.
func TestABoundSessionHasItsOwnPaceOfRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits.Default()
		cfg.Exempt, cfg.Connections = nil, 1
		s := newSide(t, func(c *Config) { c.Limits = limits.New(cfg, limits.NewMetrics(nil), c.Log) })
		k, waiting := begin(t, s, ""), begin(t, s, "")
		k.via.Bound()
		for s.ask("GET", "/nothing", "127.0.0.1:5", "").Code != http.StatusTooManyRequests {
		}
		q := k.post(101, "", "")
		k.say(t, "<message xmlns='jabber:client'/>")
		if got := q.text(); !strings.Contains(got, "<message") {
			t.Errorf("logged in: %q", got)
		}
		if q := waiting.post(101, "", ""); q.held() || q.w.Code != http.StatusTooManyRequests {
			t.Error("not logged in:", q.w.Code)
		}
		b, paused := k.arrival.Conn.(*bosh), false
		for range 10 * cfg.Stanzas * 2 {
			paused = paused || b.pay(100) > 0
		}
		if !paused {
			t.Error("a session's requests have no pace")
		}
		k.Close()
		waiting.Close()
	})
}

func TestFramesAreCountedHoweverTheyArrive(t *testing.T) {
	frame := func(first byte, n int) string {
		switch {
		case n < 126:
			return string([]byte{first, 0x80 | byte(n), 1, 2, 3, 4}) + strings.Repeat("\x89", n)
		case n < 1<<16:
			return string([]byte{first, 0xfe, byte(n >> 8), byte(n), 1, 2, 3, 4}) + strings.Repeat("\x89", n)
		}
		return string([]byte{first, 0xff, 0, 0, 0, 0, 0, byte(n >> 16), byte(n >> 8), byte(n), 1, 2, 3, 4}) + strings.Repeat("\x89", n)
	}
	all := []byte(frame(0x01, 5) + frame(0x00, 0) + frame(0x89, 125) + frame(0x80, 300) + frame(0x8a, 0) + frame(0x81, 70_000) + frame(0x81, 1))
	for _, size := range []int{1, 2, 3, 7, 1000, len(all)} {
		var m meter
		frames, control := 0, 0
		for rest := all; len(rest) > 0; {
			n := min(size, len(rest))
			f, c := m.count(rest[:n])
			frames, control, rest = frames+f, control+c, rest[n:]
		}
		if frames != 7 || control != 2 {
			t.Errorf("by %d bytes: %d frames, %d of control", size, frames, control)
		}
	}
}

// A fragment may be empty: a stranger's frames have the pace of a stranger's elements.
func TestEmptyFragmentsHaveAPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(t, budgets(1))
		c := &wsConn{meter: meter{pace: s.cfg.Limits.Raw(false)}}
		begun := time.Now()
		for range 1000 {
			if err := c.charge([]byte{0, 0x80, 0, 0, 0, 0}); err != nil {
				t.Fatal(err)
			}
		}
		// 200 at once, then 20 a second
		if took := time.Since(begun); took < 35*time.Second || took > 45*time.Second {
			t.Errorf("a thousand took %v", took)
		}
	})
}

// pipes is a listener for a server in a bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// from makes a pipe the connection of an address.
type from struct {
	net.Conn
	addr string
}

func (c from) RemoteAddr() net.Addr { a, _ := net.ResolveTCPAddr("tcp", c.addr); return a }

func TestABodyThatDoesNotComeHoldsNoConnection(t *testing.T) {
	for path, patience := range map[string]time.Duration{"/nothing": leftPatience, "/.well-known/host-meta": leftPatience, "/bosh": bodyPatience} {
		for _, head := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
			synctest.Test(t, func(t *testing.T) {
				s := newSide(t, nil)
				p := &pipes{make(chan net.Conn), make(chan struct{})}
				srv := &http.Server{Handler: s.h}
				go srv.Serve(p)
				ours, theirs := net.Pipe()
				p.conns <- from{theirs, "127.0.0.1:5"}
				begun := time.Now()
				go io.WriteString(ours, "POST "+path+" HTTP/1.1\r\nHost: example.org\r\n"+head+"\r\n\r\n")
				if _, err := io.ReadAll(ours); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took > patience+2*leftPatience {
					t.Errorf("%s, %s: held for %v", path, head, took)
				}
				ours.Close()
				srv.Close()
			})
		}
	}
}

// A request that is held has no deadline from its body.
func TestAHeldRequestOutlivesItsBodysTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(t, nil)
		p := &pipes{make(chan net.Conn), make(chan struct{})}
		srv := &http.Server{Handler: s.h}
		go srv.Serve(p)
		ours, theirs := net.Pipe()
		p.conns <- from{theirs, "127.0.0.1:5"}
		body := "<body xmlns='" + nsBind + "' rid='100' to='example.org' wait='60' hold='1'/>"
		go io.WriteString(ours, "POST /bosh HTTP/1.1\r\nHost: example.org\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
		a := <-s.streams
		time.Sleep(bodyPatience + 15*time.Second)
		a.say(t, greeting+features)
		b := make([]byte, 4096)
		if n, err := ours.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), "HTTP/1.1 200") || !strings.Contains(string(b[:n]), " sid=") {
			t.Error(string(b[:n]), err)
		}
		ours.Close()
		a.Close()
		srv.Close()
	})
}

// A connection is a place of the web's until it is a stream, which is counted where
// streams are; and the certificate that binds it is the one it was shown.
func TestAWebSocketLeavesItsPlaceToAStream(t *testing.T) {
	for name, proxied := range map[string]bool{"directly": false, "through a proxy": true} {
		t.Run(name, func(t *testing.T) {
			s := newSide(t, budgets(50))
			s.cfg.Trusted = network("127.0.0.1/32")
			srv := httptest.NewUnstartedServer(s.h)
			srv.Listener = s.cfg.Limits.Listener(srv.Listener, limits.Web)
			srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
				if n := s.cfg.Limits.Held(limits.Web); n != 1 {
					t.Errorf("%d places for one connection", n)
				}
				return WithConn(ctx, c, Conn{Place: limits.PeerBehind(c), EndPoint: func(*tls.ConnectionState) []byte { return []byte("as shown") }})
			}
			srv.StartTLS()
			defer srv.Close()
			o := &websocket.DialOptions{Subprotocols: []string{"xmpp"}, HTTPClient: srv.Client(), HTTPHeader: http.Header{}}
			if proxied {
				o.HTTPHeader.Set("X-Forwarded-For", "192.0.2.1")
				o.HTTPHeader.Set("X-Forwarded-Proto", "https")
			}
			ws, _, err := websocket.Dial(t.Context(), srv.URL+"/ws", o)
			if err != nil {
				t.Fatal(err)
			}
			a := <-s.streams
			defer a.Close()
			defer ws.CloseNow()
			if a.via.Counted == proxied || len(a.via.Bindings) != 1 || string(a.via.Bindings[0].Data) != "as shown" {
				t.Errorf("%+v", a.via)
			}
			if s.cfg.Limits.Held(limits.Web) != 0 {
				t.Error("a stream holds a place of the web's")
			}
		})
	}
}
