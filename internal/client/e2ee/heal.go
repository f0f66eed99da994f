package e2ee

import (
	"time"

	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

// healEvery is how often a session with one device is begun anew by itself.
const healEvery = time.Hour

// CatchUp tells that messages of the archive begin (true), or that all have been handed to
// Decrypt (false). Until then no used pre-key is thrown away, no bundle replaced, no
// session healed and none answered: a later message may do with what there is.
// XEP-0384#rules
func (b *Book) CatchUp(on bool) Step {
	var s Step
	was := b.catchUp
	if b.catchUp = on; on || !was {
		return b.done(s)
	}
	b.forgetSpent()
	for _, a := range b.creditors() {
		for _, id := range a.ids() {
			b.pay(&s, a, id)
		}
		b.settle(a)
	}
	b.refresh(&s)
	return b.done(s)
}

// pay does what a device was owed when catch-up ended.
func (b *Book) pay(s *Step, a *account, id uint32) {
	d := a.Devices[id]
	for _, p := range b.profiles {
		switch {
		case d.Heal[p]:
			s.Ask = b.ask(s.Ask, asked{kind: getBundle, who: a.who, device: id, profile: p})
		case d.Answer[p]:
			b.empty(s, a, id, p)
		}
	}
}

// answer sends an empty message, or owes it to the device until catch-up ends.
func (b *Book) answer(s *Step, a *account, id uint32, p omemo.Profile) {
	if !b.catchUp {
		b.empty(s, a, id, p)
		return
	}
	d := a.Devices[id]
	if d.Answer == nil {
		d.Answer = map[omemo.Profile]bool{}
	}
	d.Answer[p] = true
	b.owe(a)
	b.touch(a)
}

// broken begins a new session with a device whose message no session opens, so that
// the next can be read: at most once an hour, and only with a listed device whose key, if it is known,
// is decided. The bundle is asked for; what it brings goes through meet as ever, so
// that a server that breaks messages on purpose gains no other key.
//
// XEP-0384 0.9 wants a person to ask for it; deployed clients heal by themselves, and
// whoever waits for a person loses messages meanwhile.
func (b *Book) broken(s *Step, who jid.JID, id uint32, p omemo.Profile) {
	a := b.known(who)
	if a == nil || !a.listed(p, id) {
		if a != nil || who == b.own {
			b.poke(s, who)
		}
		return
	}
	d := a.device(id, b.now())
	if t := a.trust(d.Key); d.Key != "" && t != FirstUse && t != Verified || b.now().Sub(d.Healed) < healEvery {
		return
	}
	b.heal(s, a, id, p)
}

func (b *Book) heal(s *Step, a *account, id uint32, p omemo.Profile) {
	d := a.device(id, b.now())
	d.Healed = b.now()
	if d.Heal == nil {
		d.Heal = map[omemo.Profile]bool{}
	}
	d.Heal[p] = true
	b.owe(a)
	b.touch(a)
	if !b.catchUp {
		s.Ask = b.ask(s.Ask, asked{kind: getBundle, who: a.who, device: id, profile: p})
	}
}

// Renew begins new sessions with all listed devices of an account: what a person may ask for
// when messages do not open.
// XEP-0384#rules
func (b *Book) Renew(who jid.JID) Step {
	var s Step
	a := b.account(who)
	for _, p := range b.profiles {
		for _, l := range a.listIn(p).Devices {
			if a.who != b.own || l.ID != b.device.ID {
				b.heal(&s, a, l.ID, p)
			}
		}
	}
	return b.done(s)
}
