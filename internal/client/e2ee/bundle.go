package e2ee

import (
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/xtok"
)

// bundleAnswer reads the answer to a question for a bundle: its key is met, and where the key
// is decided a session begins.
func (b *Book) bundleAnswer(s *Step, what asked, iq xtok.Elem) {
	got := readBundle(iq, what)
	if what.who == b.own && what.device == b.device.ID {
		switch {
		case buried(iq, what):
			b.removedHere(s)
			return
		case got != nil || isResult(iq) || isMissing(iq):
			b.ownBundle(s, what.profile, got)
		}
		if iq.OK() {
			b.putBack(s, what.profile)
		}
		return
	}
	if b.forgives(what, iq) {
		return
	}
	a := b.account(what.who)
	d := a.device(what.device, b.now())
	b.touch(a)
	defer func() { d.lost(what.profile, !iq.OK()) }()
	if got == nil || got.Identity == b.device.Identity() {
		b.bundleFailed(d, what.profile)
		return
	}
	b.label(a, what.device, *got)
	if b.meet(s, a, what.device, got.Identity.Fingerprint()) {
		b.begin(s, a, what, *got)
		return
	}
	delete(d.Heal, what.profile)
	if d.Offered != "" { // asked again when a person has decided
		b.bundleFailed(d, what.profile)
	}
}

// lookedFor looks at the bundle of an own device that left the list: one that a person has removed reads
// nothing any more, whoever puts it back on the list.
func (b *Book) lookedFor(what asked, iq xtok.Elem) {
	own := b.account(b.own)
	if d := own.Devices[what.device]; d != nil && d.Key != "" && buried(iq, what) {
		own.setTrust(d.Key, Refused)
		b.touch(own)
	}
}

// buried tells whether another device has left word in place of a bundle that it was removed.
func buried(iq xtok.Elem, what asked) bool {
	items := iq.Child(nsPubSub, "pubsub").Child(nsPubSub, "items")
	payload, ok := itemOf(items, nsPubSub, what.profile.BundleNode(what.device), what.profile.BundleItem(what.device))
	return isResult(iq) && ok && payload.Is(nsDevice, "removed") && hasItem(items, what.profile.BundleItem(what.device))
}

// readBundle: nil is no bundle, or none that is good.
func readBundle(iq xtok.Elem, what asked) *omemo.Bundle {
	if !isResult(iq) {
		return nil
	}
	p := what.profile
	items := iq.Child(nsPubSub, "pubsub").Child(nsPubSub, "items")
	payload, ok := itemOf(items, nsPubSub, p.BundleNode(what.device), p.BundleItem(what.device))
	if !ok || !payload.OK() {
		return nil
	}
	if p == omemo.Two && !hasItem(items, p.BundleItem(what.device)) {
		return nil // another device's bundle
	}
	q, bundle, err := omemo.ReadBundle(payload)
	if err != nil || q != p {
		return nil
	}
	return &bundle
}

func hasItem(items xtok.Elem, id string) bool {
	for it := range items.Children() {
		if it.AttrIs("id", id) {
			return true
		}
	}
	return false
}

// bundleFailed waits longer each time before the bundle is asked for again.
func (b *Book) bundleFailed(d *device, p omemo.Profile) {
	f := d.Fetch[p]
	f.Failed++
	f.Next = b.now().Add(backoff(f.Failed))
	if d.Fetch == nil {
		d.Fetch = map[omemo.Profile]fetch{}
	}
	d.Fetch[p] = f
	delete(d.Heal, p)
}

// lost marks a failure as one without an answer.
func (d *device) lost(p omemo.Profile, lost bool) {
	if f, failed := d.Fetch[p]; failed {
		f.Lost = lost
		d.Fetch[p] = f
	}
}

// label takes the name a device gives itself, if it is by the device.
func (b *Book) label(a *account, id uint32, got omemo.Bundle) {
	for _, l := range a.Lists {
		for _, x := range l.Devices {
			if x.ID == id && x.Label != "" && got.VerifyLabel(x) {
				a.Devices[id].Label = x.Label
			}
		}
	}
}

// meet takes note of the key that claims to be a device's. true: it is the device's
// own and decided, so that something may be encrypted to it. A device that has a key
// keeps it; another is offered to a person.
func (b *Book) meet(s *Step, a *account, id uint32, fingerprint string) bool {
	d := a.Devices[id]
	if d == nil {
		d = a.device(id, b.now())
		b.touch(a)
	}
	if d.Key == "" || d.Key != fingerprint && a.trust(fingerprint) == Verified {
		b.adopt(a, d, fingerprint)
	}
	b.decide(a, fingerprint)
	if d.Key == fingerprint {
		return a.trust(fingerprint) == FirstUse || a.trust(fingerprint) == Verified
	}
	if a.trust(fingerprint) != Refused && d.Offered != fingerprint {
		d.Offered = fingerprint
		b.touch(a)
		s.alert(a.who, id, "changed")
	}
	return false
}

// adopt makes a key the device's own.
func (b *Book) adopt(a *account, d *device, fingerprint string) {
	if d.Key != "" { // where the last was known, the next waits for a person
		b.setUndecided(a, fingerprint)
	}
	d.Key, d.Offered = fingerprint, ""
	d.Fetch = nil
	b.touch(a)
}

func (b *Book) setUndecided(a *account, fingerprint string) {
	if _, known := a.Keys[fingerprint]; !known {
		a.setTrust(fingerprint, Undecided)
	}
}

// decide is trust on first use: a key is taken as long as nobody has compared one of the
// account's, and no more from then on. A key that claims to change a known device's, or is
// another account's, or this device's, always waits for a person.
func (b *Book) decide(a *account, fingerprint string) {
	if _, known := a.Keys[fingerprint]; known {
		b.claim(a.who, fingerprint)
		return
	}
	t := FirstUse
	owner := b.owner(fingerprint)
	if a.compared() || !owner.IsZero() && owner != a.who || !a.isKey(fingerprint) {
		t = Undecided
	}
	a.setTrust(fingerprint, t)
	b.touch(a)
	b.claim(a.who, fingerprint)
}

// isKey tells whether a key is one of the account's devices'.
func (a *account) isKey(fingerprint string) bool {
	for _, d := range a.Devices {
		if d.Key == fingerprint {
			return true
		}
	}
	return false
}

// begin starts a session, and where one was to be healed says so to the other side.
func (b *Book) begin(s *Step, a *account, what asked, got omemo.Bundle) {
	d := a.Devices[what.device]
	session, err := omemo.Start(b.rand, b.device, what.profile, got)
	if err == nil {
		err = b.addSession(a, what.device, session)
	}
	if err != nil {
		b.bundleFailed(d, what.profile)
		return
	}
	delete(d.Fetch, what.profile)
	if d.Heal[what.profile] {
		delete(d.Heal, what.profile)
		b.empty(s, a, what.device, what.profile)
	}
}
