package httpd

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyTrustedProxiesAreBelieved(t *testing.T) {
	s := newSide(t, func(c *Config) { c.Trusted = append(network("127.0.0.1/32"), network("10.0.0.0/8")...) })
	for _, c := range []struct {
		name, peer string
		tls        bool
		headers    map[string]string
		want       string // address and what is known, or "refused"
	}{
		{"nobody in between", "192.0.2.1:5", false, nil, "192.0.2.1:5"},
		{"TLS", "192.0.2.1:5", true, nil, "192.0.2.1:5 private"},
		{"this machine", "127.0.0.1:5", false, nil, "127.0.0.1:5 private"},
		{"this machine, IPv6", "[::1]:5", false, nil, "[::1]:5 private"},
		{"a stranger who claims", "192.0.2.1:5", true, map[string]string{"X-Forwarded-For": "127.0.0.1"}, "refused"},
		{"a stranger who claims otherwise", "192.0.2.1:5", true, map[string]string{"Forwarded": "for=127.0.0.1"}, "refused"},
		{"a stranger who claims a scheme", "192.0.2.1:5", false, map[string]string{"X-Forwarded-Proto": "https"}, "refused"},
		{"a stranger who claims by another header", "192.0.2.1:5", true, map[string]string{"X-Real-IP": "127.0.0.1"}, "refused"},
		{"this machine's other address", "[::1]:5", false, map[string]string{"X-Forwarded-For": "192.0.2.9"}, "refused"},
		{"a proxy", "127.0.0.1:5", false, map[string]string{"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "https"}, "192.0.2.9:0 private"},
		{"a proxy for one without TLS", "127.0.0.1:5", false, map[string]string{"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "http"}, "192.0.2.9:0"},
		{"a proxy that tells no scheme", "127.0.0.1:5", false, map[string]string{"X-Forwarded-For": "192.0.2.9"}, "192.0.2.9:0"},
		{"a proxy that tells no client", "127.0.0.1:5", false, map[string]string{"X-Forwarded-Proto": "https"}, "refused"},
		{"TLS from the proxy to us only", "10.0.0.1:5", true, map[string]string{"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "http"}, "192.0.2.9:0"},
		{"what the client wrote before the proxy", "127.0.0.1:5", false, map[string]string{"X-Forwarded-For": "127.0.0.1, 192.0.2.9", "X-Forwarded-Proto": "http"}, "192.0.2.9:0"},
		{"another whom the client names", "127.0.0.1:5", false, map[string]string{"X-Forwarded-For": "198.51.100.7, 192.0.2.9", "X-Forwarded-Proto": "http"}, "192.0.2.9:0"},
		{"two proxies", "127.0.0.1:5", false, map[string]string{"X-Forwarded-For": "192.0.2.9, 10.1.1.1", "X-Forwarded-Proto": "https"}, "192.0.2.9:0 private"},
		{"two proxies, two schemes", "127.0.0.1:5", false, map[string]string{"X-Forwarded-For": "192.0.2.9, 10.1.1.1", "X-Forwarded-Proto": "http, https"}, "192.0.2.9:0"},
		{"what the client wrote in the other header", "127.0.0.1:5", false, map[string]string{"Forwarded": "for=203.0.113.9;proto=https", "X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "http"}, "192.0.2.9:0"},
		{"the other header alone", "127.0.0.1:5", false, map[string]string{"Forwarded": "for=203.0.113.9;proto=https"}, "refused"},
		{"no address", "127.0.0.1:5", false, map[string]string{"X-Forwarded-For": "localhost"}, "refused"},
		{"a proxy for this machine", "127.0.0.1:5", false, map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"}, "127.0.0.1:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.believed(t, c.peer, c.tls, c.headers); got != c.want {
				t.Errorf("%s instead of %s", got, c.want)
			}
		})
	}
}

func TestProxiesThatSpeakByRFC7239(t *testing.T) {
	s := newSide(t, func(c *Config) { c.Trusted, c.RFC7239 = network("127.0.0.1/32"), true })
	for _, c := range []struct {
		name    string
		headers map[string]string
		want    string
	}{
		{"a proxy", map[string]string{"Forwarded": `for="[2001:db8::1]:47";proto=https;by=x`}, "[2001:db8::1]:47 private"},
		{"hidden", map[string]string{"Forwarded": "for=_hidden;proto=https"}, "refused"},
		{"what the client wrote before", map[string]string{"Forwarded": "for=203.0.113.9;proto=https, for=192.0.2.9;proto=http"}, "192.0.2.9:0"},
		{"what the client wrote in the other header", map[string]string{"Forwarded": "for=192.0.2.9;proto=http", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}, "192.0.2.9:0"},
		{"the other header alone", map[string]string{"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}, "refused"},
	} {
		if got := s.believed(t, "127.0.0.1:5", false, c.headers); got != c.want {
			t.Errorf("%s: %s instead of %s", c.name, got, c.want)
		}
	}
}

// believed is where a request is found to come from, or "refused".
func (s *side) believed(t *testing.T, peer string, tlsed bool, headers map[string]string) string {
	t.Helper()
	r := httptest.NewRequest("GET", "/x", nil)
	r.RemoteAddr = peer
	if tlsed {
		r.TLS = &tls.ConnectionState{}
	}
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	got := "refused"
	w := httptest.NewRecorder()
	s.Guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = Client(r).String()
		if originOf(r).private() {
			got += " private"
		}
	})).ServeHTTP(w, r)
	if (got == "refused") != (w.Code == http.StatusForbidden) {
		t.Errorf("%s with %d", got, w.Code)
	}
	return got
}

func TestAStreamThatOthersCouldReadIsRefused(t *testing.T) {
	s := newSide(t, func(c *Config) { c.Trusted = network("127.0.0.1/32") })
	for _, path := range []string{"/ws", "/bosh"} {
		method := map[string]string{"/ws": "GET", "/bosh": "POST"}[path]
		w := s.ask(method, path, "192.0.2.1:5", "<body/>", "Sec-Websocket-Protocol: xmpp")
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.Code)
		}
		w = s.ask(method, path, "127.0.0.1:5", "<body/>", "Sec-Websocket-Protocol: xmpp", "X-Forwarded-For: 192.0.2.1")
		if w.Code != http.StatusForbidden {
			t.Errorf("%s behind a proxy that tells no scheme: %d", path, w.Code)
		}
	}
}

func TestEveryAnswerBearsTheSecurityHeaders(t *testing.T) {
	s := newSide(t, func(c *Config) { c.HSTS = true })
	for _, path := range []string{"/bosh", "/.well-known/host-meta", "/nothing"} {
		h := s.ask("GET", path, "127.0.0.1:5", "").Header()
		for _, name := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy"} {
			if h.Get(name) == "" {
				t.Errorf("%s without %s", path, name)
			}
		}
		if h.Get("Strict-Transport-Security") != "" {
			t.Error("HSTS without TLS")
		}
	}
	if h := s.ask("GET", "https://example.org/", "127.0.0.1:5", "").Header(); h.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS for the domain")
	}
	if h := s.ask("GET", "https://localhost/", "127.0.0.1:5", "").Header(); h.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS for localhost")
	}
}
