package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// How much work a client does for a server.
const (
	// MaxIterations is the most that a client lets a server ask for.
	MaxIterations = 10_000_000
	// minIterations is the least that keeps a password from whoever has seen the
	// exchange. RFC 7677 §4
	minIterations = 4096
)

// Client is the client's side of one attempt to authenticate.
type Client struct {
	kind     kind
	password string
	gs2      string // header, with the flag of channel binding
	binding  []byte // data of the channel binding
	bare     string // our first message without the header
	nonce    string
	expected []byte // the server's signature, once we have said our proof
	seen     protection
	steps    int
}

// NewClient begins an exchange. A binding with a type is used by a -PLUS
// mechanism, which needs one; with another mechanism it tells the server that
// this client could have bound to the channel but was not offered to (RFC 5802
// §6, flag y). The password must be prepared by Password.
func NewClient(mech, user, password string, b Binding) (*Client, error) {
	k, plus, ok := mechanism(mech)
	if !ok || plus && (b.Type == "" || len(b.Data) == 0) {
		return nil, fmt.Errorf("sasl: cannot use mechanism %q here", mech)
	}
	c := &Client{kind: k, password: password, gs2: "n,,", nonce: rand.Text()}
	c.bare = "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user) + ",r=" + c.nonce
	switch {
	case plus:
		c.gs2, c.binding = "p="+b.Type+",,", b.Data
	case b.Type != "":
		c.gs2 = "y,,"
	}
	return c, nil
}

// Next takes the server's next message, decoded from base64 (nil at first, at
// the end the additional data of success), and returns what to send. done means
// that the server has proved that it knows the account.
func (c *Client) Next(in []byte) (out []byte, done bool, err error) {
	c.steps++
	s, err := text(in, false)
	if err != nil {
		return nil, false, err
	}
	switch c.steps {
	case 1:
		return []byte(c.gs2 + c.bare), false, nil
	case 2:
		if err = c.seen.check(s, c.kind.hash); err == nil {
			out, err = c.prove(s)
		}
		return out, false, err
	case 3:
		if err = c.verify(s); err == nil {
			return nil, true, nil
		}
		return nil, false, err
	}
	return nil, false, errors.New("sasl: the exchange is over")
}

// prove answers the server's first message.
// RFC 5802 §3
func (c *Client) prove(first string) ([]byte, error) {
	m, err := readChallenge(first)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(m.nonce, c.nonce) || len(m.nonce) == len(c.nonce) {
		return nil, errors.New("sasl: the server's nonce does not go on from ours")
	}
	keys, clientKey, err := derive(c.kind.hash, c.password, m.salt, m.iterations)
	if err != nil {
		return nil, err
	}
	final := "c=" + base64.StdEncoding.EncodeToString(append([]byte(c.gs2), c.binding...)) + ",r=" + m.nonce
	auth := []byte(c.bare + "," + first + "," + final)
	c.expected = mac(c.kind.hash, keys.ServerKey, auth)
	proof := mac(c.kind.hash, keys.StoredKey, auth)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// challenge is the server's first message.
type challenge struct {
	nonce      string
	salt       []byte
	iterations int
}

// RFC 5802 §7
func readChallenge(s string) (m challenge, err error) {
	parts := strings.SplitN(s, ",", 4)
	if len(parts) < 3 {
		return m, malformed("incomplete message")
	}
	if m.nonce, err = readNonce(parts[0]); err != nil {
		return m, err
	}
	if m.salt, err = readBase64(parts[1], 's'); err != nil {
		return m, err
	}
	count, err := readValue(parts[2], 'i')
	if err != nil {
		return m, err
	}
	if m.iterations, err = strconv.Atoi(count); err != nil || m.iterations > MaxIterations {
		return m, errors.New("sasl: the server asks for too many iterations")
	}
	if m.iterations < minIterations {
		return m, errors.New("sasl: the server asks for too few iterations to protect the password")
	}
	if len(parts) == 4 {
		err = checkExtensions(parts[3])
	}
	return m, err
}

// verify checks that the server knows the account's keys too.
func (c *Client) verify(final string) error {
	if reason, ok := strings.CutPrefix(final, "e="); ok {
		return fmt.Errorf("sasl: the server says %q", reason)
	}
	v, _, _ := strings.Cut(final, ",")
	signature, err := readBase64(v, 'v')
	if err != nil {
		return err
	}
	if !hmac.Equal(signature, c.expected) {
		return errors.New("sasl: the server does not know the account's keys")
	}
	return nil
}
