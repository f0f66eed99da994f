package conn

import (
	"encoding/base64"
	"strings"

	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// exchange is one attempt to sign in, by password or by token.
type exchange struct {
	mech  string
	scram *sasl.Client
	token *sasl.TokenClient
	// proved: the server's proof came as a challenge, not with its success.
	proved bool
}

// exchange chooses how to sign in and begins it.
func (n *handshake) exchange(o *offer) (*exchange, error) {
	sec := n.t.Security()
	if n.cfg.Device != "" && o.takes(n.token, sec) {
		c, err := sasl.NewTokenClient(n.token.Mechanism, n.cfg.Address.Local(), []byte(n.token.Secret), sec.Binding)
		if err != nil {
			return nil, err
		}
		return &exchange{mech: n.token.Mechanism, token: c}, nil
	}
	if n.cfg.Password == "" {
		return nil, &Refusal{Reason: Rejected, Words: "a password is needed"}
	}
	mech, b, ok := o.mechanism(sec)
	if !ok {
		return nil, &Refusal{Reason: NoMechanism, Words: "the server offers no safe way to sign in with a password"}
	}
	password, err := sasl.Password(n.cfg.Password)
	if err != nil {
		return nil, &Refusal{Reason: Rejected, Words: err.Error(), Err: err}
	}
	c, err := sasl.NewClient(mech, n.cfg.Address.Local(), password, b)
	if err != nil {
		return nil, err
	}
	c.Offered(o.mechs, o.bindings)
	c.TLSVersion(sec.TLS)
	return &exchange{mech: mech, scram: c}, nil
}

func (x *exchange) first() ([]byte, error) {
	if x.token != nil {
		return x.token.First(), nil
	}
	out, _, err := x.scram.Next(nil)
	return out, err
}

// answer takes a challenge.
func (x *exchange) answer(in []byte) ([]byte, error) {
	if x.token != nil {
		return nil, nonsense("the server asks more than a token")
	}
	out, done, err := x.scram.Next(in)
	if done {
		x.proved = true // RFC 6120 §6.3.10 leaves open which of the two carries it
		return nil, nil
	}
	return out, scramRefusal(err)
}

// believe takes the server's proof, which may have come already.
func (x *exchange) believe(in []byte) error {
	if x.proved && len(in) == 0 {
		return nil
	}
	if x.token != nil {
		return scramRefusal(x.token.Verify(in))
	}
	_, done, err := x.scram.Next(in)
	if err == nil && !done {
		err = nonsense("the server says nothing that proves who it is")
	}
	return scramRefusal(err)
}

// scramRefusal is for a server that cannot show that it knows the account.
func scramRefusal(err error) error {
	if err == nil || asRefusal(err) != nil || refusal(err).Reason == Insecure {
		return err
	}
	return &Refusal{Reason: Insecure, Words: "the server cannot prove that it knows this account", Err: err}
}

// decode reads base64, where "=" stands for nothing (RFC 6120 §6.4.2).
func decode(s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	if s == "=" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, &Refusal{Reason: Misbehaved, Words: "the server sends what nobody can read", Err: err}
	}
	return b, nil
}

// element is <name>base64</name>.
func element(ns, name, attr string, data []byte) []byte {
	b := []byte("<" + name + " xmlns='" + ns + "'" + attr + ">")
	if data != nil {
		b = base64.StdEncoding.AppendEncode(b, data)
	}
	return append(b, "</"+name+">"...)
}

// sasl1 signs in by SASL of RFC 6120 §6 and opens the stream anew.
func (n *handshake) sasl1(o *offer) error {
	x, err := n.exchange(o)
	if err != nil {
		return err
	}
	first, err := x.first()
	if err != nil {
		return err
	}
	e, err := n.ask(element(stream.NSSASL, "auth", " mechanism='"+x.mech+"'", first))
	if err != nil {
		return err
	}
	if e, err = n.exchangeOf(x, stream.NSSASL, e); err != nil {
		return err
	}
	data, err := decode(e.Text())
	if err == nil {
		err = x.believe(data)
	}
	if err != nil {
		return err
	}
	n.prove()
	return n.open()
}

// exchangeOf answers challenges until the server says something else than one:
// its success.
func (n *handshake) exchangeOf(x *exchange, ns string, e xtok.Elem) (xtok.Elem, error) {
	for range 4 {
		switch {
		case e.Is(ns, "success"):
			return e, nil
		case e.Is(ns, "failure"):
			return e, saslRefusal(e)
		case !e.Is(ns, "challenge"):
			return e, &Refusal{Reason: NoMechanism, Words: "the server wants a step of signing in that this program does not know"}
		}
		in, err := decode(e.Text())
		if err != nil {
			return e, err
		}
		out, err := x.answer(in)
		if err != nil {
			return e, err
		}
		if e, err = n.ask(element(ns, "response", "", out)); err != nil {
			return e, err
		}
	}
	return e, nonsense("the server does not come to an end of signing in")
}
