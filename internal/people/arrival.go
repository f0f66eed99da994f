package people

import (
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// arrivalStep is how many contacts or requests are looked at in one go, and
// arrivalBytes how much one portion holds, unless a single stanza is larger.
const (
	arrivalStep  = 32
	arrivalBytes = 64 << 10
)

// arrival is what a session is owed once it is available: the presence of those
// that its account watches, then the requests that wait for an answer. It comes
// in portions, as the queue drains, so that others cannot fill the queue.
// RFC 6121 §4.2.2, §3.1.3
type arrival struct {
	people   *People
	session  *core.Session
	contacts []jid.JID     // not yet looked at
	after    string        // key of the last request looked at
	ready    []core.Packet // looked at and not yet handed out
}

// Next satisfies core.Source. What changes after it was looked at is pushed, and
// so comes behind all that is handed out here: the last word is the newest.
func (a *arrival) Next() []core.Packet {
	if len(a.ready) == 0 && len(a.contacts) > 0 {
		a.look()
		if len(a.ready) == 0 {
			return []core.Packet{}
		}
	}
	if len(a.ready) == 0 {
		if a.ready = a.requests(); a.ready != nil && len(a.ready) == 0 {
			return []core.Packet{}
		}
	}
	return a.portion()
}

// portion takes from what is ready; nil when nothing is.
func (a *arrival) portion() []core.Packet {
	n, size := 0, 0
	for n < len(a.ready) && (n == 0 || size+a.ready[n].Size() <= arrivalBytes) {
		size += a.ready[n].Size()
		n++
	}
	if n == 0 {
		return nil
	}
	packets := a.ready[:n:n]
	a.ready = a.ready[n:]
	return packets
}

// look takes the presence of the next contacts, each one's under that contact's
// lock.
func (a *arrival) look() {
	n := min(arrivalStep, len(a.contacts))
	me := a.session.JID.Bare()
	for _, c := range a.contacts[:n] {
		if len(a.people.router.Directory().Sessions(c)) > 0 && a.people.Subscribed(c, me) {
			a.people.each(c, func(s *core.Session) {
				if !a.people.router.Apart(s.JID, a.session.JID) {
					a.ready = append(a.ready, addressed(s.Presence().Stanza, me))
				}
			})
		}
	}
	a.contacts = a.contacts[n:]
}

// requests are the next kept requests but those of who was blocked since, nil when
// there are no more.
func (a *arrival) requests() []core.Packet {
	p, me := a.people, a.session.JID.Bare()
	from := a.after
	if from != "" {
		from += "\x00"
	}
	kept, err := p.asked.Scan(background(), me.String(), store.Range{From: from, Limit: arrivalStep})
	if err != nil {
		p.log.Error("subscription requests unreadable", "jid", me.String(), "err", err)
		return nil
	}
	if len(kept) == 0 {
		return nil
	}
	packets := []core.Packet{}
	for _, k := range kept {
		if who, err := jid.Parse(k.Key); err == nil && !p.router.Blocked(me, who) {
			packets = append(packets, core.Bytes(k.Value))
		}
	}
	a.after = kept[len(kept)-1].Key
	return packets
}
