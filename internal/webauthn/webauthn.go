// Package webauthn checks what a browser brings back from a passkey: Web
// Authentication, Level 3 (W3C), §7.1 and §7.2, for relying parties that want no attestation.
//
// It keeps nothing, makes no challenges and does not know whose a key is. It reads no CBOR:
// the public key of a new credential is taken as the browser hands it out (getPublicKey), since
// without attestation nothing vouches for the copy inside the authenticator data either, and whoever
// registers a key that is not the authenticator's harms nobody but himself. Invariants: a check
// that returns nil has seen the challenge, the origin, the relying party, that a person
// was there and was verified, and, of an assertion, the signature; a count that does not
// grow is refused.
package webauthn

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// Algorithms, by their COSE numbers, the one we would rather have first.
const (
	ES256 = -7
	EdDSA = -8
	RS256 = -257
)

// Algorithms lists those that can be checked.
func Algorithms() []int { return []int{ES256, EdDSA, RS256} }

// Bounds of what a browser sends, in bytes.
const (
	MaxID         = 512
	maxClientData = 4 << 10
	maxAuthData   = 4 << 10
	maxKey        = 1 << 10
	maxSignature  = 1 << 10
)

// Errors that callers branch on; all others are "not good" too.
var (
	// ErrRefused is for whatever does not prove what it should.
	ErrRefused = errors.New("the passkey proves nothing")
	// ErrCount is for an authenticator whose count has not grown: there may be two of it.
	ErrCount = fmt.Errorf("%w: its count has not grown", ErrRefused)
)

func refuse(why string) error { return fmt.Errorf("%w: %s", ErrRefused, why) }

// Bytes are bytes as browsers write them in JSON: base64url without padding.
type Bytes []byte

// UnmarshalJSON reads them.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var s string
	err := json.Unmarshal(text, &s)
	if err == nil {
		*b, err = base64.RawURLEncoding.DecodeString(s)
	}
	return err
}

// MarshalJSON writes them.
func (b Bytes) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }

func (b Bytes) String() string { return base64.RawURLEncoding.EncodeToString(b) }

// Wanted is what a browser must have been asked.
type Wanted struct {
	Challenge []byte
	Origin    string // of the page, such as https://chat.example.org
	RP        string // relying party: a host name
}

// Key is a credential as it is kept.
type Key struct {
	ID        Bytes  `json:"id"`
	Algorithm int    `json:"alg"`
	Public    Bytes  `json:"key"` // SubjectPublicKeyInfo, DER
	Count     uint32 `json:"count"`
}

// Created is what navigator.credentials.create has made.
type Created struct {
	ID         Bytes `json:"id"`
	ClientData Bytes `json:"clientDataJSON"`
	AuthData   Bytes `json:"authenticatorData"`
	Public     Bytes `json:"publicKey"`
	Algorithm  int   `json:"publicKeyAlgorithm"`
}

// Asserted is what navigator.credentials.get has found.
type Asserted struct {
	ID         Bytes `json:"id"`
	ClientData Bytes `json:"clientDataJSON"`
	AuthData   Bytes `json:"authenticatorData"`
	Signature  Bytes `json:"signature"`
	UserHandle Bytes `json:"userHandle"`
}

// Register checks a new credential. That its ID is nobody's yet is for the caller
// to find out.
// WebAuthn L3 §7.1
func Register(c *Created, w Wanted) (Key, error) {
	if len(c.ID) == 0 || len(c.ID) > MaxID || len(c.Public) > maxKey {
		return Key{}, refuse("a credential of no such size")
	}
	if err := clientData(c.ClientData, "webauthn.create", w); err != nil {
		return Key{}, err
	}
	a, err := readAuthData(c.AuthData, w.RP)
	switch {
	case err != nil:
		return Key{}, err
	case !bytes.Equal(a.credential, c.ID):
		return Key{}, refuse("another credential in the authenticator's data")
	}
	if _, err := publicKey(c.Public, c.Algorithm); err != nil {
		return Key{}, err
	}
	return Key{ID: c.ID, Algorithm: c.Algorithm, Public: c.Public, Count: a.count}, nil
}

// Verify checks an assertion by a key that is kept, and returns the count to
// keep; whose key it is, and what UserHandle says of that, is the caller's.
// WebAuthn L3 §7.2
func Verify(s *Asserted, k *Key, w Wanted) (count uint32, err error) {
	if !bytes.Equal(s.ID, k.ID) || len(s.Signature) > maxSignature {
		return 0, refuse("another credential")
	}
	if err := clientData(s.ClientData, "webauthn.get", w); err != nil {
		return 0, err
	}
	a, err := readAuthData(s.AuthData, w.RP)
	if err != nil {
		return 0, err
	}
	public, err := publicKey(k.Public, k.Algorithm)
	if err != nil {
		return 0, err
	}
	hash := sha256.Sum256(s.ClientData)
	if !signed(public, append(bytes.Clone(s.AuthData), hash[:]...), s.Signature) {
		return 0, refuse("the signature")
	}
	if (a.count != 0 || k.Count != 0) && a.count <= k.Count {
		return 0, ErrCount
	}
	return a.count, nil
}

// clientData checks what the browser says that it was asked.
// WebAuthn L3 §5.8.1
func clientData(raw []byte, kind string, w Wanted) error {
	var c struct {
		Type        string `json:"type"`
		Challenge   Bytes  `json:"challenge"`
		Origin      string `json:"origin"`
		CrossOrigin bool   `json:"crossOrigin"`
		TopOrigin   string `json:"topOrigin"`
	}
	switch {
	case len(raw) > maxClientData || json.Unmarshal(raw, &c) != nil:
		return refuse("no client data")
	case c.Type != kind:
		return refuse("asked for something else")
	case len(w.Challenge) == 0 || subtle.ConstantTimeCompare(c.Challenge, w.Challenge) != 1:
		return refuse("another challenge")
	case c.Origin != w.Origin:
		return refuse("a page of another origin")
	case c.CrossOrigin || c.TopOrigin != "":
		return refuse("a page inside another one")
	}
	return nil
}

// The bits of the flags.
const (
	present  = 1 << 0 // somebody was there
	verified = 1 << 2 // and was the one
	eligible = 1 << 3 // may be copied to other devices
	copied   = 1 << 4
	attested = 1 << 6 // with a credential
)

// authData is what the authenticator says.
type authData struct {
	count      uint32
	credential []byte // nil without one
}

// readAuthData reads and checks it.
// WebAuthn L3 §6.1
func readAuthData(b []byte, rp string) (a authData, err error) {
	const head, credHead = 32 + 1 + 4, 16 + 2
	if len(b) < head || len(b) > maxAuthData {
		return a, refuse("no authenticator data")
	}
	hash, flags := sha256.Sum256([]byte(rp)), b[32]
	switch {
	case subtle.ConstantTimeCompare(b[:32], hash[:]) != 1:
		return a, refuse("for another relying party")
	case flags&present == 0 || flags&verified == 0:
		return a, refuse("nobody was verified")
	case flags&copied != 0 && flags&eligible == 0:
		return a, refuse("flags that contradict each other")
	}
	a.count = binary.BigEndian.Uint32(b[33:])
	if b = b[head:]; flags&attested != 0 {
		if len(b) < credHead || len(b) < credHead+int(binary.BigEndian.Uint16(b[16:])) {
			return a, refuse("a credential that is cut off")
		}
		a.credential = b[credHead:][:binary.BigEndian.Uint16(b[16:])]
	}
	return a, nil
}

// publicKey reads a key, which must be of the kind that its algorithm takes.
func publicKey(der []byte, algorithm int) (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, refuse("no public key")
	}
	good := false
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		good = algorithm == ES256 && k.Curve == elliptic.P256()
	case ed25519.PublicKey:
		good = algorithm == EdDSA
	case *rsa.PublicKey:
		good = algorithm == RS256 && k.Size() >= 256 && k.Size() <= 512
	}
	if !good {
		return nil, refuse("a public key of another kind")
	}
	return key, nil
}

// signed tells whether a signature is good.
// WebAuthn L3 §6.5.5
func signed(public crypto.PublicKey, message, signature []byte) bool {
	hash := sha256.Sum256(message)
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, hash[:], signature)
	case ed25519.PublicKey:
		return ed25519.Verify(k, message, signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, hash[:], signature) == nil
	}
	return false
}
