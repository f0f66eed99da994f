package omemo

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestABundleVerifiesAndAChangedOneDoesNot(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		d := newParty(t, p, 1).dev
		b := d.Bundle(p)
		if err := b.Verify(p); err != nil || len(b.PreKeys) != 100 {
			t.Fatal(err, len(b.PreKeys))
		}
		for name, spoil := range map[string]func(*Bundle){
			"identity":  func(b *Bundle) { b.Identity[3] ^= 1 },
			"key":       func(b *Bundle) { b.Signed.Key[3] ^= 1 },
			"signature": func(b *Bundle) { b.Signed.Signature[3] ^= 1 },
			"pre-keys":  func(b *Bundle) { b.PreKeys = nil },
		} {
			other := b
			spoil(&other)
			if other.Verify(p) == nil {
				t.Errorf("passes with another %s", name)
			}
		}
	})
}

func TestABundleIsTheSameEachTime(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		d := newParty(t, p, 1).dev
		b, _ := d.MarshalBinary()
		var back Device
		if err := back.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(AppendBundle(nil, p, d.Bundle(p)), AppendBundle(nil, p, back.Bundle(p))) {
			t.Error("the bundle changed in the store")
		}
	})
}

func TestPreKeysAreRefilledWithNewNumbers(t *testing.T) {
	a := newParty(t, Legacy, 1)
	if d, changed, err := a.dev.Refilled(a.rand, monday.Add(time.Hour)); d != a.dev || changed || err != nil {
		t.Fatal("a full device changed", changed, err)
	}
	d, changed, err := a.dev.Without(1).Without(50).Refilled(a.rand, monday)
	if err != nil || !changed || len(d.preKeys) != 100 {
		t.Fatal(err, changed)
	}
	for _, k := range d.preKeys {
		if k.id == 1 || k.id == 50 {
			t.Errorf("number %d was given again", k.id)
		}
	}
	if len(a.dev.preKeys) != 100 || a.dev.preKeys[0].id != 1 {
		t.Error("the old value changed")
	}
}

func TestTheSignedPreKeyChangesWeeklyAndTheFormerIsKept(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := pairOf(t, p)
		late := alice.say("late")
		for week := 1; week <= 2; week++ {
			d, changed, err := bob.dev.Refilled(bob.rand, monday.AddDate(0, 0, 7*week))
			if err != nil || !changed || d.Bundle(p).Signed.ID == bob.dev.Bundle(p).Signed.ID {
				t.Fatal(err, changed)
			}
			if err := d.Bundle(p).Verify(p); err != nil {
				t.Fatal(err)
			}
			bob.dev = d
			_, _, _, err = Accept(bob.rand, bob.dev, p, late.Data)
			if week == 1 && err != nil || week == 2 && !errors.Is(err, ErrUnknownPreKey) {
				t.Errorf("week %d: %v", week, err)
			}
		}
	})
}

func TestAUsedPreKeyIsHiddenButGoodUntilItIsTakenOut(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		alice, bob := pairOf(t, p)
		m := alice.say("x")
		_, _, used, err := Accept(bob.rand, bob.dev, p, m.Data)
		if err != nil {
			t.Fatal(err)
		}
		d := bob.dev.Used(used)
		for _, k := range d.Bundle(p).PreKeys {
			if k.ID == used {
				t.Error("still offered")
			}
		}
		if _, _, _, err := Accept(bob.rand, d, p, m.Data); err != nil {
			t.Error("not good any more:", err)
		}
		if _, _, _, err := Accept(bob.rand, d.Without(used), p, m.Data); !errors.Is(err, ErrUnknownPreKey) {
			t.Error("taken out:", err)
		}
		if len(bob.dev.Bundle(p).PreKeys) != 100 {
			t.Error("the old value changed")
		}
	})
}

func TestUsedPreKeysHaveABound(t *testing.T) {
	a := newParty(t, Two, 1)
	d := a.dev
	for range 11 {
		for _, k := range d.Bundle(Two).PreKeys {
			d = d.Used(k.ID)
		}
		var err error
		if d, _, err = d.Refilled(a.rand, monday); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.preKeys) > maxUsed+preKeyCount {
		t.Errorf("%d pre-keys", len(d.preKeys))
	}
	b, _ := d.MarshalBinary()
	if err := new(Device).UnmarshalBinary(b); err != nil {
		t.Error(err)
	}
}

func TestDevicesHaveANumberOfThirtyOneBits(t *testing.T) {
	for _, id := range []uint32{0, MaxID + 1} {
		if _, err := NewDevice(dice(1), id, monday); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d: %v", id, err)
		}
	}
}
