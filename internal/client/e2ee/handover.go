package e2ee

import (
	"maps"
	"slices"

	"mirsal/internal/xmpp/jid"
)

// Handover is what a new device of one's own gets of what is known here about keys.
// Nothing in it is secret but whom one talks to: ratchets and keys stay where they are.
type Handover struct {
	// Keys are all decisions, those by first use too: otherwise a contact of whom one
	// key was compared would look changed on the new device.
	Keys []Decision `json:"keys,omitempty"`
	// Chats were encrypted once, and never go back by themselves.
	Chats []string `json:"chats,omitempty"`
}

// Handover is for a device that was let in here.
func (b *Book) Handover() Handover {
	var h Handover
	for _, a := range b.sorted() {
		for _, fp := range slices.Sorted(maps.Keys(a.Keys)) {
			if t := a.Keys[fp]; t == Verified || t == FirstUse || t == Refused {
				h.Keys = append(h.Keys, Decision{a.who.String(), fp, t})
			}
		}
	}
	for chat := range b.chats {
		h.Chats = append(h.Chats, chat.String())
	}
	slices.Sort(h.Chats)
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
	for _, chat := range h.Chats {
		if who, err := jid.Parse(chat); err == nil {
			b.began(who)
		}
	}
	return b.done(Step{})
}

// Vouch notes that a key is a device's of one's own: both are linked, over a channel
// that their keys went through. A name that is no fingerprint is passed over.
func (b *Book) Vouch(fingerprint string) Step {
	if isFingerprint(fingerprint) && fingerprint != b.Fingerprint() {
		b.setTrust(b.account(b.own), fingerprint, Verified)
	}
	return b.done(Step{})
}
