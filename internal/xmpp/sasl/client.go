package sasl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

// MaxIterations is the most work that a client lets a server ask for.
const MaxIterations = 10_000_000

// Client is the client's side of one attempt to authenticate.
type Client struct {
	conv  *scram.ClientConversation
	kind  kind
	seen  protection
	steps int
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
	c, err := k.client.NewClientUnprepped(user, password, "")
	if err != nil {
		return nil, fmt.Errorf("sasl: %w", err)
	}
	switch {
	case plus:
		bound := scram.ChannelBinding{Type: scram.ChannelBindingType(b.Type), Data: b.Data}
		return &Client{kind: k, conv: c.NewConversationWithChannelBinding(bound)}, nil
	case b.Type != "":
		return &Client{kind: k, conv: c.NewConversationAdvertisingChannelBinding()}, nil
	}
	return &Client{kind: k, conv: c.NewConversation()}, nil
}

// Next takes the server's next message, decoded from base64 (nil at first, at
// the end the additional data of success), and returns what to send. done means
// that the server has proved that it knows the account.
func (c *Client) Next(in []byte) (out []byte, done bool, err error) {
	c.steps++
	if c.steps == 2 {
		if err := checkIterations(string(in)); err != nil {
			return nil, false, err
		}
		if err := c.seen.check(string(in), c.kind.hash); err != nil {
			return nil, false, err
		}
	}
	s, err := c.conv.Step(string(in))
	if err != nil {
		return nil, false, fmt.Errorf("sasl: %w", err)
	}
	return []byte(s), c.conv.Valid(), nil
}

// checkIterations refuses a server that would keep us computing for minutes. Too
// few iterations the library refuses (4,096: RFC 7677 §4).
func checkIterations(s string) error {
	for a := range strings.SplitSeq(s, ",") {
		if i, ok := strings.CutPrefix(a, "i="); ok {
			if n, err := strconv.Atoi(i); err != nil || n > MaxIterations {
				return errors.New("sasl: the server asks for too many iterations")
			}
		}
	}
	return nil
}
