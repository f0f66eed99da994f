package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"mirsal/internal/assets"
	"mirsal/internal/c2s"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/httpd"
	"mirsal/internal/limits"
	"mirsal/internal/transparency"
	"mirsal/internal/xep/passkey"
	"mirsal/web"
)

// newWeb makes the web side, which brings its streams to s.c2s.
func (s *Server) newWeb() *httpd.Server {
	cfg := &s.Config
	public, _ := cfg.Public() // Load has checked both
	trusted, _ := cfg.HTTP.Trusted()
	before, after := s.stanzaLimits()
	return httpd.New(httpd.Config{
		Domain: s.Domain, PublicURL: public, Trusted: trusted, HTTPS: portOf(s.Addr("http")), HSTS: s.mayInsist(),
		RequireTLS: cfg.C2S.RequireTLS, Before: before, After: after, RFC7239: cfg.HTTP.Forwarded == config.RFC7239,
		Bindings: c2s.Bindings, Accept: s.c2s.Accept, Limits: s.features.limits, Log: s.Log,
		Screen: s.screen, Placeholder: web.Placeholder(), Files: s.linksToFiles(), Passkeys: s.screen != nil,
	})
}

// openScreen finds the screen for browsers in the program, unless none is wanted.
func (s *Server) openScreen() (err error) {
	if !s.Config.Web.Enabled {
		return nil
	}
	s.screen, err = assets.New(web.Dist())
	return err
}

// addPasskeys lets people back in by a passkey, which only the screen can ask for.
func (s *Server) addPasskeys(h *core.Host) {
	if s.screen == nil {
		return
	}
	// asked when there is a web side
	passkey.New(s.Router, s.store, s.Auth, passkey.Config{
		Base:       func(r *http.Request) *url.URL { return s.web.Base(r) },
		SameOrigin: func(r *http.Request) bool { return s.web.SameOrigin(r) },
		Log:        s.Log,
	}).Register(h)
}

// whatIsSeen is what people are told of the configuration.
func (s *Server) whatIsSeen() transparency.Config {
	cfg := &s.Config
	c := transparency.Config{Domain: s.Domain.String(), Version: Version, Encrypted: cfg.E2EE == config.Required}
	if !cfg.Archive.Keep.Delivered {
		c.Archive = time.Duration(cfg.Archive.Keep.Days) * 24 * time.Hour
	}
	if cfg.Upload.Enabled {
		c.Files = cfg.Upload.Keep.Duration
	}
	return c
}

// browser is where an invitation goes on in the browser, "" where there is no screen.
func (s *Server) browser() string {
	if s.screen == nil || !s.screen.Built() {
		return ""
	}
	return "/"
}

// linksToFiles is what links to files begin with, empty where there are none.
func (s *Server) linksToFiles() string {
	if s.features.upload == nil {
		return ""
	}
	return s.filesURL()
}

// mayInsist tells whether browsers may be told to insist on TLS for the
// domain: never where the certificate is the own CA's, which people may
// replace, or where the name is not the domain's alone.
func (s *Server) mayInsist() bool {
	name := s.Domain.Domain()
	_, err := netip.ParseAddr(name)
	return s.certs.CAFile() == "" && name != "localhost" && err != nil
}

// portOf is the port of an address that is listened on, empty for none.
func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// answerPatience is how long a request may take: longer than one is held.
const answerPatience = 3 * time.Minute

// connContext tells the web side what it needs to know of a connection.
func (s *Server) connContext(ctx context.Context, c net.Conn) context.Context {
	ctx, endPoint := s.certs.Watch(ctx)
	return httpd.WithConn(ctx, c, httpd.Conn{Place: limits.PeerBehind(c), EndPoint: endPoint})
}

// serveHTTP serves h on l until the server closes; nothing when l is nil.
func (s *Server) serveHTTP(l net.Listener, h http.Handler, door limits.Door) {
	if l == nil {
		return
	}
	c := &callers{fresh: map[net.Conn]struct{}{}}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		WriteTimeout: answerPatience, ConnContext: s.connContext, ConnState: c.state, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	l = s.features.limits.Listener(l, door)
	switch {
	case door == limits.Web && s.sharesRelay():
		go srv.Serve(s.shareRelay(l))
	case door == limits.Web:
		srv.TLSConfig = s.webTLS()
		go srv.ServeTLS(l, "", "")
	default:
		go srv.Serve(l)
	}
	srv.RegisterOnShutdown(c.stop)
	s.http = append(s.http, srv)
}

// webTLS is that of the web side's port: HTTP/1.1 alone, since the control frames of HTTP/2
// would escape all budgets, and what is preferred to it.
func (s *Server) webTLS(preferred ...string) *tls.Config {
	return limits.NewHandshaker(s.certs.Web(append(slices.Clone(preferred), "http/1.1")...)).Config()
}

// webPatience is how long answers that are being written may take to arrive when
// the server stops: those that tell BOSH clients of the end.
const webPatience = time.Second

// brokenOff is logged when that was not long enough.
const brokenOff = "answers were broken off"

// closeHTTP ends all web servers, side by side.
func (s *Server) closeHTTP() {
	ctx, cancel := context.WithTimeout(context.Background(), webPatience)
	defer cancel()
	var run sync.WaitGroup
	for _, srv := range s.http {
		run.Go(func() {
			if srv.Shutdown(ctx) != nil {
				s.Log.Info(brokenOff)
				s.close("http", srv)
			}
		})
	}
	run.Wait()
}

// callers are the connections of a web server on which nobody has asked anything
// yet. Shutdown would wait for them, although there is nothing to answer.
type callers struct {
	mu       sync.Mutex
	fresh    map[net.Conn]struct{}
	stopping bool
}

func (c *callers) state(nc net.Conn, st http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case st != http.StateNew:
		delete(c.fresh, nc)
	case c.stopping:
		nc.Close()
	default:
		c.fresh[nc] = struct{}{}
	}
}

func (c *callers) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
	for nc := range c.fresh {
		nc.Close()
	}
}
