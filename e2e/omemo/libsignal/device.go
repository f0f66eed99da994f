package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/serialize"
	"go.mau.fi/libsignal/signalerror"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/util/keyhelper"
)

// A deed answers one kind of question.
type deed func(devices, question) (answer, error)

// deeds are all that can be asked for, by the word for it.
var deeds = map[string]deed{
	"device":  devices.create,
	"bundle":  devices.bundle,
	"rotate":  devices.rotate,
	"start":   devices.start,
	"encrypt": devices.encrypt,
	"decrypt": devices.decrypt,
	"sign":    devices.sign,
	"verify":  devices.verify,
	"measure": devices.measure,
}

// devices are those that the test made, by name.
type devices map[string]*device

// A device is one person's: its keys and its sessions.
type device struct {
	identity *identity.KeyPair
	signed   map[uint32]*record.SignedPreKey
	current  uint32 // the one of signed in the bundle
	preKeys  map[uint32]*record.PreKey
	sessions map[string][][]byte // by peer, newest first
	codec    *serialize.Serializer
}

func newDevice() (*device, error) {
	d := &device{
		signed: map[uint32]*record.SignedPreKey{}, preKeys: map[uint32]*record.PreKey{},
		sessions: map[string][][]byte{}, codec: serialize.NewProtoBufSerializer(),
	}
	var err error
	if d.identity, err = keyhelper.GenerateIdentityKeyPair(); err != nil {
		return nil, err
	}
	keys, err := keyhelper.GeneratePreKeys(1, 100, d.codec.PreKeyRecord)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		d.preKeys[k.ID().Value] = k
	}
	return d, d.newSigned()
}

func (d *device) newSigned() error {
	k, err := keyhelper.GenerateSignedPreKey(d.identity, d.current+1, d.codec.SignedPreKeyRecord)
	if err != nil {
		return err
	}
	d.current++
	d.signed[d.current] = k
	return nil
}

func (all devices) named(q question) (*device, error) {
	d := all[q.Device]
	if d == nil {
		return nil, fmt.Errorf("no device is called %q", q.Device)
	}
	return d, nil
}

func (all devices) create(q question) (answer, error) {
	d, err := newDevice()
	if err != nil {
		return answer{}, err
	}
	all[q.Device] = d
	return all.bundle(q)
}

func (all devices) bundle(q question) (answer, error) {
	d, err := all.named(q)
	if err != nil {
		return answer{}, err
	}
	text, err := d.publish()
	return answer{Bundle: text}, err
}

func (all devices) rotate(q question) (answer, error) {
	d, err := all.named(q)
	if err != nil {
		return answer{}, err
	}
	if err := d.newSigned(); err != nil {
		return answer{}, err
	}
	return all.bundle(q)
}

// start begins a session and writes its first message.
func (all devices) start(q question) (answer, error) {
	d, err := all.named(q)
	if err != nil {
		return answer{}, err
	}
	b, err := readBundle(q.Bundle)
	if err != nil {
		return answer{}, err
	}
	v := d.visit(nil)
	if err := v.builder(q.Peer).ProcessBundle(context.Background(), b); err != nil {
		return answer{}, err
	}
	d.sessions[q.Peer] = append([][]byte{v.saved}, d.sessions[q.Peer]...)
	return all.encrypt(q)
}

func (all devices) encrypt(q question) (answer, error) {
	d, err := all.named(q)
	if err != nil {
		return answer{}, err
	}
	if len(d.sessions[q.Peer]) == 0 {
		return answer{}, errors.New("no session")
	}
	v := d.visit(d.sessions[q.Peer][0])
	m, err := v.cipher(q.Peer).Encrypt(context.Background(), q.Plain)
	if err != nil {
		return answer{}, err
	}
	d.sessions[q.Peer][0] = v.saved
	return answer{Data: m.Serialize(), PreKey: m.Type() == protocol.PREKEY_TYPE}, nil
}

func (all devices) decrypt(q question) (answer, error) {
	d, err := all.named(q)
	if err != nil {
		return answer{}, err
	}
	if q.PreKey {
		plain, err := d.openFirst(q)
		return answer{Plain: plain}, err
	}
	m, err := protocol.NewSignalMessageFromBytes(q.Data, d.codec.SignalMessage)
	if err != nil {
		return answer{}, err
	}
	plain, err := d.open(q.Peer, m, func(*record.Session) bool { return true })
	return answer{Plain: plain}, err
}

// openFirst reads a pre-key message, of a session that it begins or has begun.
func (d *device) openFirst(q question) ([]byte, error) {
	m, err := protocol.NewPreKeySignalMessageFromBytes(q.Data, d.codec.PreKeySignalMessage, d.codec.SignalMessage)
	if err != nil {
		return nil, err
	}
	plain, err := d.open(q.Peer, m.WhisperMessage(), func(s *record.Session) bool {
		return s.HasSessionState(m.MessageVersion(), m.BaseKey().Serialize())
	})
	if !errors.Is(err, errNoSession) {
		return plain, err
	}
	v := d.visit(nil)
	used, err := v.builder(q.Peer).Process(context.Background(), v.record, m)
	if err != nil {
		return nil, err
	}
	plain, _, err = v.cipher(q.Peer).DecryptWithState(context.Background(), v.record.SessionState(), m.WhisperMessage())
	if err != nil {
		return nil, err
	}
	delete(d.preKeys, used.Value)
	d.sessions[q.Peer] = append([][]byte{v.record.Serialize()}, d.sessions[q.Peer]...)
	return plain, nil
}

var errNoSession = errors.New("no session that fits")

// open reads a message with the first session that can, which moves to the front.
// Each is tried on a copy: the library changes the state it tries before it knows
// that the message is of that session.
func (d *device) open(peer string, m *protocol.SignalMessage, fits func(*record.Session) bool) ([]byte, error) {
	refused := errNoSession
	for i, kept := range d.sessions[peer] {
		v := d.visit(kept)
		if !fits(v.record) {
			continue
		}
		plain, _, err := v.cipher(peer).DecryptWithState(context.Background(), v.record.SessionState(), m)
		if err == nil {
			rest := slices.Delete(d.sessions[peer], i, i+1)
			d.sessions[peer] = append([][]byte{v.record.Serialize()}, rest...)
			return plain, nil
		}
		if refused == errNoSession || errors.Is(err, signalerror.ErrOldCounter) {
			refused = err
		}
	}
	return nil, refused
}

func (all devices) sign(q question) (answer, error) {
	pair, err := keyhelper.GenerateIdentityKeyPair()
	if err != nil {
		return answer{}, err
	}
	signature := ecc.CalculateSignature(pair.PrivateKey(), q.Message)
	key := pair.PublicKey().PublicKey().PublicKey()
	return answer{Key: key[:], Data: signature[:]}, nil
}

func (all devices) verify(q question) (answer, error) {
	if len(q.Key) != 32 || len(q.Data) != 64 {
		return answer{}, errors.New("not a key and a signature")
	}
	key := ecc.NewDjbECPublicKey([32]byte(q.Key))
	return answer{True: ecc.VerifySignature(key, q.Message, [64]byte(q.Data))}, nil
}
