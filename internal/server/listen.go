package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/c2s"
	"mirsal/internal/config"
	"mirsal/internal/control"
	"mirsal/internal/httpd"
	"mirsal/internal/limits"
	"mirsal/internal/obs"
	"mirsal/internal/xmpp/xtok"
)

// Version is the version of this software.
const Version = "0.1.0"

// port is one open listener.
type port struct {
	name string
	addr string // what it really listens on, or "off"
}

// Addr is the address that a listener has: c2s, c2s-tls, http, http-plain or
// ops; "off" where there is none.
func (s *Server) Addr(name string) string {
	for _, p := range s.ports {
		if p.name == name {
			return p.addr
		}
	}
	return "off"
}

// listen opens every port, then serves: a port that is taken must not leave
// a server half up.
func (s *Server) listen() error {
	var err error
	if s.certs, err = s.openCerts(); err != nil {
		return err
	}
	l := &s.Config.Listen
	open := map[string]net.Listener{}
	for _, p := range []struct {
		name string
		addr config.Address
	}{{"c2s", l.C2S}, {"c2s-tls", l.C2STLS}, {"http", l.HTTP}, {"http-plain", l.HTTPPlain}, {"ops", l.Ops}} {
		if p.addr.Off() {
			s.ports = append(s.ports, port{p.name, "off"})
			continue
		}
		nl, err := net.Listen("tcp", string(p.addr))
		if err != nil {
			closeAll(open)
			return portError(p.name, string(p.addr), err)
		}
		open[p.name] = nl
		s.ports = append(s.ports, port{p.name, nl.Addr().String()})
	}
	ctl, err := control.Serve(s.Config.Data, s.Auth, s.Log)
	if err != nil {
		closeAll(open)
		return err
	}
	s.onClose(ctl.Close)
	s.serve(open)
	return nil
}

func closeAll(open map[string]net.Listener) {
	for _, l := range open {
		l.Close()
	}
}

// portError says in a line what is wrong with an address.
func portError(name, addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("another program listens on %s already: give %s another address with --%s, or off", addr, name, name)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not listen on %s: give %s a port above 1023 with --%s", addr, name, name)
	}
	return fmt.Errorf("cannot listen on %s for %s: %w", addr, name, err)
}

func (s *Server) serve(open map[string]net.Listener) {
	s.c2s = c2s.New(s.Router, s.Auth, s.c2sConfig())
	if l := open["c2s"]; l != nil {
		s.c2s.Serve(l, false)
	}
	if l := open["c2s-tls"]; l != nil {
		s.c2s.Serve(l, true)
	}
	s.web = s.newWeb()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", landing)
	s.web.Routes(mux)
	for pattern, h := range s.Router.Host().Handlers() {
		mux.Handle(pattern, h)
	}
	s.serveHTTP(open["http"], s.web.Guard(mux), limits.Web)
	plain := s.web.Guard(mux)
	if open["http-plain"] != nil {
		plain = s.certs.HTTP01(plain)
	}
	s.serveHTTP(open["http-plain"], plain, limits.Proxied)
	s.serveHTTP(open["ops"], s.web.Guard(obs.Handler(s.metrics, s.Config.Log.Profiles,
		obs.Check{Name: "archive", Ok: s.archive.Healthy}, obs.Check{Name: "certificate", Ok: s.certs.Ready})), limits.Ops)
	s.keepCerts()
}

// landing is what a browser is shown at the server's address.
func landing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "This is a Mirsal server. Connect with an XMPP client; an invitation tells how.\n")
}

// answerPatience is how long a request may take: longer than one is held.
const answerPatience = 3 * time.Minute

// connContext tells the web side what it needs to know of a connection.
func (s *Server) connContext(ctx context.Context, c net.Conn) context.Context {
	ctx, endPoint := s.certs.Watch(ctx)
	return httpd.WithConn(ctx, httpd.Conn{Place: limits.PeerBehind(c), EndPoint: endPoint})
}

// serveHTTP serves h on l until the server closes; nothing when l is nil.
func (s *Server) serveHTTP(l net.Listener, h http.Handler, door limits.Door) {
	if l == nil {
		return
	}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		WriteTimeout: answerPatience, ConnContext: s.connContext, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	l = s.features.limits.Listener(l, door)
	if door == limits.Web {
		// HTTP/1.1 alone: the control frames of HTTP/2 would escape all budgets
		srv.TLSConfig = limits.NewHandshaker(s.certs.Web("http/1.1")).Config()
		go srv.ServeTLS(l, "", "")
	} else {
		go srv.Serve(l)
	}
	s.onClose(func() { s.closeHTTP(srv) })
}

// closeHTTP lets answers that are being written arrive: those that tell BOSH
// clients of the end.
func (s *Server) closeHTTP(srv *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		s.close("http", srv)
	}
}

// stanzaLimits are what a stream may hold: little before authentication, what
// people send after.
func (s *Server) stanzaLimits() (before, after xtok.Limits) {
	l := &s.Config.Limits
	return xtok.Limits{Size: l.StanzaBeforeAuth, Depth: 10, Attrs: 20, Name: 64, Prefixes: 10, Nodes: 100},
		xtok.Limits{Size: l.Stanza, Depth: 50, Attrs: 50, Name: 256, Prefixes: 50, Nodes: 10_000}
}

func (s *Server) c2sConfig() c2s.Config {
	cfg := &s.Config
	before, after := s.stanzaLimits()
	return c2s.Config{
		TLS: s.certs.TLS("xmpp-client"), RequireTLS: cfg.C2S.RequireTLS, EndPoint: s.certs.Watch, Plain: cfg.Auth.Plain, Iterations: cfg.Auth.Iterations,
		Before: before, After: after,
		Negotiation: cfg.C2S.Negotiation.Duration, Write: cfg.C2S.Write.Duration, Limits: s.features.limits,
		Log: s.Log, Metrics: c2s.NewMetrics(s.metrics),
	}
}

// announce says where the server listens and, while it has no account, how the
// first administrator gets in. The last line, which begins with "ready", is for
// programs.
func (s *Server) announce(ctx context.Context, out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Mirsal %s serves %s from %s\n", Version, s.Domain, s.Config.Data)
	if err := s.certs.Ready(); err != nil {
		fmt.Fprintf(&b, "Certificate: none yet; it is being obtained, and until then nobody can connect. The log tells how that goes\n")
	}
	if ca := s.certs.CAFile(); ca != "" {
		if abs, err := filepath.Abs(ca); err == nil {
			ca = abs
		}
		fmt.Fprintf(&b, "CA certificate for clients: %s\n", ca)
	}
	if s.Auth.Count() == 0 {
		inv, err := s.Auth.Invite(ctx, auth.Offer{Admin: true})
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "Invitation for the first administrator: %s\n", inv.URI)
		if inv.Link != "" {
			fmt.Fprintf(&b, "The same for a browser: %s\n", inv.Link)
		}
	}
	b.WriteString("ready")
	for _, p := range s.ports {
		fmt.Fprintf(&b, " %s=%s", p.name, p.addr)
	}
	b.WriteString("\n")
	_, err := io.WriteString(out, b.String())
	return err
}
