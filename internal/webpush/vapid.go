package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// Key identifies the sender to push services: a subscription is bound to it, so it
// is made once and kept.
type Key struct{ private *ecdsa.PrivateKey }

// NewKey makes a key.
func NewKey() (Key, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return Key{k}, err
}

// ParseKey reads what Bytes made.
func ParseKey(b []byte) (Key, error) {
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b)
	if err != nil {
		return Key{}, fmt.Errorf("webpush: key: %w", err)
	}
	return Key{k}, nil
}

// Bytes is the private key, to be kept.
func (k Key) Bytes() ([]byte, error) { return k.private.Bytes() }

// Public is what clients give their browser as applicationServerKey, in base64url.
func (k Key) Public() (string, error) {
	b, err := k.private.PublicKey.Bytes()
	return base64.RawURLEncoding.EncodeToString(b), err
}

// tokenLife is how long a token is good; RFC 8292 §2 allows a day.
const tokenLife = 12 * time.Hour

// authorization is the value of the header by which a push service knows us.
// subject is where its operator may write to.
// RFC 8292 §2, §3
func (k Key) authorization(audience, subject string, now time.Time) (string, error) {
	claims, err := json.Marshal(struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub,omitempty"`
	}{audience, now.Add(tokenLife).Unix(), subject})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding
	signed := text.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + text.EncodeToString(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		return "", err
	}
	// RFC 7518 §3.4: the two numbers, 32 bytes each
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	public, err := k.Public()
	return "vapid t=" + signed + "." + text.EncodeToString(signature[:]) + ", k=" + public, err
}
