package sasl

import (
	"errors"
	"unicode/utf8"

	"mirsal/internal/xmpp/precis"
)

// MaxPassword is the most bytes a password may have.
const MaxPassword = 1024

// Errors of Password.
var (
	ErrNoPassword        = errors.New("the password is empty")
	ErrLongPassword      = errors.New("the password is over 1024 bytes")
	ErrUnusablePassword  = errors.New("the password has characters that no password can have, such as control characters")
	ErrAmbiguousPassword = errors.New("the password has characters that programs write in different ways, such as ligatures or full-width letters: choose others")
)

// Password prepares a password before keys are made of it.
//
// RFC 8265 §4.2 (OpaqueString) is what programs should do, SASLprep (RFC 4013)
// what many do. A password that the two read differently would open the account
// from some programs only, so it is refused when it is set.
func Password(s string) (string, error) {
	switch {
	case s == "":
		return "", ErrNoPassword
	case len(s) > MaxPassword:
		return "", ErrLongPassword
	case !utf8.ValidString(s):
		return "", ErrUnusablePassword
	}
	p, err := precis.Opaque(s)
	if err != nil || p == "" {
		return "", ErrUnusablePassword
	}
	if ambiguous(p) {
		return "", ErrAmbiguousPassword
	}
	return p, nil
}
