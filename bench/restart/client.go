package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirsal/e2e/xmppclient"
)

// How clients come back: at a time of their own within the first span, and after
// each failure a longer while later, never longer than the last.
const (
	firstSpan   = 2 * time.Second
	shortest    = 500 * time.Millisecond
	longest     = 5 * time.Second
	loginTries  = 5 // before the restart
	namespaceSM = xmppclient.NSSM
)

// client is one account's only session. A goroutine of its own has it.
type client struct {
	user string
	from net.IP
	o    *options
	keys *keyring

	conn *xmppclient.Conn
	smID string // to resume by; empty for none
}

// login makes a session: the old one, where that can be, or a new one.
func (c *client) login(ctx context.Context) (resumed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.timeout)
	defer cancel()
	conn, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: c.o.addr, From: c.from, Domain: c.o.domain, TLS: c.o.tls})
	if err != nil {
		return false, err
	}
	if err = c.authenticate(ctx, conn); err == nil {
		resumed, err = c.begin(ctx, conn)
	}
	if err != nil {
		conn.Kill()
		return false, err
	}
	c.conn = conn
	return resumed, nil
}

func (c *client) authenticate(ctx context.Context, conn *xmppclient.Conn) error {
	mechanism := "SCRAM-SHA-256"
	if !slices.Contains(conn.Mechanisms(), mechanism) {
		mechanism = "SCRAM-SHA-1"
	}
	s := newScram(mechanism, c.user)
	challenge, err := sasl(ctx, conn, "challenge", "<auth xmlns='"+xmppclient.NSSASL+"' mechanism='"+mechanism+"'>"+b64("n,,"+s.first)+"</auth>")
	if err != nil {
		return err
	}
	final, err := s.answer(challenge, c.keys)
	if err != nil {
		return err
	}
	verdict, err := sasl(ctx, conn, "success", "<response xmlns='"+xmppclient.NSSASL+"'>"+b64(final)+"</response>")
	if err != nil {
		return err
	}
	if verdict != "v="+s.server {
		return errors.New("the server does not know the password")
	}
	if err := conn.Open(ctx, xmppclient.Header(c.o.domain)); err != nil {
		return err
	}
	conn.Features, err = conn.Next(ctx)
	return err
}

// sasl sends one element and decodes what the answer, which has to be want, holds.
func sasl(ctx context.Context, conn *xmppclient.Conn, want, text string) (string, error) {
	n, err := ask(ctx, conn, text)
	if err != nil {
		return "", err
	}
	if !n.Is(xmppclient.NSSASL, want) {
		return "", fmt.Errorf("instead of %s: %s", want, n)
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(n.Text))
	return string(b), err
}

func ask(ctx context.Context, conn *xmppclient.Conn, text string) (*xmppclient.Node, error) {
	if err := conn.Send(text); err != nil {
		return nil, err
	}
	return conn.Next(ctx)
}

// begin resumes the old session, or binds a new one that can be resumed, and
// does what a client does then: roster and presence. XEP-0198 §5
func (c *client) begin(ctx context.Context, conn *xmppclient.Conn) (resumed bool, err error) {
	if c.smID != "" {
		sent, handled := c.conn.Sent(), c.conn.Handled()
		n, err := ask(ctx, conn, "<resume xmlns='"+namespaceSM+"' previd='"+c.smID+"' h='"+strconv.FormatUint(uint64(handled), 10)+"'/>")
		if err != nil {
			return false, err
		}
		if n.Is(namespaceSM, "resumed") {
			conn.Count(sent, handled)
			return true, nil
		}
		if !n.Is(namespaceSM, "failed") {
			return false, fmt.Errorf("instead of resumed: %s", n)
		}
		c.smID = ""
	}
	if err := conn.Bind(ctx, "bench"); err != nil {
		return false, err
	}
	if c.smID, err = conn.EnableSM(ctx, true); err != nil {
		return false, err
	}
	return false, settle(ctx, conn)
}

// settle fetches the roster and tells that the account is there.
func settle(ctx context.Context, conn *xmppclient.Conn) error {
	if err := conn.Send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>"); err != nil {
		return err
	}
	for {
		n, err := conn.Next(ctx)
		if err != nil {
			return err
		}
		if n.Name.Local == "iq" && n.Attr("id") == "roster" {
			return conn.Send("<presence/>")
		}
	}
}

// hold reads until the connection ends, and acknowledges when asked.
func (c *client) hold(ctx context.Context) {
	for {
		n, err := c.conn.Next(ctx)
		if err == nil && n.Is(namespaceSM, "r") {
			err = c.conn.Ack()
		}
		if err != nil {
			c.conn.Kill()
			return
		}
	}
}

// pause is how long a client waits before its n-th attempt to come back.
func pause(n int) time.Duration {
	if n == 0 {
		return rand.N(firstSpan)
	}
	most := min(shortest<<min(n-1, 10), longest)
	return most/2 + rand.N(most/2)
}
