package xmppclient

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
)

// SASLError is an authentication that the server refused.
type SASLError struct {
	Condition string // RFC 6120 §6.5, as "not-authorized"
	Node      *Node
}

func (e *SASLError) Error() string { return "authentication failed: " + e.Condition }

// Mechanisms are those that the current stream offers.
func (c *Conn) Mechanisms() []string {
	var all []string
	if m := c.Features.Child(NSSASL, "mechanisms"); m != nil {
		for _, n := range m.Children {
			all = append(all, strings.TrimSpace(n.Text))
		}
	}
	return all
}

// Login authenticates by the best mechanism that both know and opens the stream anew.
func (c *Conn) Login(ctx context.Context, user, password string) error {
	offered := c.Mechanisms()
	for _, m := range []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"} {
		if slices.Contains(offered, m) && (c.binding() != nil || !strings.HasSuffix(m, "-PLUS")) {
			return c.LoginBy(ctx, m, user, password)
		}
	}
	return fmt.Errorf("no mechanism in common: %v", offered)
}

// LoginBy authenticates by one mechanism, whether it is offered or not.
func (c *Conn) LoginBy(ctx context.Context, mechanism, user, password string) error {
	x := newExchange(mechanism, user, password)
	switch bound := c.binding(); {
	case strings.HasSuffix(mechanism, "-PLUS"):
		x.gs2, x.cb = "p=tls-exporter,,", bound
	case bound != nil && slices.Contains(c.Mechanisms(), mechanism+"-PLUS"):
		x.gs2 = "n,," // it was this caller's wish not to bind
	default:
		x.gs2 = "y,,"
		if bound == nil {
			x.gs2 = "n,,"
		}
	}
	if err := c.exchange(ctx, x); err != nil {
		return err
	}
	return c.open(ctx)
}

func (c *Conn) exchange(ctx context.Context, x *exchange) error {
	n, err := c.ask(ctx, "<auth xmlns='"+NSSASL+"' mechanism='"+x.mechanism+"'>"+b64(x.gs2+x.first)+"</auth>")
	if err != nil {
		return err
	}
	challenge, err := saslData(n, "challenge")
	if err != nil {
		return err
	}
	final, err := x.answer(challenge)
	if err != nil {
		return err
	}
	n, err = c.ask(ctx, "<response xmlns='"+NSSASL+"'>"+b64(final)+"</response>")
	if err != nil {
		return err
	}
	verdict, err := saslData(n, "success")
	if err != nil {
		return err
	}
	if verdict != "v="+b64(string(x.server)) {
		return fmt.Errorf("the server does not know the password: %q", verdict)
	}
	return nil
}

// saslData is the decoded content of the element that should come now.
func saslData(n *Node, want string) (string, error) {
	if n.Is(NSSASL, "failure") {
		e := &SASLError{Node: n}
		for _, c := range n.Children {
			if c.Name.Local != "text" {
				e.Condition = c.Name.Local
			}
		}
		return "", e
	}
	if !n.Is(NSSASL, want) {
		return "", fmt.Errorf("instead of %s: %s", want, n)
	}
	return unb64(n.Text)
}

func unb64(s string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	return string(data), err
}

// exchange is one SCRAM authentication (RFC 5802 §3).
type exchange struct {
	mechanism, password string
	hash                func() hash.Hash
	size                int
	gs2                 string
	cb                  []byte // channel binding data
	first               string // client-first-message-bare
	nonce               string
	server              []byte // the signature that the server must show
}

func newExchange(mechanism, user, password string) *exchange {
	x := &exchange{mechanism: mechanism, password: password, hash: sha256.New, size: sha256.Size, nonce: rand.Text()}
	if strings.HasPrefix(mechanism, "SCRAM-SHA-1") {
		x.hash, x.size = sha1.New, sha1.Size
	}
	x.first = "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user) + ",r=" + x.nonce
	return x
}

// answer computes the client's final message from the server's first.
func (x *exchange) answer(challenge string) (string, error) {
	fields := map[string]string{}
	for part := range strings.SplitSeq(challenge, ",") {
		if key, value, ok := strings.Cut(part, "="); ok {
			fields[key] = value
		}
	}
	salt, err := base64.StdEncoding.DecodeString(fields["s"])
	if err != nil {
		return "", err
	}
	rounds, err := strconv.Atoi(fields["i"])
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(fields["r"], x.nonce) || fields["r"] == x.nonce {
		return "", fmt.Errorf("the server's nonce does not extend ours")
	}
	salted, err := pbkdf2.Key(x.hash, x.password, salt, rounds, x.size)
	if err != nil {
		return "", err
	}
	return x.prove(salted, challenge, "c="+b64(x.gs2+string(x.cb))+",r="+fields["r"]), nil
}

func (x *exchange) prove(salted []byte, challenge, final string) string {
	transcript := x.first + "," + challenge + "," + final
	key := x.mac(salted, "Client Key")
	stored := x.hash()
	stored.Write(key)
	proof := x.mac(stored.Sum(nil), transcript)
	for i := range proof {
		proof[i] ^= key[i]
	}
	x.server = x.mac(x.mac(salted, "Server Key"), transcript)
	return final + ",p=" + b64(string(proof))
}

func (x *exchange) mac(key []byte, text string) []byte {
	m := hmac.New(x.hash, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
