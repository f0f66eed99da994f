package e2ee

import (
	"slices"
	"time"

	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// Features are what entity capabilities must name for lists to be pushed.
// XEP-0163#notify
func (b *Book) Features() []string {
	var out []string
	for _, p := range b.profiles {
		out = append(out, p.DevicesNode()+"+notify")
	}
	return out
}

// Event takes the <event/> child of a message, and from as the stanza says it: only a bare
// address, or none (one's own account), speaks for an account. False: it is not about OMEMO.
func (b *Book) Event(from jid.JID, event xtok.Elem) (Step, bool) {
	var s Step
	for _, p := range b.profiles {
		list, gone := eventOf(event, p.DevicesNode())
		if !list.OK() {
			continue
		}
		if from.IsZero() {
			from = b.own
		}
		if a := b.known(from); a != nil || from == b.own {
			b.event(&s, b.account(from), p, list, gone)
		}
		return b.done(s), true
	}
	return s, false
}

// eventOf finds what an event says of a node; gone: the node or what was in it went.
func eventOf(event xtok.Elem, name string) (list xtok.Elem, gone bool) {
	if !event.Is(nsEvent, "event") {
		return xtok.Elem{}, false
	}
	for c := range event.Children() {
		if c.AttrIs("node", name) {
			return c, c.Is(nsEvent, "purge") || c.Is(nsEvent, "delete")
		}
	}
	return xtok.Elem{}, false
}

func (b *Book) event(s *Step, a *account, p omemo.Profile, items xtok.Elem, gone bool) {
	if gone {
		b.told(s, a, p, nil)
		return
	}
	payload, ok := itemOf(items, nsEvent, p.DevicesNode(), "current")
	if !ok || !payload.OK() {
		return // a notice without its content, or of a retraction: nothing is told
	}
	if q, devices, err := omemo.ReadDevices(payload); err == nil && q == p {
		b.told(s, a, p, devices)
	}
}

// listAnswer reads the answer to a question for a list.
func (b *Book) listAnswer(s *Step, what asked, iq xtok.Elem) {
	a := b.account(what.who)
	devices, ok := readList(iq, what.profile)
	if ok {
		b.told(s, a, what.profile, devices)
		return
	}
	if b.forgives(what, iq) {
		return
	}
	l := a.listIn(what.profile)
	l.Failed++
	l.Lost = !iq.OK()
	l.Next = b.now().Add(backoff(l.Failed))
	b.touch(a)
}

// readList: no node, or nothing in it, is an empty list.
func readList(iq xtok.Elem, p omemo.Profile) ([]omemo.Listed, bool) {
	if isMissing(iq) {
		return nil, true
	}
	if !isResult(iq) {
		return nil, false
	}
	payload, ok := itemOf(iq.Child(nsPubSub, "pubsub").Child(nsPubSub, "items"), nsPubSub, p.DevicesNode(), "current")
	if !ok || !payload.OK() {
		return nil, ok
	}
	q, devices, err := omemo.ReadDevices(payload)
	return devices, err == nil && q == p
}

// told takes an account's list as the server tells it now.
func (b *Book) told(s *Step, a *account, p omemo.Profile, devices []omemo.Listed) {
	l := a.listIn(p)
	before, first := l.Devices, l.Told.IsZero() && (a.firstTold(p) || a.fresh(b.now()))
	met := a.met()
	*l = list{Devices: a.bounded(p, devices, b.own, b.device.ID), Told: b.now()}
	for _, d := range l.Devices {
		if dev := a.device(d.ID, b.now()); a.who != b.own || d.ID != b.device.ID {
			later := !first && slices.ContainsFunc(met, func(id uint32) bool { return id != d.ID })
			b.news(s, a, p, d.ID, newcomer{before: before, first: first, later: later}, dev)
		}
	}
	for _, d := range before {
		if !a.active(d.ID) {
			b.gone(s, a, p, d.ID)
		}
	}
	b.touch(a)
	if a.who == b.own {
		b.keepListed(s, p)
	}
}

// bounded puts a list in the order of numbers and cuts it to maxListed: a device already
// known is never pushed out by many new ones.
func (a *account) bounded(p omemo.Profile, devices []omemo.Listed, own jid.JID, here uint32) []omemo.Listed {
	devices = slices.Clone(devices)
	slices.SortStableFunc(devices, func(x, y omemo.Listed) int { return byID(x, y.ID) })
	devices = slices.CompactFunc(devices, func(x, y omemo.Listed) bool { return x.ID == y.ID })
	if len(devices) <= maxListed {
		return devices
	}
	known := func(d omemo.Listed) bool {
		dev := a.Devices[d.ID]
		return a.who == own && d.ID == here || dev != nil && (dev.Key != "" || a.listed(p, d.ID))
	}
	slices.SortStableFunc(devices, func(x, y omemo.Listed) int {
		switch kx, ky := known(x), known(y); {
		case kx && !ky:
			return -1
		case ky && !kx:
			return 1
		}
		return 0
	})
	devices = devices[:maxListed]
	slices.SortFunc(devices, func(x, y omemo.Listed) int { return byID(x, y.ID) })
	return devices
}

// newcomer is what a list was when a device came onto it.
type newcomer struct {
	before []omemo.Listed
	first  bool // no list of the account was told before
	later  bool // and another device of the account was met before
}

// news tells people of a device that was not on any list before: of one's own, of an account of
// which a key was compared, and of any other that had devices already. Those with which somebody
// is met are none.
func (b *Book) news(s *Step, a *account, p omemo.Profile, id uint32, n newcomer, d *device) {
	if slices.ContainsFunc(n.before, func(x omemo.Listed) bool { return x.ID == id }) || a.elsewhere(p, id) {
		return
	}
	// A bundle that was not there may be there now.
	delete(d.Fetch, p)
	met := d.Met
	d.Met = true
	switch t := a.trust(d.Key); {
	case d.Key != "" && (t == Verified || met && t == FirstUse): // back again, and known
	case t == Refused && a.who != b.own: // it gets nothing
	case a.who == b.own && !n.first:
		s.alert(a.who, id, "own-device")
	case a.who != b.own && (n.later || a.compared()):
		s.alert(a.who, id, "new-device")
	}
}

// met are the devices of an account that were on a list, or that have spoken.
func (a *account) met() (ids []uint32) {
	for id, d := range a.Devices {
		if d.Met || d.Key != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// unlisted tells people of a device that is on no list and whose key is met by what it
// has written: a server could let it speak first, so that it is known when it is listed, or never
// list it. Of others' devices only one that comes beside those that are known is news.
func (b *Book) unlisted(s *Step, a *account, id uint32) {
	d, kind := a.Devices[id], "own-device"
	told := slices.ContainsFunc(b.profiles, func(p omemo.Profile) bool { return a.Lists[p] != nil && !a.Lists[p].Told.IsZero() })
	if d.Met || !told || a.active(id) || a.trust(d.Key) == Verified {
		return
	}
	if a.who != b.own {
		if kind = "new-device"; len(a.met()) < 2 {
			return
		}
	}
	d.Met = true
	b.touch(a)
	s.alert(a.who, id, kind)
}

// elsewhere tells whether the device is on the list of another profile.
func (a *account) elsewhere(p omemo.Profile, id uint32) bool {
	for q := range a.Lists {
		if q != p && a.listed(q, id) {
			return true
		}
	}
	return false
}

// firstTold tells whether no other profile's list was told before.
func (a *account) firstTold(p omemo.Profile) bool {
	for q, l := range a.Lists {
		if q != p && !l.Told.IsZero() {
			return false
		}
	}
	return true
}

// fresh tells whether no device of the account has been known for long: both lists are asked for when
// somebody is met, and the one that is told first makes those of the other no news.
func (a *account) fresh(now time.Time) bool {
	for _, d := range a.Devices {
		if now.Sub(d.Since) > time.Minute {
			return false
		}
	}
	return true
}

// gone tells people of a device that left: one's own, or one that was compared. Whether a person
// has removed one's own stands in place of its bundle.
func (b *Book) gone(s *Step, a *account, p omemo.Profile, id uint32) {
	d := a.Devices[id]
	if d == nil || a.who == b.own && id == b.device.ID {
		return
	}
	if a.who == b.own {
		s.Ask = b.ask(s.Ask, asked{kind: lookBundle, who: a.who, device: id, profile: p})
	}
	if a.who == b.own || a.trust(d.Key) == Verified {
		s.alert(a.who, id, "removed")
	}
}

// pokeEvery is how often poke asks for the same account's.
const pokeEvery = 5 * time.Minute

// poke asks for an account's lists out of turn, since what came tells that they are stale: not
// more often than pokeEvery.
func (b *Book) poke(s *Step, who jid.JID) {
	if b.now().Sub(b.poked[who]) < pokeEvery {
		return
	}
	b.poked[who] = b.now()
	for _, p := range b.profiles {
		s.Ask = b.ask(s.Ask, asked{kind: getList, who: who, profile: p})
	}
}
