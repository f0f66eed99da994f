// Package httpd is the server's door for the web: it finds out who asks, puts
// the headers on that every answer bears, and brings XMPP streams that come
// through HTTP to c2s: WebSocket (RFC 7395) at /ws, BOSH (XEP-0124 1.11.2,
// XEP-0206 1.4) at /bosh; host-meta (XEP-0156 1.4.0) tells where they are. It hands
// out the screen for browsers with what each file of it may do. It decides nothing about
// stanzas or logins.
//
// Invariants: an address or scheme that a request claims for another peer is
// believed from trusted proxies only; no more than one whole, checked element
// reaches c2s from a frame or from a child of a body; nothing here gives a page
// any right because of where it came from (no cookies, no credentials).
package httpd

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"

	"mirsal/internal/assets"
	"mirsal/internal/c2s"
	"mirsal/internal/limits"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/xtok"
)

// Config is what the web side needs to know.
type Config struct {
	Domain jid.JID
	// PublicURL is where the web side is reached from outside, without a path; nil
	// when it has to be guessed from requests.
	PublicURL *url.URL
	// Trusted are the proxies that are believed what they say of their clients.
	Trusted []netip.Prefix
	// HTTPS is the port of the listener with TLS, for links; empty for the usual one.
	HTTPS string
	// HSTS makes browsers insist on TLS for the domain.
	HSTS bool
	// RequireTLS refuses streams that somebody on the way could read.
	RequireTLS bool
	// Before and After bound an element before and after a resource is bound.
	Before, After xtok.Limits
	// RFC7239 is true where proxies tell of their clients by Forwarded, and false where by
	// X-Forwarded-For and X-Forwarded-Proto.
	RFC7239 bool
	// Bindings are the channel bindings of a TLS connection that ends here, whose
	// tls-server-end-point is given.
	Bindings func(st *tls.ConnectionState, endPoint []byte) []sasl.Binding
	// Accept serves a stream, as c2s.Server.Accept does.
	Accept func(net.Conn, c2s.Via)
	// Limits are the budgets; none where it is nil.
	Limits *limits.Limits
	// Screen is what browsers are shown, nil for a line of text; Placeholder the page
	// in its place while it is empty.
	Screen      *assets.Set
	Placeholder []byte
	// Files is where links to files begin, without /upload/; empty where there are none.
	Files string
	// Passkeys tells pages whether they can be used.
	Passkeys bool
	Log      *slog.Logger
}

// Server answers what is asked over HTTP.
type Server struct {
	cfg      Config
	bosh     *boshes
	stopping atomic.Bool
}

// New makes the web side of a server.
func New(cfg Config) *Server {
	if cfg.Limits == nil {
		cfg.Limits = limits.New(limits.Config{}, limits.NewMetrics(nil), cfg.Log)
	}
	s := &Server{cfg: cfg}
	s.bosh = newBoshes(s)
	return s
}

// Routes adds what is served here to mux.
func (s *Server) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /ws", s.websocket)
	mux.HandleFunc("POST "+boshPath, s.bosh.post)
	mux.HandleFunc("OPTIONS "+boshPath, s.bosh.preflight)
	mux.HandleFunc("GET /.well-known/host-meta", s.hostMeta)
	mux.HandleFunc("GET /.well-known/host-meta.json", s.hostMetaJSON)
	s.site(mux)
}

// boshPath is where requests are counted once it is known whose they are.
const boshPath = "/bosh"

// Guard wraps a handler: it refuses requests whose way here cannot be
// believed or that are too many, gives their bodies little time, and puts the
// security headers on every answer.
func (s *Server) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tellTLS(r)
		o, err := s.origin(r)
		if err != nil {
			w.Header().Set("Connection", "close")
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		s.harden(w.Header(), r, o)
		r = r.WithContext(withOrigin(r.Context(), o))
		defer timed(w, r)()
		if r.URL.Path == boshPath || s.mayAsk(w, o) {
			next.ServeHTTP(w, r)
		}
	})
}

// harden sets what keeps a browser from doing more with an answer than was
// meant. A page that needs more sets its own Content-Security-Policy.
func (s *Server) harden(h http.Header, r *http.Request, o *origin) {
	basics(h)
	// RFC 6797 §7.2: never over a connection without TLS
	if s.cfg.HSTS && o.https && hostName(r.Host) == s.cfg.Domain.Domain() {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// openToAll lets pages of any origin read the answer: it holds nothing that
// depends on who asks (no cookies or credentials are looked at).
func openToAll(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
}
