// Package pushtest is a push service (RFC 8030) for tests, and the browser behind
// it: it checks what senders say of themselves and decrypts what they send, with
// code of its own. It delivers nothing to anybody.
package pushtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Answer is what the service says to one request.
type Answer struct {
	Status     int
	RetryAfter string
	Location   string
	Hang       bool // until the client gives up
}

// Push is one notification that the service accepted or refused.
type Push struct {
	Path    string
	Header  http.Header
	Message []byte // decrypted; padding gone
	Size    int    // of the body
	Subject string // claim of the token
}

// Service is a push service on loopback.
type Service struct {
	*httptest.Server
	// Now is the service's clock.
	Now func() time.Time

	mu      sync.Mutex
	clients map[string]*Browser // by path
	answers []Answer            // the next ones; then 201
	got     []Push
	bad     []error
}

// New starts a service, which ends with the test.
func New(t testing.TB) *Service {
	s := &Service{Now: time.Now, clients: map[string]*Browser{}}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// Close ends the service.
func (s *Service) Close() {
	s.CloseClientConnections()
	s.Server.Close()
}

// PEM is the certificate that the service is known by.
func (s *Service) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// Browser is one subscription's owner.
type Browser struct {
	Endpoint, P256dh, Auth string

	key  *ecdh.PrivateKey
	auth []byte
	// sender is the key of the one who may send.
	sender string
}

// Subscribe makes a subscription for a sender's public key in base64url.
func (s *Service) Subscribe(t testing.TB, sender string) *Browser {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBrowser(key, random(16))
	s.mu.Lock()
	defer s.mu.Unlock()
	path := "/push/" + strconv.Itoa(len(s.clients)) + "-" + text.EncodeToString(random(9))
	b.Endpoint, b.sender = s.URL+path, sender
	s.clients[path] = b
	return b
}

// NewBrowser is a subscription's owner with a given key.
func NewBrowser(key *ecdh.PrivateKey, auth []byte) *Browser {
	return &Browser{
		P256dh: text.EncodeToString(key.PublicKey().Bytes()), Auth: text.EncodeToString(auth), key: key, auth: auth,
	}
}

// Answer queues answers to the next requests.
func (s *Service) Answer(a ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = append(s.answers, a...)
}

// Got are the notifications since the last call, and what was wrong with any.
func (s *Service) Got() ([]Push, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got, err := s.got, errors.Join(s.bad...)
	s.got, s.bad = nil, nil
	return got, err
}

var text = base64.RawURLEncoding

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	a := s.take(r)
	if a.Hang {
		<-r.Context().Done()
		return
	}
	if a.RetryAfter != "" {
		w.Header().Set("Retry-After", a.RetryAfter)
	}
	if a.Location != "" {
		w.Header().Set("Location", a.Location)
	}
	w.WriteHeader(a.Status)
}

func (s *Service) take(r *http.Request) Answer {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.check(r, body)
	if err != nil {
		s.bad = append(s.bad, fmt.Errorf("%s: %w", r.URL.Path, err))
		return Answer{Status: http.StatusBadRequest}
	}
	s.got = append(s.got, p)
	a := Answer{Status: http.StatusCreated}
	if len(s.answers) > 0 {
		a, s.answers = s.answers[0], s.answers[1:]
	}
	return a
}

// check is all that the service and the browser look at.
func (s *Service) check(r *http.Request, body []byte) (Push, error) {
	p := Push{Path: r.URL.Path, Header: r.Header, Size: len(body)}
	b := s.clients[r.URL.Path]
	switch {
	case b == nil:
		return p, errors.New("no such subscription")
	case r.Method != http.MethodPost:
		return p, errors.New("not a POST")
	case r.Header.Get("Content-Encoding") != "aes128gcm":
		return p, errors.New("another content encoding")
	case len(body) > 4096:
		return p, errors.New("over 4096 bytes")
	case len(r.Header.Get("Topic")) > 32:
		return p, errors.New("the topic is too long")
	}
	if n, err := strconv.Atoi(r.Header.Get("TTL")); err != nil || n < 0 {
		return p, errors.New("no TTL")
	}
	var err error
	if p.Subject, err = s.known(r, b.sender); err != nil {
		return p, err
	}
	p.Message, err = b.Decrypt(body)
	return p, err
}

// known checks the sender's token (RFC 8292) and returns its subject.
func (s *Service) known(r *http.Request, sender string) (string, error) {
	params := map[string]string{}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	for _, p := range strings.Split(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		params[k] = v
	}
	parts := strings.Split(params["t"], ".")
	switch {
	case scheme != "vapid" || len(parts) != 3:
		return "", errors.New("no vapid token")
	case sender != "" && params["k"] != sender:
		return "", errors.New("another sender's key")
	}
	if err := verify(params["k"], parts); err != nil {
		return "", err
	}
	var head struct{ Alg, Typ string }
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := errors.Join(read(parts[0], &head), read(parts[1], &claims)); err != nil {
		return "", err
	}
	left := time.Unix(claims.Exp, 0).Sub(s.Now())
	switch {
	case head.Alg != "ES256" || head.Typ != "JWT":
		return "", fmt.Errorf("head %+v", head)
	case claims.Aud != s.URL:
		return "", fmt.Errorf("audience %q", claims.Aud)
	case left <= 0 || left > 24*time.Hour:
		return "", fmt.Errorf("expires in %v", left)
	case !strings.HasPrefix(claims.Sub, "mailto:") && !strings.HasPrefix(claims.Sub, "https:"):
		return "", fmt.Errorf("subject %q", claims.Sub)
	}
	return claims.Sub, nil
}

func read(part string, to any) error {
	b, err := text.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, to)
}

// verify checks the signature of a token: ES256.
func verify(key string, parts []string) error {
	point, err := text.DecodeString(key)
	if err != nil || len(point) != 65 || point[0] != 4 {
		return errors.New("the sender's key is no point")
	}
	signature, err := text.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return errors.New("no signature of 64 bytes")
	}
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], number(signature[:32]), number(signature[32:])) {
		return errors.New("the signature is not good")
	}
	return nil
}

// Decrypt reads a body as a browser does (RFC 8188 §2, RFC 8291 §3), by HMAC alone.
func (b *Browser) Decrypt(body []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return nil, errors.New("the header is cut short")
	}
	salt, size, id := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:21+int(body[20])]
	record := body[21+len(id):]
	if int(size) < len(record) || size < 18 {
		return nil, errors.New("more than one record")
	}
	their, err := ecdh.P256().NewPublicKey(id)
	if err != nil {
		return nil, err
	}
	secret, err := b.key.ECDH(their)
	if err != nil {
		return nil, err
	}
	mac := func(key []byte, parts ...[]byte) []byte {
		m := hmac.New(sha256.New, key)
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	first := mac(mac(b.auth, secret), []byte("WebPush: info\x00"), b.key.PublicKey().Bytes(), id, []byte{1})
	second := mac(salt, first)
	key := mac(second, []byte("Content-Encoding: aes128gcm\x00\x01"))[:16]
	nonce := mac(second, []byte("Content-Encoding: nonce\x00\x01"))[:12]
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, record, nil)
	if err != nil {
		return nil, err
	}
	end := strings.TrimRight(string(plain), "\x00")
	if !strings.HasSuffix(end, "\x02") {
		return nil, errors.New("not the last record")
	}
	return []byte(end[:len(end)-1]), nil
}
