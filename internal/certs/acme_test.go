package certs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/internal/certs/acmetest"
	"mirsal/internal/xmpp/jid"
)

// logged collects lines of log and tells of each on a channel.
type logged struct {
	mu   sync.Mutex
	all  bytes.Buffer
	line chan string
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	l.all.Write(b)
	l.mu.Unlock()
	select {
	case l.line <- string(b):
	default:
	}
	return len(b), nil
}

// await waits for a line with these words.
func (l *logged) await(t *testing.T, words string) string {
	t.Helper()
	for {
		select {
		case line := <-l.line:
			if strings.Contains(line, words) {
				return line
			}
		case <-t.Context().Done():
			t.Fatalf("no %q in %s", words, l.all.String())
		case <-time.After(time.Minute):
			t.Fatalf("no %q in %s", words, l.all.String())
		}
	}
}

// site is a server for a domain whose certificates are obtained by ACME.
type site struct {
	*Certs
	dir   string
	log   *logged
	https string
}

// folder is a temporary folder in which autocert may still tidy up when the test ends.
func folder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "certs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func config(s *acmetest.Server) ACMEConfig {
	return ACMEConfig{Directory: s.Directory(), CA: s.TrustFile(), Terms: true}
}

// at starts the site's listeners and Keep. known are the services in DNS.
func at(t *testing.T, s *acmetest.Server, dir string, cfg ACMEConfig, known ...string) *site {
	t.Helper()
	log := &logged{line: make(chan string, 1000)}
	c, err := ACME(dir, cfg, Options{Domain: jid.MustParse("example.org"), Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	const soon = 5 * time.Millisecond
	c.issuer.pace = pace{first: soon, most: soon, refused: soon, refusedMost: soon, look: soon, unknown: soon}
	c.issuer.inDNS = func(_ context.Context, host string) bool { return slices.Contains(known, host) }
	fallback := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the web") })
	plain := httptest.NewServer(c.HTTP01(fallback))
	t.Cleanup(plain.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: fallback, TLSConfig: c.Web("h2", "http/1.1"), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go srv.ServeTLS(l, "", "")
	t.Cleanup(func() { srv.Close() })
	s.Set(func() {
		if s.HTTPS == "here" {
			s.HTTPS = l.Addr().String()
		}
		if s.HTTP == "here" {
			s.HTTP = plain.Listener.Addr().String()
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.Keep(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return &site{c, dir, log, l.Addr().String()}
}

// shown is the certificate that a client who trusts the practice CA is shown.
func (w *site) shown(t *testing.T, s *acmetest.Server, name string) (*x509.Certificate, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", w.https, &tls.Config{RootCAs: s.Roots(), ServerName: name})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

func TestAPublicNameGetsItsCertificateByEitherChallenge(t *testing.T) {
	for _, c := range []struct{ https, http string }{{"here", ""}, {"", "here"}} {
		s := acmetest.New(t)
		s.HTTPS, s.HTTP = c.https, c.http
		w := at(t, s, folder(t), config(s), "upload.example.org")
		w.log.await(t, "name=upload.example.org")
		for _, name := range []string{"example.org", "upload.example.org"} {
			if cert, err := w.shown(t, s, name); err != nil || !slices.Equal(cert.DNSNames, []string{name}) {
				t.Errorf("%v: %s: %v", c, name, err)
			}
		}
		if err := w.Ready(); err != nil {
			t.Error(err)
		}
		st, err := os.Stat(w.issuer.File(w.dir, "example.org"))
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Error("the key is not its owner's only", err)
		}
	}
}

func TestACertificateIsKeptOverARestartAndAnotherServerStartsAnew(t *testing.T) {
	s := acmetest.New(t)
	s.HTTPS = "here"
	cfg, dir := config(s), folder(t)
	at(t, s, dir, cfg).log.await(t, "certificate obtained")
	s.Set(func() { s.Deaf = true })
	again := at(t, s, dir, cfg)
	if _, err := again.shown(t, s, "example.org"); err != nil {
		t.Error(err)
	}
	cfg.Directory = strings.Replace(cfg.Directory, "127.0.0.1", "localhost", 1)
	if c, err := ACME(dir, cfg, Options{Domain: jid.MustParse("example.org")}); err != nil || c.Ready() == nil {
		t.Error("the certificate of a practice server is used", err)
	}
}

func TestACertificateIsRenewedWhileConnectionsGoOn(t *testing.T) {
	s := acmetest.New(t)
	s.HTTPS = "here"
	s.Life = func(n int) (time.Time, time.Time) {
		if n == 1 { // two thirds of its life are over: due at once
			return time.Now().Add(-time.Hour), time.Now().Add(20 * time.Minute)
		}
		return time.Now().Add(-time.Hour), time.Now().Add(90 * 24 * time.Hour)
	}
	w := at(t, s, folder(t), config(s))
	w.log.await(t, "certificate obtained")
	old, err := tls.Dial("tcp", w.https, &tls.Config{RootCAs: s.Roots(), ServerName: "example.org", NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	w.log.await(t, "certificate obtained")
	cert, err := w.shown(t, s, "example.org")
	if err != nil || time.Until(cert.NotAfter) < time.Hour {
		t.Error("not renewed", err)
	}
	io.WriteString(old, "GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n")
	if answer, _ := io.ReadAll(old); !bytes.HasSuffix(answer, []byte("the web")) {
		t.Errorf("a connection of before was broken: %q", answer)
	}
}

func TestNothingIsAskedForNamesOfStrangers(t *testing.T) {
	s := acmetest.New(t)
	s.HTTPS = "here"
	w := at(t, s, folder(t), config(s))
	w.log.await(t, "certificate obtained")
	if _, err := w.shown(t, s, "bank.example"); err == nil || !strings.Contains(err.Error(), "not bank.example") {
		t.Error("the domain's certificate must be shown:", err)
	}
	for _, n := range w.issuer.names {
		_, err := n.manager.Load().GetCertificate(&tls.ClientHelloInfo{ServerName: "bank.example"})
		if err == nil || !strings.Contains(err.Error(), "not a name of this server") {
			t.Errorf("%s: %v", n.name, err)
		}
	}
	_, err := tls.Dial("tcp", w.https, &tls.Config{ServerName: "bank.example", NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true})
	if err == nil {
		t.Error("a challenge for a stranger's name is answered")
	}
	if got := s.Ordered(); !slices.Equal(got, []string{"example.org"}) {
		t.Error("ordered", got)
	}
}

func TestANameThatFailsHarmsNoOther(t *testing.T) {
	s := acmetest.New(t)
	s.HTTPS, s.Elsewhere = "here", "conference.example.org"
	w := at(t, s, folder(t), config(s), "conference.example.org", "upload.example.org")
	w.log.await(t, "name=upload.example.org")
	for name, want := range map[string]string{
		"example.org": "example.org", "upload.example.org": "upload.example.org", "": "example.org",
	} {
		if cert, err := w.shown(t, s, cmp.Or(name, "example.org")); err != nil || cert.DNSNames[0] != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.shown(t, s, "conference.example.org"); err == nil {
		t.Error("a certificate that nobody issued")
	}
	if why := w.issuer.complaint("conference.example.org"); !strings.Contains(why, "another machine") {
		t.Error(why)
	}
}

func TestAnACMEServerThatIsDownIsAskedAgainAndTheServerSaysSo(t *testing.T) {
	s := acmetest.New(t)
	s.HTTPS = "here"
	cfg := config(s)
	s.Set(func() { s.Deaf = true })
	w := at(t, s, folder(t), cfg)
	line := w.log.await(t, "no certificate could be obtained")
	if !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "closed for today") {
		t.Error(line)
	}
	if _, err := w.shown(t, s, "example.org"); err == nil {
		t.Error("something was shown that nobody can trust")
	}
	if err := w.Ready(); err == nil || !strings.Contains(err.Error(), "closed for today") {
		t.Error(err)
	}
	s.Set(func() { s.Deaf = false })
	w.log.await(t, "certificate obtained")
	if _, err := w.shown(t, s, "example.org"); err != nil {
		t.Error(err)
	}
}

func TestAServerThatNobodyAnswersForIsNamedByTheReasonOfTheACMEServer(t *testing.T) {
	s := acmetest.New(t)
	w := at(t, s, folder(t), config(s))
	if line := w.log.await(t, "no certificate could be obtained"); !strings.Contains(line, "http-01: example.org: nobody answers on port 80") {
		t.Error(line)
	}
}

func TestTermsAreNotAcceptedUnasked(t *testing.T) {
	s := acmetest.New(t)
	s.HTTPS, s.Terms = "here", true
	cfg := config(s)
	cfg.Terms = false
	w := at(t, s, folder(t), cfg)
	line := w.log.await(t, "certificate")
	if !strings.Contains(line, "no certificate could") || len(s.Ordered()) > 0 || w.Ready() == nil {
		t.Error("a certificate without an agreement")
	}
	cfg.Terms = true
	s.Set(func() { s.HTTPS = "here" })
	at(t, s, folder(t), cfg).log.await(t, "certificate obtained")
}

func TestRetriesSlowDown(t *testing.T) {
	s := acmetest.New(t)
	c, err := ACME(folder(t), config(s), Options{Domain: jid.MustParse("example.org")})
	if err != nil {
		t.Fatal(err)
	}
	n := c.issuer.names[0]
	var waits []time.Duration
	for range 8 {
		waits = append(waits, c.issuer.failed(c, n, io.EOF))
	}
	if waits[0] != 30*time.Second || waits[1] != time.Minute || waits[7] != time.Hour {
		t.Error("unreachable:", waits)
	}
	n.wait, n.heard.count = 0, 5
	if w := c.issuer.failed(c, n, io.EOF); w != 10*time.Minute {
		t.Error("refused:", w)
	}
}
