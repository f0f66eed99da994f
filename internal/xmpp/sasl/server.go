package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strconv"

	"mirsal/internal/xmpp/jid"
)

// Exchange is the server's side of one attempt to authenticate. One goroutine
// at a time may use it.
type Exchange struct {
	kind     kind
	plus     bool
	domain   jid.JID
	bindings []Binding
	lookup   Lookup
	seen     protection

	tokens  TokenLookup // of a token mechanism only
	channel []byte      // what its mechanism binds to
	tokenID string

	state state
	first clientFirst
	sent  string // our first message
	nonce string // client's part and ours
	cred  Credentials
	user  string
}

type state uint8

const (
	waitsFirst state = iota
	waitsFinal
	waitsPassword // PLAIN's only message
	waitsToken    // a token mechanism's only message
	succeeded
	failed
)

// Start begins an exchange by a mechanism's name, on a channel with bindings:
// those that were offered (XEP-0440). Accounts are of one domain. The error is a
// *Failure.
func Start(mech string, domain jid.JID, bindings []Binding, lookup Lookup) (*Exchange, error) {
	k, plus, ok := mechanism(mech)
	if !ok || plus && len(bindings) == 0 {
		return nil, &Failure{Condition: InvalidMechanism}
	}
	return &Exchange{kind: k, plus: plus, domain: domain, bindings: bindings, lookup: lookup}, nil
}

// Next takes the client's next message, decoded from base64, and returns what to
// answer: a challenge, or with done the additional data of success. Errors are
// *Failure; after one the exchange is over.
func (x *Exchange) Next(in []byte) (out []byte, done bool, err error) {
	if x.state == waitsToken {
		out, err = x.takeToken(in)
	} else {
		out, err = x.takeText(in)
	}
	if err != nil {
		x.state = failed
		return nil, false, err
	}
	return out, x.state == succeeded, nil
}

func (x *Exchange) takeText(in []byte) ([]byte, error) {
	s, err := text(in, x.state == waitsPassword)
	if err != nil {
		return nil, err
	}
	switch x.state {
	case waitsFirst:
		return x.takeFirst(s)
	case waitsFinal:
		return x.takeFinal(s)
	case waitsPassword:
		return x.takePassword(s)
	}
	return nil, malformed("the exchange is over")
}

// User is the normalised localpart of who has authenticated, "" before success.
func (x *Exchange) User() string {
	if x.state != succeeded {
		return ""
	}
	return x.user
}

func (x *Exchange) takeFirst(s string) ([]byte, error) {
	m, err := readFirst(s)
	if err != nil {
		return nil, err
	}
	if err := x.checkFlag(m); err != nil {
		return nil, err
	}
	if len(m.user) > MaxName {
		return nil, malformed("name too long")
	}
	x.user = x.normal(m.user)
	if err := x.checkAuthzid(m.authzid); err != nil {
		return nil, err
	}
	if x.cred, err = x.lookup(x.user); err != nil {
		return nil, &Failure{Condition: TemporaryAuthFailure, Cause: err}
	}
	x.first, x.nonce = m, m.nonce+rand.Text()
	k := x.kind.keys(x.cred)
	x.sent = "r=" + x.nonce + ",s=" + base64.StdEncoding.EncodeToString(k.Salt) + ",i=" + strconv.Itoa(k.Iterations) + x.seen.attributes(x.kind.hash)
	x.state = waitsFinal
	return []byte(x.sent), nil
}

// normal is a name as its account is called. One that cannot be any account's
// stays as it is, to fail like any unknown one.
func (x *Exchange) normal(name string) string {
	j, err := jid.New(name, x.domain.Domain(), "")
	if err != nil {
		return name
	}
	return j.Local()
}

// checkFlag holds the client's flag against the mechanism and what was offered.
// RFC 5802 §6
func (x *Exchange) checkFlag(m clientFirst) error {
	switch {
	case x.plus != (m.flag == 'p'):
		return malformed("flag of channel binding does not fit the mechanism")
	case m.flag == 'y' && len(x.bindings) > 0:
		return refused("channel binding was offered; somebody removed it on the way")
	case m.flag == 'p' && x.binding(m.binding) == nil:
		return refused("this type of channel binding was not offered")
	}
	return nil
}

func (x *Exchange) binding(name string) *Binding {
	i := slices.IndexFunc(x.bindings, func(b Binding) bool { return b.Type == name })
	if i < 0 || len(x.bindings[i].Data) == 0 {
		return nil
	}
	return &x.bindings[i]
}

// checkAuthzid refuses to act as anybody but oneself.
// RFC 6120 §6.3.8
func (x *Exchange) checkAuthzid(authzid string) error {
	if authzid == "" {
		return nil
	}
	own, err := jid.New(x.user, x.domain.Domain(), "")
	want, err2 := jid.Parse(authzid)
	if err != nil || err2 != nil || want != own {
		return &Failure{Condition: InvalidAuthzid}
	}
	return nil
}

func (x *Exchange) takeFinal(s string) ([]byte, error) {
	m, err := readFinal(s)
	if err != nil {
		return nil, err
	}
	expected := []byte(x.first.header)
	if b := x.binding(x.first.binding); b != nil {
		expected = append(expected, b.Data...)
	}
	if !hmac.Equal(m.binding, expected) {
		return nil, refused("channel bindings do not match")
	}
	if m.nonce != x.nonce {
		return nil, refused("wrong nonce")
	}
	k := x.kind.keys(x.cred)
	signed := x.first.bare + "," + x.sent + "," + m.without
	if !x.proves(k, signed, m.proof) {
		return nil, refused("wrong name or password")
	}
	if x.cred.Disabled {
		return nil, &Failure{Condition: AccountDisabled}
	}
	x.state = succeeded
	return []byte("v=" + base64.StdEncoding.EncodeToString(x.mac(k.ServerKey, signed))), nil
}

// proves tells whether a proof over what was signed is by the password's owner.
// RFC 5802 §3
func (x *Exchange) proves(k Keys, signed string, proof []byte) bool {
	signature := x.mac(k.StoredKey, signed)
	if len(proof) != len(signature) {
		return false
	}
	clientKey := make([]byte, len(proof))
	for i := range proof {
		clientKey[i] = proof[i] ^ signature[i]
	}
	h := x.kind.hash()
	h.Write(clientKey)
	return hmac.Equal(h.Sum(nil), k.StoredKey)
}

func (x *Exchange) mac(key []byte, s string) []byte {
	m := hmac.New(x.kind.hash, key)
	m.Write([]byte(s))
	return m.Sum(nil)
}
