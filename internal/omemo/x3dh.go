package omemo

import (
	"encoding/binary"
	"io"
)

// Start makes a session with the device whose bundle this is: the key agreement with
// one of its pre-keys, by chance. The bundle is verified; ErrBadKey tells that it is not good.
// X3DH, revision 1, §3.3
func Start(rand io.Reader, d *Device, p Profile, b Bundle) (*Session, error) {
	if err := b.Verify(p); err != nil {
		return nil, err
	}
	if b.Identity == d.Identity() {
		return nil, ErrBadKey
	}
	s, err := d.session(p, b.Identity, b.Sign)
	if err != nil {
		return nil, err
	}
	pre, err := b.pick(rand)
	if err != nil {
		return nil, err
	}
	ephemeral, err := newPair(rand)
	if err != nil {
		return nil, err
	}
	if s.ratchet, err = newPair(rand); err != nil {
		return nil, err
	}
	s.started, s.base = true, ephemeral.pub
	s.signed, s.preKey = b.Signed.ID, pre.ID
	err = s.agree(
		half{d.identity, b.Signed.Key}, half{ephemeral, b.Identity},
		half{ephemeral, b.Signed.Key}, half{ephemeral, pre.Key})
	if err != nil {
		return nil, err
	}
	s.theirs = b.Signed.Key
	return s, s.advance(s.theirs, &s.send)
}

// Accept makes a session of another device's pre-key message, and reads it. used is the pre-key that it
// was made with: store the device Without it (or Used, while the archive is read) together with the session. Whether its
// identity is trusted is the caller's to judge; PeerOf or Session.Peer tell it.
// X3DH, revision 1, §3.4
func Accept(rand io.Reader, d *Device, p Profile, msg []byte) (s *Session, plain []byte, used uint32, err error) {
	if !p.known() {
		return nil, nil, 0, ErrMalformed
	}
	x, err := p.readExchange(msg)
	if err != nil {
		return nil, nil, 0, err
	}
	if x.identity == d.Identity() {
		return nil, nil, 0, ErrBadKey
	}
	if s, err = d.answer(p, x); err != nil {
		return nil, nil, 0, err
	}
	if s, plain, err = s.Decrypt(rand, x.message); err != nil {
		return nil, nil, 0, err
	}
	return s, plain, x.preKey, nil
}

// answer is the accepting side's state before the first message is read.
func (d *Device) answer(p Profile, x exchange) (*Session, error) {
	signed, ok := d.signedKey(x.signed)
	if !ok {
		return nil, ErrUnknownPreKey
	}
	pre, ok := d.preKey(x.preKey)
	if !ok {
		return nil, ErrUnknownPreKey
	}
	s, err := d.session(p, x.identity, x.identitySign)
	if err != nil {
		return nil, err
	}
	s.base, s.ratchet = x.base, signed
	s.preKey, s.signed = x.preKey, x.signed
	err = s.agree(
		half{signed, x.identity}, half{d.identity, x.base},
		half{signed, x.base}, half{pre, x.base})
	return s, err
}

// PeerOf is the identity that a pre-key message says it is from. Only a message that
// Accept reads proves it.
func PeerOf(p Profile, preKeyMsg []byte) (IdentityKey, error) {
	if !p.known() {
		return IdentityKey{}, ErrMalformed
	}
	x, err := p.readExchange(preKeyMsg)
	return x.identity, err
}

// session is a state with the identities and nothing else.
func (d *Device) session(p Profile, peer IdentityKey, sign bool) (*Session, error) {
	theirs, err := edwards(peer, sign && p == Two)
	if err != nil {
		return nil, err
	}
	s := &Session{profile: p, own: d.Identity(), peer: peer, device: d.ID}
	if p == Two {
		s.peerEd = theirs
		s.ownEd, err = edwards(s.own, false)
	}
	return s, err
}

// half is one agreement of X3DH: a key pair of ours and a key of theirs.
type half struct {
	ours   pair
	theirs [32]byte
}

// agree makes the first root key of the four agreements, in the order of the specification.
func (s *Session) agree(halves ...half) error {
	var secrets []byte
	for _, h := range halves {
		secret, err := h.ours.agree(h.theirs)
		if err != nil {
			return err
		}
		secrets = append(secrets, secret...)
	}
	root, err := s.profile.firstRoot(secrets)
	s.root = root
	return err
}

// pick takes one of the pre-keys by chance, so that two that start at once rarely take the same.
func (b Bundle) pick(rand io.Reader) (PreKey, error) {
	var r [8]byte
	if _, err := io.ReadFull(rand, r[:]); err != nil {
		return PreKey{}, err
	}
	return b.PreKeys[binary.BigEndian.Uint64(r[:])%uint64(len(b.PreKeys))], nil
}
