package e2ee

import (
	"maps"
	"slices"

	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

// Handover is what a new device of one's own gets of what is known here about keys.
// Nothing in it is secret but whom one talks to: ratchets and keys stay where they are.
type Handover struct {
	// Keys are all decisions, those by first use too: otherwise a contact of whom one
	// key was compared would look changed on the new device.
	Keys []Decision `json:"keys,omitempty"`
	// Devices are whose these keys are, so that on the new device they are neither new nor
	// to be exchanged unseen.
	Devices []HeldKey `json:"devices,omitempty"`
	// Chats were encrypted once, and never go back by themselves.
	Chats []string `json:"chats,omitempty"`
}

// HeldKey is the key of one device.
type HeldKey struct {
	Address     string `json:"address"`
	ID          uint32 `json:"id"`
	Fingerprint string `json:"fingerprint"`
}

// Handover is for a device that was let in here.
func (b *Book) Handover() Handover {
	var h Handover
	for _, a := range b.everybody() {
		for _, fp := range slices.Sorted(maps.Keys(a.Keys)) {
			if t := a.Keys[fp]; t == Verified || t == FirstUse || t == Refused {
				h.Keys = append(h.Keys, Decision{a.who.String(), fp, t})
			}
		}
		for _, id := range a.ids() {
			if fp := a.Devices[id].Key; fp != "" && a.trust(fp) != Undecided {
				h.Devices = append(h.Devices, HeldKey{a.who.String(), id, fp})
			}
		}
	}
	h.Chats = b.encrypted()
	return h
}

// TakeOver takes it, on the new device. What was decided here stays; what is malformed
// is passed over.
func (b *Book) TakeOver(h Handover) Step {
	for _, d := range h.Keys {
		who, err := jid.Parse(d.Address)
		if err != nil || !isFingerprint(d.Fingerprint) || d.Fingerprint == b.Fingerprint() {
			continue
		}
		a := b.account(who)
		switch t := a.trust(d.Fingerprint); {
		case t == Verified || t == Refused:
		case d.Trust == Verified, d.Trust == Refused, d.Trust == FirstUse && t == Undecided:
			b.setTrust(a, d.Fingerprint, d.Trust)
		}
	}
	for _, k := range h.Devices {
		if who, err := jid.Parse(k.Address); err == nil {
			b.hold(who, k.ID, k.Fingerprint)
		}
	}
	for _, chat := range h.Chats {
		if who, err := jid.Parse(chat); err == nil {
			b.began(who)
		}
	}
	return b.done(Step{})
}

// hold notes whose key a decided one is, where the device's is not known yet.
func (b *Book) hold(who jid.JID, id uint32, fingerprint string) {
	a := b.account(who)
	if id == 0 || id > omemo.MaxID || who.Bare() == b.own && id == b.device.ID || a.trust(fingerprint) == Undecided {
		return
	}
	if d := a.device(id, b.now()); d.Key == "" {
		d.Key, d.Met = fingerprint, true
		b.claim(a.who, fingerprint)
		b.touch(a)
	}
}

// Vouch notes that a key is that of a device of one's own: both are linked, over a channel
// that their keys went through. What is no fingerprint is passed over.
func (b *Book) Vouch(id uint32, fingerprint string) Step {
	if isFingerprint(fingerprint) && fingerprint != b.Fingerprint() {
		b.setTrust(b.account(b.own), fingerprint, Verified)
		b.hold(b.own, id, fingerprint)
	}
	return b.done(Step{})
}
