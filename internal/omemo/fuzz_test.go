package omemo

import (
	"bytes"
	"testing"

	"mirsal/internal/xmpp/xtok"
)

// seeds are real messages, states and XML of a short conversation.
func seeds(f *testing.F, p Profile) (kex, msg, state, device []byte) {
	f.Helper()
	alice, bob := pairOf(f, p)
	first := alice.say("hello")
	bob.mustRead(first, "hello")
	alice.mustRead(bob.say("you"), "you")
	alice.say("skipped")
	second := alice.say("again")
	bob.mustRead(second, "again")
	state, _ = bob.sessions[0].MarshalBinary()
	device, _ = bob.dev.MarshalBinary()
	return first.Data, second.Data, state, device
}

func FuzzMessage(f *testing.F) {
	for _, p := range both {
		kex, msg, _, _ := seeds(f, p)
		f.Add(kex)
		f.Add(msg)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range both {
			if m, err := p.readMessage(b); err == nil && (len(m.cipher) > maxInner+16 || len(m.tag) > profiles[p].mac) {
				t.Error("beyond its bounds")
			}
			if x, err := p.readExchange(b); err == nil && len(x.message) > maxMessage {
				t.Error("beyond its bounds")
			}
		}
	})
}

// FuzzDecrypt: no message but the right one is read, and none changes the session.
func FuzzDecrypt(f *testing.F) {
	var sessions []*Session
	for _, p := range both {
		alice, bob := talking(f, p)
		f.Add(alice.say("next").Data)
		sessions = append(sessions, bob.sessions[0])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range sessions {
			before := bytesOf(t, s)
			if _, plain, err := s.Decrypt(dice(3), b); err == nil && string(plain) != "next" {
				t.Errorf("read %q", plain)
			}
			if bytesOf(t, s) != before {
				t.Error("the session changed")
			}
		}
	})
}

func FuzzStoredSession(f *testing.F) {
	for _, p := range both {
		_, _, state, _ := seeds(f, p)
		f.Add(state)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Session
		if s.UnmarshalBinary(b) != nil {
			return
		}
		stored1(t, &s)
		_, _, _ = s.Encrypt(dice(1), []byte("x"))
	})
}

func FuzzStoredDevice(f *testing.F) {
	_, _, _, device := seeds(f, Two)
	f.Add(device)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Device
		if d.UnmarshalBinary(b) != nil {
			return
		}
		if again, _ := d.MarshalBinary(); !bytes.Equal(again, b) {
			t.Error("a stored device reads back as another")
		}
	})
}

// FuzzXML: what any of the readers accepts reads the same once written again.
func FuzzXML(f *testing.F) {
	for _, p := range both {
		a := newParty(f, p, 1)
		f.Add(AppendBundle(nil, p, a.dev.Bundle(p)))
		f.Add(AppendDevices(nil, p, []Listed{{ID: 7}}))
		f.Add(Envelope{Sender: 1, Keys: []Key{{Address: "a@b", Device: 2, Data: []byte{1}}}, Payload: &Payload{make([]byte, 12), []byte{2}}}.Append(nil, p))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := xtok.Parse(b, xtok.Limits{Size: 1 << 20, Depth: 8, Attrs: 8, Name: 64, Prefixes: 8, Nodes: 3000})
		if err != nil {
			return
		}
		if p, e, err := ReadEnvelope(x); err == nil {
			if _, again, err := ReadEnvelope(elem(t, e.Append(nil, p))); err != nil || len(again.Keys) != len(e.Keys) {
				t.Error(err, e, again)
			}
		}
		if p, u, err := ReadBundle(x); err == nil {
			if _, again, err := ReadBundle(elem(t, AppendBundle(nil, p, u))); err != nil || again.Identity != u.Identity {
				t.Error(err)
			}
		}
		if p, l, err := ReadDevices(x); err == nil {
			if _, again, err := ReadDevices(elem(t, AppendDevices(nil, p, l))); err != nil || len(again) != len(l) {
				t.Error(err)
			}
		}
	})
}

func FuzzEnvelopeInside(f *testing.F) {
	b, err := Wrap(dice(1), Content{From: "a@b", Time: monday, XML: []byte("<x xmlns='y'/>")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := Unwrap(b)
		if err != nil {
			return
		}
		_ = u.Check(romeo, juliet, true, monday)
		for range u.Elements() {
		}
	})
}
