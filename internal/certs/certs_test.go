package certs

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/xmpp/jid"
)

func own(t *testing.T, dir, domain string) *Certs {
	t.Helper()
	c, err := Own(dir, Options{Domain: jid.MustParse(domain)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ends are the two ends of a connection.
func ends(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// serve answers one handshake on the other end of the connection.
func serve(t *testing.T, server *tls.Config) net.Conn {
	t.Helper()
	a, b := ends(t)
	go func() {
		if tls.Server(b, server).Handshake() != nil {
			b.Close()
		}
	}()
	return a
}

// shake is a handshake with a client that trusts the CA file.
func shake(t *testing.T, c *Certs, server *tls.Config, name string, protocols ...string) (tls.ConnectionState, error) {
	t.Helper()
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(c.CAFile())
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no CA:", err)
	}
	a := serve(t, server)
	conn := tls.Client(a, &tls.Config{RootCAs: pool, ServerName: name, NextProtos: protocols})
	err = conn.Handshake()
	return conn.ConnectionState(), err
}

func TestTheOwnCAIsTrustedForTheDomainItsServicesAndThisMachine(t *testing.T) {
	c := own(t, t.TempDir(), "example.org")
	for _, name := range []string{"example.org", "conference.example.org", "upload.example.org", "localhost", "127.0.0.1", "::1"} {
		st, err := shake(t, c, c.TLS(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if st.Version != tls.VersionTLS13 || st.CurveID != tls.X25519MLKEM768 {
			t.Errorf("%x %v", st.Version, st.CurveID)
		}
	}
	if _, err := shake(t, c, c.TLS(), "example.com"); err == nil {
		t.Error("another name is served")
	}
	if err := c.Covers(jid.MustParse("example.org")); err != nil {
		t.Error(err)
	}
	if c.Covers(jid.MustParse("example.com")) == nil || c.Ready() != nil {
		t.Error("covers another, or is not there")
	}
}

func TestTheOwnCACannotSpeakForOthers(t *testing.T) {
	c := own(t, t.TempDir(), "example.org")
	c.ca.names = []string{"bank.example"}
	if err := c.Renew(time.Now()); err != nil {
		t.Fatal(err)
	}
	_, err := shake(t, c, c.TLS(), "bank.example")
	if err == nil || !strings.Contains(err.Error(), "not permitted") {
		t.Error(err)
	}
}

func TestCertificatesStayUntilAMonthBeforeTheirEnd(t *testing.T) {
	dir := t.TempDir()
	one := own(t, dir, "example.org")
	ca, _ := os.ReadFile(one.CAFile())
	again := own(t, dir, "example.org")
	if !bytes.Equal(one.EndPoint(), again.EndPoint()) {
		t.Error("issued anew without need")
	}
	first := one.EndPoint()
	if err := one.Renew(time.Now().Add(lifeOfLeaf - spare - 2*time.Hour)); err != nil || !bytes.Equal(one.EndPoint(), first) {
		t.Error("too early", err)
	}
	if err := one.Renew(time.Now().Add(lifeOfLeaf - spare + time.Hour)); err != nil || bytes.Equal(one.EndPoint(), first) {
		t.Error("too late", err)
	}
	if now, _ := os.ReadFile(one.CAFile()); !bytes.Equal(ca, now) {
		t.Error("clients have to trust another CA")
	}
	if err := one.current.Load().leaf.cert.Leaf.CheckSignatureFrom(one.ca.cert); err != nil {
		t.Error(err)
	}
}

func TestAnotherDomainGetsAnotherCA(t *testing.T) {
	dir := t.TempDir()
	own(t, dir, "example.org")
	for _, domain := range []string{"example.com", "localhost", "münchen.example", "192.0.2.7", "[2001:db8::1]"} {
		c := own(t, dir, domain)
		if _, err := shake(t, c, c.TLS(), trimBrackets(ASCII(jid.MustParse(domain)))); err != nil {
			t.Errorf("%s: %v", domain, err)
		}
	}
}

func TestKeysAreTheOwnersAndDamageIsNotPaintedOver(t *testing.T) {
	dir := t.TempDir()
	own(t, dir, "example.org")
	for _, name := range []string{"ca-key.pem", "key.pem"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode().Perm() != 0o600 {
			t.Error(name, st.Mode(), err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 4 {
		t.Error(files)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Own(dir, Options{Domain: jid.MustParse("example.org")}); err == nil {
		t.Error("a damaged CA was replaced")
	}
}

// contents are the files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name()] = string(b)
	}
	return all
}

func write(t *testing.T, dir, name string, b []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, mode); err != nil {
		t.Fatal(err)
	}
}

// others makes a self-signed CA and its key as another program would.
func others(t *testing.T) (cert, key []byte) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{Subject: pkix.Name{CommonName: "example.org"}, NotAfter: time.Now().Add(20 * lifeOfLeaf), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

func TestFilesOfOthersAreNeverReplaced(t *testing.T) {
	cert, key := others(t)
	for _, names := range [][]string{
		{"ca.pem"}, {"ca-key.pem"}, {"cert.pem"}, {"key.pem"}, {"ca.pem", "ca-key.pem"}, {"cert.pem", "key.pem"},
		{"ca.pem", "ca-key.pem", "cert.pem", "key.pem"},
	} {
		for _, mine := range []bool{false, true} { // among files made here
			dir := t.TempDir()
			if mine {
				own(t, dir, "example.org")
			}
			for _, name := range names {
				b := cert
				if strings.Contains(name, "key") {
					b = key
				}
				write(t, dir, name, b, 0o600)
			}
			before := contents(t, dir)
			for _, domain := range []string{"example.org", "example.com"} {
				_, err := Own(dir, Options{Domain: jid.MustParse(domain)})
				if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, names[0])) || !strings.Contains(err.Error(), "tls.cert") {
					t.Errorf("%v: %v", names, err)
				}
			}
			if !maps.Equal(before, contents(t, dir)) {
				t.Errorf("%v: files were written", names)
			}
		}
	}
}

func TestACertificateOfOthersIsSparedByRenewal(t *testing.T) {
	dir := t.TempDir()
	c := own(t, dir, "example.org")
	first := c.EndPoint()
	cert, key := others(t)
	write(t, dir, "cert.pem", cert, 0o644)
	write(t, dir, "key.pem", key, 0o600)
	before := contents(t, dir)
	if err := c.Renew(time.Now()); err == nil || !bytes.Equal(first, c.EndPoint()) || !maps.Equal(before, contents(t, dir)) {
		t.Error("taken or replaced", err)
	}
}

func TestAStartThatWasCutShortIsGoneOnWith(t *testing.T) {
	for _, lost := range [][]string{{"ca.pem", "cert.pem", "key.pem"}, {"cert.pem", "key.pem"}, {"cert.pem"}} {
		dir := t.TempDir()
		own(t, dir, "example.org")
		for _, name := range lost {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		left := contents(t, dir)
		c := own(t, dir, "example.org")
		if _, err := shake(t, c, c.TLS(), "example.org"); err != nil {
			t.Errorf("without %v: %v", lost, err)
		}
		now := contents(t, dir)
		for name, was := range left {
			if now[name] != was {
				t.Errorf("without %v: %s was replaced", lost, name)
			}
		}
	}
}

func TestARenewalThatWasCutShortIsGoneOnWith(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	own(t, dir, "example.org")
	own(t, other, "example.org")
	write(t, dir, "key.pem", []byte(contents(t, other)["key.pem"]), 0o600) // the new key goes first
	c := own(t, dir, "example.org")
	if _, err := shake(t, c, c.TLS(), "example.org"); err != nil {
		t.Error(err)
	}
	if contents(t, dir)["key.pem"] != contents(t, other)["key.pem"] {
		t.Error("a key was replaced that no certificate goes with")
	}
}

func TestAKeyThatOthersMayKnowIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	own(t, dir, "example.org")
	os.Remove(filepath.Join(dir, "ca.pem"))
	if err := os.Chmod(filepath.Join(dir, "ca-key.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Own(dir, Options{Domain: jid.MustParse("example.org")}); err == nil || !strings.Contains(err.Error(), "others may read it") {
		t.Error(err)
	}
}

// reissue replaces the certificate and key in the folder.
func reissue(t *testing.T, dir string, c *Certs) {
	t.Helper()
	for _, name := range []string{"cert.pem", "key.pem"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Renew(time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestAGivenCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	o := own(t, dir, "example.org")
	g, err := Given(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), Options{Domain: jid.MustParse("example.org")})
	if err != nil || g.CAFile() != "" || !bytes.Equal(g.EndPoint(), o.EndPoint()) {
		t.Fatal(err)
	}
	reissue(t, dir, o)
	if err := g.Renew(time.Now()); err != nil || !bytes.Equal(g.EndPoint(), o.EndPoint()) {
		t.Error("not read again", err)
	}
	os.Remove(filepath.Join(dir, "key.pem"))
	if err := g.Renew(time.Now()); err == nil || g.EndPoint() == nil {
		t.Error("the one in use must stay")
	}
	if _, err := Given(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key.pem"), Options{Domain: jid.MustParse("example.org")}); err == nil {
		t.Error("a certificate without its key is taken")
	}
}

func TestEndPointIsTheHashOfTheSignature(t *testing.T) {
	c := own(t, t.TempDir(), "example.org")
	want := sha256.Sum256(c.current.Load().leaf.cert.Leaf.Raw)
	if !slices.Equal(c.EndPoint(), want[:]) {
		t.Error("ECDSA with SHA-256")
	}
	for alg, size := range map[x509.SignatureAlgorithm]int{x509.SHA1WithRSA: 32, x509.SHA384WithRSA: 48, x509.ECDSAWithSHA512: 64, x509.PureEd25519: 0} {
		if got := endPoint(&x509.Certificate{SignatureAlgorithm: alg}); len(got) != size {
			t.Errorf("%v: %d bytes", alg, len(got))
		}
	}
}

func TestOtherProtocolsAreRefusedByALPN(t *testing.T) {
	c := own(t, t.TempDir(), "example.org")
	server := c.TLS("xmpp-client")
	if st, err := shake(t, c, server, "localhost", "xmpp-client"); err != nil || st.NegotiatedProtocol != "xmpp-client" {
		t.Error(err)
	}
	if _, err := shake(t, c, server, "localhost"); err != nil {
		t.Error("a client without ALPN:", err)
	}
	if _, err := shake(t, c, server, "localhost", "h2"); err == nil {
		t.Error("HTTP on the XMPP port")
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	c := own(t, t.TempDir(), "example.org")
	a := serve(t, c.TLS())
	if err := tls.Client(a, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}).Handshake(); err == nil {
		t.Error("TLS 1.1 is served")
	}
}
