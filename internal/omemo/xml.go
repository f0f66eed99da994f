package omemo

import (
	"encoding/base64"
	"slices"
	"strconv"

	"mirsal/internal/xmpp/xtok"
)

// MaxKeys bounds the key elements of one message: with more it is not read.
const MaxKeys = 2048

const (
	maxBundleKeys = 1000 // pre-keys of one bundle
	maxDevices    = 256  // devices of one account
	maxLabel      = 512  // bytes of a device's label
)

// Envelope is the encrypted element of a message.
type Envelope struct {
	Sender  uint32 // the sending device
	Keys    []Key
	Payload *Payload // nil: an empty message, which only moves ratchets
}

// Key is a payload's key for one device, as its ratchet encrypted it.
type Key struct {
	Address string // Two: the bare address whose device it is; Legacy: ""
	Device  uint32
	PreKey  bool
	Data    []byte
}

// For finds the key for one device of an account. address is its bare address, which Legacy does
// not tell and ignores. Where a device stands twice, the first counts.
func (e Envelope) For(p Profile, address string, device uint32) (Key, bool) {
	i := slices.IndexFunc(e.Keys, func(k Key) bool {
		return k.Device == device && (p == Legacy || k.Address == address)
	})
	if i < 0 {
		return Key{}, false
	}
	return e.Keys[i], true
}

// Append writes the encrypted element. In Two the keys of one address must stand together.
// XEP-0384 §5.5.3
func (e Envelope) Append(b []byte, p Profile) []byte {
	b = append(append(append(b, "<encrypted xmlns='"...), p.Namespace()...), "'><header sid='"...)
	b = append(strconv.AppendUint(b, uint64(e.Sender), 10), "'>"...)
	if p == Two {
		b = appendGroups(b, e.Keys)
	} else {
		b = appendIV(appendKeys(b, e.Keys, "prekey"), e.Payload)
	}
	b = append(b, "</header>"...)
	if e.Payload != nil {
		b = appendBase64(b, "<payload>", e.Payload.Data, "</payload>")
	}
	return append(b, "</encrypted>"...)
}

func appendGroups(b []byte, keys []Key) []byte {
	for len(keys) > 0 {
		n := slices.IndexFunc(keys, func(k Key) bool { return k.Address != keys[0].Address })
		if n < 0 {
			n = len(keys)
		}
		b = append(xtok.AppendAttr(append(b, "<keys"...), "jid", keys[0].Address), '>')
		b = append(appendKeys(b, keys[:n], "kex"), "</keys>"...)
		keys = keys[n:]
	}
	return b
}

func appendKeys(b []byte, keys []Key, mark string) []byte {
	for _, k := range keys {
		b = append(b, "<key"...)
		if k.PreKey {
			b = xtok.AppendAttr(b, mark, "true")
		}
		b = append(strconv.AppendUint(append(b, " rid='"...), uint64(k.Device), 10), "'>"...)
		b = appendBase64(b, "", k.Data, "</key>")
	}
	return b
}

// appendIV writes the IV, also where there is nothing to decrypt with it.
// COMPAT: Dino reads no header without one.
func appendIV(b []byte, pl *Payload) []byte {
	iv := make([]byte, 12)
	if pl != nil {
		iv = pl.IV
	}
	return appendBase64(b, "<iv>", iv, "</iv>")
}

// ReadEnvelope reads the encrypted element of either profile: at most 2,048 keys of 16 KiB, and
// a payload of 1 MiB. Anything else is ErrMalformed.
func ReadEnvelope(x xtok.Elem) (Profile, Envelope, error) {
	p, ok := profileOf(x, "encrypted", "encrypted")
	h := x.Child(x.NS(), "header")
	sender, number := readID(h.Attr("sid"))
	if !ok || !number {
		return 0, Envelope{}, ErrMalformed
	}
	e := Envelope{Sender: sender}
	if err := e.readKeys(p, h); err != nil {
		return 0, Envelope{}, err
	}
	if pl := x.Child(x.NS(), "payload"); pl.OK() {
		e.Payload = new(Payload)
		if err := e.Payload.read(p, h, pl); err != nil {
			return 0, Envelope{}, err
		}
	}
	return p, e, nil
}

func (e *Envelope) readKeys(p Profile, h xtok.Elem) error {
	if p == Legacy {
		return e.readGroup(h, "", "prekey")
	}
	for g := range h.Children() {
		if !g.Is(h.NS(), "keys") {
			continue
		}
		if err := e.readGroup(g, g.Attr("jid"), "kex"); err != nil {
			return err
		}
	}
	return nil
}

func (e *Envelope) readGroup(g xtok.Elem, address, mark string) error {
	for x := range g.Children() {
		if !x.Is(g.NS(), "key") {
			continue
		}
		device, ok := readID(x.Attr("rid"))
		data, err := readBase64(x, maxMessage)
		if !ok || err != nil || len(data) == 0 || len(e.Keys) == MaxKeys {
			return ErrMalformed
		}
		preKey := x.AttrIs(mark, "true") || x.AttrIs(mark, "1")
		e.Keys = append(e.Keys, Key{Address: address, Device: device, PreKey: preKey, Data: data})
	}
	return nil
}

func (pl *Payload) read(p Profile, h, x xtok.Elem) (err error) {
	if pl.Data, err = readBase64(x, maxPayload); err != nil || p == Two {
		return err
	}
	pl.IV, err = readBase64(h.Child(h.NS(), "iv"), 16)
	if err == nil && len(pl.IV) != 12 && len(pl.IV) != 16 {
		return ErrMalformed
	}
	return err
}

// profileOf tells the profile of an element by its namespace; its name differs in the two.
func profileOf(x xtok.Elem, legacy, two string) (Profile, bool) {
	switch {
	case x.Is(profiles[Legacy].namespace, legacy):
		return Legacy, true
	case x.Is(profiles[Two].namespace, two):
		return Two, true
	}
	return 0, false
}

// readID reads the number of a device.
// XEP-0384 §5.1
func readID(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return uint32(n), err == nil && n > 0
}

func appendBase64(b []byte, before string, data []byte, behind string) []byte {
	b = base64.StdEncoding.AppendEncode(append(b, before...), data)
	return append(b, behind...)
}

// readBase64 reads the text of an element, of at most most bytes decoded; white space is allowed, as it is
// in XML's base64Binary.
func readBase64(x xtok.Elem, most int) ([]byte, error) {
	text := x.AppendText(nil)
	text = slices.DeleteFunc(text, func(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' })
	if base64.StdEncoding.DecodedLen(len(text)) > most+2 {
		return nil, ErrMalformed
	}
	out, err := base64.StdEncoding.AppendDecode(text[:0:0], text)
	if err != nil || len(out) > most {
		return nil, ErrMalformed
	}
	return out, nil
}
