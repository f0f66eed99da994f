package httpd

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"mirsal/internal/c2s"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/xtok"
)

// side is a web side whose streams the test plays c2s for.
type side struct {
	*Server
	h       http.Handler
	streams chan arrival
}

type arrival struct {
	net.Conn
	via c2s.Via
}

func newSide(t *testing.T, change func(*Config)) *side {
	t.Helper()
	domain, err := jid.Parse("example.org")
	if err != nil {
		t.Fatal(err)
	}
	s := &side{streams: make(chan arrival, 100)}
	cfg := Config{
		Domain: domain, RequireTLS: true, HTTPS: "5443", Log: slog.New(slog.DiscardHandler),
		Before: xtok.Limits{Size: 1000, Depth: 10, Attrs: 20, Name: 64, Prefixes: 10, Nodes: 100},
		After:  xtok.Limits{Size: 10_000, Depth: 50, Attrs: 50, Name: 256, Prefixes: 50, Nodes: 1000},
		Bindings: func(_ *tls.ConnectionState, endPoint []byte) []sasl.Binding {
			return []sasl.Binding{{Type: "tls-server-end-point", Data: endPoint}}
		},
		Accept: func(nc net.Conn, via c2s.Via) { s.streams <- arrival{nc, via} },
	}
	if change != nil {
		change(&cfg)
	}
	s.Server = New(cfg)
	mux := http.NewServeMux()
	s.Routes(mux)
	s.h = s.Guard(mux)
	return s
}

// ask asks from an address, with headers as "Name: value".
func (s *side) ask(method, url, from, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	r.RemoteAddr = from
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

// got is what c2s would read now, without waiting for more.
func (a arrival) got(t *testing.T) string {
	t.Helper()
	var all string
	b := make([]byte, 100_000)
	for {
		synctest.Wait()
		c, ok := a.Conn.(*bosh)
		if !ok {
			t.Fatal("not BOSH")
		}
		c.mu.Lock()
		waiting := len(c.in)
		c.mu.Unlock()
		if waiting == 0 {
			return all
		}
		n, err := a.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		all += string(b[:n])
	}
}

func (a arrival) say(t *testing.T, text string) {
	t.Helper()
	if _, err := a.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

const (
	greeting = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='S' from='example.org' xml:lang='en' version='1.0'>"
	features = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
)

func network(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }

// askHost asks for a path at a URL, with another Host header where host is no URL.
func (s *side) askHost(at, host, from string, headers []string, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", strings.TrimSuffix(at, "/")+path, nil)
	r.RemoteAddr = from
	if !strings.Contains(host, "://") {
		r.Host = host
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}
