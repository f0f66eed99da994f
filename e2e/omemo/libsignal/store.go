package main

import (
	"context"

	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/state/record"
)

// What the library asks of its stores. Everyone met is trusted.

func (d *device) GetIdentityKeyPair() *identity.KeyPair { return d.identity }

func (d *device) GetLocalRegistrationID() uint32 { return 1 }

func (d *device) SaveIdentity(context.Context, *protocol.SignalAddress, *identity.Key) error {
	return nil
}

func (d *device) IsTrustedIdentity(context.Context, *protocol.SignalAddress, *identity.Key) (bool, error) {
	return true, nil
}

func (d *device) LoadPreKey(_ context.Context, id uint32) (*record.PreKey, error) {
	return d.preKeys[id], nil
}

func (d *device) StorePreKey(_ context.Context, id uint32, k *record.PreKey) error {
	d.preKeys[id] = k
	return nil
}

func (d *device) ContainsPreKey(_ context.Context, id uint32) (bool, error) {
	return d.preKeys[id] != nil, nil
}

func (d *device) RemovePreKey(_ context.Context, id uint32) error {
	delete(d.preKeys, id)
	return nil
}

func (d *device) LoadSignedPreKey(_ context.Context, id uint32) (*record.SignedPreKey, error) {
	return d.signed[id], nil
}

func (d *device) LoadSignedPreKeys(context.Context) ([]*record.SignedPreKey, error) {
	var keys []*record.SignedPreKey
	for _, k := range d.signed {
		keys = append(keys, k)
	}
	return keys, nil
}

func (d *device) StoreSignedPreKey(_ context.Context, id uint32, k *record.SignedPreKey) error {
	d.signed[id] = k
	return nil
}

func (d *device) ContainsSignedPreKey(_ context.Context, id uint32) (bool, error) {
	return d.signed[id] != nil, nil
}

func (d *device) RemoveSignedPreKey(_ context.Context, id uint32) error {
	delete(d.signed, id)
	return nil
}

// A visit is the store of sessions for one use of the library: the session that it
// finds, and what it leaves.
type visit struct {
	*device
	record *record.Session
	saved  []byte
}

// visit reads a kept session; nil begins one.
func (d *device) visit(kept []byte) *visit {
	s := record.NewSession(d.codec.Session, d.codec.State)
	if kept != nil {
		var err error
		if s, err = record.NewSessionFromBytes(kept, d.codec.Session, d.codec.State); err != nil {
			panic(err) // it was written here
		}
	}
	return &visit{device: d, record: s}
}

func (v *visit) builder(peer string) *session.Builder {
	return session.NewBuilder(v, v, v, v, protocol.NewSignalAddress(peer, 1), v.codec)
}

func (v *visit) cipher(peer string) *session.Cipher {
	return session.NewCipher(v.builder(peer), protocol.NewSignalAddress(peer, 1))
}

func (v *visit) LoadSession(context.Context, *protocol.SignalAddress) (*record.Session, error) {
	return v.record, nil
}

func (v *visit) StoreSession(_ context.Context, _ *protocol.SignalAddress, s *record.Session) error {
	v.record, v.saved = s, s.Serialize()
	return nil
}

func (v *visit) ContainsSession(context.Context, *protocol.SignalAddress) (bool, error) {
	return !v.record.IsFresh(), nil
}

func (*visit) GetSubDeviceSessions(context.Context, string) ([]uint32, error) { return nil, nil }
func (*visit) DeleteSession(context.Context, *protocol.SignalAddress) error   { return nil }
func (*visit) DeleteAllSessions(context.Context) error                        { return nil }
