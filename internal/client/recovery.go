package client

import (
	"errors"
	"io"
	"strings"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// codeLetters are without those that are taken for others; there are 32 of them.
const codeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// codeLength is 160 bits.
const codeLength = 32

// newCode is a recovery code as the server knows it.
func newCode(rand io.Reader) (string, error) {
	b := make([]byte, codeLength)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", err
	}
	for i := range b {
		b[i] = codeLetters[b[i]%32]
	}
	return string(b), nil
}

// printed is a code as people read it: eight groups of four.
func printed(code string) string {
	var groups []string
	for i := 0; i < len(code); i += 4 {
		groups = append(groups, code[i:i+4])
	}
	return strings.Join(groups, "-")
}

// plainCode is a password as it is, but for one that is a recovery code: that may be written
// with spaces, dashes and small letters.
func plainCode(password string) string {
	code := strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\n' || r == '\t' || r == '‐' || r == '–' || r == '\u00a0' {
			return -1
		}
		return r
	}, password))
	if len(code) != codeLength || strings.Trim(code, codeLetters) != "" {
		return password
	}
	return code
}

// nsRecovery is that of docs/protocol/recovery.md.
const nsRecovery = "urn:mirsal:recovery:0"

// recoveryCode gives the account another password, that nothing keeps. A server that does not
// leave tokens good then ends this device's too, so it signs in with the code at once for a new
// one, and has it as long as it has not.
// XEP-0077 §3.3
func (e *Engine) recoveryCode(c *port.RecoveryCode) {
	refuse := func(f *port.Failure) { e.tell(&port.Code{Ref: c.Ref, Failure: f}) }
	if !e.online() || e.changing {
		refuse(port.Failf(port.Unreachable, "there is no connection to the server"))
		return
	}
	code, err := newCode(e.Rand)
	if err != nil {
		refuse(port.Failf(port.Internal, "%s", err))
		return
	}
	former := e.profile.Password
	e.profile.Password, e.changing = code, true
	if !e.keepProfile() {
		return
	}
	b := []byte("<query xmlns='jabber:iq:register'>")
	b = xtok.AppendElement(b, "username", e.own.Local())
	b = xtok.AppendElement(b, "password", code)
	if !c.Alone {
		b = append(b, "<keep xmlns='"+nsRecovery+"'/>"...)
	}
	b = append(b, "</query>"...)
	e.ask(conn.Request{To: e.own.DomainOnly(), Type: stanza.Set, Payload: b, Patience: time.Minute}, func(s *conn.Stanza, err error) {
		e.changing = false
		if err == nil && e.profile.Token != nil && s.Elem.Child("jabber:iq:register", "query").Child(nsRecovery, "kept").OK() {
			if e.profile.Password = ""; e.keepProfile() {
				e.tell(&port.Code{Ref: c.Ref, Text: printed(code)})
			}
			return
		}
		if err == nil {
			if e.profile.Token = nil; e.keepProfile() {
				e.tell(&port.Code{Ref: c.Ref, Text: printed(code), Alone: true})
				e.post(e.reconnect)
			}
			return
		}
		if no := (*stanza.StanzaError)(nil); errors.As(err, &no) { // else the next sign-in shows what is true
			e.profile.Password = former
			e.keepProfile()
		}
		refuse(refusalOf(err))
	})
}

// reconnect signs in anew, with what there is now.
func (e *Engine) reconnect() {
	if e.link != nil && !e.link.leaving {
		e.dropLink()
		e.synced = false
		e.connect()
	}
}

// codeNotTaken notes that the token is good still: what was to be the password is not.
func (e *Engine) codeNotTaken() bool {
	if e.profile.Token == nil || e.profile.Password == "" || e.changing {
		return true
	}
	e.profile.Password = ""
	return e.keepProfile()
}

// takeSiteToken takes a token that the site has given out for this device. It is used as any
// other that a device has.
func (e *Engine) takeSiteToken(c *port.SignIn) {
	if c.Token == "" || len(c.Token) > mostSecret {
		return
	}
	mech := c.Mechanism
	if mech == "" {
		mech = sasl.HTSHA256None
	}
	if c.Device != "" {
		e.profile.Device = c.Device
	}
	e.profile.Password, e.profile.Token = "", &conn.Token{Mechanism: mech, Secret: c.Token, Expiry: c.Expiry}
}
