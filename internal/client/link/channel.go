package link

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"
)

// ErrTampered is for what was not sealed by the other side, for this place.
var ErrTampered = errors.New("what came is not what the other device sent")

// Channel is what both sides have once they agree: a key for each direction. It can
// be stored as JSON, and is then as secret as what goes through it.
type Channel struct {
	Send []byte `json:"send"` // 32 bytes
	Take []byte `json:"take"` // 32 bytes
}

// Seal encrypts for the other side. what and number say what it is: it opens as nothing else.
func (c *Channel) Seal(rand io.Reader, what string, number uint32, plain []byte) ([]byte, error) {
	return seal(rand, c.Send, place(what, number), plain)
}

// Open opens what the other side sealed as that; ErrTampered.
func (c *Channel) Open(what string, number uint32, box []byte) ([]byte, error) {
	return open(c.Take, place(what, number), box)
}

// place is additional data of a box.
func place(what string, number uint32) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(what), 0), number)
}

// seal is AES-256-GCM with a random nonce in front: a box may be made again, of other
// contents, when the other side asks again.
func seal(rand io.Reader, key, place, plain []byte) ([]byte, error) {
	g, err := gcm(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, g.NonceSize(), g.NonceSize()+len(plain)+g.Overhead())
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil, err
	}
	return g.Seal(nonce, nonce, plain, place), nil
}

func open(key, place, box []byte) ([]byte, error) {
	g, err := gcm(key)
	if err != nil {
		return nil, err
	}
	if len(box) < g.NonceSize() {
		return nil, ErrTampered
	}
	plain, err := g.Open(nil, box[:g.NonceSize()], box[g.NonceSize():], place)
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	if len(key) != keySize {
		return nil, errors.New("link: a key of the wrong size")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
