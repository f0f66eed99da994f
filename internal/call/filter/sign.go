package filter

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"time"
)

// Why a file is not activated.
var (
	ErrSignature = errors.New("nobody who may has signed these rules")
	ErrOld       = errors.New("these rules are not newer than those in force")
	ErrTime      = errors.New("these rules have ended, or were issued in the future")
)

const signature = "signature "

// signed sets what is signed here apart from all else.
const signed = "mirsal call rules\x00"

// skew is how far clocks may be apart.
const skew = 5 * time.Minute

// Sign appends the signature to the lines of a file, which it checks first.
func Sign(text string, key ed25519.PrivateKey) (string, error) {
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if _, err := Parse(text); err != nil {
		return "", err
	}
	return text + signature + base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(signed+text))) + "\n", nil
}

// Open reads a signed file: by one of keys, in force now, with a serial above last.
func Open(file string, keys []ed25519.PublicKey, last uint64, now time.Time) (*Rules, error) {
	if len(file) > MostBytes+512 {
		return nil, ErrSignature
	}
	i := strings.LastIndex(file, "\n"+signature)
	if i < 0 {
		return nil, ErrSignature
	}
	text := file[:i+1]
	sig, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(file[i+1+len(signature):], "\n"))
	if err != nil || !verified(text, sig, keys) {
		return nil, ErrSignature
	}
	r, err := Parse(text)
	switch {
	case err != nil:
		return nil, err
	case r.Serial <= last:
		return nil, ErrOld
	case !now.Before(r.Expires) || r.Issued.After(now.Add(skew)):
		return nil, ErrTime
	}
	return r, nil
}

func verified(text string, sig []byte, keys []ed25519.PublicKey) bool {
	for _, k := range keys {
		if len(k) == ed25519.PublicKeySize && ed25519.Verify(k, []byte(signed+text), sig) {
			return true
		}
	}
	return false
}
