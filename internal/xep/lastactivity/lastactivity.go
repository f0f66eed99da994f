// Package lastactivity tells how long an account has been away and how long the
// server has been up: Last Activity, XEP-0012 version 2.0. Whom an account lets
// know is its owner's choice, by urn:mirsal:privacy:0 (docs/protocol/privacy.md).
// Questions to a device go to the device, from those who may ask.
//
// An account was last active when its last available session became unavailable,
// to the minute. Invariants, each with a test: who may not see the presence of an
// account learns nothing, not even whether there is one, unless its owner lets
// everyone know; under "nobody" nothing is kept; presence writes nothing by
// itself: what changed is written once a minute, and what a crash cuts off is
// known to five.
//
// Locks. mu is held for single operations. writing is held while a minute's
// changes are written, and guards marked and beat.
package lastactivity

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/people"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

const ns = "jabber:iq:last"

// Last is the feature. Make it with New.
type Last struct {
	router *core.Router
	people *people.People
	kv     store.KV
	log    *slog.Logger
	began  time.Time

	seen    *store.Bucket
	here    *store.Bucket
	alive   *store.Bucket
	privacy *store.Bucket

	mu    sync.Mutex
	dirty map[jid.JID]change // not yet written

	writing sync.Mutex
	marked  map[jid.JID]struct{} // whom the store believes to be here
	beat    time.Time            // when alive was last written
}

// change is what became of an account.
type change struct {
	here   bool
	at     time.Time // when it went, rounded
	status string    // what it said then
}

// New makes the feature over its storage. Load is to be called before sessions
// are there, Flush after the last has ended.
func New(r *core.Router, kv store.KV, p *people.People, log *slog.Logger) *Last {
	return &Last{
		router: r, people: p, kv: kv, log: log, began: time.Now(),
		dirty: map[jid.JID]change{}, marked: map[jid.JID]struct{}{},
		seen: kv.Declare(store.Space{
			Name: "last-seen", Fields: "last: the minute in which the account was last online, and its status text then",
			Purpose: "tell contacts when one was last there (XEP-0012)", Export: true,
		}),
		here: kv.Declare(store.Space{
			Name: "last-seen-here", Fields: "here: nothing; there while the account is online",
			Purpose: "know after a crash who was online",
		}),
		alive: kv.Declare(store.Space{
			Name: "last-seen-server", Fields: "alive: the minute in which the server last ran",
			Purpose: "know after a crash when that was", Until: "the next minute in which it runs",
		}),
		privacy: kv.Declare(store.Space{
			Name: "privacy", Fields: "last-seen: who may know when the account was last online",
			Purpose: "people decide who may know of them", Export: true,
		}),
	}
}

// Register attaches the feature.
func (l *Last) Register(h *core.Host) {
	h.IQ(core.Server, ns, "query", l.uptime)
	h.IQ(core.Account, ns, "query", l.query)
	h.IQ(core.Account, nsPrivacy, "privacy", l.setting)
	h.Screen = append(h.Screen, l.screen)
	h.Bound = append(h.Bound, l.bound)
	h.AccountGone = append(h.AccountGone, l.forget)
	h.Every(flushEvery, func(time.Time) { l.Flush() })
	l.people.OnAvailable = append(l.people.OnAvailable, l.available)
	l.people.OnUnavailable = append(l.people.OnUnavailable, l.unavailable)
	// XEP-0012#support
	h.Disco(core.Server, ns)
	h.Disco(core.Account, ns, nsPrivacy)
}

// uptime tells how long the server has been running.
// XEP-0012#server
func (l *Last) uptime(q *core.Query) ([]byte, error) {
	if q.Set() {
		return nil, stanza.Errorf(stanza.NotAllowed, "")
	}
	return answer(time.Since(l.began), ""), nil
}

// query tells how long an account has been away: 0 while it is here.
// XEP-0012#offline
func (l *Last) query(q *core.Query) ([]byte, error) {
	owner := q.Head.To
	if err := l.allow(q.Ctx, owner, q.Asker()); err != nil {
		return nil, err
	}
	if q.Set() {
		return nil, stanza.Errorf(stanza.NotAllowed, "")
	}
	if l.online(owner) {
		return answer(0, ""), nil
	}
	c, err := l.last(q.Ctx, owner)
	if err != nil {
		return nil, err
	}
	return answer(time.Now().Truncate(grain).Sub(c.at), c.status), nil
}

// screen keeps questions to devices from those who may not see that there are any.
// XEP-0012#online
func (l *Last) screen(t *core.Transit) error {
	from, to := t.Head.From.Bare(), t.Head.To.Bare()
	if t.Head.Kind != stanza.IQ || !t.Head.IsRequest() || !t.Head.To.IsFull() || from == to || !t.Elem.First().Is(ns, "query") {
		return nil
	}
	if !l.people.Subscribed(to, from) {
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	return l.allow(context.Background(), to, from)
}

func (l *Last) online(owner jid.JID) bool {
	for _, s := range l.router.Directory().Sessions(owner) {
		if s.Presence() != nil {
			return true
		}
	}
	return false
}

// bound takes up a session that an earlier run of the server left.
func (l *Last) bound(s *core.Session) {
	if s.Presence() != nil {
		l.available(s)
	}
}

func (l *Last) available(s *core.Session) { l.note(s.JID.Bare(), change{here: true}) }

// unavailable runs under people's lock of the account.
func (l *Last) unavailable(s *core.Session, st *stanza.Stanza) {
	if owner := s.JID.Bare(); !l.online(owner) {
		l.note(owner, change{at: time.Now().Truncate(grain), status: statusOf(st)})
	}
}

func (l *Last) note(owner jid.JID, c change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty[owner] = c
}

func (l *Last) forget(owner jid.JID) {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.dirty, owner)
	delete(l.marked, owner)
}
