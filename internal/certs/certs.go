// Package certs holds the server's certificate: given by the operator, issued by
// a certificate authority of the server's own that is good for its domain only, or
// obtained from a public one by ACME (RFC 8555).
//
// It judges nobody else's certificate. Invariants: private keys are readable by
// their owner only; a file is replaced whole or not at all, and only one that was
// made here; a certificate that is handed out fits its key; a good certificate is
// never given up for a bad one; renewing never breaks connections; nobody but the
// configuration decides for which names a certificate is asked.
package certs

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/internal/xmpp/jid"
)

// Certs is the certificate in use. All methods may be called from any goroutine.
type Certs struct {
	domain  jid.JID
	log     *slog.Logger
	metrics *Metrics

	mu       sync.Mutex // held while the table or what it comes from changes
	current  atomic.Pointer[table]
	replaced atomic.Bool // the table has changed since the first one that had a certificate
	alarms   map[string]alarm

	// where it comes from; one of these
	ca     *authority
	files  *pair
	issuer *issuer
}

// table is what is handed out, never changed.
type table struct {
	leaf  *leaf            // the domain's; nil while there is none
	names map[string]*leaf // by ASCII name, where names have certificates of their own
}

// leaf is one certificate with its key, never changed.
type leaf struct {
	cert     tls.Certificate
	endPoint []byte
}

// Options are what every kind of certificate needs.
type Options struct {
	Domain  jid.JID
	Log     *slog.Logger // nil for none
	Metrics *Metrics     // nil for none
}

func newCerts(o Options) *Certs {
	c := &Certs{domain: o.Domain, log: o.Log, metrics: o.Metrics, alarms: map[string]alarm{}}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.metrics == nil {
		c.metrics = NewMetrics(nil)
	}
	c.metrics.certs.Store(c)
	c.current.Store(&table{})
	return c
}

// Own uses the server's own CA in dir, making what is not there yet: ca.pem to be
// given to clients, ca-key.pem, cert.pem and key.pem.
func Own(dir string, o Options) (*Certs, error) {
	ca, err := openAuthority(dir, o.Domain, time.Now())
	if err != nil {
		return nil, err
	}
	c := newCerts(o)
	c.ca = ca
	return c, c.Renew(time.Now())
}

// Given uses a certificate (with its chain) and key in PEM files.
func Given(certFile, keyFile string, o Options) (*Certs, error) {
	c := newCerts(o)
	c.files = &pair{cert: certFile, key: keyFile}
	return c, c.Renew(time.Now())
}

// Renew looks after the certificate now: an own one is issued anew a month before
// its end, a given one is read again, for those that ACME still owes the next
// attempt begins. On an error the one in use stays.
func (c *Certs) Renew(now time.Time) error {
	var cert tls.Certificate
	var err error
	switch {
	case c.issuer != nil:
		c.issuer.hurry()
		return nil
	case c.ca != nil:
		cert, err = c.ownLeaf(now)
	default:
		cert, err = c.read(now)
	}
	if err != nil {
		c.metrics.failures.Inc()
		return fmt.Errorf("certificate: %w", err)
	}
	c.put("", cert)
	return nil
}

func (c *Certs) ownLeaf(now time.Time) (tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ca.leaf(now)
}

// put makes a certificate the one for new connections: that of one name, or with
// "" that of all. It tells whether it is another than before.
func (c *Certs) put(name string, cert tls.Certificate) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.current.Load()
	t := &table{leaf: was.leaf, names: maps.Clone(was.names)}
	l := &leaf{cert, endPoint(cert.Leaf)}
	old := was.leaf
	if name != "" {
		if t.names == nil {
			t.names = map[string]*leaf{}
		}
		old, t.names[name] = was.names[name], l
	}
	if old != nil && old.cert.Leaf.Equal(cert.Leaf) {
		return false
	}
	if name == "" || name == ASCII(c.domain) {
		t.leaf = l
	}
	c.replaced.Store(c.replaced.Load() || was.leaf != nil)
	c.current.Store(t)
	return true
}

// CAFile is the own CA's certificate for clients to trust, "" when the
// certificate is of another.
func (c *Certs) CAFile() string {
	if c.ca == nil {
		return ""
	}
	return c.ca.file("ca.pem")
}

// errNone is told to a handshake for which there is no certificate.
var errNone = errors.New("there is no certificate yet")

// Ready tells whether there is any certificate to hand out, and if not, why.
// What is wrong with one that is there is the business of alarms: clients judge it.
func (c *Certs) Ready() error {
	if c.current.Load().leaf != nil {
		return nil
	}
	if why := c.issuer.complaint(ASCII(c.domain)); why != "" {
		return fmt.Errorf("%w: %s", errNone, why)
	}
	return errNone
}

// Covers tells whether clients will find the name in the certificate.
func (c *Certs) Covers(domain jid.JID) error {
	l := c.current.Load().leaf
	if l == nil {
		return errNone
	}
	return l.cert.Leaf.VerifyHostname(ASCII(domain))
}

// EndPoint is the tls-server-end-point channel binding of the domain's
// certificate, nil when it has none. For a connection of which more is known, see Watch.
func (c *Certs) EndPoint() []byte {
	if l := c.current.Load().leaf; l != nil {
		return l.endPoint
	}
	return nil
}

type watched struct{}

// Watch is called before a handshake, which is to run under the context that is
// returned; the function then tells the tls-server-end-point binding of the very
// certificate that this connection was shown, nil when it has none. A resumed
// session binds to the certificate of the first handshake (RFC 5929 §4), which is known as
// long as there was only one.
func (c *Certs) Watch(ctx context.Context) (context.Context, func(*tls.ConnectionState) []byte) {
	var shown atomic.Pointer[leaf] // the handshake may outlive its context
	return context.WithValue(ctx, watched{}, &shown), func(st *tls.ConnectionState) []byte {
		l := shown.Load()
		if st.DidResume {
			if l = c.current.Load().leaf; c.replaced.Load() || len(c.current.Load().names) > 1 {
				return nil
			}
		}
		if l == nil {
			return nil
		}
		return l.endPoint
	}
}

// endPoint hashes a certificate by the hash of its signature, but with nothing
// weaker than SHA-256.
// RFC 5929 §4.1
func endPoint(cert *x509.Certificate) []byte {
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		h := sha512.Sum384(cert.Raw)
		return h[:]
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		h := sha512.Sum512(cert.Raw)
		return h[:]
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256:
		h := sha256.Sum256(cert.Raw)
		return h[:]
	}
	// no single hash, as with Ed25519: undefined there
	return nil
}

// TLS is a configuration that always uses the current certificate: TLS 1.2 and
// later, the hybrid post-quantum key exchange first. protocols are those of ALPN;
// a client that names others only is refused, one that names none is served.
// RFC 7590 §3.1
func (c *Certs) TLS(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion:       tls.VersionTLS12,
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256},
		NextProtos:       protocols,
		GetCertificate:   c.pick,
	}
}

// pick is the certificate for a handshake: that of the name asked for, else the
// domain's. While there is none the handshake is refused at once: nobody is asked to
// trust something else meanwhile.
func (c *Certs) pick(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.issuer != nil && isChallenge(hello) {
		return c.issuer.challenge(hello)
	}
	t := c.current.Load()
	l := t.leaf
	if own := t.names[strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))]; own != nil {
		l = own
	}
	if l == nil {
		return nil, errNone
	}
	if shown, ok := hello.Context().Value(watched{}).(*atomic.Pointer[leaf]); ok {
		shown.Store(l)
	}
	return &l.cert, nil
}
