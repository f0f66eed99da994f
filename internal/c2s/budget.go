package c2s

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"mirsal/internal/limits"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
)

// This file is where a connection asks for its budgets (internal/limits).

// admit finds the connection a place among those without a login.
func (s *Server) admit(c *conn) error {
	connect := s.budgets.Connect
	if c.via.Counted {
		connect = s.budgets.Enter
	}
	peer, err := connect(limits.AddrOf(c.tcp.RemoteAddr()))
	if err != nil {
		return err
	}
	peer.OnDrop(func() { c.Abort(&stream.Error{Condition: "resource-constraint", Text: "others wait to log in"}) })
	c.neg.peer, c.pace = peer, s.budgets.Stranger()
	return nil
}

// handshake makes the TLS handshake when it is this connection's turn.
func (c *conn) handshake(ctx context.Context) (*tls.Conn, error) {
	return c.srv.handshakes.Server(ctx, c.neg.peer, c.tcp)
}

// credentials looks up whom somebody wants to be, after the wait that earlier
// failures ask for. It is a sasl.Lookup.
func (c *conn) credentials(user string) (sasl.Credentials, error) {
	if err := c.attempt(user, false); err != nil {
		return sasl.Credentials{}, err
	}
	return c.srv.auth.Credentials(user)
}

// attempt begins an attempt to be user; known tells that a token is shown and
// no password, so that there is nothing to guess.
func (c *conn) attempt(user string, known bool) error {
	if err := c.neg.peer.Login(c.srv.ctx, user, known); err != nil {
		return err
	}
	c.neg.user = user
	return nil
}

// overBudget tells whether an attempt failed because it came too fast: neither
// the client's mistake nor ours.
func overBudget(failure *sasl.Failure) bool {
	var refused *limits.Refused
	return errors.As(failure.Cause, &refused)
}

// outcome charges an attempt that failed by a wrong proof, and remembers the place of
// one that did not.
func (c *conn) outcome(failure *sasl.Failure) {
	switch user := c.neg.user; {
	case user == "":
	case failure == nil:
		c.neg.peer.Succeeded(user)
	case failure.Condition == sasl.NotAuthorized:
		c.neg.peer.Failed(user)
	}
	c.neg.user = ""
}

// breath is how long a reader pauses before it looks whether there is still
// something to read for.
const breath = time.Second

// pause holds the reader back by what was read: TCP then holds the sender back.
func (c *conn) pause(d time.Duration) {
	for ; d > 0 && !c.aborted.Load(); d -= breath {
		t := time.NewTimer(min(d, breath))
		select {
		case <-t.C:
		case <-c.srv.ctx.Done():
			t.Stop()
			return
		}
	}
}
