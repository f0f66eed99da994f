package omemo

import (
	"crypto/aes"
	"crypto/cipher"
	"io"
	"slices"
)

// maxPayload is the most bytes of a payload, encrypted or not.
const maxPayload = 1 << 20

const (
	legacyKey = 16 // bytes of AES-128-GCM's key; its tag of 16 goes behind it
	twoKey    = 32
	tagSize   = 16
	payloads  = "OMEMO Payload"
)

// Payload is the encrypted text of a message, the same for all who get it.
type Payload struct {
	IV   []byte // Legacy only
	Data []byte
}

// Seal encrypts at most 1 MiB with a fresh key. key goes through the ratchet of each device:
// in Legacy 16 bytes of key and 16 of tag, in Two 32 and 16.
// XEP-0384 §4.4
func Seal(p Profile, rand io.Reader, plain []byte) (key []byte, pl Payload, err error) {
	if len(plain) > maxPayload-aes.BlockSize || !p.known() {
		return nil, Payload{}, ErrMalformed
	}
	if p == Two {
		return sealTwo(rand, plain)
	}
	fresh := make([]byte, legacyKey+12)
	if _, err := io.ReadFull(rand, fresh); err != nil {
		return nil, Payload{}, err
	}
	key, pl.IV = fresh[:legacyKey:legacyKey], fresh[legacyKey:]
	aead, err := gcm(key, len(pl.IV))
	if err != nil {
		return nil, Payload{}, err
	}
	sealed := aead.Seal(nil, pl.IV, plain, nil)
	pl.Data = sealed[:len(plain):len(plain)]
	return append(key, sealed[len(plain):]...), pl, nil
}

func sealTwo(rand io.Reader, plain []byte) (key []byte, pl Payload, err error) {
	key = make([]byte, twoKey)
	if _, err := io.ReadFull(rand, key); err != nil {
		return nil, Payload{}, err
	}
	b, err := newBox(key, payloads)
	if err != nil {
		return nil, Payload{}, err
	}
	if pl.Data, err = b.encrypt(plain); err != nil {
		return nil, Payload{}, err
	}
	return append(key, b.tag(tagSize, pl.Data)...), pl, nil
}

// Open decrypts a payload with the key that came through the ratchet. ErrTampered tells that
// it is not what was sent.
// XEP-0384 §4.5
func Open(p Profile, key []byte, pl Payload) ([]byte, error) {
	if len(pl.Data) > maxPayload || !p.known() {
		return nil, ErrMalformed
	}
	if p == Two {
		return openTwo(key, pl.Data)
	}
	// COMPAT: Conversations before 1.x, and others, had 16 bytes of IV, and the tag in the payload.
	if len(key) != legacyKey && len(key) != legacyKey+tagSize || len(pl.IV) != 12 && len(pl.IV) != 16 {
		return nil, ErrMalformed
	}
	aead, err := gcm(key[:legacyKey], len(pl.IV))
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, pl.IV, slices.Concat(pl.Data, key[legacyKey:]), nil)
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

func openTwo(key, data []byte) ([]byte, error) {
	if len(key) != twoKey+tagSize {
		return nil, ErrMalformed
	}
	b, err := newBox(key[:twoKey], payloads)
	if err != nil {
		return nil, err
	}
	if !sameTag(key[twoKey:], b.tag(tagSize, data)) {
		return nil, ErrTampered
	}
	return b.decrypt(data)
}

func gcm(key []byte, iv int) (cipher.AEAD, error) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithNonceSize(c, iv)
}

// Empty is what goes through the ratchets in a message without payload: in Two 32 zero bytes, in
// Legacy a key that is for nothing, as that profile's key transport has it.
// XEP-0384 §5.5.3
func Empty(p Profile, rand io.Reader) ([]byte, error) {
	b := make([]byte, 32)
	if p == Two {
		return b, nil
	}
	_, err := io.ReadFull(rand, b)
	return b, err
}
