package omemo

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"regexp"
	"testing"

	ours "mirsal/internal/omemo"
)

var signatures = regexp.MustCompile(`(<(?:\w+:)?(?:signedPreKeySignature|spks)>)([^<]*)`)

// signatureOf is the signature in a bundle's XML.
func signatureOf(t testing.TB, bundle []byte) []byte {
	t.Helper()
	found := signatures.FindSubmatch(bundle)
	if found == nil {
		t.Fatalf("no signature in %s", bundle)
	}
	raw, err := base64.StdEncoding.DecodeString(string(found[2]))
	if err != nil || len(raw) != 64 {
		t.Fatalf("%d bytes of signature: %v", len(raw), err)
	}
	return raw
}

// forged is the bundle with one bit of its signature changed.
func forged(t testing.TB, bundle []byte, bit int) []byte {
	raw := signatureOf(t, bundle)
	raw[bit/8] ^= 1 << (bit % 8)
	text := base64.StdEncoding.EncodeToString(raw)
	return signatures.ReplaceAll(bundle, []byte("${1}"+text))
}

func TestBundlesAreAcceptedAndForgedOnesAreNot(t *testing.T) {
	eachPair(t, func(t *testing.T, meet func(fataler) (alice, bob *end)) {
		for i := range 12 {
			alice, bob := meet(t)
			bundle := alice.withOne(bob.bundle())
			bit := i * 53 % 512
			if _, err := alice.party.start("bob", forged(t, bundle, bit), alice.fresh()); !errors.Is(err, signature) {
				t.Errorf("bit %d of the signature changed: %v", bit, err)
			}
			bob.reads(alice.startFrom(bundle))
		}
	})
}

// The sign of the Edwards form of an identity is in its signatures: both must occur.
// Ours are always made for the sign that is not set, as XEdDSA has it.
//
// signers make signatures of the deployed profile with a new identity each time.
func signers(l map[string]*oracle) map[string]func(text []byte) (key, signature []byte) {
	all := map[string]func([]byte) ([]byte, []byte){}
	for name, o := range l {
		all[name] = func(text []byte) ([]byte, []byte) {
			seed := make([]byte, 32)
			_, _ = rand.Read(seed)
			a := o.must(question{Do: "sign", Key: seed, Message: text})
			return a.Key, a.Data
		}
	}
	return all
}

func TestSignaturesOfManyIdentitiesVerifyEverywhere(t *testing.T) {
	oracles := map[string]*oracle{"libsignal": libsignal(t), "oldmemo": python(t, "oldmemo")}
	for name, sign := range signers(oracles) {
		t.Run(name, func(t *testing.T) {
			signs := map[byte]int{}
			for i := range 200 {
				public := make([]byte, 33)
				_, _ = rand.Read(public)
				public[0] = 5
				key, signed := sign(public)
				signs[signed[63]>>7]++
				verifies(t, oracles, key, public, signed, true)
				signed[i%64] ^= 1 << (i % 8)
				verifies(t, oracles, key, public, signed, false)
			}
			if signs[0] == 0 || signs[1] == 0 {
				t.Errorf("signs of the identities: %v", signs)
			}
		})
	}
}

func verifies(t *testing.T, oracles map[string]*oracle, key, public, signed []byte, want bool) {
	t.Helper()
	b := ours.Bundle{Identity: ours.IdentityKey(key)}
	b.Signed = ours.SignedPreKey{ID: 1, Key: [32]byte(public[1:]), Signature: [64]byte(signed)}
	b.PreKeys = []ours.PreKey{{ID: 1, Key: [32]byte{9}}}
	if err := b.Verify(ours.Legacy); (err == nil) != want {
		t.Errorf("mirsal: %v, want %v; key %x, public %x, signature %x", err, want, key, public, signed)
	}
	for name, o := range oracles {
		if o.must(question{Do: "verify", Key: key, Message: public, Data: signed}).True != want {
			t.Errorf("%s does not say %v; key %x, public %x, signature %x", name, want, key, public, signed)
		}
	}
}
