package client

import (
	"crypto/rand"
	"sync"
	"time"

	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/xtok"
)

// stock are devices made once for all cases.
var stock = sync.OnceValue(func() (out [4][]byte) {
	for i := range out {
		d, err := omemo.NewDevice(rand.Reader, 1, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			panic(err)
		}
		if out[i], err = d.MarshalBinary(); err != nil {
			panic(err)
		}
	}
	return out
})

// puppet is a device in the test's hand, which reads and writes by package omemo alone.
type puppet struct {
	m        *scene
	who      string
	device   *omemo.Device
	sessions []*omemo.Session
}

func (m *scene) puppet(who string, id uint32) *puppet {
	d := &omemo.Device{}
	if err := d.UnmarshalBinary(stock()[m.made]); err != nil {
		m.t.Fatal(err)
	}
	m.made++
	d.ID = id
	return &puppet{m: m, who: who, device: d}
}

func (h *puppet) key() string { return h.device.Identity().Fingerprint() }

// readsAny is what the device's keys open of some stanzas, and whose key wrote it.
func (h *puppet) readsAny(sent []string) (text, key string) {
	for _, raw := range sent {
		for x := range parse(h.m.t, raw).Children() {
			if got, by, ok := h.reads(x); ok {
				text, key = got, by
			}
		}
	}
	return text, key
}

func (h *puppet) reads(x xtok.Elem) (text, key string, ok bool) {
	p, env, err := omemo.ReadEnvelope(x)
	if err != nil || env.Payload == nil {
		return "", "", false
	}
	for _, k := range env.Keys {
		if k.Device != h.device.ID || p == omemo.Two && k.Address != h.who {
			continue
		}
		secret, by, ok := h.unlock(p, k)
		if !ok {
			continue
		}
		if plain, err := omemo.Open(p, secret, *env.Payload); err == nil {
			return bodyOf(p, plain), by, true
		}
	}
	return "", "", false
}

// bodyOf is what was inside.
func bodyOf(p omemo.Profile, plain []byte) string {
	if p == omemo.Legacy {
		return string(plain)
	}
	u, err := omemo.Unwrap(plain)
	if err != nil {
		return ""
	}
	for x := range u.Elements() {
		if x.Local() == "body" {
			return x.Text()
		}
	}
	return ""
}

func (h *puppet) unlock(p omemo.Profile, k omemo.Key) (secret []byte, by string, ok bool) {
	for i, s := range h.sessions {
		data := k.Data
		if s.Profile() != p {
			continue
		}
		if k.PreKey {
			inner, of := s.Inner(k.Data)
			if !of {
				continue
			}
			data = inner
		}
		if next, secret, err := s.Decrypt(rand.Reader, data); err == nil {
			h.sessions[i] = next
			return secret, s.Peer().Fingerprint(), true
		}
	}
	if !k.PreKey {
		return nil, "", false
	}
	s, secret, _, err := omemo.Accept(rand.Reader, h.device, p, k.Data)
	if err != nil {
		return nil, "", false
	}
	h.sessions = append([]*omemo.Session{s}, h.sessions...)
	return secret, s.Peer().Fingerprint(), true
}

// writes makes a message's content for the desk, in a room or to it alone.
func (h *puppet) writes(text, room string) string {
	h.m.t.Helper()
	p, plain := h.m.wire, []byte(text)
	if p == omemo.Two {
		var err error
		c := omemo.Content{From: h.who, To: room, XML: []byte("<body xmlns='jabber:client'>" + text + "</body>")}
		if plain, err = omemo.Wrap(rand.Reader, c); err != nil {
			h.m.t.Fatal(err)
		}
	}
	secret, payload, err := omemo.Seal(p, rand.Reader, plain)
	if err != nil {
		h.m.t.Fatal(err)
	}
	e := omemo.Envelope{Sender: h.device.ID, Payload: &payload, Keys: []omemo.Key{h.lock(secret)}}
	return string(e.Append(nil, p))
}

// lock puts a secret through the ratchet with the desk: the session last used, or a new one.
func (h *puppet) lock(secret []byte) omemo.Key {
	h.m.t.Helper()
	desk := h.m.device()
	if len(h.sessions) == 0 {
		s, err := omemo.Start(rand.Reader, h.device, h.m.wire, desk.Bundle(h.m.wire))
		if err != nil {
			h.m.t.Fatal(err)
		}
		h.sessions = append(h.sessions, s)
	}
	next, msg, err := h.sessions[0].Encrypt(rand.Reader, secret)
	if err != nil {
		h.m.t.Fatal(err)
	}
	h.sessions[0] = next
	k := omemo.Key{Device: desk.ID, PreKey: msg.PreKey, Data: msg.Data}
	if h.m.wire == omemo.Two {
		k.Address = me
	}
	return k
}

// confirm has the desk's secrets answer, unknown to the engine: pre-key messages end.
func (h *puppet) confirm() {
	h.m.t.Helper()
	next, msg, err := h.sessions[0].Encrypt(rand.Reader, []byte("x"))
	if err != nil {
		h.m.t.Fatal(err)
	}
	theirs, _, _, err := omemo.Accept(rand.Reader, h.m.device(), h.m.wire, msg.Data)
	if err != nil {
		h.m.t.Fatal(err)
	}
	_, back, err := theirs.Encrypt(rand.Reader, []byte("y"))
	if err != nil {
		h.m.t.Fatal(err)
	}
	if h.sessions[0], _, err = next.Decrypt(rand.Reader, back.Data); err != nil {
		h.m.t.Fatal(err)
	}
}
