// Package sasl authenticates by SCRAM (RFC 5802, RFC 7677), with and without
// binding to the TLS channel: the server's side of one exchange, and a small
// client's side.
//
// It knows neither the network nor where passwords are kept: base64 and XML are
// the stream's business, keys come from a lookup. PLAIN is there for programs that
// know nothing else, and has to be asked for: a server that does not never sees a
// password at login. Invariants: an exchange
// succeeds once at most; who it lets in has proved the password of exactly
// User(); nothing the peer sends makes it keep more than MaxMessage bytes; an
// unknown name takes the same path as a known one with a wrong password.
//
// All of it is our own: the common library's server serves one type of binding
// per conversation, takes empty nonces, and has no place for XEP-0474; its client
// brings all of TLS into a program for the browser. The tests hold both sides
// against it.
package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"hash"
	"strings"
)

// Bounds of what a peer may send.
const (
	MaxMessage = 4096 // bytes of one decoded message
	MaxName    = 1023 // bytes of a user name: RFC 7622 §3.3
	maxNonce   = 512  // bytes of a nonce
)

// The mechanisms.
const (
	SCRAMSHA256Plus = "SCRAM-SHA-256-PLUS"
	SCRAMSHA1Plus   = "SCRAM-SHA-1-PLUS"
	SCRAMSHA256     = "SCRAM-SHA-256"
	SCRAMSHA1       = "SCRAM-SHA-1"
)

// Types of channel binding.
const (
	TLSExporter       = "tls-exporter"         // RFC 9266
	TLSServerEndPoint = "tls-server-end-point" // RFC 5929 §4
)

// Binding is what both ends of one TLS channel know and nobody between them does.
type Binding struct {
	Type string
	Data []byte
}

// Keys are what a server keeps of a password for one hash (RFC 5802 §3).
type Keys struct {
	Salt       []byte
	Iterations int
	StoredKey  []byte
	ServerKey  []byte
}

// Credentials are one account's.
type Credentials struct {
	SHA1, SHA256 Keys
	// OnlySHA1 tells that the account has no keys for SHA-256: those that stand
	// there nobody can prove, and PLAIN is held against SHA1.
	OnlySHA1 bool
	// Disabled accounts are told so once they have proved their password.
	Disabled bool
	// Do runs the work of deriving keys, which PLAIN needs, when there is room for
	// it, or returns an error: the question cannot be answered now. nil runs it at once.
	Do func(work func()) error
}

// A Lookup finds credentials by normalised user name. For names that it does
// not know it must return credentials that look like any other (a salt that stays the same
// for the name, the usual iterations) and that nobody can prove. An error means
// that the question cannot be answered now.
type Lookup func(user string) (Credentials, error)

// kind is one hash, with and without -PLUS.
type kind struct {
	hash func() hash.Hash
	keys func(Credentials) Keys
}

// mechanism finds a mechanism by its name.
func mechanism(name string) (k kind, plus, ok bool) {
	base := strings.TrimSuffix(name, "-PLUS")
	switch base {
	case SCRAMSHA256:
		k = kind{sha256.New, func(c Credentials) Keys { return c.SHA256 }}
	case SCRAMSHA1:
		k = kind{sha1.New, func(c Credentials) Keys { return c.SHA1 }}
	default:
		return kind{}, false, false
	}
	return k, base != name, true
}

// Mechanisms are the names to offer on a channel with these bindings, best
// first; without bindings none that needs one.
func Mechanisms(bindings []Binding) []string {
	if len(bindings) == 0 {
		return []string{SCRAMSHA256, SCRAMSHA1}
	}
	return []string{SCRAMSHA256Plus, SCRAMSHA1Plus, SCRAMSHA256, SCRAMSHA1}
}

// Derive makes the keys of a password for both hashes. The password must be
// prepared by Password; the salts should be 16 random bytes each.
func Derive(password string, salt1, salt256 []byte, iterations int) (Credentials, error) {
	var c Credentials
	var err error
	if c.SHA1, _, err = derive(sha1.New, password, salt1, iterations); err != nil {
		return Credentials{}, err
	}
	c.SHA256, _, err = derive(sha256.New, password, salt256, iterations)
	return c, err
}

// derive makes the keys of a password, and the key that the client keeps to itself.
// RFC 5802 §3
func derive(h func() hash.Hash, password string, salt []byte, iterations int) (k Keys, client []byte, err error) {
	salted, err := pbkdf2.Key(h, password, salt, iterations, h().Size())
	if err != nil {
		return Keys{}, nil, fmt.Errorf("sasl: derive keys: %w", err)
	}
	k, client = keysOf(h, salted)
	k.Salt, k.Iterations = salt, iterations
	return k, client, nil
}

func keysOf(h func() hash.Hash, salted []byte) (k Keys, client []byte) {
	client = mac(h, salted, []byte("Client Key"))
	stored := h()
	stored.Write(client)
	return Keys{StoredKey: stored.Sum(nil), ServerKey: mac(h, salted, []byte("Server Key"))}, client
}

func mac(h func() hash.Hash, key, data []byte) []byte {
	m := hmac.New(h, key)
	m.Write(data)
	return m.Sum(nil)
}
