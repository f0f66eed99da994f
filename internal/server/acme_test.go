package server

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"mirsal/internal/certs/acmetest"
	"mirsal/internal/config"
	"mirsal/internal/store/memory"
)

// withACME starts a server whose certificate comes from ca, and waits until it is there.
// first is called between the two.
func withACME(t *testing.T, ca *acmetest.Server, change func(*config.Config), first func(*Server)) *Server {
	t.Helper()
	cfg := local(t)
	cfg.Domain = "example.org"
	cfg.TLS = config.TLS{ACME: true, ACMETerms: true, ACMEDirectory: ca.Directory(), ACMECA: ca.TrustFile()}
	change(&cfg)
	got := make(chan struct{}, 10)
	s, err := Start(t.Context(), cfg, Options{Store: memory.New(), Log: slog.New(noticing{slog.DiscardHandler, "certificate obtained", got})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if first != nil {
		first(s)
	}
	select {
	case <-got:
	case <-time.After(time.Minute):
		t.Fatal("no certificate:", s.certs.Ready())
	}
	return s
}

// noticing tells when a message is logged.
type noticing struct {
	slog.Handler
	message string
	got     chan struct{}
}

func (noticing) Enabled(context.Context, slog.Level) bool { return true }

func (n noticing) Handle(_ context.Context, r slog.Record) error {
	if r.Message == n.message {
		n.got <- struct{}{}
	}
	return nil
}

// ready asks the ops address.
func ready(t *testing.T, s *Server) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + s.Addr("ops") + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func TestEveryPortShowsTheCertificateThatACMEGave(t *testing.T) {
	for _, by := range []string{"http", "http-plain"} {
		ca := acmetest.New(t)
		ca.Deaf = true
		s := withACME(t, ca, func(*config.Config) {}, func(s *Server) {
			if code, why := ready(t, s); code != http.StatusServiceUnavailable || !strings.Contains(why, "certificate: ") {
				t.Error("ready without a certificate:", why)
			}
			if _, err := tls.Dial("tcp", s.Addr("c2s-tls"), &tls.Config{ServerName: "example.org", InsecureSkipVerify: true}); err == nil {
				t.Error("something is shown that nobody can trust")
			}
			ca.Set(func() {
				ca.Deaf = false
				if by == "http" {
					ca.HTTPS = s.Addr("http")
				} else {
					ca.HTTP = s.Addr("http-plain")
				}
			})
			s.Reload() // does not wait for its next attempt
		})
		for _, p := range []struct{ port, protocol string }{{"http", "http/1.1"}, {"c2s-tls", "xmpp-client"}, {"c2s-tls", ""}} {
			cfg := &tls.Config{RootCAs: ca.Roots(), ServerName: "example.org"}
			if p.protocol != "" {
				cfg.NextProtos = []string{p.protocol}
			}
			conn, err := tls.Dial("tcp", s.Addr(p.port), cfg)
			if err != nil {
				t.Errorf("by %s: %v: %v", by, p, err)
				continue
			}
			conn.Close()
		}
		if code, why := ready(t, s); code != http.StatusOK {
			t.Error(why)
		}
	}
}
