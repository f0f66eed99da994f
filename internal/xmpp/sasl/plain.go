package sasl

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"strings"

	"mirsal/internal/xmpp/jid"
)

// PLAIN hands the password itself to the server (RFC 4616).
const PLAIN = "PLAIN"

// StartPlain begins an exchange by PLAIN. The caller sees to it that the channel
// is encrypted and that the operator wants it: no part of this package offers
// PLAIN by itself.
func StartPlain(domain jid.JID, lookup Lookup) *Exchange {
	k, _, _ := mechanism(SCRAMSHA256)
	return &Exchange{kind: k, domain: domain, lookup: lookup, state: waitsPassword}
}

// takePassword reads PLAIN's one message and makes the keys anew.
// RFC 4616 §2
func (x *Exchange) takePassword(s string) ([]byte, error) {
	parts := strings.Split(s, "\x00")
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" || len(parts[1]) > MaxName {
		return nil, malformed("not a name and a password")
	}
	x.user = x.normal(parts[1])
	if err := x.checkAuthzid(parts[0]); err != nil {
		return nil, err
	}
	cred, err := x.lookup(x.user)
	if err != nil {
		return nil, &Failure{Condition: TemporaryAuthFailure, Cause: err}
	}
	password, err := Password(parts[2])
	if err != nil {
		return nil, refused("wrong name or password") // no account has such a password
	}
	same, err := cred.check(password)
	if err != nil {
		return nil, &Failure{Condition: TemporaryAuthFailure, Cause: err}
	}
	if !same {
		return nil, refused("wrong name or password")
	}
	if cred.Disabled {
		return nil, &Failure{Condition: AccountDisabled}
	}
	x.state = succeeded
	return nil, nil
}

// check derives keys from a password and compares them.
func (c *Credentials) check(password string) (same bool, err error) {
	hash, keys := sha256.New, c.SHA256
	if c.OnlySHA1 {
		hash, keys = sha1.New, c.SHA1
	}
	work := func() {
		var got Keys
		if got, _, err = derive(hash, password, keys.Salt, keys.Iterations); err == nil {
			same = hmac.Equal(got.StoredKey, keys.StoredKey)
		}
	}
	if c.Do == nil {
		work()
		return same, err
	}
	if busy := c.Do(work); busy != nil {
		return false, busy
	}
	return same, err
}
