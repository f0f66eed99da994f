package passkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/url"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/webauthn"
)

// The algorithms, by their COSE numbers.
const (
	es256 = -7
	edDSA = -8
	rs256 = -257
)

// Flags of the authenticator's data.
const (
	present  = 1 << 0
	verified = 1 << 2
	copied   = 1 << 4
	attested = 1 << 6
)

var (
	here = &url.URL{Scheme: "https", Host: "chat.example.org"}
	site = partyAt(here, "example.org")
	asks = []byte("0123456789abcdef")
)

// gadget is an authenticator in software, without a server.
type gadget struct {
	id    []byte
	key   crypto.Signer
	alg   int
	count uint32
	kept  *passkey
}

func newGadget(t *testing.T, alg int) *gadget {
	t.Helper()
	k := &gadget{id: []byte("a credential"), alg: alg}
	var err error
	switch alg {
	case es256:
		k.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case edDSA:
		_, k.key, err = ed25519.GenerateKey(rand.Reader)
	case rs256:
		k.key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// coseOf writes a public key as authenticators do.
func coseOf(t *testing.T, public crypto.PublicKey, alg int) []byte {
	t.Helper()
	var m map[int]any
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half, curve := len(point)/2, map[elliptic.Curve]int{elliptic.P256(): 1, elliptic.P384(): 2}[k.Curve]
		m = map[int]any{1: 2, 3: alg, -1: curve, -2: point[1 : 1+half], -3: point[1+half:]}
	case ed25519.PublicKey:
		m = map[int]any{1: 1, 3: alg, -1: 6, -2: []byte(k)}
	case *rsa.PublicKey:
		m = map[int]any{1: 3, 3: alg, -1: k.N.Bytes(), -2: big.NewInt(int64(k.E)).Bytes()}
	}
	b, err := webauthncbor.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// said is what a browser and an authenticator say; a test changes it before it is signed.
type said struct {
	Type        string                    `json:"type"`
	Challenge   protocol.URLEncodedBase64 `json:"challenge"`
	Origin      string                    `json:"origin"`
	CrossOrigin bool                      `json:"crossOrigin"`
	TopOrigin   string                    `json:"topOrigin,omitempty"`
	rp          string
	flags       byte
	cut         int // bytes missing at the end of the authenticator's data
}

func (k *gadget) auth(t *testing.T, s *said, credential bool) []byte {
	hash := sha256.Sum256([]byte(s.rp))
	b := binary.BigEndian.AppendUint32(append(hash[:], s.flags), k.count)
	if credential {
		b = binary.BigEndian.AppendUint16(append(b, make([]byte, 16)...), uint16(len(k.id)))
		b = append(append(b, k.id...), coseOf(t, k.key.Public(), k.alg)...)
	}
	return b[:len(b)-s.cut]
}

func somebody(p *passkey) *person {
	who := &person{handle: []byte("alice's"), name: "alice@example.org", display: "alice"}
	if p != nil {
		who.keys = []webauthn.Credential{{
			ID: p.ID, PublicKey: p.Public, Flags: webauthn.NewCredentialFlags(p.Flags), Authenticator: webauthn.Authenticator{SignCount: p.Count},
		}}
	}
	return who
}

// registers adds the passkey, as it is changed.
func (k *gadget) registers(t *testing.T, change func(*said), changeMade func(*created)) (*passkey, error) {
	t.Helper()
	_, asked, err := askCreate(site, somebody(nil))
	if err != nil {
		t.Fatal(err)
	}
	asked.Challenge = protocol.URLEncodedBase64(asks).String()
	s := &said{Type: "webauthn.create", Challenge: asks, Origin: here.String(), rp: here.Host, flags: present | verified | attested}
	change(s)
	client, _ := json.Marshal(s)
	c := &created{ID: k.id, ClientData: client, AuthData: k.auth(t, s, true)}
	changeMade(c)
	k.kept, err = register(site, somebody(nil), asked, c)
	return k.kept, err
}

// registered is one that is there.
func registered(t *testing.T, alg int, count uint32) *gadget {
	t.Helper()
	k := newGadget(t, alg)
	k.count = count
	if _, err := k.registers(t, same, asMade); err != nil {
		t.Fatal(alg, err)
	}
	return k
}

func (k *gadget) get(t *testing.T, change func(*said)) *asserted {
	t.Helper()
	s := &said{Type: "webauthn.get", Challenge: asks, Origin: here.String(), rp: here.Host, flags: present | verified}
	change(s)
	client, _ := json.Marshal(s)
	a := &asserted{ID: k.id, ClientData: client, AuthData: k.auth(t, s, false), UserHandle: []byte("alice's")}
	hash := sha256.Sum256(client)
	message, by := append(append([]byte{}, a.AuthData...), hash[:]...), crypto.Hash(0)
	if k.alg != edDSA {
		sum := sha256.Sum256(message)
		message, by = sum[:], crypto.SHA256
	}
	var err error
	if a.Signature, err = k.key.Sign(rand.Reader, message, by); err != nil {
		t.Fatal(err)
	}
	return a
}

// proves tells whether what a browser brings is taken for the passkey that is kept.
func (k *gadget) proves(a *asserted) error { return verify(site, somebody(k.kept), asks, a, k.kept) }

func same(*said)      {}
func asMade(*created) {}

func TestAKeyOfEachKindRegistersAndSignsIn(t *testing.T) {
	for _, alg := range []int{es256, edDSA, rs256} {
		k := registered(t, alg, 0)
		for range 2 {
			if err := k.proves(k.get(t, same)); err != nil {
				t.Error(alg, "no count at all:", err)
			}
		}
		k.count = 7
		if err := k.proves(k.get(t, same)); k.kept.Count != 7 || err != nil {
			t.Error(alg, k.kept.Count, err)
		}
	}
}

func TestWhateverIsNotAsAskedIsRefused(t *testing.T) {
	for name, change := range map[string]func(*said){
		"another challenge":     func(s *said) { s.Challenge = []byte("0123456789abcdeF") },
		"no challenge":          func(s *said) { s.Challenge = nil },
		"another origin":        func(s *said) { s.Origin = "https://chat.example.org.evil.example" },
		"no origin":             func(s *said) { s.Origin = "" },
		"without TLS":           func(s *said) { s.Origin = "http://chat.example.org" },
		"another port":          func(s *said) { s.Origin = "https://chat.example.org:444" },
		"another relying party": func(s *said) { s.rp = "example.org" },
		"inside another page":   func(s *said) { s.CrossOrigin = true },
		"inside one that says so": func(s *said) {
			s.CrossOrigin, s.TopOrigin = true, here.String()
		},
		"nobody there":          func(s *said) { s.flags &^= present },
		"nobody verified":       func(s *said) { s.flags &^= verified },
		"copied, and cannot be": func(s *said) { s.flags |= copied },
		"another ceremony": func(s *said) {
			s.Type = map[string]string{"webauthn.get": "webauthn.create", "webauthn.create": "webauthn.get"}[s.Type]
		},
		"cut off": func(s *said) { s.cut = 3 },
	} {
		if _, err := newGadget(t, es256).registers(t, change, asMade); err == nil {
			t.Errorf("%s is registered", name)
		}
		if k := registered(t, es256, 0); k.proves(k.get(t, change)) == nil {
			t.Errorf("%s signs in", name)
		}
	}
}

func TestACountThatDoesNotGrowIsRefused(t *testing.T) {
	k := registered(t, es256, 5)
	for _, n := range []uint32{5, 4, 0} {
		k.count = n
		if err := k.proves(k.get(t, same)); !errors.Is(err, errCount) || k.kept.Count != 5 {
			t.Error(n, k.kept.Count, err)
		}
	}
}

func TestASignatureOfAnotherKeyOrOfSomethingElseIsRefused(t *testing.T) {
	k, other := registered(t, es256, 0), newGadget(t, es256)
	for name, a := range map[string]*asserted{
		"another key":   other.get(t, same),
		"more data":     func() *asserted { a := k.get(t, same); a.AuthData = append(a.AuthData, 0); return a }(),
		"a later count": func() *asserted { a := k.get(t, same); a.AuthData[36] = 9; return a }(),
		"none":          func() *asserted { a := k.get(t, same); a.Signature = nil; return a }(),
		"other id":      func() *asserted { a := k.get(t, same); a.ID = []byte("other"); return a }(),
		"no id":         func() *asserted { a := k.get(t, same); a.ID = nil; return a }(),
		"nobody's":      func() *asserted { a := k.get(t, same); a.UserHandle = nil; return a }(),
		"another's":     func() *asserted { a := k.get(t, same); a.UserHandle = []byte("bob's"); return a }(),
	} {
		if k.proves(a) == nil {
			t.Error(name)
		}
	}
	if err := k.proves(k.get(t, same)); err != nil {
		t.Error("the good one:", err)
	}
}

func TestKeysThatAreWeakOrOfAnotherKindAreRefused(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GODEBUG", "rsa1024min=0")
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	huge := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 8*600), E: 65537}
	for name, k := range map[string]*gadget{
		"P-384":                {id: []byte("x"), key: p384, alg: es256},
		"P-384 as such":        {id: []byte("x"), key: p384, alg: -35},
		"another algorithm":    {id: []byte("x"), key: newGadget(t, edDSA).key, alg: es256},
		"RSA of 1024 bits":     {id: []byte("x"), key: weak, alg: rs256},
		"RSA of 4800 bits":     {id: []byte("x"), key: public{huge}, alg: rs256},
		"RSA with SHA-1":       {id: []byte("x"), key: newGadget(t, rs256).key, alg: -65535},
		"no id":                {key: newGadget(t, es256).key, alg: es256},
		"an id that is long":   {id: make([]byte, maxID+1), key: newGadget(t, es256).key, alg: es256},
		"a key that is no key": {id: []byte("x"), key: public{ed25519.PublicKey("short")}, alg: edDSA},
	} {
		if _, err := k.registers(t, same, asMade); err == nil {
			t.Error(name)
		}
	}
	other := func(c *created) { c.ID = []byte("y") }
	if _, err := newGadget(t, es256).registers(t, same, other); err == nil {
		t.Error("another credential than the authenticator's")
	}
}

// public is a key that signs nothing.
type public struct{ crypto.PublicKey }

func (p public) Public() crypto.PublicKey { return p.PublicKey }
func (public) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("a public key")
}

func FuzzWhatAnAuthenticatorMakes(f *testing.F) {
	_, asked, err := askCreate(site, somebody(nil))
	if err != nil {
		f.Fatal(err)
	}
	client, _ := json.Marshal(said{Type: "webauthn.create", Origin: here.String()})
	f.Add([]byte("a credential"), client, make([]byte, 90))
	f.Fuzz(func(_ *testing.T, id, client, auth []byte) {
		_, _ = register(site, somebody(nil), asked, &created{ID: id, ClientData: client, AuthData: auth})
	})
}
