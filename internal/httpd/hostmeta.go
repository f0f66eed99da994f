package httpd

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"mirsal/internal/xmpp/xtok"
)

// link is one way to connect (XEP-0156 §2.1).
type link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

// links are the ways that a client which asked by r can use.
func (s *Server) links(r *http.Request) []link {
	base := s.base(r)
	return []link{
		{"urn:xmpp:alt-connections:websocket", socketAt(base) + "/ws"},
		{"urn:xmpp:alt-connections:xbosh", base.String() + "/bosh"},
	}
}

// base is where the client can reach the web side. A Host header is repeated
// only where it is one of our names: it is the client's word, and caches may
// hand the answer to others.
func (s *Server) base(r *http.Request) *url.URL {
	if s.cfg.PublicURL != nil {
		return s.cfg.PublicURL
	}
	o, domain := originOf(r), s.cfg.Domain.Domain()
	name, port := hostName(r.Host), hostPort(r.Host)
	switch {
	case o.proxied && name == domain:
		return place("https", domain, port)
	case o.proxied:
		return place("https", domain, "") // proxies put their own name there
	case name == domain && o.https, here(name) && o.https:
		return place("https", name, port)
	case here(name) && o.local:
		// XEP-0156 §2.2 wants https; this is a page on the same machine
		return place("http", name, port)
	}
	return place("https", domain, s.cfg.HTTPS)
}

func place(scheme, name, port string) *url.URL {
	switch {
	case port != "" && !(scheme == "https" && port == "443"):
		name = net.JoinHostPort(name, port)
	case strings.Contains(name, ":"):
		name = "[" + name + "]"
	}
	return &url.URL{Scheme: scheme, Host: name}
}

// here tells whether a name means this machine.
func here(name string) bool {
	a, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && a.IsLoopback()
}

// hostPort is the port in a Host header, empty where there is none.
func hostPort(host string) string {
	_, port, err := net.SplitHostPort(host)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
		return ""
	}
	return port
}

// hostMeta answers as XRD (RFC 6415 §3).
func (s *Server) hostMeta(w http.ResponseWriter, r *http.Request) {
	openToAll(w.Header())
	w.Header().Set("Content-Type", "application/xrd+xml; charset=utf-8")
	b := []byte("<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n")
	for _, l := range s.links(r) {
		b = append(b, "<Link rel='"+l.Rel+"' href='"...)
		b = append(xtok.Escape(b, l.Href), "'/>\n"...)
	}
	w.Write(append(b, "</XRD>\n"...))
}

// hostMetaJSON answers as JRD (RFC 6415 appendix A).
func (s *Server) hostMetaJSON(w http.ResponseWriter, r *http.Request) {
	openToAll(w.Header())
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string][]link{"links": s.links(r)})
}
