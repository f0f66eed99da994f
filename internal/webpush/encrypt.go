package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

const (
	saltSize   = 16
	headerSize = saltSize + 4 + 1 + keySize // RFC 8188 §2.1, the key id being our public key
	recordSize = 4096                       // RFC 8291 §4: the one record may not be larger
	tagSize    = 16
	padded     = 512 // messages are padded to multiples of it, so that lengths tell little
)

// MaxPayload is how long a message may be, in bytes: what every push service takes
// (RFC 8030 §7.2: 4096 bytes of body).
const MaxPayload = recordSize - headerSize - tagSize - 1

// errTooLong is for a message over MaxPayload.
var errTooLong = errors.New("the message is too long for a push")

// encrypt makes the body of a request: one record for the owner of the
// subscription's key.
func (s *Subscription) encrypt(message []byte) ([]byte, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	own, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	pad := padded - (len(message)+1)%padded
	return s.seal(message, min(pad, max(0, MaxPayload-len(message))), salt, own)
}

// seal encrypts with a given salt and a given key of the sender's.
// RFC 8291 §4, RFC 8188 §2
func (s *Subscription) seal(message []byte, pad int, salt []byte, own *ecdh.PrivateKey) ([]byte, error) {
	if len(message) > MaxPayload {
		return nil, errTooLong
	}
	aead, nonce, err := s.keys(salt, own)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, headerSize+len(message)+1+pad+tagSize)
	body = append(body, salt...)
	body = binary.BigEndian.AppendUint32(body, recordSize)
	body = append(body, keySize)
	body = append(body, own.PublicKey().Bytes()...)
	// RFC 8188 §2: the delimiter of the last record, then padding
	plain := make([]byte, len(message)+1+pad)
	plain[copy(plain, message)] = 2
	return aead.Seal(body, nonce, plain, nil), nil
}

// keys derives the content encryption key and the nonce.
// RFC 8291 §3.4
func (s *Subscription) keys(salt []byte, own *ecdh.PrivateKey) (cipher.AEAD, []byte, error) {
	shared, err := own.ECDH(s.key)
	if err != nil {
		return nil, nil, err
	}
	info := "WebPush: info\x00" + string(s.key.Bytes()) + string(own.PublicKey().Bytes())
	ikm, err := hkdf.Key(sha256.New, shared, s.auth, info, 32)
	if err != nil {
		return nil, nil, err
	}
	prk, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		return nil, nil, err
	}
	key, err := hkdf.Expand(sha256.New, prk, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, nil, err
	}
	nonce, err := hkdf.Expand(sha256.New, prk, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, nonce, err
}
