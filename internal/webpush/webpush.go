// Package webpush sends notifications to browsers, and to phones whose push
// services speak the same: Web Push, RFC 8030, with messages encrypted as RFC 8291
// and RFC 8188 say and the sender identified as RFC 8292 does (VAPID).
//
// It is the protocol only: it keeps no subscriptions, queues nothing and tries once.
// Invariants, each with a test: nothing but the owner of a subscription's private
// key reads a message; a request goes to public addresses over https only, follows
// no redirect, reads little of an answer and ends in time.
package webpush

import (
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
)

// Bounds of what a subscription may be.
const (
	MaxEndpoint = 2048 // bytes
	authSize    = 16   // RFC 8291 §3.2
	keySize     = 65   // an uncompressed point of P-256
)

// Subscription is where messages for one client go and how they are encrypted.
type Subscription struct {
	Endpoint string // an https address, which is a secret of the client's
	key      *ecdh.PublicKey
	auth     []byte
}

// Errors of Parse, in words for whoever wrote the client.
var (
	ErrEndpoint = errors.New("the endpoint is not an https address of a push service")
	ErrKey      = errors.New("p256dh is not a public key of P-256 in base64url")
	ErrAuth     = errors.New("auth is not 16 bytes in base64url")
)

// Parse reads what the Push API of browsers gives a client: the endpoint, and
// p256dh and auth in base64url.
// RFC 8291 §2.1
func Parse(endpoint, p256dh, auth string) (Subscription, error) {
	s := Subscription{Endpoint: endpoint}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil, len(endpoint) > MaxEndpoint, u.Scheme != "https", u.Hostname() == "", u.User != nil, u.Opaque != "":
		return s, ErrEndpoint
	}
	raw, err := decode(p256dh, keySize)
	if err != nil {
		return s, ErrKey
	}
	if s.key, err = ecdh.P256().NewPublicKey(raw); err != nil {
		return s, ErrKey
	}
	if s.auth, err = decode(auth, authSize); err != nil {
		return s, ErrAuth
	}
	return s, nil
}

// Host is the push service's name, with the port where there is one: all of an
// endpoint that may be shown or logged.
func (s *Subscription) Host() string {
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		return ""
	}
	return u.Host
}

// origin is the audience of a VAPID token: without the port that goes without saying.
// RFC 8292 §2
func (s *Subscription) origin() string {
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + strings.TrimSuffix(strings.ToLower(u.Host), ":443")
}

// decode reads base64url, padded or not, of a known length.
func decode(s string, size int) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err == nil && len(b) != size {
		err = errors.New("another length")
	}
	return b, err
}
