package omemo

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
)

// params is in what the two profiles differ below their messages' forms.
type params struct {
	namespace   string
	agreement   string // info of X3DH's result
	rootChain   string // info of a ratchet step
	messageKeys string // info of what one message is encrypted with
	mac         int    // bytes of a message's authentication tag
}

// XEP-0384 §4.3 for Two; Legacy's are those of the library that all clients began with.
var profiles = [...]params{
	Legacy: {"eu.siacs.conversations.axolotl", "WhisperText", "WhisperRatchet", "WhisperMessageKeys", 8},
	Two:    {"urn:xmpp:omemo:2", "OMEMO X3DH", "OMEMO Root Chain", "OMEMO Message Key Material", 16},
}

// known says whether p is one of the two.
func (p Profile) known() bool { return p == Legacy || p == Two }

// firstRoot makes the first root key of what X3DH agreed on. Legacy derives a chain
// key beside it, which is never used: who accepts reads first and then ratchets.
// X3DH, revision 1, §2.2
func (p Profile) firstRoot(secrets []byte) (root [32]byte, err error) {
	ikm := make([]byte, 32, 32+len(secrets))
	for i := range ikm {
		ikm[i] = 0xff
	}
	out, err := hkdf.Key(sha256.New, append(ikm, secrets...), make([]byte, 32), profiles[p].agreement, 64)
	if err != nil {
		return root, err
	}
	copy(root[:], out)
	return root, nil
}

// stepRoot is KDF_RK: the next root key and the chain that hangs on it.
// The Double Ratchet Algorithm, revision 4, §2.2
func (p Profile) stepRoot(root [32]byte, agreed []byte) (next, chain [32]byte, err error) {
	out, err := hkdf.Key(sha256.New, agreed, root[:], profiles[p].rootChain, 64)
	if err != nil {
		return next, chain, err
	}
	copy(next[:], out)
	copy(chain[:], out[32:])
	return next, chain, nil
}

// stepChain is KDF_CK: one message's key and the chain's next key.
func stepChain(chain [32]byte) (message, next [32]byte) {
	return authenticate(chain[:], []byte{1}), authenticate(chain[:], []byte{2})
}

func authenticate(key []byte, parts ...[]byte) (sum [32]byte) {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(part)
	}
	h.Sum(sum[:0])
	return sum
}

// box is AES-256-CBC with a tag by HMAC-SHA-256 over what the caller says: the
// ratchet's encryption in both profiles, and Two's of payloads.
type box struct{ enc, mac, iv []byte }

func newBox(key []byte, info string) (box, error) {
	out, err := hkdf.Key(sha256.New, key, make([]byte, 32), info, 80)
	if err != nil {
		return box{}, err
	}
	return box{out[:32], out[32:64], out[64:]}, nil
}

func (b box) encrypt(plain []byte) ([]byte, error) {
	c, err := aes.NewCipher(b.enc)
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	out := make([]byte, len(plain)+pad)
	for i := copy(out, plain); i < len(out); i++ {
		out[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(c, b.iv).CryptBlocks(out, out)
	return out, nil
}

// decrypt is for what was authenticated already: only then is it safe to tell that
// the padding is wrong.
func (b box) decrypt(sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || len(sealed)%aes.BlockSize != 0 {
		return nil, ErrMalformed
	}
	c, err := aes.NewCipher(b.enc)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(c, b.iv).CryptBlocks(out, sealed)
	pad := int(out[len(out)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, ErrMalformed
	}
	for _, c := range out[len(out)-pad:] {
		if int(c) != pad {
			return nil, ErrMalformed
		}
	}
	return out[:len(out)-pad], nil
}

// tag is the authentication of parts, of size bytes.
func (b box) tag(size int, parts ...[]byte) []byte {
	sum := authenticate(b.mac, parts...)
	return sum[:size]
}
