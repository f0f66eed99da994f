package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"

	"mirsal/internal/auth"
	"mirsal/internal/c2s"
	"mirsal/internal/config"
	"mirsal/internal/control"
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

// Addr is the address that a listener has: c2s, c2s-tls, http, http-plain,
// ops, component, turn or turns; "off" where there is none.
func (s *Server) Addr(name string) string {
	for _, p := range s.ports {
		if p.name == name {
			return p.addr
		}
	}
	return "off"
}

// bind opens every port and serves none yet: whoever connects meanwhile waits. It
// comes before all that is durable, so that a port that is taken leaves no trace.
func (s *Server) bind(ctx context.Context) error {
	s.open = map[string]net.Listener{}
	s.onClose(func() {
		for _, l := range s.open {
			l.Close() // those that are served are closed already
		}
	})
	l := &s.Config.Listen
	for _, p := range []struct {
		name string
		addr config.Address
	}{{"c2s", l.C2S}, {"c2s-tls", l.C2STLS}, {"http", l.HTTP}, {"http-plain", l.HTTPPlain}, {"ops", l.Ops}, {"component", l.Component}, {"turn", l.Turn}, {"turns", l.Turns}} {
		if p.addr.Off() {
			s.ports = append(s.ports, port{p.name, "off"})
			continue
		}
		nl, err := net.Listen("tcp", string(p.addr))
		if err != nil {
			return s.portError(ctx, p.name, string(p.addr), err)
		}
		s.open[p.name] = nl
		s.ports = append(s.ports, port{p.name, nl.Addr().String()})
	}
	return s.bindRelay(ctx)
}

// portError says in a line what is wrong with an address.
func (s *Server) portError(ctx context.Context, name, addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && runs(ctx, s.Config.Data):
		return fmt.Errorf("data directory %s is in use by another mirsal, and so is %s: stop that one first", s.Config.Data, addr)
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("another program listens on %s already: give %s another address with --%s, or off", addr, name, name)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not listen on %s: give %s a port above 1023 with --%s", addr, name, name)
	}
	return fmt.Errorf("cannot listen on %s for %s: %w", addr, name, err)
}

// runs tells whether a server answers in a data directory.
func runs(ctx context.Context, dir string) bool {
	c, err := control.Dial(ctx, dir)
	if err == nil {
		c.Close()
	}
	return err == nil
}

// startControl lets the command line in.
func (s *Server) startControl() error {
	ctl, err := control.Serve(s.Config.Data, s.Auth, s.status, s.Log, control.CommandCalls(commandControl{s.features.running.adhoc}))
	if err == nil {
		s.onClose(ctl.Close)
	}
	return err
}

// status is what the command line may ask.
func (s *Server) status() control.Status {
	st := control.Status{Domain: s.Domain.String(), Ports: map[string]string{}}
	for _, p := range s.ports {
		st.Ports[p.name] = p.addr
	}
	if err := s.certs.Ready(); err != nil {
		st.NoCertificate = err.Error()
	}
	return st
}

// serve lets everybody in; nothing can fail any more.
func (s *Server) serve() {
	open := s.open
	s.c2s = c2s.New(s.Router, s.Auth, s.c2sConfig())
	if l := open["c2s"]; l != nil {
		s.c2s.Serve(l, false)
	}
	if l := open["c2s-tls"]; l != nil {
		s.c2s.Serve(l, true)
	}
	if l := open["component"]; l != nil {
		s.components.Serve(l)
	}
	s.web = s.newWeb()
	mux := http.NewServeMux()
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
	s.onClose(s.closeHTTP)
	s.keepCerts()
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
