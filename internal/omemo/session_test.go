package omemo

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestAConversationIsRead(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := talking(t, p)
		for i := range 20 {
			bob.mustRead(alice.say(fmt.Sprint("a", i)), fmt.Sprint("a", i))
			if i%3 == 0 {
				alice.mustRead(bob.say(fmt.Sprint("b", i)), fmt.Sprint("b", i))
			}
		}
		if bob.sessions[0].Peer() != alice.dev.Identity() || alice.sessions[0].Peer() != bob.dev.Identity() {
			t.Error("a session does not know its peer")
		}
	})
}

func TestTheKeyExchangeIsRepeatedUntilAnAnswerComes(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := pairOf(t, p)
		first, second := alice.say("one"), alice.say("two")
		if !first.PreKey || !second.PreKey || alice.sessions[0].Confirmed() {
			t.Fatal("no answer yet, but no key exchange either")
		}
		bob.mustRead(second, "two")
		bob.mustRead(first, "one")
		bob.say("lost")
		third := alice.say("three")
		bob.mustRead(third, "three")
		if len(bob.sessions) != 1 || !third.PreKey {
			t.Errorf("%d sessions, key exchange %v", len(bob.sessions), third.PreKey)
		}
		alice.mustRead(bob.say("here"), "here")
		if m := alice.say("four"); m.PreKey {
			t.Error("the key exchange is repeated after an answer")
		}
	})
}

func TestBothMayStartAtOnce(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := pairOf(t, p)
		bob.start(alice)
		a1, b1 := alice.say("a1"), bob.say("b1")
		a2, b2 := alice.say("a2"), bob.say("b2")
		alice.mustRead(b1, "b1")
		bob.mustRead(a1, "a1")
		a3, b3 := alice.say("a3"), bob.say("b3")
		bob.mustRead(a2, "a2")
		alice.mustRead(b3, "b3")
		bob.mustRead(a3, "a3")
		alice.mustRead(b2, "b2")
		for i := range 5 {
			bob.mustRead(alice.say(fmt.Sprint("x", i)), fmt.Sprint("x", i))
			alice.mustRead(bob.say(fmt.Sprint("y", i)), fmt.Sprint("y", i))
		}
		if len(alice.sessions) != 2 || len(bob.sessions) != 2 {
			t.Errorf("%d and %d sessions", len(alice.sessions), len(bob.sessions))
		}
	})
}

func TestAReplayIsOld(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := talking(t, p)
		var sent []Message
		for i := range 8 {
			m := alice.say("once")
			bob.mustRead(m, "once")
			sent = append(sent, m)
			if i%2 == 1 {
				alice.mustRead(bob.say("aye"), "aye")
			}
		}
		before := bytesOf(t, bob.sessions[0])
		for i, m := range sent {
			if _, _, err := bob.sessions[0].Decrypt(bob.rand, m.Data); !errors.Is(err, ErrOld) {
				t.Errorf("message %d again: %v", i, err)
			}
		}
		if bytesOf(t, bob.sessions[0]) != before {
			t.Error("a replay changed the session")
		}
	})
}

func TestAUsedPreKeyIsUnknown(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := pairOf(t, p)
		m := alice.say("once")
		bob.mustRead(m, "once")
		if _, _, _, err := Accept(bob.rand, bob.dev, p, m.Data); !errors.Is(err, ErrUnknownPreKey) {
			t.Errorf("the key exchange again: %v", err)
		}
	})
}

func TestEveryFlippedBitIsRefusedAndChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := pairOf(t, p)
		first := alice.say("first")
		secret, _ := bob.dev.MarshalBinary()
		for bit := range len(first.Data) * 8 {
			if bit%5 != 0 && bit%8 != 7 {
				continue // each costs a key agreement
			}
			s, plain, _, err := Accept(bob.rand, bob.dev, p, flip(first.Data, bit))
			// The registration id is bound to nothing, as in every implementation.
			if err == nil && (string(plain) != "first" || s.Peer() != alice.dev.Identity()) {
				t.Fatalf("bit %d changed what was read", bit)
			}
			if err == nil && p == Two {
				t.Fatalf("bit %d was not noticed", bit)
			}
		}
		if now, _ := bob.dev.MarshalBinary(); !bytes.Equal(now, secret) {
			t.Fatal("the device changed")
		}
		bob.mustRead(first, "first")
		second := alice.say("second")
		inner, _ := bob.sessions[0].Inner(second.Data)
		before := bytesOf(t, bob.sessions[0])
		for bit := range len(inner) * 8 {
			if _, _, err := bob.sessions[0].Decrypt(bob.rand, flip(inner, bit)); err == nil {
				// The low half of the version byte is inside the tag: nothing passes.
				t.Fatalf("bit %d was not noticed", bit)
			}
		}
		if bytesOf(t, bob.sessions[0]) != before {
			t.Fatal("a refused message changed the session")
		}
		bob.mustRead(second, "second")
	})
}

func flip(b []byte, bit int) []byte {
	out := bytes.Clone(b)
	out[bit/8] ^= 1 << (bit % 8)
	return out
}

func TestSkippingHasBounds(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := talking(t, p)
		var sent []Message
		for range 3100 {
			sent = append(sent, alice.say("x"))
		}
		refused(t, bob, sent[1001], ErrOld)
		bob.mustRead(sent[1000], "x")
		bob.mustRead(sent[2000], "x")
		bob.mustRead(sent[3000], "x")
		if n := len(bob.sessions[0].skipped); n != maxKept {
			t.Errorf("%d keys kept", n)
		}
		refused(t, bob, sent[10], ErrOld)
		bob.mustRead(sent[1500], "x")
		b, _ := bob.sessions[0].MarshalBinary()
		if len(b) > 80_000 {
			t.Errorf("a session of %d bytes", len(b))
		}
	})
}

func TestALongGapAtAChainsEndDoesNotLoseTheNext(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := talking(t, p)
		bob.mustRead(alice.say("1"), "1")
		for range maxAhead + 5 {
			alice.say("lost")
		}
		alice.mustRead(bob.say("hello?"), "hello?")
		bob.mustRead(alice.say("sorry"), "sorry")
	})
}

func refused(t *testing.T, a *party, m Message, want error) {
	t.Helper()
	if got, err := a.read(m); !errors.Is(err, want) {
		t.Errorf("read %q, %v; want %v", got, err, want)
	}
}

func TestASenderThatCountsOneTooFewLosesNothing(t *testing.T) {
	alice, bob := talking(t, Legacy)
	bob.mustRead(alice.say("1"), "1")
	last := alice.say("2")
	alice.mustRead(bob.say("answer"), "answer")
	s := *alice.sessions[0]
	s.before-- // as libsignal counts
	alice.sessions[0] = &s
	bob.mustRead(alice.say("3"), "3")
	bob.mustRead(last, "2")
	refused(t, bob, last, ErrOld)
}

func TestManyMessagesWithoutAnAnswerAskForOne(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := talking(t, p)
		for i := range heartbeat + 1 {
			if bob.sessions[0].Due() {
				t.Fatalf("due after %d", i)
			}
			bob.mustRead(alice.say("x"), "x")
		}
		if !bob.sessions[0].Due() {
			t.Error("not due")
		}
		alice.mustRead(bob.say(""), "")
		if bob.sessions[0].Due() {
			t.Error("due after the answer")
		}
	})
}

func TestEncryptAndDecryptLeaveTheirInputAlone(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := talking(t, p)
		late := alice.say("late")
		s, r := alice.sessions[0], bob.sessions[0]
		sent, got := bytesOf(t, s), bytesOf(t, r)
		_, m, err := s.Encrypt(alice.rand, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		next, _, err := r.Decrypt(bob.rand, m.Data)
		if err != nil {
			t.Fatal(err)
		}
		middle := bytesOf(t, next)
		for range 2 { // the same state may read the same message twice: it is a value
			if _, _, err := next.Decrypt(bob.rand, late.Data); err != nil {
				t.Fatal(err)
			}
		}
		if bytesOf(t, s) != sent || bytesOf(t, r) != got || bytesOf(t, next) != middle {
			t.Error("a state was changed in place")
		}
	})
}

func TestSessionsOfTheTwoProfilesDoNotReadEachOther(t *testing.T) {
	alice, bob := newParty(t, Legacy, 1), newParty(t, Legacy, 2)
	alice.start(bob)
	m := alice.say("x")
	if _, _, _, err := Accept(bob.rand, bob.dev, Two, m.Data); err == nil {
		t.Error("read")
	}
	if _, err := Start(alice.rand, alice.dev, Two, bob.dev.Bundle(Legacy)); !errors.Is(err, ErrBadKey) {
		t.Error("a signature of one profile passes in the other:", err)
	}
}

func TestARepeatedExchangeThatWasChangedIsNotOurs(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := pairOf(t, p)
		bob.mustRead(alice.say("one"), "one")
		again := alice.say("two")
		s := bob.sessions[0]
		inner, ok := s.Inner(again.Data)
		if !ok {
			t.Fatal("not even what was not changed")
		}
		first := 0
		if p == Legacy {
			first = 3 * 8 // version and registration id, which count for nothing
		}
		for bit := first; bit < (len(again.Data)-len(inner))*8; bit++ {
			if got, ok := s.Inner(flip(again.Data, bit)); ok && string(got) == string(inner) {
				t.Errorf("bit %d was not noticed", bit)
			}
		}
	})
}
