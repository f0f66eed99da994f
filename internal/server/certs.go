package server

import (
	"context"
	"path/filepath"
	"time"

	"mirsal/internal/certs"
)

// openCerts opens the certificate that was given, those obtained by ACME, or the
// own CA's.
func (s *Server) openCerts() (*certs.Certs, error) {
	o := certs.Options{Domain: s.Domain, Log: s.Log, Metrics: certs.NewMetrics(s.metrics)}
	t, dir := s.Config.TLS, filepath.Join(s.Config.Data, "tls")
	switch {
	case t.Cert != "":
		return certs.Given(t.Cert, t.Key, o)
	case t.ACME:
		return certs.ACME(dir, certs.ACMEConfig{Directory: t.ACMEDirectory, CA: t.ACMECA, Email: t.ACMEEmail, Terms: t.ACMETerms}, o)
	}
	return certs.Own(dir, o)
}

// keepCerts looks after the certificate until the server closes.
func (s *Server) keepCerts() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.certs.Keep(ctx)
	}()
	s.onClose(func() {
		stop()
		<-done
	})
}

// Reload reads what may change while the server runs: the certificate. What was
// wrong is logged, and the old one stays.
func (s *Server) Reload() {
	if err := s.certs.Renew(time.Now()); err != nil {
		s.Log.Error("the certificate cannot be renewed; the one in use stays", "err", err)
		return
	}
	s.Log.Info("the certificate was looked after, as asked")
}
