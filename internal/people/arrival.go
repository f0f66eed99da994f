package people

import (
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// arrivalStep is how many contacts or requests one portion looks at.
const arrivalStep = 32

// arrival is what a session is owed once it is available: the presence of those
// that its account watches, then the requests that wait for an answer. It comes
// in portions, as the queue drains.
// RFC 6121 §4.2.2, §3.1.3
type arrival struct {
	people   *People
	session  *core.Session
	contacts []jid.JID // not yet looked at
	after    string    // key of the last request shown
}

// Next pushes the next portion itself, each contact's presence under that
// contact's lock: so a newer presence never comes before an older one. It runs
// on the session's writer.
func (a *arrival) Next() []core.Packet {
	if len(a.contacts) == 0 {
		return a.requests()
	}
	n := min(arrivalStep, len(a.contacts))
	me := a.session.JID.Bare()
	for _, c := range a.contacts[:n] {
		if len(a.people.router.Directory().Sessions(c)) > 0 && a.people.Subscribed(c, me) {
			a.people.each(c, func(s *core.Session) { a.session.Push(addressed(s.Presence().Stanza, me)) })
		}
	}
	a.contacts = a.contacts[n:]
	return []core.Packet{}
}

// requests are the next kept requests, nil when there are no more.
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
	packets := make([]core.Packet, len(kept))
	for i, k := range kept {
		packets[i] = core.Bytes(k.Value)
	}
	a.after = kept[len(kept)-1].Key
	return packets
}
