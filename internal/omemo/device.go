package omemo

import (
	"io"
	"slices"
	"time"
)

const (
	preKeyCount = 100                // that a bundle offers
	signedLife  = 7 * 24 * time.Hour // of a signed pre-key, before it is replaced
	maxPreKeyID = 1<<24 - 1          // COMPAT: libsignal's libraries keep a pre-key's number in three bytes
	maxUsed     = 200                // pre-keys that are kept though they were used
	mostPreKeys = 1100               // that a stored device is read with
)

// Device is this device's own secret state: identity, signed pre-keys, pre-keys. It is a value:
// what changes it returns another. It holds secrets.
type Device struct {
	ID       uint32 // 1 to MaxID; unique within the account, which the caller sees to
	identity pair
	now      signedPair
	former   signedPair // ID 0: none
	preKeys  []onePair  // in the order they were made; never changed in place
	next     uint32     // number of the next pre-key
}

// signedPair is a signed pre-key with its signatures in both profiles, made once so
// that the bundle is the same each time.
type signedPair struct {
	pair
	id     uint32
	made   int64 // seconds since 1970
	legacy [64]byte
	two    [64]byte
}

// onePair is a pre-key; used is true once somebody used it, until it is thrown away.
type onePair struct {
	pair
	id   uint32
	used bool
}

// NewDevice makes a device with a fresh identity, a signed pre-key and 100 pre-keys.
func NewDevice(rand io.Reader, id uint32, now time.Time) (*Device, error) {
	if id == 0 || id > MaxID {
		return nil, ErrMalformed
	}
	d := &Device{ID: id, next: 1}
	var err error
	if d.identity, err = newPair(rand); err != nil {
		return nil, err
	}
	if d.now, err = d.newSigned(rand, 1, now); err != nil {
		return nil, err
	}
	return d, d.fill(rand)
}

// Identity is the device's public key.
func (d *Device) Identity() IdentityKey { return d.identity.pub }

func (d *Device) newSigned(rand io.Reader, id uint32, now time.Time) (s signedPair, err error) {
	if s.pair, err = newPair(rand); err != nil {
		return s, err
	}
	s.id, s.made = id, now.Unix()
	if s.legacy, err = d.identity.sign(rand, appendKey(nil, Legacy, s.pub)); err != nil {
		return s, err
	}
	s.two, err = d.identity.sign(rand, appendKey(nil, Two, s.pub))
	return s, err
}

// fill adds pre-keys until 100 are on offer. It is for a Device nobody else has yet.
func (d *Device) fill(rand io.Reader) error {
	keys := slices.Clone(d.preKeys)
	for range preKeyCount - d.offered() {
		p, err := newPair(rand)
		if err != nil {
			return err
		}
		keys = append(keys, onePair{pair: p, id: d.next})
		d.next = d.next%maxPreKeyID + 1
	}
	d.preKeys = keys
	return nil
}

// offered counts the pre-keys that nobody used.
func (d *Device) offered() (n int) {
	for _, k := range d.preKeys {
		if !k.used {
			n++
		}
	}
	return n
}

// Bundle is what the device publishes in a profile.
func (d *Device) Bundle(p Profile) Bundle {
	b := Bundle{Identity: d.Identity(), Signed: SignedPreKey{ID: d.now.id, Key: d.now.pub, Signature: d.now.legacy}}
	if p == Two {
		b.Signed.Signature = d.now.two
	}
	for _, k := range d.preKeys {
		if !k.used {
			b.PreKeys = append(b.PreKeys, PreKey{k.id, k.pub})
		}
	}
	return b
}

// Verify checks that the bundle's signed pre-key is its identity's, that the identity is
// a key, and that there is a pre-key. What it refuses is ErrBadKey or ErrMalformed.
func (b Bundle) Verify(p Profile) error {
	if !p.known() || len(b.PreKeys) == 0 || len(b.PreKeys) > maxBundleKeys {
		return ErrMalformed
	}
	return p.verify(b.Identity, b.Sign, appendKey(nil, p, b.Signed.Key), b.Signed.Signature)
}

// Without takes a pre-key out: messages that use it are refused from now on.
func (d *Device) Without(preKey uint32) *Device {
	next := *d
	next.preKeys = slices.DeleteFunc(slices.Clone(d.preKeys), func(k onePair) bool { return k.id == preKey })
	return &next
}

// Used marks a pre-key as used: it is not offered any more but still good, for another message
// that has used it too. Without ends that. At most 200 are
// kept so, the oldest going first.
// XEP-0384 §6
func (d *Device) Used(preKey uint32) *Device {
	next := *d
	next.preKeys = slices.Clone(d.preKeys)
	used := 0
	for i := range next.preKeys {
		k := &next.preKeys[i]
		k.used = k.used || k.id == preKey
		if k.used {
			used++
		}
	}
	if used <= maxUsed {
		return &next
	}
	oldest := slices.IndexFunc(next.preKeys, func(k onePair) bool { return k.used })
	next.preKeys = slices.Delete(next.preKeys, oldest, oldest+1)
	return &next
}

// Refilled has 100 pre-keys on offer again, and a new signed pre-key where the present one is over a week
// old; the former is kept until the next. false tells that nothing was to do: there is
// nothing to publish, and the device is the same.
func (d *Device) Refilled(rand io.Reader, now time.Time) (*Device, bool, error) {
	// A key from the future was made by a wrong clock, and would never grow old.
	old := now.Sub(time.Unix(d.now.made, 0)).Abs() >= signedLife
	if !old && d.offered() >= preKeyCount {
		return d, false, nil
	}
	next := *d
	if old {
		signed, err := d.newSigned(rand, d.now.id%maxPreKeyID+1, now)
		if err != nil {
			return nil, false, err
		}
		next.former, next.now = d.now, signed
	}
	if err := next.fill(rand); err != nil {
		return nil, false, err
	}
	return &next, true, nil
}

// signedKey finds one of the two signed pre-keys.
func (d *Device) signedKey(id uint32) (pair, bool) {
	switch {
	case id == d.now.id:
		return d.now.pair, true
	case id == d.former.id && id != 0:
		return d.former.pair, true
	}
	return pair{}, false
}

// Has tells whether a pre-key is good, offered or used.
func (d *Device) Has(preKey uint32) bool {
	_, has := d.preKey(preKey)
	return has
}

func (d *Device) preKey(id uint32) (pair, bool) {
	for _, k := range d.preKeys {
		if k.id == id {
			return k.pair, true
		}
	}
	return pair{}, false
}
