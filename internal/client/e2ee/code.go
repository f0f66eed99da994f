package e2ee

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

// Bounds of a safety code that is read.
const (
	mostCode = 8192 // bytes
	mostKeys = 100
)

// named is a key that a safety code gives for a device.
type named struct {
	device      uint32
	fingerprint string
}

// SafetyCode is the text of one's own QR code: an xmpp: address with the fingerprints of this
// device and of one's own others that were verified and are active, as Conversations and Dino read it.
func (b *Book) SafetyCode() string {
	keys := []named{{b.device.ID, b.Fingerprint()}}
	for _, d := range b.Devices(b.own) {
		if !d.Here && d.Active && d.Trust == string(Verified) {
			keys = append(keys, named{d.ID, d.Fingerprint})
		}
	}
	code := "xmpp:" + strings.ReplaceAll(url.PathEscape(b.own.String()), "%40", "@")
	for i, k := range keys {
		code += fmt.Sprintf("%c%s%d=%s", "?;"[min(i, 1)], sidPrefix, k.device, k.fingerprint)
	}
	return code
}

const sidPrefix = "omemo-sid-"

// CodeOf tells whose code it claims to be. ErrCode.
func CodeOf(code string) (jid.JID, error) {
	who, _, err := readCode(code)
	return who, err
}

// Verify takes a scanned code and verifies the keys it names, those of devices not met yet
// too. ErrCode; ErrMismatch when a device is known with another key, ErrNoKey when the account's
// devices are known and none of the code's is one of them, and then nothing is changed.
func (b *Book) Verify(code string) (jid.JID, Step, error) {
	who, keys, err := readCode(code)
	if err != nil {
		return jid.JID{}, Step{}, err
	}
	for _, k := range keys {
		if !b.agrees(who, k) {
			return who, Step{}, ErrMismatch
		}
	}
	if a := b.known(who); a != nil && !a.meets(keys) {
		return who, Step{}, ErrNoKey
	}
	a := b.account(who)
	for _, k := range keys {
		if k.fingerprint != b.Fingerprint() {
			b.setTrust(a, k.fingerprint, Verified)
		}
	}
	return who, b.done(Step{}), nil
}

// meets tells whether one of a code's devices is known, or none of the account's is. Else a
// comparison would say nothing of the devices that are written to.
func (a *account) meets(keys []named) bool {
	used := false
	for id := range a.Devices {
		used = used || a.active(id)
	}
	return !used || slices.ContainsFunc(keys, func(k named) bool { return a.active(k.device) || a.known(k.fingerprint) })
}

// agrees tells whether a code's key can be that device's: it is, or is offered for it, or none is known.
func (b *Book) agrees(who jid.JID, k named) bool {
	here := who == b.own && k.device == b.device.ID
	if here || k.fingerprint == b.Fingerprint() {
		return here && k.fingerprint == b.Fingerprint()
	}
	a := b.known(who)
	if a == nil || a.Devices[k.device] == nil {
		return true
	}
	d := a.Devices[k.device]
	return d.Key == "" || d.Key == k.fingerprint || d.Offered == k.fingerprint
}

// readCode reads xmpp:ADDRESS?omemo-sid-NUMBER=FINGERPRINT;… Other parts of the query are passed over.
func readCode(code string) (jid.JID, []named, error) {
	code = strings.TrimSpace(code)
	if len(code) > mostCode || len(code) < 5 || !strings.EqualFold(code[:5], "xmpp:") {
		return jid.JID{}, nil, ErrCode
	}
	address, query, _ := strings.Cut(strings.TrimPrefix(code[5:], "//"), "?")
	address, err := url.PathUnescape(address)
	if err != nil {
		return jid.JID{}, nil, ErrCode
	}
	who, err := jid.Parse(address)
	if err != nil || !who.IsBare() {
		return jid.JID{}, nil, ErrCode
	}
	keys, err := readKeys(query)
	return who, keys, err
}

func readKeys(query string) ([]named, error) {
	var keys []named
	seen := map[uint32]bool{}
	for _, part := range strings.FieldsFunc(query, func(c rune) bool { return c == ';' || c == '&' }) {
		name, value, _ := strings.Cut(part, "=")
		number, ok := strings.CutPrefix(name, sidPrefix)
		if !ok {
			continue
		}
		id, err := strconv.ParseUint(number, 10, 32)
		value = strings.ToLower(value)
		if err != nil || id == 0 || id > omemo.MaxID || !isFingerprint(value) || seen[uint32(id)] {
			return nil, ErrCode
		}
		seen[uint32(id)] = true
		keys = append(keys, named{uint32(id), value})
	}
	if len(keys) == 0 || len(keys) > mostKeys {
		return nil, ErrCode
	}
	return keys, nil
}
