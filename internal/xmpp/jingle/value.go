package jingle

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"unicode/utf8"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// Bytes of values.
const (
	mostID    = 128 // ids of sessions and candidates
	mostName  = 64  // names of contents, codecs, parameters
	mostValue = 256 // values of parameters, text of a reason as it is written
	mostURI   = 160
	mostJID   = 3 * (jid.MaxPart + 1)
)

// word reads an attribute of the characters that ok allows. One that is not
// there is "", and refused where it must be there.
func (r *reader) word(e xtok.Elem, name string, must bool, most int, ok func(byte) bool) string {
	v := e.Attr(name)
	if v == "" {
		if must {
			r.refuse(Missing, name)
		}
		return ""
	}
	r.check(v, name, most, ok)
	return v
}

func (r *reader) check(v, where string, most int, ok func(byte) bool) {
	if len(v) > most {
		r.refuse(TooLong, where)
		return
	}
	for i := 0; i < len(v); i++ {
		if !ok(v[i]) {
			r.refuse(Malformed, where)
			return
		}
	}
}

// graphic characters need no escaping in XML; ids of clients are base64, hex or
// words.
func graphic(c byte) bool {
	return c > ' ' && c < 0x7F && c != '<' && c != '>' && c != '&' && c != '\'' && c != '"'
}

// token is that of SDP.
// RFC 8866 §9
func token(c byte) bool {
	switch {
	case c <= ' ' || c >= 0x7F:
		return false
	case alphanumeric(c):
		return true
	}
	return strings.IndexByte("!#$%*+-.^_`{|}~", c) >= 0
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// key is the name of a parameter. Where a codec has a value without a name (red:
// 111/111), clients take it for the name.
func key(c byte) bool { return graphic(c) && c != '=' && c != ';' }

// iceChar is RFC 8839 §5.1
func iceChar(c byte) bool { return alphanumeric(c) || c == '+' || c == '/' }

// uriChar is RFC 3986 §2
func uriChar(c byte) bool {
	return graphic(c) && strings.IndexByte("\\^`{|}", c) < 0
}

// printable keeps a value on its line of SDP.
func printable(c byte) bool { return c >= ' ' && c < 0x7F }

// number reads a number without sign and leading zeros. One that is not there, or
// empty, is otherwise, which is -1 for those that must be.
func (r *reader) number(e xtok.Elem, name string, from, to, otherwise int64) int64 {
	v := e.Attr(name)
	if v == "" {
		if otherwise < 0 {
			r.refuse(Missing, name)
		}
		return otherwise
	}
	n, ok := decimal(v)
	if !ok || n < from || n > to {
		r.refuse(Malformed, name)
		return otherwise
	}
	return n
}

func decimal(s string) (n int64, ok bool) {
	if s == "" || len(s) > 10 || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// address reads an IP address: no name, no zone, and none that stands for no
// machine or for many.
func (r *reader) address(e xtok.Elem, name string) netip.Addr {
	a, err := netip.ParseAddr(e.Attr(name))
	a = a.Unmap()
	if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
		r.refuse(Malformed, name)
		return netip.Addr{}
	}
	return a
}

// party reads the address of one who takes part. It is what the sender claims.
func (r *reader) party(e xtok.Elem, name string) string {
	v := e.Attr(name)
	if v == "" {
		return ""
	}
	if len(v) > mostJID {
		r.refuse(TooLong, name)
		return ""
	}
	j, err := jid.Parse(v)
	if err != nil {
		r.refuse(Malformed, name)
	}
	return j.String()
}

// bytes reads base64 as an element's text. White space around and in it, which
// printers of XML leave, counts for nothing.
func (r *reader) bytes(e xtok.Elem, where string, from, to int) []byte {
	text := e.Text()
	if len(text) > 4*to {
		r.refuse(TooLong, where)
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	switch {
	case err != nil || len(b) < from:
		r.refuse(Malformed, where)
		return nil
	case len(b) > to:
		r.refuse(TooLong, where)
		return nil
	}
	return b
}

func appendBytes(dst, b []byte) []byte {
	return base64.StdEncoding.AppendEncode(dst, b)
}

// plain is text for people on one line of at most mostValue bytes as it is
// written, cut where it is longer.
func plain(s string) string {
	var out, room []byte
	written := 0
	for _, c := range s {
		if c < ' ' || c >= 0x7F && c < 0xA0 || c == utf8.RuneError || c == 0x2028 || c == 0x2029 {
			c = ' '
		}
		if c == ' ' && (len(out) == 0 || out[len(out)-1] == ' ') {
			continue
		}
		room = xtok.Escape(room[:0], string(c))
		if written += len(room); written > mostValue {
			break
		}
		out = utf8.AppendRune(out, c)
	}
	return strings.TrimRight(string(out), " ")
}

// each walks the children with this name, up to a limit.
func (r *reader) each(e xtok.Elem, ns, local string, most int, f func(xtok.Elem)) {
	n := 0
	for c := e.First(); c.OK() && !r.failed(); c = c.Next() {
		if !c.Is(ns, local) {
			continue
		}
		if n++; n > most {
			r.refuse(TooMany, local)
			return
		}
		f(c)
	}
}

// only is the one child with this name, if there is one.
func (r *reader) only(e xtok.Elem, ns, local string) (out xtok.Elem) {
	for c := e.First(); c.OK(); c = c.Next() {
		switch {
		case !c.Is(ns, local):
		case out.OK():
			r.refuse(Doubled, local)
			return out
		default:
			out = c
		}
	}
	return out
}
