package omemo

import (
	"io"
	"math"
)

const (
	maxAhead  = 1000 // messages that one message may be ahead of what was read of its chain
	maxKept   = 2000 // keys of skipped messages that a session keeps
	maxFormer = 10   // ended chains that a session remembers
)

// Session is one ratchet with one device of somebody. It is a value: Encrypt and Decrypt
// leave it as it is and return what it becomes. It holds secrets.
type Session struct {
	profile       Profile
	own, peer     IdentityKey
	ownEd, peerEd [32]byte // Two only: as they stand in the associated data
	device        uint32   // our own
	started       bool     // by us
	confirmed     bool     // they have answered, or began themselves

	preKey, signed uint32   // numbers of the accepting side's keys in the exchange
	base           [32]byte // the ephemeral key of the exchange

	root    [32]byte
	ratchet pair     // ours
	theirs  [32]byte // their ratchet key
	send    chain
	recv    chain
	before  uint32 // messages sent on the former sending chain

	skipped []skippedKey // oldest first; never changed in place
	former  []ended      // oldest first; never changed in place
}

// chain is a symmetric ratchet; live is false before its first key.
type chain struct {
	key  [32]byte
	n    uint32 // messages so far
	live bool
}

// Peer is the identity of the device at the other end.
func (s *Session) Peer() IdentityKey { return s.peer }

// Profile is the profile that the session speaks.
func (s *Session) Profile() Profile { return s.profile }

// Confirmed tells that the other side has the session: they began it or have answered. Until then
// each message carries the key exchange again.
func (s *Session) Confirmed() bool { return s.confirmed }

// heartbeat is how many messages they may send on one chain before we answer.
// XEP-0384 §6
const heartbeat = 53

// Due tells that they have written so much, and we nothing, that an empty message should be
// sent to move the ratchet on. It stays so until the session encrypts.
func (s *Session) Due() bool { return s.recv.n > heartbeat && s.send.live && s.send.n == 0 }

// Encrypt makes the next message of at most 8 KiB of plain text. The returned session must be stored before the
// message leaves. rand is not read by the two profiles there are.
// The Double Ratchet Algorithm, revision 4, §3.4
func (s *Session) Encrypt(rand io.Reader, plain []byte) (*Session, Message, error) {
	if len(plain) > maxInner || !s.send.live || s.send.n == math.MaxUint32 {
		return nil, Message{}, ErrMalformed
	}
	key, after := stepChain(s.send.key)
	data, err := s.seal(key, header{s.ratchet.pub, s.send.n, s.before}, plain)
	if err != nil {
		return nil, Message{}, err
	}
	next := *s
	next.send.key = after
	next.send.n++
	if s.confirmed {
		return &next, Message{Data: data}, nil
	}
	x := exchange{preKey: s.preKey, signed: s.signed, device: s.device, base: s.base, message: data}
	return &next, Message{PreKey: true, Data: s.profile.appendExchange(nil, x, s.ownForm())}, nil
}

// ownForm is our identity as the profile's messages carry it.
func (s *Session) ownForm() [32]byte {
	if s.profile == Legacy {
		return s.own
	}
	return s.ownEd
}

// Decrypt reads a message of the session: one without PreKey, or what Inner gave. On an error
// nothing has changed: ErrOld, ErrTampered, ErrMalformed, ErrBadKey. rand makes the next ratchet key.
// The Double Ratchet Algorithm, revision 4, §3.5
func (s *Session) Decrypt(rand io.Reader, msg []byte) (*Session, []byte, error) {
	m, err := s.profile.readMessage(msg)
	if err != nil {
		return nil, nil, err
	}
	next := *s
	key, err := next.keyFor(rand, m.header)
	if err != nil {
		return nil, nil, err
	}
	plain, err := next.open(key, m)
	if err != nil {
		return nil, nil, err
	}
	next.confirmed = true
	return &next, plain, nil
}

// Inner is the message inside a pre-key message that belongs to this session: the other side
// repeats the key exchange until it hears of us. It is then for Decrypt.
// XEP-0384 §4.3
func (s *Session) Inner(preKeyMsg []byte) (msg []byte, ok bool) {
	x, err := s.profile.readExchange(preKeyMsg)
	same := x.base == s.base && x.preKey == s.preKey && x.signed == s.signed &&
		x.identity == s.peer && x.identitySign == (s.peerEd[31]&0x80 != 0)
	if err != nil || s.started || !same {
		return nil, false
	}
	return x.message, true
}

// keyFor moves s, which is a copy of nobody's, to where h is the next message, and
// returns its key.
func (s *Session) keyFor(rand io.Reader, h header) ([32]byte, error) {
	if key, found, err := s.takeOld(h); found || err != nil {
		return key, err
	}
	if !s.recv.live || h.ratchet != s.theirs {
		if err := s.step(rand, h); err != nil {
			return [32]byte{}, err
		}
	}
	if h.n < s.recv.n || h.n-s.recv.n > maxAhead || h.n == math.MaxUint32 {
		return [32]byte{}, ErrOld
	}
	s.skipTo(h.n)
	var key [32]byte
	key, s.recv.key = stepChain(s.recv.key)
	s.recv.n++
	return key, nil
}

// step is a ratchet step: what is left of the receiving chain is put aside, and both
// chains begin anew.
func (s *Session) step(rand io.Reader, h header) error {
	if s.recv.live {
		s.endChain(h.pn)
	}
	if err := s.advance(h.ratchet, &s.recv); err != nil {
		return err
	}
	fresh, err := newPair(rand)
	if err != nil {
		return err
	}
	s.theirs, s.ratchet, s.before = h.ratchet, fresh, s.send.n
	return s.advance(h.ratchet, &s.send)
}

// advance begins a chain from our ratchet key and theirs.
func (s *Session) advance(theirs [32]byte, c *chain) error {
	agreed, err := s.ratchet.agree(theirs)
	if err != nil {
		return err
	}
	root, key, err := s.profile.stepRoot(s.root, agreed)
	if err != nil {
		return err
	}
	s.root, *c = root, chain{key: key, live: true}
	return nil
}

// seal encrypts one message with its key.
func (s *Session) seal(key [32]byte, h header, plain []byte) ([]byte, error) {
	b, err := newBox(key[:], profiles[s.profile].messageKeys)
	if err != nil {
		return nil, err
	}
	cipher, err := b.encrypt(plain)
	if err != nil {
		return nil, err
	}
	signed := s.profile.appendHead(h, cipher)
	first, second := s.associated(true)
	return s.profile.finish(signed, b.tag(profiles[s.profile].mac, first, second, signed)), nil
}

// open authenticates a message, and decrypts it only then.
func (s *Session) open(key [32]byte, m sealed) ([]byte, error) {
	b, err := newBox(key[:], profiles[s.profile].messageKeys)
	if err != nil {
		return nil, err
	}
	first, second := s.associated(false)
	if !sameTag(m.tag, b.tag(profiles[s.profile].mac, first, second, m.signed)) {
		return nil, ErrTampered
	}
	return b.decrypt(m.cipher)
}

// associated is what the tag binds a message to, beside itself: in Legacy the sender's identity
// and the receiver's, in Two that of who began and of who accepted.
func (s *Session) associated(sending bool) (first, second []byte) {
	if s.profile == Legacy {
		own, peer := appendKey(nil, Legacy, s.own), appendKey(nil, Legacy, s.peer)
		if sending {
			return own, peer
		}
		return peer, own
	}
	if s.started {
		return s.ownEd[:], s.peerEd[:]
	}
	return s.peerEd[:], s.ownEd[:]
}
