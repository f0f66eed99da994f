package e2ee

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/xtok"
)

// The tries of a publication: with options; with them again after the node was
// configured; without.
const (
	first uint8 = iota
	again
	bare
)

// lookEvery is how often the server's copy of our bundle is compared with ours.
const lookEvery = 24 * time.Hour

// Online begins a new stream (not a resumed one): own list and bundle are looked at and
// published. Whatever was asked before counts as unanswered.
func (b *Book) Online() Step {
	var s Step
	b.reconnected()
	if b.state.Off {
		return b.done(s)
	}
	for _, p := range b.profiles {
		if b.state.Published[p] == "" {
			s.Ask = b.ask(s.Ask, b.putting(putBundle, p))
		} else if b.now().Sub(b.state.Looked[p]) >= lookEvery {
			s.Ask = b.ask(s.Ask, asked{kind: getBundle, who: b.own, device: b.device.ID, profile: p})
		}
		s.Ask = b.ask(s.Ask, asked{kind: getList, who: b.own, profile: p})
	}
	b.refresh(&s)
	return b.done(s)
}

// putting is the request to publish our list or our bundle.
func (b *Book) putting(k kind, p omemo.Profile) asked {
	a := asked{kind: k, who: b.own, profile: p}
	if k == putBundle {
		a.device = b.device.ID
	}
	return a
}

// refreshEvery is how often the bundle is published for the pre-keys that were used: whoever writes for
// the first time uses one, and a crowd of strangers would have us publish a hundred keys for each. What
// was used meanwhile is good still (spentLife), for those too who choose it once more.
const refreshEvery = time.Minute

// refresh refills the pre-keys and publishes a bundle that is other than what the server
// has, at once or, where it was just published, a little later (Due); not within catch-up, where a message may
// still use what is offered now.
// XEP-0384#rules
func (b *Book) refresh(s *Step) {
	if b.catchUp || b.state.Off {
		return
	}
	if b.stale = b.now().Sub(b.refreshed).Abs() < refreshEvery; b.stale {
		return
	}
	next, changed, err := b.device.Refilled(b.rand, b.now())
	if err == nil && changed {
		b.device = next
		b.keepDevice()
	}
	for _, p := range b.profiles {
		if b.now().Before(b.state.Again) {
			return
		}
		if _, mark := b.bundle(p); mark != b.state.Published[p] {
			b.refreshed = b.now()
			s.Ask = b.ask(s.Ask, b.putting(putBundle, p))
		}
	}
}

// bundle is ours in a profile, and its digest.
func (b *Book) bundle(p omemo.Profile) (content []byte, mark string) {
	content = omemo.AppendBundle(nil, p, b.device.Bundle(p))
	sum := sha256.Sum256(content)
	return content, hex.EncodeToString(sum[:8])
}

func (b *Book) bundlePayload(what asked) ([]byte, string) {
	content, mark := b.bundle(what.profile)
	return publishPayload(b.nodeOf(what), what.profile.BundleItem(what.device), content, what), mark
}

// listPayload publishes our account's list with us on it, or without us once we are off.
func (b *Book) listPayload(what asked) []byte {
	devices := b.account(b.own).listIn(what.profile).Devices
	return publishPayload(b.nodeOf(what), "current", omemo.AppendDevices(nil, what.profile, devices), what)
}

// published reads the answer to a publication.
// XEP-0060#publisher-publish-options
func (b *Book) published(s *Step, r Request, iq xtok.Elem) {
	what := r.what
	switch {
	case isResult(iq):
		b.publishedWell(s, r)
	case isPrecondition(iq) && what.try == first:
		what.kind = configure
		s.Ask = b.ask(s.Ask, what)
	case iq.OK() && what.try < bare:
		what.try = bare
		s.Ask = b.ask(s.Ask, what)
	default:
		b.state.Failed++
		b.state.Again = b.now().Add(backoff(b.state.Failed))
		b.changed = true
	}
}

// publishedWell notes what the server has now, and publishes again what has changed
// while it was on its way.
func (b *Book) publishedWell(s *Step, r Request) {
	p := r.what.profile
	b.state.Failed, b.state.Again, b.changed = 0, time.Time{}, true
	if r.what.kind == putList {
		b.state.Listed = true
		if b.late[p] {
			delete(b.late, p)
			s.Ask = b.ask(s.Ask, b.putting(putList, p))
		}
		return
	}
	if b.state.Published == nil {
		b.state.Published = map[omemo.Profile]string{}
	}
	b.state.Published[p] = r.mark
	b.looked(p)
	if _, now := b.bundle(p); now != r.mark {
		b.refresh(s)
	}
}

// looked notes that the server's copy of our bundle is known.
func (b *Book) looked(p omemo.Profile) {
	if b.state.Looked == nil {
		b.state.Looked = map[omemo.Profile]time.Time{}
	}
	b.state.Looked[p], b.changed = b.now(), true
}

// configured publishes again, whatever came of the configuration.
func (b *Book) configured(s *Step, what asked) {
	what.kind, what.try = putList, again
	if what.device != 0 {
		what.kind = putBundle
	}
	s.Ask = b.ask(s.Ask, what)
}

// keepListed sees to it that we are on our own list, as the server has just told it, unless
// a person has removed us: who did has left word in place of our bundle. A client that has
// forgotten us has left the bundle, a server that has lost its data has neither.
// XEP-0384#usecases-announcing
func (b *Book) keepListed(s *Step, p omemo.Profile) {
	switch {
	case b.state.Off || b.account(b.own).listed(p, b.device.ID) && !b.lacking():
		if !b.state.Listed || !b.state.Restore.IsZero() {
			b.state.Listed, b.state.Restore, b.changed = true, time.Time{}, true
		}
	case b.now().Before(b.state.Restore): // Tick looks then
	case b.state.Published[p] == "": // ours is on its way, in place of whatever is there
		b.putBack(s, p)
	default:
		s.Ask = b.ask(s.Ask, asked{kind: getBundle, who: b.own, device: b.device.ID, profile: p})
	}
}

// putBack puts us back on a list that was told and lacks us. Others' devices stay on it as they
// are. Two clients that take each other off would do so for ever: each time in a row waits
// twice as long.
func (b *Book) putBack(s *Step, p omemo.Profile) {
	own := b.account(b.own)
	if b.state.Off || own.listed(p, b.device.ID) && !b.lacking() || own.listIn(p).Told.IsZero() {
		return
	}
	now := b.now()
	if now.Sub(b.state.Restored) > 24*time.Hour {
		b.state.Drops = 0
	}
	wait := time.Duration(0)
	if b.state.Listed && b.state.Drops > 0 {
		wait = backoff(b.state.Drops)
	}
	if at := b.state.Restored.Add(wait); now.Before(at) {
		b.state.Restore, b.changed = at, true
		return
	}
	b.restore(s)
}

// lacking tells whether a list that was told lacks us.
func (b *Book) lacking() bool {
	own := b.account(b.own)
	return slices.ContainsFunc(b.profiles, func(p omemo.Profile) bool {
		l := own.Lists[p]
		return l != nil && !l.Told.IsZero() && !l.has(b.device.ID)
	})
}

// restore puts us on every list that lacks us, without a label.
// COMPAT: twomemo 1.0.3 reads no list in which a label is signed.
func (b *Book) restore(s *Step) {
	if b.state.Listed {
		b.state.Drops++
	}
	b.state.Restored, b.state.Restore, b.changed = b.now(), time.Time{}, true
	own := b.account(b.own)
	for _, p := range b.profiles {
		l := own.listIn(p)
		if l.Told.IsZero() || l.has(b.device.ID) {
			continue
		}
		entry := omemo.Listed{ID: b.device.ID}
		i, _ := slices.BinarySearchFunc(l.Devices, entry.ID, byID)
		l.Devices = slices.Insert(slices.Clone(l.Devices), i, entry)
		b.touch(own)
		s.Ask = b.ask(s.Ask, b.putting(putList, p))
	}
}

// Due is when Tick has something to do; zero: nothing waits.
func (b *Book) Due() time.Time {
	at := b.spentDue()
	if b.state.Off {
		return at
	}
	for _, t := range []time.Time{b.state.Restore, b.state.Again, b.staleDue()} {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

// staleDue is when the bundle is to be published for what was used; zero: nothing was.
func (b *Book) staleDue() time.Time {
	if !b.stale || b.catchUp {
		return time.Time{}
	}
	return b.refreshed.Add(refreshEvery)
}

// Tick does what has become due. Call it while online.
func (b *Book) Tick() Step {
	var s Step
	now := b.now()
	b.forgetSpent()
	if r := b.state.Restore; !r.IsZero() && !now.Before(r) && !b.state.Off {
		b.state.Restore, b.changed = time.Time{}, true
		for _, p := range b.profiles {
			b.keepListed(&s, p)
		}
	}
	if t := b.state.Again; !t.IsZero() && !now.Before(t) && !b.state.Off {
		b.state.Again, b.changed = time.Time{}, true
		for _, p := range b.profiles {
			s.Ask = b.ask(s.Ask, asked{kind: getList, who: b.own, profile: p})
			if b.state.Published[p] == "" {
				s.Ask = b.ask(s.Ask, b.putting(putBundle, p))
			}
		}
		b.refresh(&s)
	}
	if t := b.staleDue(); !t.IsZero() && !now.Before(t) && !b.state.Off {
		b.refresh(&s)
	}
	return b.done(s)
}

// ownBundle compares the server's copy of our bundle with ours, and publishes ours
// where they differ: a server that keeps an old one makes others write what we cannot read.
func (b *Book) ownBundle(s *Step, p omemo.Profile, got *omemo.Bundle) {
	if b.catchUp && got != nil && got.Identity == b.device.Identity() {
		return
	}
	b.looked(p)
	content, _ := b.bundle(p)
	if got == nil || string(omemo.AppendBundle(nil, p, *got)) != string(content) {
		s.Ask = b.ask(s.Ask, b.putting(putBundle, p))
	}
}

// removedHere takes this device off the account for good: a person has removed it elsewhere.
func (b *Book) removedHere(s *Step) {
	if b.state.Off {
		return
	}
	b.state.Off, b.state.Restore, b.changed = true, time.Time{}, true
	s.Removed = true
}

// RemoveDevice takes a device of one's own off the list and its bundle away, in whose place it
// finds that it was removed. This very device too: then it stays off until Return. ErrNoKey when there is no such device.
func (b *Book) RemoveDevice(id uint32) (Step, error) {
	own := b.account(b.own)
	if !own.active(id) && id != b.device.ID {
		return Step{}, ErrNoKey
	}
	var s Step
	if id == b.device.ID {
		b.state.Off, b.changed = true, true
	} else if d := own.Devices[id]; d != nil && d.Key != "" {
		own.setTrust(d.Key, Refused) // whoever puts it back on the list, it reads nothing
	}
	for _, p := range b.profiles {
		end := buryBundle // first: it looks there when it misses itself on the list
		if id == b.device.ID {
			end = deleteBundle
		}
		s.Ask = b.ask(s.Ask, asked{kind: end, who: b.own, device: id, profile: p})
		l := own.listIn(p)
		if i, there := slices.BinarySearchFunc(l.Devices, id, byID); there {
			l.Devices = slices.Delete(slices.Clone(l.Devices), i, i+1)
			s.Ask = b.ask(s.Ask, b.putting(putList, p))
		}
	}
	b.touch(own)
	return b.done(s), nil
}

// Return puts this very device back, which RemoveDevice has taken off: its owner has signed in
// here again. The next Online publishes it.
func (b *Book) Return() Step {
	b.state.Off, b.state.Published, b.changed = false, nil, true
	return b.done(Step{})
}

// silence is how long an own device may be unheard of before it is offered for removal.
const silence = 90 * 24 * time.Hour

// Silent lists own devices not heard of for 90 days: to be offered for removal.
func (b *Book) Silent() []port.Device {
	var out []port.Device
	for _, d := range b.Devices(b.own) {
		dev := b.account(b.own).Devices[d.ID]
		if !d.Here && d.Active && b.now().Sub(dev.last()) > silence {
			out = append(out, d)
		}
	}
	return out
}
