package e2ee

import (
	"testing"

	"mirsal/internal/client/port"
)

func TestANewDeviceKnowsTheKeysThatTheOldOneKnew(t *testing.T) {
	w, a, p := compared(t)
	s, _ := a.SetTrust(bob, p.key(), Verified)
	a.do(s)
	// another of bob's keys was taken on first use before the first was compared
	second := "00000000000000000000000000000000000000000000000000000000000000aa"
	a.accounts[bob].setTrust(second, FirstUse)
	h := a.Handover()
	if len(h.Keys) < 2 || len(h.Chats) == 0 {
		t.Fatalf("%+v", h)
	}
	a2 := w.client(alice)
	h.Keys = append(h.Keys, Decision{"@", "x", Verified}, Decision{alice.String(), a2.Fingerprint(), Refused}, Decision{bob.String(), p.key()[1:] + "x", "made-up"})
	h.Chats = append(h.Chats, "@")
	h.Devices = append(h.Devices, HeldKey{alice.String(), a2.ID(), a.Fingerprint()}, HeldKey{bob.String(), 999, second[1:] + "f"}, HeldKey{"@", 1, second})
	a2.do(a2.TakeOver(h))
	got := a2.Handover()
	if len(got.Keys) != len(a.Handover().Keys) || len(got.Chats) != len(a.Handover().Chats) {
		t.Errorf("%+v, want %+v", got, a.Handover())
	}
	if !a2.Encrypted(bob) || a2.accounts[bob].trust(second) != FirstUse || a2.accounts[bob].trust(p.key()) != Verified {
		t.Errorf("%+v", got)
	}
}

func TestWhatWasDecidedHereStays(t *testing.T) {
	_, a, p := compared(t)
	s, _ := a.SetTrust(bob, p.key(), Refused)
	a.do(s)
	a.do(a.TakeOver(Handover{Keys: []Decision{{bob.String(), p.key(), Verified}}}))
	if a.accounts[bob].trust(p.key()) != Refused {
		t.Error("a key that was refused here is trusted")
	}
}

func TestLinkedDevicesAreEachOthersVerified(t *testing.T) {
	w := newWorld(t)
	old, young := w.client(alice), w.client(alice)
	old.do(old.Vouch(young.ID(), young.Fingerprint()))
	young.do(young.Vouch(old.ID(), old.Fingerprint()))
	young.do(young.Vouch(7, "nonsense"))
	young.do(young.Vouch(young.ID(), young.Fingerprint()))
	if old.accounts[alice].trust(young.Fingerprint()) != Verified || young.accounts[alice].trust(old.Fingerprint()) != Verified || len(young.accounts[alice].Keys) != 1 {
		t.Error(young.accounts[alice].Keys)
	}
}

// The keys that were handed over are pinned: bob's list is no news, and another key for his
// device is a change.
func TestKeysThatWereHandedOverAreNeitherNewNorExchangedUnseen(t *testing.T) {
	w, a, p := compared(t)
	a2 := w.client(alice)
	a2.do(a2.TakeOver(a.Handover()))
	a2.do(a2.Vouch(a.ID(), a.Fingerprint()))
	_, sealed, err := a2.write("from the new one", bob)
	if err != nil || sealed.Lock.State != port.Verified || len(a2.alerts) != 0 {
		t.Errorf("%+v, %v, %v", sealed.Lock, a2.alerts, err)
	}
	devices := a2.Devices(bob)
	if len(devices) != 1 || devices[0].Fingerprint != p.key() || devices[0].Trust != string(Verified) {
		t.Errorf("%+v", devices)
	}
}
