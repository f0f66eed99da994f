package sasl

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// Delimiters that no XML can hold, so no name in a list can.
// XEP-0474 §6.1
const (
	betweenNames = "\x1e"
	betweenLists = "\x1f"
)

// protection is what both sides hold to have seen of the channel and of what
// was offered on it; the zero value says nothing.
type protection struct {
	lists string // as they are hashed, "" when unknown
	tls   string // version as it is written, "" when unknown
}

// offered puts the lists of mechanisms and of types of channel binding together.
// XEP-0474 §6.1
func (p *protection) offered(mechs, bindings []string) {
	p.lists = strings.Join(slices.Sorted(slices.Values(mechs)), betweenNames)
	if len(bindings) > 0 {
		p.lists += betweenLists + strings.Join(slices.Sorted(slices.Values(bindings)), betweenNames)
	}
}

// version notes a version of TLS, as crypto/tls numbers them; 0 for no TLS.
// XEP-0515 §4.1
func (p *protection) version(v uint16) {
	p.tls = ""
	if v != 0 {
		p.tls = fmt.Sprintf("%04x", v)
	}
}

func (p *protection) hash(h func() hash.Hash) string {
	sum := h()
	sum.Write([]byte(p.lists))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

// attributes are what the server's first message says of it.
func (p *protection) attributes(h func() hash.Hash) (s string) {
	if p.lists != "" {
		s += ",h=" + p.hash(h)
	}
	if p.tls != "" {
		s += ",t=" + p.tls
	}
	return s
}

// ErrDowngrade is what a client returns when the server offered something else
// than what arrived: somebody on the way changes what is said.
var ErrDowngrade = errors.New("sasl: somebody changes what the server offers; do not sign in here")

// check holds the attributes of a server's first message against what this side
// has seen. What the server does not say, or this side does not know, passes.
// XEP-0474 §6.2, XEP-0515 §4.2
func (p *protection) check(first string, h func() hash.Hash) error {
	for a := range strings.SplitSeq(first, ",") {
		if v, ok := strings.CutPrefix(a, "h="); ok && p.lists != "" && !hmac.Equal([]byte(v), []byte(p.hash(h))) {
			return ErrDowngrade
		}
		if v, ok := strings.CutPrefix(a, "t="); ok && p.tls != "" && v != p.tls {
			return ErrDowngrade
		}
	}
	return nil
}

// Offered says what the stream features offered in the profile that is used
// (SASL or SASL2): mechanisms, and types of channel binding (none: XEP-0440 was
// not used). Before Next; the server's first message of SCRAM vouches for it.
// XEP-0474 §6.1
func (x *Exchange) Offered(mechs, bindings []string) { x.seen.offered(mechs, bindings) }

// TLSVersion says which version of TLS the channel has, as crypto/tls numbers
// them. Before Next; the server's first message of SCRAM vouches for it.
// XEP-0515 §4.1
func (x *Exchange) TLSVersion(v uint16) { x.seen.version(v) }

// Offered says what the client was offered, to be held against what the server
// says that it offered; ErrDowngrade of Next tells that they differ. Before Next.
func (c *Client) Offered(mechs, bindings []string) { c.seen.offered(mechs, bindings) }

// TLSVersion says which version of TLS the client sees, as Offered does for lists.
func (c *Client) TLSVersion(v uint16) { c.seen.version(v) }
