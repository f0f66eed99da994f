package httpd

import (
	"encoding/json"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
)

func TestHostMetaNamesOurOwnAddressesOnly(t *testing.T) {
	for _, c := range []struct {
		name, public, url, peer string
		headers                 []string
		ws, bosh                string
	}{
		{"the domain", "", "https://example.org:5443/", "192.0.2.1:1", nil, "wss://example.org:5443/ws", "https://example.org:5443/bosh"},
		{"the domain, usual port", "", "https://Example.ORG/", "192.0.2.1:1", nil, "wss://example.org/ws", "https://example.org/bosh"},
		{"443", "", "https://example.org:443/", "192.0.2.1:1", nil, "wss://example.org/ws", "https://example.org/bosh"},
		{"localhost", "", "https://localhost:5443/", "127.0.0.1:1", nil, "wss://localhost:5443/ws", "https://localhost:5443/bosh"},
		{"loopback without TLS", "", "http://127.0.0.1:5280/", "127.0.0.1:1", nil, "ws://127.0.0.1:5280/ws", "http://127.0.0.1:5280/bosh"},
		{"IPv6 loopback", "", "https://[::1]/", "[::1]:1", nil, "wss://[::1]/ws", "https://[::1]/bosh"},
		{"another host", "", "https://evil.example:5443/", "192.0.2.1:1", nil, "wss://example.org:5443/ws", "https://example.org:5443/bosh"},
		{"markup", "", "https://example.org/", "192.0.2.1:1", []string{"Host: example.org:1'/><Link"}, "wss://example.org/ws", "https://example.org/bosh"},
		{"a port that is none", "", "https://example.org/", "192.0.2.1:1", []string{"Host: example.org:99999"}, "wss://example.org/ws", "https://example.org/bosh"},
		{"the domain without TLS", "", "http://example.org:80/", "192.0.2.1:1", nil, "wss://example.org:5443/ws", "https://example.org:5443/bosh"},
		{"behind a proxy", "", "http://127.0.0.1:5280/", "10.0.0.1:1", []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"}, "wss://example.org/ws", "https://example.org/bosh"},
		{"behind a proxy that keeps the name", "", "http://example.org:8443/", "10.0.0.1:1", []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"}, "wss://example.org:8443/ws", "https://example.org:8443/bosh"},
		{"public_url", "https://chat.example.net", "https://evil.example/", "192.0.2.1:1", nil, "wss://chat.example.net/ws", "https://chat.example.net/bosh"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSide(t, func(cfg *Config) {
				cfg.Trusted = network("10.0.0.0/8")
				if c.public != "" {
					cfg.PublicURL, _ = url.Parse(c.public)
				}
			})
			var xrd struct {
				Links []struct {
					Rel  string `xml:"rel,attr"`
					Href string `xml:"href,attr"`
				} `xml:"http://docs.oasis-open.org/ns/xri/xrd-1.0 Link"`
			}
			host := c.url
			var headers []string
			for _, h := range c.headers {
				if v, ok := strings.CutPrefix(h, "Host: "); ok {
					host = v
					continue
				}
				headers = append(headers, h)
			}
			w := s.askHost(c.url, host, c.peer, headers, "/.well-known/host-meta")
			if err := xml.Unmarshal(w.Body.Bytes(), &xrd); err != nil || len(xrd.Links) != 2 || xrd.Links[0].Href != c.ws || xrd.Links[1].Href != c.bosh {
				t.Errorf("%v %s", err, w.Body)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Error("CORS", w.Header())
			}
			var jrd struct{ Links []link }
			w = s.askHost(c.url, host, c.peer, headers, "/.well-known/host-meta.json")
			if err := json.Unmarshal(w.Body.Bytes(), &jrd); err != nil || len(jrd.Links) != 2 ||
				jrd.Links[0] != (link{"urn:xmpp:alt-connections:websocket", c.ws}) || jrd.Links[1] != (link{"urn:xmpp:alt-connections:xbosh", c.bosh}) {
				t.Errorf("%v %s", err, w.Body)
			}
		})
	}
}
