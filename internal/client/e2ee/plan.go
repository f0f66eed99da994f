package e2ee

import (
	"slices"
	"time"

	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

// reach is what can be done for one device now.
type reach uint8

const (
	missing   reach = iota // no key of it is to be had
	waiting                // its bundle is to be asked for, or on its way
	undecided              // a person must decide about its key
	refused                // a person has refused its key
	ready                  // there is a session with a decided key
)

// target is one device of a plan.
type target struct {
	a       *account
	id      uint32
	profile omemo.Profile // in which it is written to
	reach   reach
	why     string // Why… of everything but ready
	changed bool   // another key is offered for it
	trust   Trust  // of its key, when ready
	session sessionKey
	ratchet *omemo.Session
}

// plan is who a message would be encrypted to: the one source of Needs, Lock,
// and Encrypt, so that they cannot disagree.
type plan struct {
	people  []*account // recipients, by address; never empty
	targets []target   // their devices and one's own others, by address and number
	lists   bool       // a list is to be asked for, or on its way
}

// plan looks at the recipients. One's own address among others is ignored; alone it
// stands for one's own other devices.
func (b *Book) plan(to []jid.JID) (plan, error) {
	people := b.people(to)
	all := people
	if own := b.account(b.own); !slices.Contains(people, own) {
		all = append(slices.Clone(people), own)
	}
	pl := plan{people: people}
	for _, a := range all {
		for _, p := range b.profiles {
			pl.lists = pl.lists || b.wantsList(a, p)
		}
		for _, id := range b.announced(a) {
			t, err := b.target(a, id)
			if err != nil {
				return plan{}, err
			}
			pl.targets = append(pl.targets, t)
		}
	}
	return pl, b.failed
}

// people are the accounts that must be able to read.
func (b *Book) people(to []jid.JID) []*account {
	var out []*account
	for _, who := range to {
		if who = who.Bare(); who != b.own && !who.IsZero() {
			out = append(out, b.account(who))
		}
	}
	if len(out) == 0 {
		return []*account{b.account(b.own)}
	}
	slices.SortFunc(out, func(x, y *account) int { return compare(x.who, y.who) })
	return slices.Compact(out)
}

func compare(x, y jid.JID) int {
	switch {
	case x.String() < y.String():
		return -1
	case x == y:
		return 0
	}
	return 1
}

// announced are the devices of an account on any of its lists, but not this very one.
func (b *Book) announced(a *account) (ids []uint32) {
	for _, p := range b.profiles {
		for _, d := range a.listOf(p) {
			if a.who != b.own || d.ID != b.device.ID {
				ids = append(ids, d.ID)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// target looks at one listed device in the first profile that it announces, and in the next where
// no key of it is to be had in that one. Its key is the same in both.
func (b *Book) target(a *account, id uint32) (t target, err error) {
	for _, p := range b.profiles {
		if !a.listed(p, id) {
			continue
		}
		if t, err = b.targetIn(a, id, p); err != nil || t.reach != missing {
			break
		}
	}
	return t, err
}

func (b *Book) targetIn(a *account, id uint32, p omemo.Profile) (target, error) {
	t := target{a: a, id: id, profile: p, why: WhyNoKey}
	d := a.Devices[id]
	if d != nil && d.Key != "" {
		t.changed = d.Offered != ""
		t.trust = a.trust(d.Key)
		switch t.trust {
		case Refused:
			t.reach, t.why = refused, WhyRefused
			return t, nil
		case Undecided:
			t.reach, t.why = undecided, b.whyUndecided(a, d.Key)
			return t, nil
		}
		var err error
		if t.session, t.ratchet, err = b.front(a, id, p); err != nil {
			return t, err
		}
		if t.ratchet != nil {
			t.reach, t.why = ready, ""
			return t, nil
		}
	}
	if b.wantsBundle(a, id, p) {
		t.reach, t.why = waiting, WhyWaiting
	}
	return t, nil
}

func (b *Book) whyUndecided(a *account, fingerprint string) string {
	if owner := b.owner(fingerprint); !owner.IsZero() && owner != a.who {
		return WhyForeign
	}
	return WhyNewKey
}

// How old a list may be before it is asked for again. Contacts' changes are pushed;
// this is for members of rooms, and for pushes that got lost.
const (
	listLife  = 12 * time.Hour
	emptyLife = 10 * time.Minute
)

// wantsList tells whether a list is on its way or should be asked for.
func (b *Book) wantsList(a *account, p omemo.Profile) bool {
	l := a.Lists[p]
	if b.asked[asked{kind: getList, who: a.who, profile: p}] || l == nil {
		return true
	}
	now := b.now()
	if now.Before(l.Next) {
		return false
	}
	life := listLife
	if len(b.announced(a)) == 0 {
		life = emptyLife
	}
	return now.Sub(l.Told) >= life
}

// wantsBundle tells whether a bundle is on its way or should be asked for.
func (b *Book) wantsBundle(a *account, id uint32, p omemo.Profile) bool {
	if b.asked[asked{kind: getBundle, who: a.who, device: id, profile: p}] {
		return true
	}
	d := a.Devices[id]
	return d == nil || !b.now().Before(d.Fetch[p].Next)
}

// Needs is what must be asked before a message to these (bare; own others are added) can be
// encrypted. waiting: something is still under way, these included: hand in the answers and ask
// again. It is never waiting for what failed a short while ago.
func (b *Book) Needs(to []jid.JID) (ask []Request, wait bool) {
	pl, err := b.plan(to)
	if err != nil {
		return nil, false
	}
	all := pl.people
	if own := b.account(b.own); !slices.Contains(all, own) {
		all = append(slices.Clone(all), own)
	}
	for _, a := range all {
		for _, p := range b.profiles {
			if b.wantsList(a, p) {
				ask = b.ask(ask, asked{kind: getList, who: a.who, profile: p})
			}
		}
	}
	for _, t := range pl.targets {
		// A list on its way may tell of a profile that comes before.
		if t.reach == waiting && (t.profile == b.profiles[0] || !pl.lists) {
			ask = b.ask(ask, asked{kind: getBundle, who: t.a.who, device: t.id, profile: t.profile})
		}
	}
	return ask, pl.waits()
}

// waits tells whether an answer could still change the plan.
func (pl *plan) waits() bool {
	return pl.lists || slices.ContainsFunc(pl.targets, func(t target) bool { return t.reach == waiting })
}

// standing is what a plan comes to for one account.
type standing struct {
	readers, undecided, waiting, refused, missing int
	changed                                       string // why a person must decide, "" for no reason
}

// standings is what the plan comes to for each account that has a target in it; for
// the others it is the zero standing.
func (pl *plan) standings() map[*account]standing {
	out := map[*account]standing{}
	for _, t := range pl.targets {
		s := out[t.a]
		s.count(t)
		out[t.a] = s
	}
	return out
}

func (s *standing) count(t target) {
	switch t.reach {
	case ready:
		s.readers++
	case undecided:
		s.undecided++
		s.changed = t.why
	case waiting:
		s.waiting++
		if t.a.compared() && t.a.Devices[t.id].unknown() {
			s.changed = WhyNewKey
		}
	case refused:
		s.refused++
	default:
		s.missing++
	}
	if t.changed {
		s.changed = WhyChanged
	}
}

func (d *device) unknown() bool { return d == nil || d.Key == "" }

// why tells what is in the way of an account without a reader and without a question.
func (s standing) why(lists bool) string {
	switch {
	case s.waiting > 0 || lists && s == (standing{}):
		return WhyWaiting
	case s.refused > 0:
		return WhyRefused
	case s.missing > 0:
		return WhyNoKey
	}
	return WhyNoDevice
}

// lock says what the plan comes to, by the table of the package comment.
func (pl *plan) lock() port.Lock {
	broken, changed := port.Lock{State: port.Broken}, port.Lock{State: port.Changed}
	seen, stands := map[*account]bool{}, pl.standings()
	look := func(a *account, needed bool) {
		if seen[a] {
			return
		}
		seen[a] = true
		s := stands[a]
		if s.changed != "" {
			changed.Why = s.changed
			changed.Missing = append(changed.Missing, a.who.String())
		} else if needed && s.readers == 0 {
			broken.Why = s.why(pl.lists)
			broken.Missing = append(broken.Missing, a.who.String())
		}
	}
	for _, a := range pl.people {
		look(a, true)
	}
	for _, t := range pl.targets {
		look(t.a, false)
	}
	switch {
	case broken.Why != "":
		return broken
	case changed.Why != "":
		return changed
	}
	return port.Lock{State: pl.readers(), Missing: pl.unreached()}
}

// readers is Verified when every reader's key was compared.
func (pl *plan) readers() port.LockState {
	for _, t := range pl.targets {
		if t.reach == ready && t.trust != Verified {
			return port.Locked
		}
	}
	return port.Verified
}

// unreached names the accounts that have a device which cannot read, other than by
// a person's decision.
func (pl *plan) unreached() []string {
	var out []string
	for _, t := range pl.targets { // an account's stand together
		if who := t.a.who.String(); (t.reach == missing || t.reach == waiting) && (len(out) == 0 || out[len(out)-1] != who) {
			out = append(out, who)
		}
	}
	return out
}

// refusal is why the plan makes no message, nil when it makes one.
func (pl *plan) refusal() error {
	if pl.waits() {
		return ErrWaiting
	}
	var err error
	stands := pl.standings()
	for _, a := range pl.people {
		switch s := stands[a]; {
		case s.readers > 0:
		case s.changed != "":
			if err == nil {
				err = ErrUndecided
			}
		default:
			err = ErrNobody
		}
	}
	return err
}

// spoken are the profiles in which somebody is written to.
func (pl *plan) spoken() (out []omemo.Profile) {
	for _, p := range []omemo.Profile{omemo.Legacy, omemo.Two} {
		if slices.ContainsFunc(pl.targets, func(t target) bool { return t.reach == ready && t.profile == p }) {
			out = append(out, p)
		}
	}
	return out
}

// tooMany tells whether readers would refuse the message for its number of keys.
func (pl *plan) tooMany() bool {
	n := 0
	for _, t := range pl.targets {
		if t.reach == ready {
			n++
		}
	}
	return n > omemo.MaxKeys
}

// report says who of the plan can read and who cannot.
func (pl *plan) report() Report {
	var r Report
	for _, t := range pl.targets {
		ref := Ref{t.a.who, t.id}
		if t.reach == ready {
			r.Reached = append(r.Reached, ref)
		} else {
			r.Missed = append(r.Missed, Miss{ref, t.why})
		}
	}
	return r
}

// Lock is what a message sent now would be (table in the package comment). It is never
// Open: that a person has switched encryption off is known elsewhere. room is zero in
// a chat of two.
func (b *Book) Lock(to []jid.JID, room jid.JID) port.Lock {
	pl, err := b.plan(to)
	if err != nil {
		return port.Lock{State: port.Broken, Why: WhyUnread}
	}
	return pl.lock()
}

// Plain is the lock of a message that came without encryption; chat is the contact
// or the room.
func (b *Book) Plain(chat jid.JID) port.Lock {
	if b.Encrypted(chat) {
		return port.Lock{State: port.Open, Why: WhyStripped}
	}
	return port.Lock{State: port.Open, Why: WhyPlain}
}
