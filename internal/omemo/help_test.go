package omemo

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"mirsal/internal/xmpp/xtok"
)

var both = []Profile{Legacy, Two}

var monday = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// dice is randomness that a test can have again.
func dice(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// party is one side of a conversation: what a client keeps for one device of the other.
type party struct {
	t        testing.TB
	rand     *rand.ChaCha8
	p        Profile
	dev      *Device
	sessions []*Session // the latest used in front
}

func newParty(t testing.TB, p Profile, seed byte) *party {
	t.Helper()
	r := dice(seed)
	d, err := NewDevice(r, uint32(seed)+1, monday)
	if err != nil {
		t.Fatal(err)
	}
	return &party{t: t, rand: r, p: p, dev: d}
}

// pairOf is two parties of which the first has a session with the second.
func pairOf(t testing.TB, p Profile) (alice, bob *party) {
	t.Helper()
	alice, bob = newParty(t, p, 1), newParty(t, p, 2)
	alice.start(bob)
	return alice, bob
}

// talking is two parties who have heard of each other.
func talking(t testing.TB, p Profile) (alice, bob *party) {
	t.Helper()
	alice, bob = pairOf(t, p)
	bob.mustRead(alice.say("hello"), "hello")
	alice.mustRead(bob.say("hello yourself"), "hello yourself")
	return alice, bob
}

func (a *party) start(b *party) {
	a.t.Helper()
	s, err := Start(a.rand, a.dev, a.p, b.dev.Bundle(a.p))
	if err != nil {
		a.t.Fatal(err)
	}
	a.sessions = append([]*Session{s}, a.sessions...)
}

// say encrypts with the session in front; the state goes through the store's form.
func (a *party) say(text string) Message {
	a.t.Helper()
	next, m, err := a.sessions[0].Encrypt(a.rand, []byte(text))
	if err != nil {
		a.t.Fatal(err)
	}
	a.sessions[0] = stored1(a.t, next)
	return m
}

// read does what the package comment tells a caller to do.
func (a *party) read(m Message) (string, error) {
	a.t.Helper()
	if m.PreKey {
		return a.readFirst(m)
	}
	return a.readWith(m.Data, ErrTampered)
}

func (a *party) readFirst(m Message) (string, error) {
	for i, s := range a.sessions {
		if inner, ok := s.Inner(m.Data); ok {
			next, plain, err := s.Decrypt(a.rand, inner)
			if err != nil {
				return "", err
			}
			a.front(i, next)
			return string(plain), nil
		}
	}
	s, plain, used, err := Accept(a.rand, a.dev, a.p, m.Data)
	if err != nil {
		return "", err
	}
	a.dev = a.dev.Without(used)
	a.sessions = append([]*Session{s}, a.sessions...)
	return string(plain), nil
}

func (a *party) readWith(data []byte, worst error) (string, error) {
	for i, s := range a.sessions {
		next, plain, err := s.Decrypt(a.rand, data)
		if err == nil {
			a.front(i, next)
			return string(plain), nil
		}
		if err == ErrOld {
			worst = err
		}
	}
	return "", worst
}

func (a *party) front(i int, next *Session) {
	rest := append(append([]*Session{}, a.sessions[:i]...), a.sessions[i+1:]...)
	a.sessions = append([]*Session{stored1(a.t, next)}, rest...)
}

func (a *party) mustRead(m Message, want string) {
	a.t.Helper()
	got, err := a.read(m)
	if err != nil || got != want {
		a.t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

// stored1 takes a session through its bytes, which must be the same again.
func stored1(t testing.TB, s *Session) *Session {
	t.Helper()
	b, _ := s.MarshalBinary()
	out := new(Session)
	if err := out.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if again, _ := out.MarshalBinary(); !bytes.Equal(again, b) {
		t.Fatal("a stored session reads back as another")
	}
	return out
}

func bytesOf(t testing.TB, s *Session) string {
	t.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// each runs a test in both profiles.
func each(t *testing.T, f func(t *testing.T, p Profile)) {
	t.Helper()
	for _, p := range both {
		t.Run(p.Namespace(), func(t *testing.T) { f(t, p) })
	}
}

func elem(t testing.TB, b []byte) xtok.Elem {
	t.Helper()
	x, err := xtok.Parse(b, xtok.Limits{Size: 1 << 21, Depth: 16, Attrs: 16, Name: 64, Prefixes: 16, Nodes: 5000})
	if err != nil {
		t.Fatalf("%v in %.200s", err, b)
	}
	return x
}
