package webauthn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"
)

var want = Wanted{Challenge: []byte("0123456789abcdef"), Origin: "https://chat.example.org", RP: "chat.example.org"}

// token is an authenticator in software.
type token struct {
	id    []byte
	key   crypto.Signer
	alg   int
	count uint32
}

func newToken(t *testing.T, alg int) *token {
	t.Helper()
	k := &token{id: []byte("a credential"), alg: alg}
	var err error
	switch alg {
	case ES256:
		k.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, k.key, err = ed25519.GenerateKey(rand.Reader)
	case RS256:
		k.key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// said is what a browser and an authenticator say; a test changes it before it is signed.
type said struct {
	Type        string `json:"type"`
	Challenge   Bytes  `json:"challenge"`
	Origin      string `json:"origin"`
	CrossOrigin bool   `json:"crossOrigin"`
	rp          string
	flags       byte
	cut         int // bytes missing at the end of the authenticator's data
}

func (k *token) auth(s *said, credential bool) []byte {
	hash := sha256.Sum256([]byte(s.rp))
	b := append(hash[:], s.flags)
	b = binary.BigEndian.AppendUint32(b, k.count)
	if credential {
		b = append(b, make([]byte, 16)...)
		b = binary.BigEndian.AppendUint16(b, uint16(len(k.id)))
		b = append(b, k.id...)
	}
	return b[:len(b)-s.cut]
}

func (k *token) create(t *testing.T, change func(*said)) *Created {
	t.Helper()
	s := &said{Type: "webauthn.create", Challenge: want.Challenge, Origin: want.Origin, rp: want.RP, flags: present | verified | attested}
	change(s)
	client, _ := json.Marshal(s)
	public, err := x509.MarshalPKIXPublicKey(k.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return &Created{ID: k.id, ClientData: client, AuthData: k.auth(s, true), Public: public, Algorithm: k.alg}
}

func (k *token) get(t *testing.T, change func(*said)) *Asserted {
	t.Helper()
	s := &said{Type: "webauthn.get", Challenge: want.Challenge, Origin: want.Origin, rp: want.RP, flags: present | verified}
	change(s)
	client, _ := json.Marshal(s)
	a := &Asserted{ID: k.id, ClientData: client, AuthData: k.auth(s, false)}
	hash := sha256.Sum256(client)
	message := append(append([]byte{}, a.AuthData...), hash[:]...)
	var err error
	if k.alg == EdDSA {
		a.Signature, err = k.key.Sign(rand.Reader, message, crypto.Hash(0))
	} else {
		sum := sha256.Sum256(message)
		a.Signature, err = k.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func same(*said) {}

func TestAKeyOfEachKindRegistersAndSignsIn(t *testing.T) {
	for _, alg := range Algorithms() {
		k := newToken(t, alg)
		kept, err := Register(k.create(t, same), want)
		if err != nil {
			t.Fatal(alg, err)
		}
		for range 2 {
			if _, err := Verify(k.get(t, same), &kept, want); err != nil {
				t.Error(alg, "no count at all:", err)
			}
		}
		k.count = 7
		if n, err := Verify(k.get(t, same), &kept, want); n != 7 || err != nil {
			t.Error(alg, n, err)
		}
	}
}

func TestWhateverIsNotAsAskedIsRefused(t *testing.T) {
	for name, change := range map[string]func(*said){
		"another challenge":     func(s *said) { s.Challenge = []byte("0123456789abcdeF") },
		"no challenge":          func(s *said) { s.Challenge = nil },
		"another origin":        func(s *said) { s.Origin = "https://chat.example.org.evil.example" },
		"without TLS":           func(s *said) { s.Origin = "http://chat.example.org" },
		"another port":          func(s *said) { s.Origin = "https://chat.example.org:444" },
		"another relying party": func(s *said) { s.rp = "example.org" },
		"inside another page":   func(s *said) { s.CrossOrigin = true },
		"nobody there":          func(s *said) { s.flags &^= present },
		"nobody verified":       func(s *said) { s.flags &^= verified },
		"copied, and cannot be": func(s *said) { s.flags |= copied },
		"another ceremony": func(s *said) {
			s.Type = map[string]string{"webauthn.get": "webauthn.create", "webauthn.create": "webauthn.get"}[s.Type]
		},
		"cut off": func(s *said) { s.cut = 3 },
	} {
		k := newToken(t, ES256)
		if _, err := Register(k.create(t, change), want); !errors.Is(err, ErrRefused) {
			t.Errorf("%s is registered", name)
		}
		kept, err := Register(k.create(t, same), want)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(k.get(t, change), &kept, want); !errors.Is(err, ErrRefused) {
			t.Errorf("%s signs in", name)
		}
	}
}

func TestACountThatDoesNotGrowIsRefused(t *testing.T) {
	k := newToken(t, ES256)
	k.count = 5
	kept, err := Register(k.create(t, same), want)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint32{5, 4, 0} {
		k.count = n
		if _, err := Verify(k.get(t, same), &kept, want); !errors.Is(err, ErrCount) {
			t.Error(n, err)
		}
	}
}

func TestASignatureOfAnotherKeyOrOfSomethingElseIsRefused(t *testing.T) {
	k, other := newToken(t, ES256), newToken(t, ES256)
	kept, err := Register(k.create(t, same), want)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*Asserted{
		"another key": other.get(t, same),
		"more data":   func() *Asserted { a := k.get(t, same); a.AuthData = append(a.AuthData, 0); return a }(),
		"none":        func() *Asserted { a := k.get(t, same); a.Signature = nil; return a }(),
		"other id":    func() *Asserted { a := k.get(t, same); a.ID = []byte("other"); return a }(),
	} {
		if _, err := Verify(a, &kept, want); !errors.Is(err, ErrRefused) {
			t.Error(name, err)
		}
	}
}

func TestKeysThatAreWeakOrOfAnotherKindAreRefused(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Created{
		"P-384":            (&token{id: []byte("x"), key: p384, alg: ES256}).create(t, same),
		"another alg":      func() *Created { c := newToken(t, EdDSA).create(t, same); c.Algorithm = ES256; return c }(),
		"no key":           func() *Created { c := newToken(t, ES256).create(t, same); c.Public = []byte{1}; return c }(),
		"other credential": func() *Created { c := newToken(t, ES256).create(t, same); c.ID = []byte("y"); return c }(),
		"no id":            func() *Created { c := newToken(t, ES256).create(t, same); c.ID = nil; return c }(),
		"a long id": func() *Created {
			k := newToken(t, ES256)
			k.id = make([]byte, MaxID+1)
			return k.create(t, same)
		}(),
	} {
		if _, err := Register(c, want); !errors.Is(err, ErrRefused) {
			t.Error(name, err)
		}
	}
}

func FuzzAuthenticatorData(f *testing.F) {
	f.Add((&token{id: []byte("x")}).auth(&said{rp: want.RP, flags: present | verified | attested}, true))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = readAuthData(b, want.RP) })
}
