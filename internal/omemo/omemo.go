package omemo

import (
	"encoding/hex"
	"errors"
)

// Profile is one of the two ways to speak OMEMO.
type Profile uint8

// Legacy is version 0.3 of XEP-0384 as all clients speak it, Two is version 0.8.
const (
	Legacy Profile = 1 // eu.siacs.conversations.axolotl
	Two    Profile = 2 // urn:xmpp:omemo:2
)

// The errors that a caller branches on. None of them changes any state.
var (
	// ErrOld: the message was read before, or it is too far from what was read last
	// for its key to be known.
	ErrOld = errors.New("omemo: the message was read before, or its key is gone")
	// ErrTampered: the message is not what the other side sent, or not for this session.
	ErrTampered = errors.New("omemo: the message does not authenticate")
	// ErrUnknownPreKey: the message uses a pre-key that this device does not have (any more).
	ErrUnknownPreKey = errors.New("omemo: unknown pre-key")
	// ErrMalformed: the bytes or the XML are not of the profile, or beyond its bounds.
	ErrMalformed = errors.New("omemo: malformed")
	// ErrBadKey: a public key that is no key (zero, of low order, off the curve), or a
	// bundle whose signature is not its identity's.
	ErrBadKey = errors.New("omemo: bad public key or signature")
)

// MaxID is the largest number of a device or a pre-key (XEP-0384 §5.1). The smallest is 1.
const MaxID = 1<<31 - 1

// IdentityKey is the public key of a device for its life: a Curve25519 u-coordinate,
// the same in both profiles (Two carries it as an Ed25519 key).
type IdentityKey [32]byte

// Fingerprint is the key as people compare it: 64 hexadecimal digits.
func (k IdentityKey) Fingerprint() string { return hex.EncodeToString(k[:]) }

// SignedPreKey is the public half of a device's key of the week.
type SignedPreKey struct {
	ID        uint32
	Key       [32]byte
	Signature [64]byte // by the identity, in the profile's form
}

// PreKey is the public half of a key that is used once.
type PreKey struct {
	ID  uint32
	Key [32]byte
}

// Bundle is what a device publishes so that others can start a session with it.
type Bundle struct {
	Identity IdentityKey
	// Sign is the sign of the identity's Ed25519 form: only Two carries it, only devices whose
	// keys began as Ed25519 keys have it set, and it is no part of who they are.
	Sign    bool
	Signed  SignedPreKey
	PreKeys []PreKey
}

// Message is one message of a ratchet, for the key element of an envelope.
type Message struct {
	PreKey bool // with the key exchange around it, because the other side has not answered yet
	Data   []byte
}
