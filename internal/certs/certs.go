// Package certs holds the server's certificate: given by the operator, or issued
// by a certificate authority of the server's own that is good for its domain only.
//
// It does not speak ACME and judges nobody else's certificate. Invariants: private
// keys are readable by their owner only; a file is replaced whole or not at all, and
// only one that was made here; a certificate that is handed out fits its key;
// renewing never breaks connections.
package certs

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"mirsal/internal/xmpp/jid"
)

// Certs is the certificate in use. All methods may be called from any goroutine.
type Certs struct {
	current atomic.Pointer[leaf]
	ca      *authority // nil when the certificate was given
	cert    string     // files of a given certificate
	key     string
}

// leaf is one certificate with its key, never changed.
type leaf struct {
	cert     tls.Certificate
	endPoint []byte
}

// Own uses the server's own CA in dir, making what is not there yet: ca.pem to be
// given to clients, ca-key.pem, cert.pem and key.pem.
func Own(dir string, domain jid.JID) (*Certs, error) {
	ca, err := openAuthority(dir, domain, time.Now())
	if err != nil {
		return nil, err
	}
	c := &Certs{ca: ca}
	return c, c.Renew(time.Now())
}

// Given uses a certificate (with its chain) and key in PEM files.
func Given(certFile, keyFile string) (*Certs, error) {
	c := &Certs{cert: certFile, key: keyFile}
	return c, c.Renew(time.Now())
}

// Renew is to be called daily: an own certificate is issued anew a month before
// its end, a given one is read again. On an error the one in use stays.
func (c *Certs) Renew(now time.Time) error {
	var cert tls.Certificate
	var err error
	if c.ca != nil {
		cert, err = c.ca.leaf(now)
	} else {
		cert, err = tls.LoadX509KeyPair(c.cert, c.key)
	}
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	c.current.Store(&leaf{cert, endPoint(cert.Leaf)})
	return nil
}

// CAFile is the own CA's certificate for clients to trust, "" when the
// certificate was given.
func (c *Certs) CAFile() string {
	if c.ca == nil {
		return ""
	}
	return c.ca.file("ca.pem")
}

// Check tells whether the certificate is good now.
func (c *Certs) Check() error {
	l, now := c.current.Load().cert.Leaf, time.Now()
	switch {
	case now.After(l.NotAfter):
		return fmt.Errorf("out of date since %s", l.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(l.NotBefore):
		return errors.New("not good yet; check the clock")
	}
	return nil
}

// Covers tells whether clients will find the name in the certificate.
func (c *Certs) Covers(domain jid.JID) error {
	return c.current.Load().cert.Leaf.VerifyHostname(ascii(domain))
}

// EndPoint is the tls-server-end-point channel binding of the certificate in
// use, nil when it has none.
func (c *Certs) EndPoint() []byte { return c.current.Load().endPoint }

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
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.current.Load().cert, nil
		},
	}
}
