package c2s

import (
	"encoding/base64"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// triesMost is how often one connection may fail to authenticate
// (RFC 6120 §6.4.5 asks for between 2 and 5).
// COMPAT: slixmpp before 1.8.5 fails four times, having claimed tls-unique under
// TLS 1.3, before it tries PLAIN.
const triesMost = 5

// authenticate runs one step of SASL (RFC 6120 §6.4).
func (c *conn) authenticate(e xtok.Elem) error {
	out, done, err := c.saslStep(e)
	switch {
	case err != nil:
		return c.saslFailed(err)
	case !done:
		_, err = c.Write(saslElement("challenge", out))
		return err
	}
	account, err := c.proven()
	if err != nil {
		return c.saslFailed(err)
	}
	c.loggedIn(account)
	if _, err = c.Write(saslElement("success", out)); err != nil {
		return err
	}
	// RFC 6120 §6.4.6
	c.scan.Restart()
	return nil
}

// proven is the account that the exchange, which is over, has authenticated.
func (c *conn) proven() (jid.JID, error) {
	user := c.neg.sasl.User()
	c.neg.sasl = nil
	return jid.New(user, c.srv.router.Domain.Domain(), "")
}

func (c *conn) loggedIn(account jid.JID) {
	c.account = account
	c.outcome(nil)
	c.srv.cfg.Metrics.logins.WithLabelValues("done").Inc()
	c.log().Info("logged in", "remote", c.tcp.RemoteAddr().String())
}

func (c *conn) saslStep(e xtok.Elem) (out []byte, done bool, err error) {
	if c.neg.req != nil {
		// begun by SASL2, an attempt ends there: by what a token asks for besides
		// its proof
		return nil, false, &sasl.Failure{Condition: sasl.MalformedRequest}
	}
	if e.Local() == "abort" {
		return nil, false, &sasl.Failure{Condition: "aborted"}
	}
	in, err := decode(e.Text())
	if err != nil {
		return nil, false, &sasl.Failure{Condition: "incorrect-encoding"}
	}
	if e.Local() == "auth" {
		c.neg.since = c.srv.auth.Epoch()
		if c.neg.sasl, err = c.startSASL(e.Attr("mechanism")); err != nil {
			return nil, false, err
		}
		if !e.HasText() {
			return nil, false, nil // RFC 6120 §6.4.2: an empty challenge asks for the first response
		}
	} else if e.Local() != "response" || c.neg.sasl == nil {
		return nil, false, &sasl.Failure{Condition: "malformed-request"}
	}
	return c.neg.sasl.Next(in)
}

func (c *conn) startSASL(mech string) (*sasl.Exchange, error) {
	if mech == sasl.PLAIN && c.mayPlain() {
		return sasl.StartPlain(c.srv.router.Domain, c.credentials), nil
	}
	x, err := sasl.Start(mech, c.srv.router.Domain, c.neg.bindings, c.credentials)
	if err != nil {
		return nil, err
	}
	x.Offered(c.neg.offered, c.bindingTypes())
	if c.tls != nil {
		x.TLSVersion(c.tls.ConnectionState().Version)
	}
	return x, nil
}

func (c *conn) bindingTypes() (types []string) {
	for _, b := range c.neg.bindings {
		types = append(types, b.Type)
	}
	return types
}

// words are for people who have proved who they are, and are not let in all the
// same. Others hear a condition and nothing else.
func words(f *sasl.Failure) string {
	if f.Text == "" || f.Condition != sasl.CredentialsExpired && f.Condition != sasl.AccountDisabled {
		return ""
	}
	return "<text xml:lang='en'>" + string(xtok.Escape(nil, f.Text)) + "</text>"
}

// decode reads base64 where "=" stands for nothing (RFC 6120 §6.4.2).
func decode(s string) ([]byte, error) {
	if s == "=" {
		return nil, nil
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

func saslElement(name string, data []byte) []byte {
	b := []byte("<" + name + " xmlns='" + stream.NSSASL + "'>")
	b = base64.StdEncoding.AppendEncode(b, data)
	return append(b, "</"+name+">"...)
}

func (c *conn) saslFailed(err error) error {
	return c.refuse(err, stream.NSSASL)
}

// refuse tells of a failed attempt in the namespace of its protocol. The
// stream may try again.
func (c *conn) refuse(err error, ns string) error {
	c.neg.sasl, c.neg.req = nil, nil
	failure := sasl.AsFailure(err)
	c.outcome(failure)
	if failure.Cause != nil && !overBudget(failure) {
		c.log().Error("authentication failed on our side", "err", failure.Cause)
	}
	c.srv.cfg.Metrics.logins.WithLabelValues("failed").Inc()
	// no account is named: people type their password where the name belongs
	c.log().Info("login refused", "condition", string(failure.Condition), "remote", c.tcp.RemoteAddr().String())
	inner := ""
	if ns != stream.NSSASL {
		inner = " xmlns='" + stream.NSSASL + "'" // XEP-0388 §2.6.2
	}
	c.Write([]byte("<failure xmlns='" + ns + "'><" + string(failure.Condition) + inner + "/>" + words(failure) + "</failure>"))
	if c.neg.failures++; c.neg.failures >= triesMost {
		return &stream.Error{Condition: "policy-violation", Text: "too many failed attempts to log in"}
	}
	return nil
}
