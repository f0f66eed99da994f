package sasl

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"mirsal/internal/xmpp/jid"
)

// The mechanisms of hashed tokens (draft-schmaus-kitten-sasl-ht-09), which FAST
// (XEP-0484) signs in by. HT-…-UNIQ is not here: TLS 1.3 has no tls-unique.
const (
	HTSHA256Exporter = "HT-SHA-256-EXPR"
	HTSHA256EndPoint = "HT-SHA-256-ENDP"
	HTSHA256None     = "HT-SHA-256-NONE"
)

// tokenBindings are the types of channel binding by mechanism, best first; ""
// binds to nothing.
var tokenBindings = [...]struct{ mech, binding string }{
	{HTSHA256Exporter, TLSExporter},
	{HTSHA256EndPoint, TLSServerEndPoint},
	{HTSHA256None, ""},
}

// Token is one secret that a device may show.
type Token struct {
	ID     string // the caller's name for it
	Secret []byte
	// Refuse is what somebody who shows it hears in place of being let in, such as
	// CredentialsExpired; "" for a good token.
	Refuse Condition
	// Shown, where it is set, is called when somebody has proved that they have a token that is
	// refused.
	Shown func()
}

// A TokenLookup finds the tokens of one device for one mechanism by normalised
// user name. For users and devices that it does not know it returns none, after
// the same work.
type TokenLookup func(user string) ([]Token, error)

// tokensAtOnce is how many tokens are compared at least, so that a device with
// one and a device with none take the same: a device has a current and a new one, and the last
// that was replaced.
const tokensAtOnce = 3

// TokenMechanisms are the names of token mechanisms to offer on a channel with
// these bindings, best first.
func TokenMechanisms(bindings []Binding) (names []string) {
	for _, t := range tokenBindings {
		if _, ok := tokenBinding(t.mech, bindings); ok {
			names = append(names, t.mech)
		}
	}
	return names
}

// tokenBinding is the data that a mechanism binds to on this channel.
func tokenBinding(mech string, bindings []Binding) (data []byte, ok bool) {
	for _, t := range tokenBindings {
		if t.mech != mech {
			continue
		}
		if t.binding == "" {
			return nil, true
		}
		i := slices.IndexFunc(bindings, func(b Binding) bool { return b.Type == t.binding && len(b.Data) > 0 })
		if i >= 0 {
			return bindings[i].Data, true
		}
	}
	return nil, false
}

// StartToken begins an exchange by a token mechanism, on a channel with
// bindings. Accounts are of one domain. The error is a *Failure.
func StartToken(mech string, domain jid.JID, bindings []Binding, lookup TokenLookup) (*Exchange, error) {
	data, ok := tokenBinding(mech, bindings)
	if !ok {
		return nil, &Failure{Condition: InvalidMechanism}
	}
	return &Exchange{domain: domain, state: waitsToken, tokens: lookup, channel: data}, nil
}

// TokenID is the ID of the token that was shown, "" before success and in
// exchanges by other mechanisms.
func (x *Exchange) TokenID() string {
	if x.state != succeeded {
		return ""
	}
	return x.tokenID
}

// takeToken reads the one message: name, NUL, hash.
// draft-schmaus-kitten-sasl-ht-09 §3
func (x *Exchange) takeToken(in []byte) ([]byte, error) {
	name, shown, ok := bytes.Cut(in, []byte{0})
	if !ok || len(name) == 0 || len(name) > MaxName || !utf8.Valid(name) || len(shown) != sha256.Size {
		return nil, malformed("not a name and a hash")
	}
	x.user = x.normal(string(name))
	tokens, err := x.tokens(x.user)
	if err != nil {
		return nil, &Failure{Condition: TemporaryAuthFailure, Cause: err}
	}
	token := x.findToken(tokens, shown)
	switch {
	case token == nil:
		return nil, refused("wrong name or token")
	case token.Refuse != "":
		if token.Shown != nil {
			token.Shown()
		}
		return nil, &Failure{Condition: token.Refuse}
	}
	x.tokenID = token.ID
	x.state = succeeded
	return tokenHash(token.Secret, responder, x.channel), nil
}

// findToken compares with every token, found or not, and with no fewer than
// tokensAtOnce.
func (x *Exchange) findToken(tokens []Token, shown []byte) (found *Token) {
	for i := range max(len(tokens), tokensAtOnce) {
		var secret []byte
		if i < len(tokens) {
			secret = tokens[i].Secret
		}
		same := hmac.Equal(tokenHash(secret, initiator, x.channel), shown)
		if same && len(secret) > 0 {
			found = &tokens[i]
		}
	}
	return found
}

// Who hashes.
const (
	initiator = "Initiator"
	responder = "Responder"
)

// tokenHash is what one side shows to prove that it has the token.
// draft-schmaus-kitten-sasl-ht-09 §3.1
func tokenHash(secret []byte, who string, channel []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(who))
	m.Write(channel)
	return m.Sum(nil)
}

// TokenClient is the client's side of one exchange by a token mechanism.
type TokenClient struct {
	user    string
	secret  []byte
	channel []byte
}

// NewTokenClient begins an exchange by a token that was issued for this
// mechanism; a mechanism that binds needs the binding of its type.
func NewTokenClient(mech, user string, secret []byte, b Binding) (*TokenClient, error) {
	channel, ok := tokenBinding(mech, []Binding{b})
	if !ok {
		return nil, fmt.Errorf("sasl: cannot use mechanism %q here", mech)
	}
	if user == "" || len(secret) == 0 {
		return nil, errors.New("sasl: no name or no token")
	}
	return &TokenClient{user: user, secret: secret, channel: channel}, nil
}

// First is the one message to send.
func (c *TokenClient) First() []byte {
	return append(append([]byte(c.user), 0), tokenHash(c.secret, initiator, c.channel)...)
}

// Verify checks the additional data of success: the server knows the token and
// sees the same channel.
func (c *TokenClient) Verify(in []byte) error {
	if !hmac.Equal(in, tokenHash(c.secret, responder, c.channel)) {
		return errors.New("sasl: the server does not know the token")
	}
	return nil
}
