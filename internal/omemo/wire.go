package omemo

import "crypto/hmac"

const (
	maxMessage = 16 << 10 // bytes of one ratchet message, its key exchange included
	maxInner   = 8 << 10  // bytes that one ratchet message may carry; a payload's key has 48
)

// version is the first byte of Legacy's messages: the version in the high half, the
// lowest that the sender could have used in the low one.
const version = 0x33

// djb marks a Curve25519 key in Legacy.
const djb = 0x05

// header is what the ratchet reads of a message before it can decrypt.
type header struct {
	ratchet [32]byte
	n, pn   uint32
}

// sealed is one ratchet message as it travels.
type sealed struct {
	header
	cipher []byte
	signed []byte // what the tag is over, behind the associated data
	tag    []byte
}

// exchange is the outside of a pre-key message.
type exchange struct {
	preKey, signed uint32
	device         uint32 // of the sender; Legacy only, and nobody relies on it
	identity       IdentityKey
	identitySign   bool
	base           [32]byte // the ephemeral key
	message        []byte   // the ratchet message inside
}

func (p Profile) readMessage(b []byte) (m sealed, err error) {
	if len(b) > maxMessage {
		return m, ErrMalformed
	}
	if p == Legacy {
		return readLegacyMessage(b)
	}
	return readTwoMessage(b)
}

func readLegacyMessage(b []byte) (m sealed, err error) {
	split := len(b) - profiles[Legacy].mac
	if split < 1 || b[0]>>4 != version>>4 {
		return m, ErrMalformed
	}
	m.signed, m.tag = b[:split], b[split:]
	f, err := readFields(m.signed[1:])
	if err != nil {
		return m, err
	}
	ratchet, err := f.string(1, 33)
	if err != nil {
		return m, err
	}
	if m.ratchet, err = readKey(Legacy, ratchet); err != nil {
		return m, err
	}
	return m, m.readRest(&f, 2, 3)
}

// readRest takes the counters and the ciphertext, whose place both profiles share.
func (m *sealed) readRest(f *fields, n, pn int) (err error) {
	if m.n, err = f.uint(n); err != nil {
		return err
	}
	// COMPAT: libsignal's message has the former counter as optional.
	if m.pn, err = f.uint(pn); err != nil && f.has[pn] {
		return err
	}
	m.cipher, err = f.string(4, maxInner+16)
	return err
}

func readTwoMessage(b []byte) (m sealed, err error) {
	outer, err := readFields(b)
	if err != nil {
		return m, err
	}
	if m.tag, err = outer.string(1, profiles[Two].mac); err != nil {
		return m, err
	}
	if m.signed, err = outer.string(2, maxMessage); err != nil {
		return m, err
	}
	f, err := readFields(m.signed)
	if err != nil {
		return m, err
	}
	ratchet, err := f.string(3, 32)
	if err != nil {
		return m, err
	}
	if m.ratchet, err = readKey(Two, ratchet); err != nil {
		return m, err
	}
	return m, m.readRest(&f, 1, 2)
}

// appendHead writes a message up to the tag.
func (p Profile) appendHead(h header, cipher []byte) []byte {
	b := make([]byte, 0, 64+len(cipher))
	if p == Legacy {
		b = appendBytes(append(b, version), 1, appendKey(nil, Legacy, h.ratchet))
		b = appendUint(appendUint(b, 2, h.n), 3, h.pn)
	} else {
		b = appendUint(appendUint(b, 1, h.n), 2, h.pn)
		b = appendBytes(b, 3, h.ratchet[:])
	}
	return appendBytes(b, 4, cipher)
}

// finish puts the tag where the profile has it.
func (p Profile) finish(signed, tag []byte) []byte {
	if p == Legacy {
		return append(signed, tag...)
	}
	return appendBytes(appendBytes(make([]byte, 0, len(signed)+32), 1, tag), 2, signed)
}

func (p Profile) readExchange(b []byte) (x exchange, err error) {
	if len(b) > maxMessage {
		return x, ErrMalformed
	}
	if p == Legacy {
		if len(b) < 1 || b[0]>>4 != version>>4 {
			return x, ErrMalformed
		}
		return readLegacyExchange(b[1:])
	}
	return readTwoExchange(b)
}

func readLegacyExchange(b []byte) (x exchange, err error) {
	f, err := readFields(b)
	if err != nil {
		return x, err
	}
	x.device = f.number[5]
	identity, err := f.string(3, 33)
	if err != nil {
		return x, err
	}
	u, err := readKey(Legacy, identity)
	if err != nil {
		return x, err
	}
	x.identity = u
	return x, x.readRest(&f, [4]int{1, 6, 2, 4}, Legacy)
}

func readTwoExchange(b []byte) (x exchange, err error) {
	f, err := readFields(b)
	if err != nil {
		return x, err
	}
	identity, err := f.string(3, 32)
	if err != nil || len(identity) != 32 {
		return x, ErrMalformed
	}
	u, sign, err := montgomery([32]byte(identity))
	if err != nil {
		return x, err
	}
	x.identity, x.identitySign = u, sign
	return x, x.readRest(&f, [4]int{1, 2, 4, 5}, Two)
}

// readRest takes pre-key, signed pre-key, base key and message from their places. All
// must be there: an exchange without a one-time pre-key could be replayed.
// XEP-0384 §4.2
func (x *exchange) readRest(f *fields, at [4]int, p Profile) (err error) {
	if x.preKey, err = f.uint(at[0]); err != nil {
		return err
	}
	if x.signed, err = f.uint(at[1]); err != nil {
		return err
	}
	base, err := f.string(at[2], 33)
	if err != nil {
		return err
	}
	if x.base, err = readKey(p, base); err != nil {
		return err
	}
	x.message, err = f.string(at[3], maxMessage)
	return err
}

func (p Profile) appendExchange(b []byte, x exchange, identity [32]byte) []byte {
	if p == Legacy {
		b = appendUint(append(b, version), 5, x.device)
		b = appendUint(appendUint(b, 1, x.preKey), 6, x.signed)
		b = appendBytes(b, 2, appendKey(nil, Legacy, x.base))
		b = appendBytes(b, 3, appendKey(nil, Legacy, identity))
		return appendBytes(b, 4, x.message)
	}
	b = appendUint(appendUint(b, 1, x.preKey), 2, x.signed)
	b = appendBytes(appendBytes(b, 3, identity[:]), 4, x.base[:])
	return appendBytes(b, 5, x.message)
}

// appendKey writes a Curve25519 key as the profile has it.
func appendKey(b []byte, p Profile, key [32]byte) []byte {
	if p == Legacy {
		b = append(b, djb)
	}
	return append(b, key[:]...)
}

func readKey(p Profile, b []byte) (key [32]byte, err error) {
	if p == Legacy {
		if len(b) != 33 || b[0] != djb {
			return key, ErrMalformed
		}
		b = b[1:]
	}
	// X25519 overlooks the last bit; a second spelling of a key would pass for another key.
	if len(b) != 32 || b[31]&0x80 != 0 {
		return key, ErrMalformed
	}
	return [32]byte(b), nil
}

// sameTag compares in constant time.
func sameTag(a, b []byte) bool { return hmac.Equal(a, b) }
