package omemo

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAForeignSignatureWithItsSign verifies the signature that the tests of libsignal's
// libraries share; the sign of its key is set in its last byte.
func TestAForeignSignature(t *testing.T) {
	public := [32]byte(unhex(t, "ab7e717d4a163b7d9a1d8071dfe9dcf8cdcd1cea3339b6356be84d887e322c64"))
	msg := unhex(t, "05edce9d9c415ca78cb7252e72c2c4a554d3eb29485a0e1d503118d1a82d99fb4a")
	sig := [64]byte(unhex(t, "5de88ca9a89b4a115da79109c67c9c7464a3e4180274f1cb8c63c2984e286dfbede82deb9dcd9fae0bfbb821569b3d9001bd8130cd11d486cef047bd60b86e88"))
	if err := Legacy.verify(public, false, msg, sig); err != nil {
		t.Fatal(err)
	}
	for bit := range 64 * 8 {
		if Legacy.verify(public, false, msg, [64]byte(flip(sig[:], bit))) == nil {
			t.Errorf("passes with bit %d flipped", bit)
		}
	}
	p, err := pairFrom(unhex(t, "c097248412e58bf05df487968205132794178e367637f5818f81e0e6ce73e865"))
	if err != nil || p.pub != public {
		t.Errorf("public key %x, %v", p.pub, err)
	}
}

// pairFrom is the pair of a private key, as newPair makes it of random bytes.
func pairFrom(priv []byte) (pair, error) { return newPair(bytes.NewReader(priv)) }

func TestSignaturesVerifyWhateverTheSign(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p, err := pairFrom(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "private"))
		if err != nil {
			r.Fatal(err)
		}
		msg := rapid.SliceOf(rapid.Byte()).Draw(r, "message")
		sig, err := p.sign(dice(7), msg)
		if err != nil {
			r.Fatal(err)
		}
		for _, profile := range both {
			if err := profile.verify(p.pub, false, msg, sig); err != nil {
				r.Fatal(profile, err)
			}
			if profile.verify(p.pub, false, append(msg, 0), sig) == nil {
				r.Fatal("passes for another message")
			}
		}
		// A key with the other sign does not fit, and where the sign is said is the profile's.
		if Two.verify(p.pub, true, msg, sig) == nil {
			r.Fatal("passes with the wrong sign")
		}
		sig[63] |= 0x80
		if Legacy.verify(p.pub, false, msg, sig) == nil || Two.verify(p.pub, false, msg, sig) == nil {
			r.Fatal("passes with the wrong sign in the signature")
		}
	})
}

// TestKeysThatBeganAsEd25519Keep their sign through bundle and session.
func TestKeysThatBeganAsEd25519(t *testing.T) {
	for seed := range byte(16) {
		public, private, err := ed25519.GenerateKey(dice(seed))
		if err != nil {
			t.Fatal(err)
		}
		u, sign, err := montgomery([32]byte(public))
		if err != nil || sign != (public[31]&0x80 != 0) {
			t.Fatal(sign, err)
		}
		back, err := edwards(u, sign)
		if err != nil || !bytes.Equal(back[:], public) {
			t.Fatalf("%x came back as %x, %v", public, back, err)
		}
		sig := [64]byte(ed25519.Sign(private, []byte("x")))
		if err := Two.verify(u, sign, []byte("x"), sig); err != nil {
			t.Fatal(err)
		}
		legacy := sig
		legacy[63] |= public[31] & 0x80
		if err := Legacy.verify(u, false, []byte("x"), legacy); err != nil {
			t.Fatal(err)
		}
	}
}

// lowOrder are the Curve25519 keys for which any agreement is zero, in every spelling.
// RFC 7748 §7
func lowOrder(t *testing.T) [][32]byte {
	t.Helper()
	var out [][32]byte
	for _, s := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		out = append(out, [32]byte(unhex(t, s)))
	}
	return out
}

func TestKeysOfLowOrderAreRefused(t *testing.T) {
	p, err := newPair(dice(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range lowOrder(t) {
		if _, err := p.agree(u); !errors.Is(err, ErrBadKey) {
			t.Errorf("agreed with %x: %v", u, err)
		}
		if _, err := edwards(u, false); !errors.Is(err, ErrBadKey) {
			t.Errorf("%x is an identity: %v", u, err)
		}
	}
}

func TestKeysOffTheCurveAreNoIdentity(t *testing.T) {
	off := 0
	for u := range byte(32) {
		if _, err := edwards([32]byte{u}, false); err != nil {
			off++
		}
	}
	if off < 8 || off > 24 {
		t.Errorf("%d of 32 numbers are off the curve", off)
	}
}

func TestALowOrderKeyAnywhereStartsNothing(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := newParty(t, p, 1), newParty(t, p, 2)
		good := bob.dev.Bundle(p)
		for _, u := range lowOrder(t) {
			for name, spoil := range map[string]func(*Bundle){
				"identity":       func(b *Bundle) { b.Identity = u },
				"signed pre-key": func(b *Bundle) { b.Signed.Key = u; b.Signed.Signature = bob.signature(p, u) },
				"pre-keys":       func(b *Bundle) { b.PreKeys = []PreKey{{1, u}} },
			} {
				b := good
				spoil(&b)
				if _, err := Start(alice.rand, alice.dev, p, b); !errors.Is(err, ErrBadKey) {
					t.Errorf("%s %x: %v", name, u, err)
				}
			}
		}
		if _, err := Start(bob.rand, bob.dev, p, good); !errors.Is(err, ErrBadKey) {
			t.Error("a session with oneself:", err)
		}
	})
}

func (a *party) signature(p Profile, key [32]byte) [64]byte {
	sig, err := a.dev.identity.sign(a.rand, appendKey(nil, p, key))
	if err != nil {
		a.t.Fatal(err)
	}
	return sig
}
