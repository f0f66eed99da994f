package omemo

import (
	"encoding/base64"
	"io"
	"iter"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

const (
	nsSCE     = "urn:xmpp:sce:1"
	leastSize = 256            // bytes that an SCE envelope is padded to, before the random part
	mostPad   = 200            // characters of the random part
	margin    = 24 * time.Hour // between the time inside and the time outside
)

// Content is what an SCE envelope (XEP-0420) says: in Two it is what Seal encrypts.
type Content struct {
	From, To string    // bare addresses; To may be "" outside of rooms
	Time     time.Time // zero: not said
	XML      []byte    // the elements inside content, each with its namespace
}

// Wrap writes an SCE envelope with padding of a length by chance.
// XEP-0384 §5.5.1
func Wrap(rand io.Reader, c Content) ([]byte, error) {
	b := append([]byte("<envelope xmlns='"+nsSCE+"'><content>"), c.XML...)
	b = append(b, "</content>"...)
	if !c.Time.IsZero() {
		b = append(c.Time.UTC().AppendFormat(append(b, "<time stamp='"...), time.RFC3339), "'/>"...)
	}
	for _, a := range [2][2]string{{"from", c.From}, {"to", c.To}} {
		if a[1] != "" {
			b = append(xtok.AppendAttr(append(append(b, '<'), a[0]...), "jid", a[1]), "/>"...)
		}
	}
	pad, err := padding(rand, leastSize-len(b))
	if err != nil {
		return nil, err
	}
	b = append(append(b, "<rpad>"...), pad...)
	return append(b, "</rpad></envelope>"...), nil
}

// padding is least characters and up to 200 more.
// XEP-0420 §4
func padding(rand io.Reader, least int) (string, error) {
	var size [1]byte
	if _, err := io.ReadFull(rand, size[:]); err != nil {
		return "", err
	}
	n := max(0, least) + int(size[0])*(mostPad+1)/256
	b := make([]byte, n)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b)[:n], nil
}

// Unwrapped is an SCE envelope that was read. Nothing in it holds before Check.
type Unwrapped struct {
	From, To string    // as they stand inside
	Time     time.Time // zero: not said
	content  xtok.Elem
}

// Unwrap reads an SCE envelope of at most 1 MiB. It refers to plain, which must not
// change. What is none is ErrMalformed.
func Unwrap(plain []byte) (Unwrapped, error) {
	x, err := xtok.Parse(plain, xtok.Limits{Size: maxPayload, Depth: 32, Attrs: 64, Name: 256, Prefixes: 64, Nodes: 4096})
	if err != nil || !x.Is(nsSCE, "envelope") {
		return Unwrapped{}, ErrMalformed
	}
	u := Unwrapped{content: x.Child(nsSCE, "content")}
	if !u.content.OK() || !x.Child(nsSCE, "rpad").OK() { // XEP-0384 §4: it must be there
		return Unwrapped{}, ErrMalformed
	}
	u.From, u.To = x.Child(nsSCE, "from").Attr("jid"), x.Child(nsSCE, "to").Attr("jid")
	if at := x.Child(nsSCE, "time"); at.OK() {
		if u.Time, err = time.Parse(time.RFC3339Nano, at.Attr("stamp")); err != nil {
			return Unwrapped{}, ErrMalformed
		}
	}
	return u, nil
}

// Check holds what was said inside to the stanza around it: from and to are its bare addresses (in a
// room the real address of who spoke, and the room's), room is true for a room's message, which must name the room; sent
// is when the stanza was sent as far as is known, zero when it is not. ErrTampered tells that it was moved from where it belongs.
// XEP-0420 §4
func (u Unwrapped) Check(from, to jid.JID, room bool, sent time.Time) error {
	if room && u.To == "" || !same(u.From, from) || !same(u.To, to) {
		return ErrTampered
	}
	if !u.Time.IsZero() && !sent.IsZero() && sent.Sub(u.Time).Abs() > margin {
		return ErrTampered
	}
	return nil
}

// same tells whether an address inside is the one outside; one that was not given is.
func same(inside string, outside jid.JID) bool {
	if inside == "" {
		return true
	}
	j, err := jid.Parse(inside)
	return err == nil && j.Bare() == outside.Bare()
}

// outside names what only stands outside of an envelope: servers act on it or write it, or it must not be
// nested. "" is every element of the namespace.
// XEP-0420 §9
var outside = map[string]string{
	"urn:xmpp:hints":                      "",
	"urn:xmpp:sid:0":                      "stanza-id",
	"http://jabber.org/protocol/address":  "",
	"urn:xmpp:eme:0":                      "",
	"urn:xmpp:delay":                      "",
	"urn:xmpp:carbons:2":                  "",
	"urn:xmpp:mam:2":                      "",
	"urn:xmpp:forward:0":                  "",
	"http://jabber.org/protocol/muc#user": "",
	nsSCE:                                 "",
	"urn:xmpp:omemo:2":                    "encrypted",
	"eu.siacs.conversations.axolotl":      "encrypted",
}

// Elements are the elements inside content that may stand there; others are passed over.
func (u Unwrapped) Elements() iter.Seq[xtok.Elem] {
	return func(yield func(xtok.Elem) bool) {
		for x := range u.content.Children() {
			local, listed := outside[x.NS()]
			if listed && (local == "" || local == x.Local()) {
				continue
			}
			if !yield(x) {
				return
			}
		}
	}
}
