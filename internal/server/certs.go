package server

import (
	"context"
	"path/filepath"
	"time"

	"mirsal/internal/certs"
)

// openCerts opens the certificate that was given, or those obtained by ACME.
func (s *Server) openCerts() (err error) {
	t := s.Config.TLS
	switch {
	case t.Cert != "":
		s.certs, err = certs.Given(t.Cert, t.Key, s.certOptions())
	case t.ACME:
		s.certs, err = certs.ACME(s.tlsFolder(), certs.ACMEConfig{Directory: t.ACMEDirectory, CA: t.ACMECA, Email: t.ACMEEmail, Terms: t.ACMETerms}, s.certOptions())
	}
	return err
}

// ownCerts opens the own CA's where there is no other. It may write them anew, so
// the data has to be ours.
func (s *Server) ownCerts() (err error) {
	if s.certs == nil {
		s.certs, err = certs.Own(s.tlsFolder(), s.certOptions())
	}
	return err
}

func (s *Server) tlsFolder() string { return filepath.Join(s.Config.Data, "tls") }

func (s *Server) certOptions() certs.Options {
	return certs.Options{Domain: s.Domain, Log: s.Log, Metrics: certs.NewMetrics(s.metrics)}
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
