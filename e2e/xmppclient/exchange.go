package xmppclient

import (
	"context"
	"fmt"
	"strings"
)

// Exchange is one SCRAM authentication whose messages a test sends, and spoils,
// by itself. Bare and GS2 may be changed before First, Bound before Final.
type Exchange struct {
	GS2   string // header, as "n,,"
	Bare  string // client-first-message-bare
	Nonce string // the client's part
	Bound []byte // channel binding data

	x *exchange
}

// Exchange begins an authentication on this connection: bound to the channel
// where the mechanism asks for it, else silent about that.
func (c *Conn) Exchange(mechanism, user, password string) *Exchange {
	e := &Exchange{GS2: "n,,", x: newExchange(mechanism, user, password)}
	e.Bare, e.Nonce = e.x.first, e.x.nonce
	if strings.HasSuffix(mechanism, "-PLUS") {
		e.GS2, e.Bound = "p=tls-exporter,,", c.binding()
	}
	return e
}

// First is the client's first message.
func (e *Exchange) First() string { return e.GS2 + e.Bare }

// Final answers the server's first message.
func (e *Exchange) Final(challenge string) (string, error) {
	e.x.gs2, e.x.cb, e.x.first = e.GS2, e.Bound, e.Bare
	return e.x.answer(challenge)
}

// OpenFrom begins a stream that says whom it is for (RFC 6120 §4.7.1), in place of
// one that has said nothing yet.
func (c *Conn) OpenFrom(ctx context.Context, from string) error {
	if err := c.Open(ctx, strings.Replace(Header(c.opts.Domain), " to=", " from='"+escape(from)+"' to=", 1)); err != nil {
		return err
	}
	n, err := c.Next(ctx)
	if err != nil {
		return err
	}
	if !n.Is(NSStream, "features") {
		return fmt.Errorf("instead of stream features: %s", n)
	}
	c.Features = n
	return nil
}
