package sasl

import (
	"crypto/hmac"
	"strings"

	"github.com/xdg-go/scram"

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
	got, err := derive(scram.SHA256, password, cred.SHA256.Salt, cred.SHA256.Iterations)
	if err != nil {
		return nil, &Failure{Condition: TemporaryAuthFailure, Cause: err}
	}
	if !hmac.Equal(got.StoredKey, cred.SHA256.StoredKey) {
		return nil, refused("wrong name or password")
	}
	if cred.Disabled {
		return nil, &Failure{Condition: AccountDisabled}
	}
	x.state = succeeded
	return nil, nil
}
