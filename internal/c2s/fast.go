package c2s

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is FAST, XEP-0484: a device that has signed in is given a token, and
// signs in with it the next time.

// appendFast offers tokens and their mechanisms. What TLS 1.3 would let a client
// send before the handshake is over is not taken.
// XEP-0484 §3.1
func (c *conn) appendFast(b []byte) []byte {
	b = append(b, "<fast xmlns='"+nsFast+"'>"...)
	for _, m := range sasl.TokenMechanisms(c.neg.bindings) {
		b = append(b, "<mechanism>"+m+"</mechanism>"...)
	}
	return append(b, "</fast>"...)
}

func isTokenMechanism(mech string) bool { return strings.HasPrefix(mech, "HT-") }

// startToken begins an exchange by token. XEP-0484 §3.4: the client says that it
// shows one, and which device it is.
func (c *conn) startToken(r *request) (*sasl.Exchange, error) {
	if !r.fast.OK() || r.agent.ID == "" {
		return nil, &sasl.Failure{Condition: sasl.MalformedRequest}
	}
	tokens := func(user string) ([]sasl.Token, error) {
		if err := c.attempt(user, true); err != nil {
			return nil, err
		}
		return c.srv.auth.Tokens(user, r.agent, r.mech)
	}
	return sasl.StartToken(r.mech, c.srv.router.Domain, c.neg.bindings, tokens)
}

// settleToken uses the token that was shown, durably, and issues the one that was
// asked for or is due.
func (c *conn) settleToken(r *request) (element []byte, err error) {
	if r.agent.ID == "" {
		return nil, nil
	}
	due, mech := false, r.mech
	if r.fast.OK() {
		if due, err = c.useToken(r); err != nil {
			return nil, err
		}
	}
	if r.token.OK() {
		mech = r.token.Attr("mechanism")
		due = slices.Contains(sasl.TokenMechanisms(c.neg.bindings), mech)
	}
	if !due {
		return nil, nil
	}
	token, expiry, err := c.srv.auth.IssueToken(c.srv.ctx, r.account.Local(), r.agent, mech)
	if errors.Is(err, auth.ErrNotKept) {
		c.log().Error("a token could not be issued", "err", err)
		return nil, nil // the one that was shown, or the password, goes on
	}
	if err != nil {
		return nil, notNow(err)
	}
	b := []byte("<token xmlns='" + nsFast + "' expiry='")
	b = stanza.AppendTime(b, expiry)
	b = append(b, "' token='"...)
	b = xtok.Escape(b, token)
	return append(b, "'/>"...), nil
}

func (c *conn) useToken(r *request) (due bool, err error) {
	if !isTokenMechanism(r.mech) {
		return false, nil // <fast/> beside a password says nothing
	}
	count, counted := uint64(0), r.fast.HasAttr("count")
	if counted {
		if count, err = strconv.ParseUint(r.fast.Attr("count"), 10, 63); err != nil {
			return false, &sasl.Failure{Condition: sasl.MalformedRequest}
		}
	}
	end := r.fast.AttrIs("invalidate", "true") || r.fast.AttrIs("invalidate", "1")
	due, err = c.srv.auth.UseToken(c.srv.ctx, r.account.Local(), r.agent, r.shown, count, counted, end)
	if err != nil {
		return false, notNow(err)
	}
	return due && !end, nil
}
