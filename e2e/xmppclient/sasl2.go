package xmppclient

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
)

// NSSASL2 is XEP-0388's namespace.
const NSSASL2 = "urn:xmpp:sasl:2"

// Authenticate begins SASL2 by SCRAM with elements beside the initial response,
// and goes as far as the proof: what the server then says is the next element.
// A refusal before that is a *SASLError.
func (c *Conn) Authenticate(ctx context.Context, mechanism, user, password, children string) error {
	x := newExchange(mechanism, user, password)
	x.gs2 = "n,,"
	if strings.HasSuffix(mechanism, "-PLUS") {
		x.gs2, x.cb = "p=tls-exporter,,", c.binding()
	}
	n, err := c.ask(ctx, authenticate(mechanism, x.gs2+x.first, children))
	if err != nil {
		return err
	}
	challenge, err := sasl2Data(n)
	if err != nil {
		return err
	}
	final, err := x.answer(challenge)
	if err != nil {
		return err
	}
	return c.Send("<response xmlns='" + NSSASL2 + "'>" + b64(final) + "</response>")
}

// AuthenticateToken shows a token (XEP-0484, by a mechanism HT-SHA-256-…). What
// the server then says is the next element.
func (c *Conn) AuthenticateToken(mechanism, user, token, children string) error {
	m := hmac.New(sha256.New, []byte(token))
	m.Write([]byte("Initiator"))
	if strings.HasSuffix(mechanism, "-EXPR") {
		m.Write(c.binding())
	}
	return c.Send(authenticate(mechanism, user+"\x00"+string(m.Sum(nil)), children))
}

func authenticate(mechanism, initial, children string) string {
	return "<authenticate xmlns='" + NSSASL2 + "' mechanism='" + escape(mechanism) + "'><initial-response>" +
		b64(initial) + "</initial-response>" + children + "</authenticate>"
}

func sasl2Data(n *Node) (string, error) {
	if n.Is(NSSASL2, "failure") {
		return "", &SASLError{Node: n, Condition: n.Children[0].Name.Local}
	}
	if !n.Is(NSSASL2, "challenge") {
		return "", fmt.Errorf("instead of a challenge: %s", n)
	}
	return unb64(n.Text)
}

// Upgrade does the task of <continue/>, which has been read: it salts the password
// for a mechanism (XEP-0480 §3). What the server then says is the next element.
func (c *Conn) Upgrade(ctx context.Context, mechanism, password string) error {
	n, err := c.ask(ctx, "<next xmlns='"+NSSASL2+"' task='UPGR-"+mechanism+"'/>")
	if err != nil {
		return err
	}
	salt := n.Child("urn:xmpp:scram-upgrade:0", "salt")
	if salt == nil {
		return fmt.Errorf("instead of a salt: %s", n)
	}
	raw, err := unb64(salt.Text)
	if err != nil {
		return err
	}
	rounds, err := strconv.Atoi(salt.Attr("iterations"))
	if err != nil {
		return err
	}
	x := newExchange(mechanism, "", "")
	salted, err := pbkdf2.Key(x.hash, password, []byte(raw), rounds, x.size)
	if err != nil {
		return err
	}
	return c.Send("<task-data xmlns='" + NSSASL2 + "'><hash xmlns='urn:xmpp:scram-upgrade:0'>" + b64(string(salted)) + "</hash></task-data>")
}
