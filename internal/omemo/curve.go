package omemo

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha512"
	"io"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// pair is an X25519 key pair. The private half is clamped, so that it is the same
// scalar for agreement and for signatures.
type pair struct {
	priv, pub [32]byte
	key       *ecdh.PrivateKey // of priv; nil where it was not needed yet, for making it costs as much as using it
}

func newPair(rand io.Reader) (p pair, err error) {
	if _, err := io.ReadFull(rand, p.priv[:]); err != nil {
		return pair{}, err
	}
	p.priv[0] &= 248
	p.priv[31] = p.priv[31]&127 | 64
	if p.key, err = ecdh.X25519().NewPrivateKey(p.priv[:]); err != nil {
		return pair{}, err
	}
	copy(p.pub[:], p.key.PublicKey().Bytes())
	return p, nil
}

// agree is X25519. A public key of low order, for which the result would be zero
// whatever the private key is, is ErrBadKey.
// RFC 7748 §6.1
func (p pair) agree(pub [32]byte) ([]byte, error) {
	key, err := p.key, error(nil)
	if key == nil {
		if key, err = ecdh.X25519().NewPrivateKey(p.priv[:]); err != nil {
			return nil, err
		}
	}
	theirs, err := ecdh.X25519().NewPublicKey(pub[:])
	if err != nil {
		return nil, err
	}
	secret, err := key.ECDH(theirs)
	if err != nil {
		return nil, ErrBadKey
	}
	return secret, nil
}

// edwards is the Ed25519 form of a Curve25519 key, with the sign asked for. A key that is not
// written in the one way, is not on the curve, or is of low order is ErrBadKey: it could not
// be the identity of anybody.
// RFC 7748 §4.1
func edwards(u [32]byte, sign bool) (ed [32]byte, err error) {
	x, err := new(field.Element).SetBytes(u[:])
	if err != nil || !bytes.Equal(x.Bytes(), u[:]) {
		return ed, ErrBadKey
	}
	one := new(field.Element).One()
	over := new(field.Element).Invert(new(field.Element).Add(x, one))
	copy(ed[:], new(field.Element).Multiply(new(field.Element).Subtract(x, one), over).Bytes())
	if sign {
		ed[31] |= 0x80
	}
	_, err = point(ed)
	return ed, err
}

// montgomery is the way back: the Curve25519 form and the sign.
func montgomery(ed [32]byte) (u [32]byte, sign bool, err error) {
	p, err := point(ed)
	if err != nil {
		return u, false, err
	}
	copy(u[:], p.BytesMontgomery())
	return u, ed[31]&0x80 != 0, nil
}

// point reads an Ed25519 public key, refusing a second spelling and low order.
func point(ed [32]byte) (*edwards25519.Point, error) {
	p, err := new(edwards25519.Point).SetBytes(ed[:])
	if err != nil || !bytes.Equal(p.Bytes(), ed[:]) {
		return nil, ErrBadKey
	}
	if new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return nil, ErrBadKey
	}
	return p, nil
}

// sign makes an XEdDSA signature: an Ed25519 signature by the scalar of an X25519 key,
// valid for the form of the public key whose sign is zero. Legacy, which has a place
// for the sign in the signature's last bit, reads it as it stands.
// XEdDSA and VXEdDSA, revision 1, §2.3 and §2.4
func (p pair) sign(rand io.Reader, msg []byte) (sig [64]byte, err error) {
	var z [64]byte
	if _, err := io.ReadFull(rand, z[:]); err != nil {
		return sig, err
	}
	a, public, err := p.signingKey()
	if err != nil {
		return sig, err
	}
	prefix := bytes.Repeat([]byte{0xff}, 32) // 2^256 - 2: what no point is written as
	prefix[0] = 0xfe
	r, err := hashScalar(prefix, a.Bytes(), msg, z[:])
	if err != nil {
		return sig, err
	}
	commitment := new(edwards25519.Point).ScalarBaseMult(r).Bytes()
	h, err := hashScalar(commitment, public, msg)
	if err != nil {
		return sig, err
	}
	copy(sig[:32], commitment)
	copy(sig[32:], new(edwards25519.Scalar).MultiplyAdd(h, a, r).Bytes())
	return sig, nil
}

// signingKey is the scalar, negated where that makes the public key's sign zero.
func (p pair) signingKey() (a *edwards25519.Scalar, public []byte, err error) {
	a, err = new(edwards25519.Scalar).SetBytesWithClamping(p.priv[:])
	if err != nil {
		return nil, nil, err
	}
	public = new(edwards25519.Point).ScalarBaseMult(a).Bytes()
	negative := int(public[31] >> 7)
	public[31] &= 0x7f
	both := [2]*edwards25519.Scalar{a, new(edwards25519.Scalar).Negate(a)}
	return both[negative], public, nil
}

func hashScalar(parts ...[]byte) (*edwards25519.Scalar, error) {
	h := sha512.New()
	for _, part := range parts {
		h.Write(part)
	}
	return new(edwards25519.Scalar).SetUniformBytes(h.Sum(nil))
}

// verify checks a signature of the identity. In Legacy the sign of the signer's Ed25519 key
// is the last bit of the signature; in Two it came with the key.
func (p Profile) verify(by IdentityKey, sign bool, msg []byte, sig [64]byte) error {
	if p == Legacy {
		sign = sig[63]&0x80 != 0
		sig[63] &= 0x7f
	}
	ed, err := edwards(by, sign)
	if err != nil {
		return err
	}
	if !ed25519.Verify(ed[:], msg, sig[:]) {
		return ErrBadKey
	}
	return nil
}
