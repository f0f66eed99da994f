package omemo

import (
	"crypto/rand"
	"errors"
	"slices"
	"time"

	ours "mirsal/internal/omemo"
	"mirsal/internal/xmpp/xtok"
)

// own is a party made of internal/omemo, which keeps sessions as its package
// comment tells callers to.
type own struct {
	t        fataler
	name     string // and its bare address
	profile  ours.Profile
	device   *ours.Device
	sessions map[string][]*ours.Session // by peer, newest first
	now      time.Time
}

// number is that of all devices, here and in the oracles.
const number = 1

func mirsal(p ours.Profile) func(fataler, string) party {
	return func(t fataler, name string) party { return newOwn(t, name, p) }
}

func newOwn(t fataler, name string, p ours.Profile) *own {
	o := &own{t: t, name: name, profile: p, sessions: map[string][]*ours.Session{}, now: time.Unix(1700000000, 0)}
	var err error
	if o.device, err = ours.NewDevice(rand.Reader, number, o.now); err != nil {
		t.Fatalf("no device: %v", err)
	}
	return o
}

func (o *own) bundle() []byte {
	return ours.AppendBundle(nil, o.profile, o.device.Bundle(o.profile))
}

func (o *own) rotate() {
	o.now = o.now.Add(60 * 24 * time.Hour)
	d, changed, err := o.device.Refilled(rand.Reader, o.now)
	if err != nil || !changed {
		o.t.Fatalf("a signed pre-key of two months stays: %v", err)
	}
	o.device = d
}

func (o *own) start(peer string, bundle, plain []byte) (message, error) {
	_, b, err := ours.ReadBundle(parse(o.t, bundle))
	if err != nil {
		return message{}, word(err)
	}
	s, err := ours.Start(rand.Reader, o.device, o.profile, b)
	if err != nil {
		return message{}, word(err)
	}
	o.sessions[peer] = slices.Insert(o.sessions[peer], 0, s)
	return o.encrypt(peer, plain)
}

func (o *own) encrypt(peer string, plain []byte) (message, error) {
	if len(o.sessions[peer]) == 0 {
		return message{}, malformed
	}
	s, m, err := o.sessions[peer][0].Encrypt(rand.Reader, plain)
	if err != nil {
		return message{}, word(err)
	}
	o.sessions[peer][0] = o.kept(s)
	return message{m.PreKey, m.Data}, nil
}

func (o *own) decrypt(peer string, m message) ([]byte, error) {
	if !m.preKey {
		return o.read(peer, m.data)
	}
	for i, s := range o.sessions[peer] {
		if inner, ok := s.Inner(m.data); ok {
			return o.with(peer, i, inner)
		}
	}
	s, plain, used, err := ours.Accept(rand.Reader, o.device, o.profile, m.data)
	if err != nil {
		return nil, word(err)
	}
	o.device = o.device.Without(used)
	o.sessions[peer] = slices.Insert(o.sessions[peer], 0, o.kept(s))
	return plain, nil
}

// read tries the sessions in turn. That one knows the message as old is the answer
// even if others do not know it.
func (o *own) read(peer string, data []byte) ([]byte, error) {
	worst := error(refused)
	for i := range o.sessions[peer] {
		plain, err := o.with(peer, i, data)
		if err == nil {
			return plain, nil
		}
		if errors.Is(err, old) || worst == refused {
			worst = err
		}
	}
	return nil, worst
}

func (o *own) with(peer string, i int, data []byte) ([]byte, error) {
	s, plain, err := o.sessions[peer][i].Decrypt(rand.Reader, data)
	if err != nil {
		return nil, word(err)
	}
	rest := slices.Delete(o.sessions[peer], i, i+1)
	o.sessions[peer] = slices.Insert(rest, 0, o.kept(s))
	return plain, nil
}

// kept is the session after it was written and read again, as after a restart.
func (o *own) kept(s *ours.Session) *ours.Session {
	raw, err := s.MarshalBinary()
	again := new(ours.Session)
	if err == nil {
		err = again.UnmarshalBinary(raw)
	}
	if err != nil {
		o.t.Fatalf("a session is not read as it was written: %v", err)
	}
	return again
}

func (o *own) seal(peer string, plain []byte) ([]byte, error) {
	key, payload, err := o.payload(plain)
	if err != nil {
		return nil, word(err)
	}
	m, err := o.encrypt(peer, key)
	if err != nil {
		return nil, err
	}
	e := ours.Envelope{Sender: number, Payload: payload, Keys: []ours.Key{{Device: number, PreKey: m.preKey, Data: m.data}}}
	if o.profile == ours.Two {
		e.Keys[0].Address = peer
	}
	return e.Append(nil, o.profile), nil
}

func (o *own) payload(plain []byte) (key []byte, payload *ours.Payload, err error) {
	if len(plain) == 0 {
		key, err = ours.Empty(o.profile, rand.Reader)
		return key, nil, err
	}
	key, p, err := ours.Seal(o.profile, rand.Reader, plain)
	return key, &p, err
}

func (o *own) unseal(peer string, element []byte) ([]byte, error) {
	p, e, err := ours.ReadEnvelope(parse(o.t, element))
	if err != nil {
		return nil, word(err)
	}
	k, ok := e.For(p, o.name, number)
	if !ok || p != o.profile || e.Sender != number {
		o.t.Fatalf("profile %d, sender %d, key found %v in %s", p, e.Sender, ok, element)
	}
	key, err := o.decrypt(peer, message{k.PreKey, k.Data})
	if err != nil || e.Payload == nil {
		return nil, err
	}
	plain, err := ours.Open(p, key, *e.Payload)
	return plain, word(err)
}

// word sorts our errors into those that the oracles tell apart.
func word(err error) error {
	for _, c := range []struct {
		err  error
		word refusal
	}{
		{ours.ErrOld, old}, {ours.ErrTampered, refused}, {ours.ErrUnknownPreKey, preKey},
		{ours.ErrBadKey, signature}, {ours.ErrMalformed, malformed},
	} {
		if errors.Is(err, c.err) {
			return c.word
		}
	}
	return err
}

func parse(t fataler, element []byte) xtok.Elem {
	t.Helper()
	x, err := xtok.Parse(element, xtok.Limits{})
	if err != nil {
		t.Fatalf("%v in %s", err, element)
	}
	return x
}
