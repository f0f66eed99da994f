package httpd

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"mirsal/internal/limits"
)

// telephone is a service whose connections begin with "\x00tele" and which answers by what
// came.
func telephone(cert []tls.Certificate, served func()) *Share {
	return &Share{
		TLS: &tls.Config{Certificates: cert, NextProtos: []string{"tele", "http/1.1"}}, Protocols: []string{"tele"}, Most: 5,
		May: func(b []byte) bool { return strings.HasPrefix("\x00tele", string(b)) },
		Serve: func(c net.Conn) {
			served()
			b := make([]byte, 8)
			if _, err := io.ReadFull(c, b); err == nil {
				c.Write(append([]byte("heard "), b...))
			}
			c.Close()
		},
	}
}

// sharedSide serves a web side at a port that it shares.
func sharedSide(t *testing.T, s *side, l net.Listener, served func()) *http.Server {
	ts := httptest.NewTLSServer(nil)
	defer ts.Close()
	srv := &http.Server{
		Handler: s.h, ReadHeaderTimeout: 10 * time.Second,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return WithConn(ctx, c, Conn{Place: limits.PeerBehind(c), EndPoint: func(st *tls.ConnectionState) []byte {
				return fmt.Append(nil, st.HandshakeComplete, st.Version)
			}})
		},
	}
	go srv.Serve(telephone(ts.TLS.Certificates, served).Listener(l))
	t.Cleanup(func() { srv.Close() })
	return srv
}

func TestAConnectionIsWhoseItsFirstBytesAre(t *testing.T) {
	s := newSide(t, budgets(50))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sharedSide(t, s, s.cfg.Limits.Listener(l, limits.Web), func() {})
	const get = "GET /.well-known/host-meta HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n"
	for name, c := range map[string]struct {
		protocols  []string
		say, hears string
	}{
		"the web, by name":           {[]string{"http/1.1"}, get, "HTTP/1.1 200"},
		"the web":                    {nil, get, "HTTP/1.1 200"},
		"the other, by name":         {[]string{"tele"}, "12345678", "heard 12345678"},
		"the other":                  {nil, "\x00tele678", "heard \x00tele678"},
		"both, by name":              {[]string{"http/1.1", "tele"}, "12345678", "heard 12345678"},
		"the other's, in the web's":  {[]string{"http/1.1"}, "\x00tele678\r\n\r\n", "HTTP/1.1 400"},
		"nearly the other":           {nil, "\x00telx678\r\n\r\n", "HTTP/1.1 400"},
		"neither, and shorter":       {nil, "\x01\r\n\r\n", "HTTP/1.1 400"},
		"a request that comes alone": {nil, "G", ""},
	} {
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: c.protocols})
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		io.WriteString(conn, c.say)
		if c.hears == "" {
			conn.CloseWrite()
		}
		got, _ := io.ReadAll(conn)
		if !bytes.HasPrefix(got, []byte(c.hears)) || c.hears == "HTTP/1.1 200" && !bytes.Contains(got, []byte("XRD")) {
			t.Errorf("%s: %.100q", name, got)
		}
		conn.Close()
	}
	plain, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	io.WriteString(plain, get)
	if got, _ := io.ReadAll(plain); !bytes.Contains(got, []byte("HTTPS")) {
		t.Errorf("without TLS: %q", got)
	}
}

// What is behind an http.Server that does not see TLS knows of it all the same.
func TestAStreamAtASharedPortIsBoundToItsTLS(t *testing.T) {
	s := newSide(t, budgets(50))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sharedSide(t, s, s.cfg.Limits.Listener(l, limits.Web), func() {})
	for _, protocols := range [][]string{nil, {"http/1.1"}} {
		web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}}}
		ws, _, err := websocket.Dial(t.Context(), "wss://"+l.Addr().String()+"/ws", &websocket.DialOptions{Subprotocols: []string{"xmpp"}, HTTPClient: web})
		if err != nil {
			t.Fatal(err)
		}
		a := <-s.streams
		if !a.via.Secure || len(a.via.Bindings) != 1 || string(a.via.Bindings[0].Data) != fmt.Sprint(true, tls.VersionTLS13) {
			t.Errorf("%+v", a.via)
		}
		if n := s.cfg.Limits.Held(limits.Web); n != 0 {
			t.Errorf("a stream holds %d places of the web's", n)
		}
		ws.CloseNow()
		a.Close()
	}
}

// listening is a listener whose connections synctest knows.
type listening struct{ conns chan net.Conn }

func (l listening) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (listening) Close() error   { return nil }
func (listening) Addr() net.Addr { return &net.TCPAddr{} }

func TestFirstBytesAreWaitedForAsLongAsARequest(t *testing.T) {
	for name, slowly := range map[string]string{"nothing": "", "the other's": "\x00tele678", "the web's": "GET / HT"} {
		synctest.Test(t, func(t *testing.T) {
			s := newSide(t, nil)
			l := listening{make(chan net.Conn)}
			srv := sharedSide(t, s, l, func() { t.Error(name, "was served") })
			a, b := net.Pipe()
			l.conns <- b
			c := tls.Client(a, &tls.Config{InsecureSkipVerify: true})
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			begun, gone := time.Now(), make(chan time.Duration)
			go func() {
				io.Copy(io.Discard, c)
				gone <- time.Since(begun)
			}()
			var run sync.WaitGroup
			run.Go(func() {
				for i := range slowly {
					io.WriteString(c, slowly[i:i+1])
					time.Sleep(3 * time.Second)
				}
			})
			if took := <-gone; took != 10*time.Second {
				t.Errorf("%s: after %s", name, took)
			}
			a.Close()
			run.Wait()
			close(l.conns)
			srv.Close()
		})
	}
}
