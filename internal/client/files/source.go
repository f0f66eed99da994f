package files

import (
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/subtle"
	"hash"
)

// Cipher is how a file is encrypted where it lies.
type Cipher string

// The ciphers, by their names in XEP-0448#ciphers. AES-256-CBC is there as well, and
// not here: nobody is known to send it, and it proves nothing by itself.
const (
	Clear  Cipher = "" // not at all
	AES128 Cipher = "urn:xmpp:ciphers:aes-128-gcm-nopadding:0"
	AES256 Cipher = "urn:xmpp:ciphers:aes-256-gcm-nopadding:0"
)

// keySize is that of a cipher's keys in bytes, 0 for a cipher that is not known here.
func (c Cipher) keySize() int {
	switch c {
	case AES128:
		return 16
	case AES256:
		return 32
	}
	return 0
}

// Source is where a file lies and how it is read. It holds secrets.
type Source struct {
	URL    string `json:"url"`
	Cipher Cipher `json:"cipher,omitempty"`
	Key    []byte `json:"key,omitempty"`
	IV     []byte `json:"iv,omitempty"`
}

// usable returns nil for a source that a file can be had from.
func (s *Source) usable(p Policy) error {
	if s.Cipher != Clear && (len(s.Key) != s.Cipher.keySize() || len(s.Key) == 0 || len(s.IV) < minIV || len(s.IV) > maxIV) {
		return fail(Unreadable, nil, "the file is encrypted in a way that is not known here")
	}
	return p.Allows(s.URL)
}

// Sum is a hash of a file.
// XEP-0300#format
type Sum struct {
	Algo  string `json:"algo"`
	Value []byte `json:"value"`
}

// newHash begins a hash by its name, nil for one that is not trusted or known here.
func newHash(algo string) hash.Hash {
	switch algo {
	case "sha-256":
		return sha256.New()
	case "sha-512":
		return sha512.New()
	case "sha3-256":
		return sha3.New256()
	case "sha3-512":
		return sha3.New512()
	}
	return nil
}

// strongest picks the sum to check and begins its hash; nil when there is none that
// could be.
func strongest(sums []Sum) (want []byte, h hash.Hash) {
	for _, algo := range []string{"sha3-512", "sha-512", "sha3-256", "sha-256"} {
		for _, s := range sums {
			if s.Algo == algo {
				return s.Value, newHash(algo)
			}
		}
	}
	return nil, nil
}

func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
