// Package acmetest is as much of an ACME server (RFC 8555) as tests need: it issues
// certificates once it has really seen who answers for a name, and refuses in the
// ways that a client must bear. It checks no signatures and is no server for others.
package acmetest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is one ACME server with a CA of its own. It looks who answers for a name at
// the addresses below, whatever the name is. Fields are changed by Set once it is in use.
type Server struct {
	*httptest.Server
	CA    *x509.Certificate
	HTTPS string // where tls-alpn-01 looks, "" for nowhere
	HTTP  string // where http-01 looks

	Elsewhere string                                      // a name that another machine answers for
	Life      func(n int) (notBefore, notAfter time.Time) // of the nth certificate, from 1
	Terms     bool                                        // accounts have to agree
	Deaf      bool                                        // every request is refused

	t   testing.TB
	key *ecdsa.PrivateKey

	mu     sync.Mutex
	print  string // of the account's key
	orders []*order
	asked  []string // names of all orders
}

type order struct {
	name, status, error, typ string
	cert                     []byte
}

// New starts a server that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, Life: func(int) (time.Time, time.Time) {
		return time.Now().Add(-time.Hour), time.Now().Add(90 * 24 * time.Hour)
	}}
	var err error
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Practice CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * 365 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, s.key.Public(), s.key)
	if err != nil {
		t.Fatal(err)
	}
	if s.CA, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// Directory is its address for clients.
func (s *Server) Directory() string { return s.URL + "/directory" }

// TrustFile is the CA that the server itself is known by, as a PEM file.
func (s *Server) TrustFile() string {
	path := filepath.Join(s.t.TempDir(), "acme-ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// Roots trust what the server issues.
func (s *Server) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.CA)
	return pool
}

// Set changes the server.
func (s *Server) Set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Ordered are the names of all orders so far.
func (s *Server) Ordered() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Replay-Nonce", rand.Text())
	if s.Deaf {
		s.refuse(w, http.StatusForbidden, "unauthorized", "closed for today")
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch parts[0] {
	case "directory":
		s.answer(w, 200, "", map[string]any{
			"newNonce": s.URL + "/nonce", "newAccount": s.URL + "/account", "newOrder": s.URL + "/order",
			"revokeCert": s.URL + "/revoke", "keyChange": s.URL + "/key",
			"meta": map[string]any{"termsOfService": "https://terms.example/"},
		})
	case "nonce":
	default:
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		s.post(w, parts, body)
	}
}

func (s *Server) post(w http.ResponseWriter, parts []string, body []byte) {
	payload, key := s.open(body)
	n := 0
	if len(parts) > 1 {
		if n, _ = strconv.Atoi(parts[1]); n < 0 || n >= len(s.orders) {
			s.refuse(w, 404, "malformed", "no such thing")
			return
		}
	}
	switch parts[0] {
	case "account":
		s.account(w, payload, key)
	case "order":
		if len(parts) == 1 {
			s.newOrder(w, payload)
			return
		}
		s.showOrder(w, 200, n)
	case "authz":
		s.showAuthz(w, n)
	case "challenge":
		s.validate(n, parts[2])
		s.answer(w, 200, "", s.challenge(n, parts[2]))
	case "finalize":
		s.finalize(w, n, payload)
	case "cert":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: s.orders[n].cert})
		pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: s.CA.Raw})
	}
}

// open reads a signed request. Signatures are not looked at: that is the business
// of a real server.
func (s *Server) open(body []byte) (payload []byte, key map[string]string) {
	var jws struct{ Protected, Payload string }
	var head struct{ JWK map[string]string }
	json.Unmarshal(body, &jws)
	protected, _ := base64.RawURLEncoding.DecodeString(jws.Protected)
	json.Unmarshal(protected, &head)
	payload, _ = base64.RawURLEncoding.DecodeString(jws.Payload)
	return payload, head.JWK
}

func (s *Server) account(w http.ResponseWriter, payload []byte, key map[string]string) {
	var a struct{ TermsOfServiceAgreed bool }
	json.Unmarshal(payload, &a)
	if s.Terms && !a.TermsOfServiceAgreed {
		s.refuse(w, 403, "userActionRequired", "agree first")
		return
	}
	if key != nil {
		// RFC 7638 §3.2
		sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":%q,"kty":%q,"x":%q,"y":%q}`, key["crv"], key["kty"], key["x"], key["y"]))
		s.print = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	s.answer(w, 201, s.URL+"/account/0", map[string]any{"status": "valid"})
}

func (s *Server) newOrder(w http.ResponseWriter, payload []byte) {
	var o struct{ Identifiers []struct{ Value string } }
	json.Unmarshal(payload, &o)
	s.orders = append(s.orders, &order{name: o.Identifiers[0].Value, status: "pending"})
	s.asked = append(s.asked, o.Identifiers[0].Value)
	s.showOrder(w, 201, len(s.orders)-1)
}

func (s *Server) showOrder(w http.ResponseWriter, code, n int) {
	o := s.orders[n]
	a := map[string]any{
		"status": o.status, "identifiers": []any{map[string]string{"type": "dns", "value": o.name}},
		"authorizations": []string{s.path("authz", n)}, "finalize": s.path("finalize", n),
	}
	if o.cert != nil {
		a["certificate"] = s.path("cert", n)
	}
	s.answer(w, code, s.path("order", n), a)
}

func (s *Server) path(kind string, n int) string { return fmt.Sprintf("%s/%s/%d", s.URL, kind, n) }

func (s *Server) showAuthz(w http.ResponseWriter, n int) {
	o := s.orders[n]
	status := o.status
	if status == "ready" {
		status = "valid"
	}
	s.answer(w, 200, "", map[string]any{
		"status": status, "identifier": map[string]string{"type": "dns", "value": o.name},
		"challenges": []any{s.challenge(n, "tls-alpn-01"), s.challenge(n, "http-01")},
	})
}

func (s *Server) challenge(n int, typ string) map[string]any {
	o := s.orders[n]
	c := map[string]any{"type": typ, "url": s.path("challenge", n) + "/" + typ, "token": token(n), "status": "pending"}
	if o.typ == typ && o.error != "" {
		c["status"], c["error"] = "invalid", map[string]any{"type": "urn:ietf:params:acme:error:connection", "detail": o.error}
	}
	return c
}

func token(n int) string { return fmt.Sprintf("token-%d", n) }

// validate looks who answers for the name.
func (s *Server) validate(n int, typ string) {
	o := s.orders[n]
	look := s.overHTTP
	if typ == "tls-alpn-01" {
		look = s.overTLS
	}
	o.typ, o.status = typ, "ready"
	err := look(o.name, token(n))
	if o.name == s.Elsewhere {
		err = errors.New("another machine answers")
	}
	if err != nil {
		o.status, o.error = "invalid", o.name+": "+err.Error()
	}
}

// overTLS is RFC 8737 §3.
func (s *Server) overTLS(name, token string) error {
	if s.HTTPS == "" {
		return errors.New("nobody answers on port 443")
	}
	conn, err := tls.Dial("tcp", s.HTTPS, &tls.Config{ServerName: name, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true})
	if err != nil {
		return err
	}
	defer conn.Close()
	st := conn.ConnectionState()
	cert := st.PeerCertificates[0]
	sum := sha256.Sum256([]byte(token + "." + s.print))
	want, _ := asn1.Marshal(sum[:])
	proof := slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool {
		return e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && e.Critical && bytes.Equal(e.Value, want)
	})
	if st.NegotiatedProtocol != "acme-tls/1" || !proof || !slices.Equal(cert.DNSNames, []string{name}) {
		return errors.New("the certificate shown is no answer to the challenge")
	}
	return nil
}

// overHTTP is RFC 8555 §8.3.
func (s *Server) overHTTP(name, token string) error {
	if s.HTTP == "" {
		return errors.New("nobody answers on port 80")
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.HTTP)
	}}}
	resp, err := client.Get("http://" + name + "/.well-known/acme-challenge/" + token)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if string(body) != token+"."+s.print {
		return fmt.Errorf("answered %q", body)
	}
	return nil
}

func (s *Server) finalize(w http.ResponseWriter, n int, payload []byte) {
	var f struct{ CSR string }
	json.Unmarshal(payload, &f)
	der, _ := base64.RawURLEncoding.DecodeString(f.CSR)
	csr, err := x509.ParseCertificateRequest(der)
	o := s.orders[n]
	if err != nil || o.status != "ready" || !slices.Equal(csr.DNSNames, []string{o.name}) {
		s.refuse(w, 403, "badCSR", "not what was ordered")
		return
	}
	if o.cert, err = s.sign(o.name, csr.PublicKey); err != nil {
		s.refuse(w, 500, "serverInternal", err.Error())
		return
	}
	o.status = "valid"
	s.showOrder(w, 200, n)
}

func (s *Server) sign(name string, key crypto.PublicKey) ([]byte, error) {
	n := 1
	for _, o := range s.orders {
		if o.cert != nil {
			n++
		}
	}
	from, to := s.Life(n)
	return x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(int64(n + 1)), DNSNames: []string{name}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, s.CA, key, s.key)
}

func (s *Server) refuse(w http.ResponseWriter, code int, kind, why string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]any{"type": "urn:ietf:params:acme:error:" + kind, "detail": why, "status": code})
}

func (s *Server) answer(w http.ResponseWriter, code int, location string, body any) {
	w.Header().Set("Content-Type", "application/json")
	if location != "" {
		w.Header().Set("Location", location)
	}
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(body)
}
