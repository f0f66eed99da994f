package link

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"mirsal/internal/xmpp/jid"
)

// Sizes of what a code carries, in bytes.
const (
	keySize    = 32
	secretSize = 16
	mostCode   = 1024 // characters of a code
	mostToken  = 128
)

// ErrCode is for a text that is no code of this kind.
var ErrCode = errors.New("that is not a code for linking a device")

// Code is what the old device shows. Whoever has seen it can ask to be let in, and is
// then asked about on the old device; it opens nothing by itself.
type Code struct {
	Address jid.JID          // bare: the account that is joined
	Server  string           // "" or where to connect, as port.SignIn has it
	Token   string           // the server's name for this link
	Key     [keySize]byte    // the old device's, X25519, made for this link
	Secret  [secretSize]byte // known by whoever saw the code; the server never does
}

// prefix begins a code; it is no xmpp: address, so that nothing that reads safety codes takes it.
const prefix = "mirsal:link?"

// String is the text for the QR code.
func (c Code) String() string {
	enc := base64.RawURLEncoding
	q := "a=" + url.QueryEscape(c.Address.String()) + "&t=" + url.QueryEscape(c.Token) +
		"&k=" + enc.EncodeToString(c.Key[:]) + "&p=" + enc.EncodeToString(c.Secret[:])
	if c.Server != "" {
		q += "&s=" + url.QueryEscape(c.Server)
	}
	return prefix + q
}

// carried is what stands behind the beginning of a code, in either of its forms.
func carried(s string) (q string, ok bool) {
	s = strings.TrimSpace(s)
	if q, ok = strings.CutPrefix(s, prefix); ok {
		return q, true
	}
	page, err := url.Parse(s)
	if err != nil || page.Scheme != "https" && page.Scheme != "http" || page.Host == "" || page.Path != "/" {
		return "", false
	}
	return strings.CutPrefix(page.EscapedFragment(), "link=")
}

// IsCode tells whether a text means to be a code, well made or not.
func IsCode(s string) bool {
	_, ok := carried(s)
	return ok
}

// ParseCode reads a scanned text, mirsal:link?… or the address of a page with …/#link=…:
// whose page it is does not matter, nothing is asked there. ErrCode.
func ParseCode(s string) (c Code, err error) {
	text, ok := carried(s)
	if !ok || len(s) > mostCode {
		return c, ErrCode
	}
	q, err := url.ParseQuery(text)
	if err != nil {
		return c, ErrCode
	}
	for _, name := range []string{"a", "t", "k", "p", "s"} {
		if len(q[name]) > 1 {
			return Code{}, ErrCode // two readers could take different ones
		}
	}
	c.Token, c.Server = q.Get("t"), q.Get("s")
	c.Address, err = jid.Parse(q.Get("a"))
	if err != nil || !c.Address.IsBare() || c.Address.Local() == "" || c.Token == "" || len(c.Token) > mostToken ||
		!decode(c.Key[:], q.Get("k")) || !decode(c.Secret[:], q.Get("p")) {
		return Code{}, ErrCode
	}
	return c, nil
}

// decode fills out with the bytes of a text, if it has exactly as many.
func decode(out []byte, s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && copy(out, b) == len(out) && len(b) == len(out)
}
