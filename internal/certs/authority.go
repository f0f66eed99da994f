package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/net/idna"

	"mirsal/internal/xmpp/jid"
)

// Lives of the certificates that are made here. The month before the end is
// left for the daily renewal, and for a server that is switched off.
const (
	lifeOfCA   = 10 * 365 * 24 * time.Hour
	lifeOfLeaf = 365 * 24 * time.Hour
	spare      = 30 * 24 * time.Hour
)

// authority is the server's own CA.
type authority struct {
	dir   string
	names []string // for the certificate: DNS names …
	ips   []net.IP // … and addresses
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// ASCII is the name as certificates and DNS write it.
func ASCII(domain jid.JID) string {
	s, err := idna.Punycode.ToASCII(domain.Domain())
	if err != nil {
		return domain.Domain()
	}
	return s
}

// openAuthority reads the CA in dir, or makes one when there is none that may
// speak for the domain.
func openAuthority(dir string, domain jid.JID, now time.Time) (*authority, error) {
	a := &authority{dir: dir, names: []string{"localhost"}, ips: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}}
	name := ASCII(domain)
	if ip := net.ParseIP(trimBrackets(name)); ip != nil {
		a.ips = append(a.ips, ip)
	} else {
		a.names = append([]string{name, "conference." + name, "upload." + name}, a.names...)
	}
	a.names = slices.Compact(a.names)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	err := a.load(now)
	if unfit := errors.Is(err, errUnfit); unfit || errors.Is(err, fs.ErrNotExist) {
		err = a.create(now, unfit)
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	return a, nil
}

func trimBrackets(s string) string {
	if n := len(s); n > 2 && s[0] == '[' && s[n-1] == ']' {
		return s[1 : n-1]
	}
	return s
}

// errUnfit is of a certificate that cannot serve any longer, or not here.
var errUnfit = errors.New("out of date, or of another domain")

// load reads the CA; errUnfit and fs.ErrNotExist ask for a new one. A file that
// is damaged is an error for the operator: clients may still trust it.
func (a *authority) load(now time.Time) error {
	pair, err := tls.LoadX509KeyPair(a.file("ca.pem"), a.file("ca-key.pem"))
	if err != nil {
		return err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return fmt.Errorf("%s is not a CA of this program", a.file("ca.pem"))
	}
	if !a.permits(pair.Leaf) || now.Add(spare+lifeOfLeaf).After(pair.Leaf.NotAfter) {
		return errUnfit
	}
	a.cert, a.key = pair.Leaf, key
	return nil
}

// permits tells whether a CA is constrained to exactly the names wanted.
func (a *authority) permits(ca *x509.Certificate) bool {
	return slices.Equal(ca.PermittedDNSDomains, a.domains()) &&
		slices.EqualFunc(ca.PermittedIPRanges, a.ranges(), func(x, y *net.IPNet) bool { return x.String() == y.String() })
}

// domains are the constraint: what stands below a permitted name is permitted.
func (a *authority) domains() []string {
	return slices.Compact([]string{a.names[0], "localhost"})
}

func (a *authority) ranges() (r []*net.IPNet) {
	for _, ip := range a.ips {
		if v4 := ip.To4(); v4 != nil {
			ip = v4
		}
		r = append(r, &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))})
	}
	return r
}

// create makes a CA whose reach ends at this domain, so that trusting it gives
// nobody power over other names. used tells that the key that is there belongs to
// the CA to be replaced.
func (a *authority) create(now time.Time, used bool) (err error) {
	if a.key, err = a.keyFor("ca-key.pem", used); err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: nil, // random
		Subject:      pkix.Name{CommonName: "Mirsal at " + a.names[0], Organization: []string{maker}},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(lifeOfCA),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: a.domains(), PermittedIPRanges: a.ranges(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	return a.write("ca", a.key, der)
}

// leaf is the certificate in the folder, or a new one when that is missing, does not
// fit or is about to end.
func (a *authority) leaf(now time.Time) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(a.file("cert.pem"), a.file("key.pem"))
	if err == nil && a.fits(pair.Leaf, now) {
		return pair, nil
	}
	if err := a.checkPair("cert.pem", "key.pem", madeLeaf); err != nil {
		return pair, err
	}
	key, err := a.keyFor("key.pem", err == nil)
	if err != nil {
		return pair, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: a.names[0]},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifeOfLeaf),
		DNSNames: a.names, IPAddresses: a.ips,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return pair, err
	}
	if err := a.write("", key, der); err != nil {
		return pair, err
	}
	return tls.LoadX509KeyPair(a.file("cert.pem"), a.file("key.pem"))
}

func (a *authority) fits(c *x509.Certificate, now time.Time) bool {
	return now.Add(spare).Before(c.NotAfter) && c.CheckSignatureFrom(a.cert) == nil &&
		slices.Equal(c.DNSNames, a.names) && slices.EqualFunc(c.IPAddresses, a.ips, net.IP.Equal)
}

// write keeps a certificate and its key: ca.pem and ca-key.pem, or cert.pem and
// key.pem. The key goes first: a certificate without its key is never left.
func (a *authority) write(which string, key *ecdsa.PrivateKey, der []byte) error {
	certName, keyName := "cert.pem", "key.pem"
	if which == "ca" {
		certName, keyName = "ca.pem", "ca-key.pem"
	}
	if there, err := readKey(a.file(keyName)); err == nil && there.Equal(key) {
		return replace(a.file(certName), 0o644, "CERTIFICATE", der)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := replace(a.file(keyName), 0o600, "PRIVATE KEY", secret); err != nil {
		return err
	}
	return replace(a.file(certName), 0o644, "CERTIFICATE", der)
}

// replace writes a PEM file whole or not at all.
func replace(path string, mode fs.FileMode, kind string, der []byte) error {
	var b bytes.Buffer
	if err := pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when it was renamed, as it should
	_, err = f.Write(b.Bytes())
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
