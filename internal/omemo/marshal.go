package omemo

import (
	"crypto/ecdh"
	"encoding/binary"
)

// What is stored begins with a byte that names its shape.
const (
	deviceShape  = 1
	sessionShape = 1
)

// stored reads what was marshalled: short gives an error at the end instead of everywhere.
type stored struct {
	b     []byte
	short bool
}

func (r *stored) take(n int) []byte {
	if n > len(r.b) {
		r.short, r.b = true, nil
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *stored) key() [32]byte  { return [32]byte(r.take(32)) }
func (r *stored) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *stored) flag() bool {
	b := r.take(1)[0]
	r.short = r.short || b > 1
	return b == 1
}

// count reads how many things follow; each has at least size bytes.
func (r *stored) count(most, size int) int {
	n := int(r.uint32())
	if n > most || n*size > len(r.b) {
		r.short, r.b = true, nil
		return 0
	}
	return n
}

// pair reads a key pair. The public half is stored too: making it again costs more than
// all the rest.
func (r *stored) pair() pair { return pair{priv: r.key(), pub: r.key()} }

func (r *stored) end() error {
	if r.short || len(r.b) > 0 {
		return ErrMalformed
	}
	return nil
}

func appendPair(b []byte, p pair) []byte { return append(append(b, p.priv[:]...), p.pub[:]...) }

func appendFlag(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// MarshalBinary is the device with its secrets, for the store. It cannot fail.
func (d *Device) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, 600+69*len(d.preKeys))
	b = binary.BigEndian.AppendUint32(append(b, deviceShape), d.ID)
	b = appendPair(b, d.identity)
	b = d.former.append(d.now.append(b))
	b = binary.BigEndian.AppendUint32(b, d.next)
	b = binary.BigEndian.AppendUint32(b, uint32(len(d.preKeys)))
	for _, k := range d.preKeys {
		b = binary.BigEndian.AppendUint32(b, k.id)
		b = appendPair(appendFlag(b, k.used), k.pair)
	}
	return b, nil
}

func (s signedPair) append(b []byte) []byte {
	b = appendPair(binary.BigEndian.AppendUint32(b, s.id), s.pair)
	b = binary.BigEndian.AppendUint64(b, uint64(s.made))
	return append(append(b, s.legacy[:]...), s.two[:]...)
}

func (r *stored) signedPair() (s signedPair) {
	s.id, s.pair = r.uint32(), r.pair()
	s.made = int64(binary.BigEndian.Uint64(r.take(8)))
	copy(s.legacy[:], r.take(64))
	copy(s.two[:], r.take(64))
	return s
}

// UnmarshalBinary reads what MarshalBinary wrote; anything else is ErrMalformed.
func (d *Device) UnmarshalBinary(data []byte) error {
	r := &stored{b: data}
	if r.take(1)[0] != deviceShape {
		return ErrMalformed
	}
	next := Device{ID: r.uint32(), identity: r.pair(), now: r.signedPair(), former: r.signedPair(), next: r.uint32()}
	for range r.count(mostPreKeys, 69) {
		k := onePair{id: r.uint32()}
		k.used, k.pair = r.flag(), r.pair()
		next.preKeys = append(next.preKeys, k)
	}
	if err := r.end(); err != nil {
		return err
	}
	key, err := ecdh.X25519().NewPrivateKey(next.identity.priv[:])
	if err != nil {
		return err
	}
	next.identity.key = key // once for all agreements to come
	*d = next
	return nil
}

// MarshalBinary is the session with its secrets, for the store: about 500 bytes, and 36 more for each skipped
// message. It cannot fail.
func (s *Session) MarshalBinary() ([]byte, error) {
	b := append(make([]byte, 0, 512+68*len(s.former)+40*len(s.skipped)), sessionShape, byte(s.profile))
	b = append(append(b, s.own[:]...), s.peer[:]...)
	if s.profile == Two {
		b = append(append(b, s.ownEd[:]...), s.peerEd[:]...)
	}
	b = binary.BigEndian.AppendUint32(b, s.device)
	b = appendFlag(appendFlag(b, s.started), s.confirmed)
	b = binary.BigEndian.AppendUint32(b, s.preKey)
	b = binary.BigEndian.AppendUint32(b, s.signed)
	b = append(append(b, s.base[:]...), s.root[:]...)
	b = append(appendPair(b, s.ratchet), s.theirs[:]...)
	b = s.recv.append(s.send.append(b))
	b = binary.BigEndian.AppendUint32(b, s.before)
	return s.appendFormer(s.appendSkipped(b)), nil
}

func (c chain) append(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(appendFlag(b, c.live), c.key[:]...), c.n)
}

func (r *stored) chain() chain {
	live := r.flag()
	return chain{live: live, key: r.key(), n: r.uint32()}
}

// appendSkipped writes the skipped keys in runs of one ratchet key each.
func (s *Session) appendSkipped(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.skipped)))
	for i, k := range s.skipped {
		same := i > 0 && k.ratchet == s.skipped[i-1].ratchet
		if b = appendFlag(b, same); !same {
			b = append(b, k.ratchet[:]...)
		}
		b = append(binary.BigEndian.AppendUint32(b, k.n), k.key[:]...)
	}
	return b
}

func (r *stored) skipped() (list []skippedKey) {
	for i := range r.count(maxKept, 37) {
		var k skippedKey
		switch same := r.flag(); {
		case !same:
			k.ratchet = r.key()
		case i == 0:
			r.short = true
		default:
			k.ratchet = list[i-1].ratchet
		}
		k.n, k.key = r.uint32(), r.key()
		list = append(list, k)
	}
	return list
}

func (s *Session) appendFormer(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.former)))
	for _, e := range s.former {
		b = binary.BigEndian.AppendUint32(append(b, e.ratchet[:]...), e.n)
		if b = appendFlag(b, e.hasSpare); e.hasSpare {
			b = append(b, e.spare[:]...)
		}
	}
	return b
}

func (r *stored) former() (list []ended) {
	for range r.count(maxFormer, 37) {
		e := ended{ratchet: r.key(), n: r.uint32(), hasSpare: r.flag()}
		if e.hasSpare {
			e.spare = r.key()
		}
		list = append(list, e)
	}
	return list
}

// UnmarshalBinary reads what MarshalBinary wrote; anything else is ErrMalformed.
func (s *Session) UnmarshalBinary(data []byte) error {
	r := &stored{b: data}
	if r.take(1)[0] != sessionShape {
		return ErrMalformed
	}
	next := Session{profile: Profile(r.take(1)[0])}
	if !next.profile.known() {
		return ErrMalformed
	}
	next.own, next.peer = r.key(), r.key()
	if next.profile == Two {
		next.ownEd, next.peerEd = r.key(), r.key()
	}
	next.device, next.started, next.confirmed = r.uint32(), r.flag(), r.flag()
	next.preKey, next.signed = r.uint32(), r.uint32()
	next.base, next.root = r.key(), r.key()
	next.ratchet, next.theirs = r.pair(), r.key()
	next.send, next.recv, next.before = r.chain(), r.chain(), r.uint32()
	next.skipped, next.former = r.skipped(), r.former()
	if err := r.end(); err != nil {
		return err
	}
	*s = next
	return nil
}
