package server

import (
	"net"
	"net/netip"

	"mirsal/internal/c2s"
	"mirsal/internal/config"
	"mirsal/internal/httpd"
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
	})
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
