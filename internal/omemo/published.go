package omemo

import (
	"encoding/base64"
	"io"
	"strconv"
	"unicode/utf8"

	"mirsal/internal/xmpp/xtok"
)

// Namespace is that of the profile's elements.
func (p Profile) Namespace() string {
	if !p.known() {
		return ""
	}
	return profiles[p].namespace
}

// DevicesNode is the node that an account's list of devices is published at, as its item "current".
func (p Profile) DevicesNode() string {
	if p == Legacy {
		return p.Namespace() + ".devicelist"
	}
	return p.Namespace() + ":devices"
}

// BundleNode is the node of a device's bundle: in Legacy each has its own, in Two
// all are items of one.
func (p Profile) BundleNode(device uint32) string {
	if p == Legacy {
		return p.Namespace() + ".bundles:" + strconv.FormatUint(uint64(device), 10)
	}
	return p.Namespace() + ":bundles"
}

// BundleItem is the id of a device's bundle at its node.
func (p Profile) BundleItem(device uint32) string {
	if p == Legacy {
		return "current"
	}
	return strconv.FormatUint(uint64(device), 10)
}

// Listed is one device in an account's list.
type Listed struct {
	ID        uint32
	Label     string // what its owner calls it; Two only. Anybody may have written it: see VerifyLabel
	Signature []byte // of Label
}

// Listed is this device for the list of the account, with a label that its identity signs; "" is
// none.
// XEP-0384 §5.3.1
func (d *Device) Listed(rand io.Reader, label string) (Listed, error) {
	l := Listed{ID: d.ID, Label: label}
	if label == "" {
		return l, nil
	}
	if len(label) > maxLabel {
		return Listed{}, ErrMalformed
	}
	sig, err := d.identity.sign(rand, []byte(label))
	l.Signature = sig[:]
	return l, err
}

// VerifyLabel tells whether the label is by the device whose bundle this is. One that is not must not be shown.
func (b Bundle) VerifyLabel(l Listed) bool {
	return len(l.Signature) == 64 && Two.verify(b.Identity, b.Sign, []byte(l.Label), [64]byte(l.Signature)) == nil
}

// AppendDevices writes the list of an account's devices.
func AppendDevices(b []byte, p Profile, list []Listed) []byte {
	name := "devices"
	if p == Legacy {
		name = "list"
	}
	b = append(append(append(b, '<'), name...), " xmlns='"...)
	b = append(append(b, p.Namespace()...), "'>"...)
	for _, l := range list {
		b = append(strconv.AppendUint(append(b, "<device id='"...), uint64(l.ID), 10), '\'')
		if p == Two && l.Label != "" {
			b = appendBase64(xtok.AppendAttr(b, "label", l.Label), " labelsig='", l.Signature, "'")
		}
		b = append(b, "/>"...)
	}
	return append(append(append(b, "</"...), name...), '>')
}

// ReadDevices reads the list of an account's devices, at most 256. A device that stands twice or whose
// number is none is left out, and so is a label of over 512 bytes.
func ReadDevices(x xtok.Elem) (Profile, []Listed, error) {
	p, ok := profileOf(x, "list", "devices")
	if !ok {
		return 0, nil, ErrMalformed
	}
	var list []Listed
	seen := map[uint32]bool{}
	for d := range x.Children() {
		id, ok := readID(d.Attr("id"))
		if !ok || !d.Is(x.NS(), "device") || seen[id] {
			continue
		}
		if len(list) == maxDevices {
			return 0, nil, ErrMalformed
		}
		seen[id] = true
		list = append(list, readListed(p, id, d))
	}
	return p, list, nil
}

func readListed(p Profile, id uint32, d xtok.Elem) Listed {
	l := Listed{ID: id}
	label := d.Attr("label")
	sig, err := base64.StdEncoding.DecodeString(d.Attr("labelsig"))
	if p == Two && label != "" && len(label) <= maxLabel && utf8.ValidString(label) && err == nil && len(sig) == 64 {
		l.Label, l.Signature = label, sig
	}
	return l
}

// names are what a bundle's elements and attributes are called.
type names struct{ signed, signedID, signature, identity, pre, preID string }

var bundleNames = [...]names{
	Legacy: {"signedPreKeyPublic", "signedPreKeyId", "signedPreKeySignature", "identityKey", "preKeyPublic", "preKeyId"},
	Two:    {"spk", "id", "spks", "ik", "pk", "id"},
}

// AppendBundle writes a bundle.
// XEP-0384 §5.3.2
func AppendBundle(b []byte, p Profile, u Bundle) []byte {
	n := bundleNames[p]
	b = append(append(append(b, "<bundle xmlns='"...), p.Namespace()...), "'>"...)
	b = appendNumbered(b, n.signed, n.signedID, u.Signed.ID, appendKey(nil, p, u.Signed.Key))
	b = appendBase64(b, "<"+n.signature+">", u.Signed.Signature[:], "</"+n.signature+">")
	b = appendBase64(b, "<"+n.identity+">", u.identityForm(p), "</"+n.identity+"><prekeys>")
	for _, k := range u.PreKeys {
		b = appendNumbered(b, n.pre, n.preID, k.ID, appendKey(nil, p, k.Key))
	}
	return append(b, "</prekeys></bundle>"...)
}

// identityForm is the identity as a bundle has it. A key that is none is written as zeros.
func (b Bundle) identityForm(p Profile) []byte {
	if p == Legacy {
		return appendKey(nil, Legacy, b.Identity)
	}
	ed, err := edwards(b.Identity, b.Sign)
	if err != nil {
		return make([]byte, 32)
	}
	return ed[:]
}

func appendNumbered(b []byte, name, attr string, id uint32, key []byte) []byte {
	b = append(append(append(append(b, '<'), name...), ' '), attr...)
	b = strconv.AppendUint(append(b, "='"...), uint64(id), 10)
	return appendBase64(b, "'>", key, "</"+name+">")
}

// ReadBundle reads a bundle with at most 1,000 pre-keys and verifies it. ErrBadKey tells that its signature is
// not its identity's, ErrMalformed that it is none.
func ReadBundle(x xtok.Elem) (Profile, Bundle, error) {
	p, ok := profileOf(x, "bundle", "bundle")
	if !ok {
		return 0, Bundle{}, ErrMalformed
	}
	var b Bundle
	if err := b.readIdentity(p, x); err != nil {
		return 0, Bundle{}, err
	}
	if err := b.readPreKeys(p, x.Child(x.NS(), "prekeys")); err != nil {
		return 0, Bundle{}, err
	}
	return p, b, b.Verify(p)
}

func (b *Bundle) readIdentity(p Profile, x xtok.Elem) (err error) {
	n := bundleNames[p]
	signed := x.Child(x.NS(), n.signed)
	if b.Signed.ID, b.Signed.Key, err = readNumbered(p, signed, n.signedID); err != nil {
		return err
	}
	sig, err := readBase64(x.Child(x.NS(), n.signature), 64)
	if err != nil || len(sig) != 64 {
		return ErrMalformed
	}
	b.Signed.Signature = [64]byte(sig)
	identity, err := readBase64(x.Child(x.NS(), n.identity), 33)
	if err != nil {
		return err
	}
	if p == Legacy {
		b.Identity, err = readKey(p, identity)
		return err
	}
	if len(identity) != 32 {
		return ErrMalformed
	}
	b.Identity, b.Sign, err = montgomery([32]byte(identity))
	return err
}

func (b *Bundle) readPreKeys(p Profile, list xtok.Elem) error {
	n := bundleNames[p]
	for x := range list.Children() {
		if !x.Is(list.NS(), n.pre) {
			continue
		}
		id, key, err := readNumbered(p, x, n.preID)
		if err != nil || len(b.PreKeys) == maxBundleKeys {
			return ErrMalformed
		}
		b.PreKeys = append(b.PreKeys, PreKey{id, key})
	}
	return nil
}

// readNumbered reads a public key with its number.
// COMPAT: Legacy's clients also number from 0.
func readNumbered(p Profile, x xtok.Elem, attr string) (id uint32, key [32]byte, err error) {
	n, err := strconv.ParseUint(x.Attr(attr), 10, 32)
	if err != nil {
		return 0, key, ErrMalformed
	}
	b, err := readBase64(x, 33)
	if err != nil {
		return 0, key, err
	}
	key, err = readKey(p, b)
	return uint32(n), key, err
}
