package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACMEConfig says whom to ask for certificates.
type ACMEConfig struct {
	Directory string // URL; "" for Let's Encrypt
	CA        string // PEM file of the CA that the ACME server itself is known by; "" for the system's
	Email     string // told to the ACME server; "" for none
	Terms     bool   // its terms of service are accepted
}

func (a ACMEConfig) directory() string {
	if a.Directory == "" {
		return autocert.DefaultACMEDirectory
	}
	return a.Directory
}

// Folder is where the account's key and the certificates of one ACME server are
// kept below dir, so that one tried first for practice leaves nothing to the next.
func (a ACMEConfig) Folder(dir string) string {
	u, err := url.Parse(a.directory())
	if err != nil {
		return filepath.Join(dir, "acme", "unknown")
	}
	keep := func(r rune) rune {
		if r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}
	return filepath.Join(dir, "acme", strings.Map(keep, u.Host+u.Path))
}

// File is where the certificate of a name is kept, with its key before it.
func (a ACMEConfig) File(dir, name string) string { return filepath.Join(a.Folder(dir), name) }

// issuer asks an ACME server for the certificates of the domain and its services:
// one for each name, so that a name that cannot be validated harms no other.
type issuer struct {
	ACMEConfig
	dir       string
	transport *http.Transport
	names     []*issued // the domain's first
	pace      pace
	inDNS     func(ctx context.Context, host string) bool
	http      atomic.Bool // http-01 is answered, too
	now       chan struct{}
}

// issued is what is known of one name; its certificate is in the table.
type issued struct {
	name    string
	manager atomic.Pointer[autocert.Manager]
	heard   *hearing

	// of the goroutine of keep
	next time.Time     // when to look again
	wait time.Duration // what was last waited after a failure
	told int           // how much of what was heard is logged
}

// ACME obtains certificates once Keep runs, and meanwhile uses what it obtained
// before. dir is the folder of all that has to do with TLS.
func ACME(dir string, cfg ACMEConfig, o Options) (*Certs, error) {
	i := &issuer{ACMEConfig: cfg, dir: cfg.Folder(dir), inDNS: inDNS, pace: usual, now: make(chan struct{}, 1)}
	if err := i.open(); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	c := newCerts(o)
	c.issuer = i
	for _, name := range serviceNames(ASCII(o.Domain)) {
		n := &issued{name: name, heard: &hearing{next: i.transport}}
		i.startOver(n)
		i.names = append(i.names, n)
		i.takeKept(c, name)
	}
	return c, nil
}

// serviceNames are the names that clients of a domain meet in certificates, its own
// first.
func serviceNames(domain string) []string {
	return []string{domain, "conference." + domain, "upload." + domain}
}

func (i *issuer) open() error {
	i.transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{}, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 20 * time.Second, ResponseHeaderTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
	if i.CA != "" {
		text, err := os.ReadFile(i.CA)
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s has no certificate in PEM", i.CA)
		}
		i.transport.TLSClientConfig.RootCAs = roots
	}
	return os.MkdirAll(i.dir, 0o700)
}

// takeKept puts the certificate of an earlier run to use at once, even one that
// has ended: nothing is better meanwhile.
func (i *issuer) takeKept(c *Certs, name string) {
	path := filepath.Join(i.dir, name)
	if pair, err := tls.LoadX509KeyPair(path, path); err == nil && pair.Leaf.VerifyHostname(name) == nil {
		c.put(name, pair)
	}
}

// startOver gives a name a new manager: one that failed remembers that for a while.
func (i *issuer) startOver(n *issued) {
	m := &autocert.Manager{
		Prompt:     func(string) bool { return i.Terms },
		Cache:      autocert.DirCache(i.dir),
		HostPolicy: only(n.name),
		Email:      i.Email,
		Client: &acme.Client{
			DirectoryURL: i.directory(), UserAgent: "mirsal",
			HTTPClient: &http.Client{Transport: n.heard, Timeout: time.Minute},
		},
	}
	if i.http.Load() {
		m.HTTPHandler(nil)
	}
	n.manager.Store(m)
}

// only is the policy to ask for a certificate for this name and for nothing that
// a stranger names in a handshake.
func only(name string) autocert.HostPolicy {
	return func(_ context.Context, host string) error {
		if host != name {
			return fmt.Errorf("%q is not a name of this server", host)
		}
		return nil
	}
}

func inDNS(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	return err == nil && len(addrs) > 0
}

// complaint is why there is no new certificate for a name, "" when nothing failed
// and for a nil issuer.
func (i *issuer) complaint(name string) string {
	if i == nil {
		return ""
	}
	for _, n := range i.names {
		if n.name == name {
			why, _ := n.heard.last()
			return why
		}
	}
	return ""
}

// isChallenge tells whether an ACME server calls, to see who answers for a name.
// RFC 8737 §3
func isChallenge(hello *tls.ClientHelloInfo) bool {
	return len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acme.ALPNProto
}

// challenge answers tls-alpn-01. It asks for nothing: only what an order of ours
// waits for is known.
func (i *issuer) challenge(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	for _, n := range i.names {
		if n.name == hello.ServerName {
			return n.manager.Load().GetCertificate(hello)
		}
	}
	return nil, fmt.Errorf("%q is not a name of this server", hello.ServerName)
}

// ChallengePath is where http-01 looks.
// RFC 8555 §8.3
const ChallengePath = "/.well-known/acme-challenge/"

// Web is TLS for the web server, which is where ACME servers call.
func (c *Certs) Web(protocols ...string) *tls.Config {
	if c.issuer != nil {
		protocols = append(protocols, acme.ALPNProto)
	}
	return c.TLS(protocols...)
}

// HTTP01 answers challenges that come in clear, everything else is for next. It is
// called before Keep, and only when there is a listener for it.
func (c *Certs) HTTP01(next http.Handler) http.Handler {
	if c.issuer == nil {
		return next
	}
	first := c.issuer.names[0]
	c.issuer.http.Store(true)
	for _, n := range c.issuer.names {
		c.issuer.startOver(n)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, ChallengePath) {
			next.ServeHTTP(w, r)
			return
		}
		// the token says which order is meant; a proxy may have changed the host
		r.Host = first.name
		first.manager.Load().HTTPHandler(next).ServeHTTP(w, r)
	})
}
