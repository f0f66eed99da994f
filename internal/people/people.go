// Package people is who knows whom: rosters, presence subscriptions and
// presence itself, as RFC 6121 §2 to §4 and §A define them, for the accounts
// of one domain. Addresses of other domains are answered with
// remote-server-not-found. It is no block list and keeps no capabilities.
//
// Invariants, each with a test:
//   - what a roster result or push shows is durable, and pushes come in the
//     order of the changes;
//   - presence goes to nobody who is not subscribed, except where its sender
//     directed it;
//   - who was told "available" is told "unavailable" when the session ends;
//   - an account that does not exist and one that does not answer look the same.
//
// Locks. People.lock is one account's lock (striped): it is held while that
// account's roster is written and while its presence is pushed, which gives both
// their order. Nobody holds it for two accounts. The cache's and a roster's own
// lock are held for single look-ups.
package people

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// People is the one domain of rosters and presence. Make it with New.
type People struct {
	// OnPresence hears every available presence that a session broadcasts, on its
	// reader; e is valid during the call, initial tells that the session was
	// unavailable before. Added before start.
	OnPresence []func(s *core.Session, e xtok.Elem, initial bool)
	// OnAvailable hears when a session that was unavailable became available, on
	// its reader, after the broadcast and after OnPresence. Added before start.
	OnAvailable []func(s *core.Session)
	// OnSubscribed hears that watcher may from now on see owner's presence. It
	// runs after both rosters are durable and may block. Added before start.
	OnSubscribed []func(owner, watcher jid.JID)
	// Vouch tells whether owner has promised asker, who sends this request, to be his
	// contact: then the two are, and nobody is asked. It may block. Added before start.
	Vouch []func(owner, asker jid.JID, request xtok.Elem) bool
	// OnUnavailable hears when a session that was available no longer is, with what
	// was broadcast of that. It runs under the account's lock and must not block.
	// Added before start.
	OnUnavailable []func(s *core.Session, st *stanza.Stanza)
	// OnFarewell hears the same, and of sessions besides that broadcast their leave
	// without having been available: they showed themselves to some addresses only.
	// Added before start.
	OnFarewell []func(s *core.Session, st *stanza.Stanza)
	// Stamp may edit, by t.Edit, an available presence that goes out, broadcast or
	// directed. It runs under the account's lock, may block on storage and does not
	// call back. Added before start.
	Stamp []func(t *core.Transit)

	router *core.Router
	log    *slog.Logger
	kv     store.KV
	roster *store.Bucket
	state  *store.Bucket // the version of a roster
	asked  *store.Bucket // requests that wait for an answer
	cache  *cache

	locks stripes

	mu       sync.Mutex // guards directed; held for single operations
	directed map[*core.Session]map[jid.JID]struct{}

	run sync.WaitGroup // goroutines that tell of sessions gone
}

// New makes the domain over its storage.
func New(r *core.Router, kv store.KV, log *slog.Logger) *People {
	return &People{
		router: r, log: log, kv: kv, cache: newCache(cacheBytes), locks: stripes{seed: maphash.MakeSeed()},
		directed: map[*core.Session]map[jid.JID]struct{}{},
		roster: kv.Declare(store.Space{
			Name: "roster", Fields: "contact's address -> name, groups, subscription",
			Purpose: "the contact list of an account", Export: true,
		}),
		state: kv.Declare(store.Space{
			Name: "roster-version", Fields: "the roster's current version, an opaque word",
			Purpose: "so that clients fetch a roster only when it changed (RFC 6121 §2.6)",
		}),
		asked: kv.Declare(store.Space{
			Name: "roster-requests", Fields: "asker's address -> the subscription request as it was sent",
			Purpose: "to show a request again until it is answered (RFC 6121 §3.1.3)", Export: true,
		}),
	}
}

// Register attaches the handlers.
func (p *People) Register(h *core.Host) {
	h.Presence(p.presence)
	h.IQ(core.Account, nsRoster, "query", p.rosterIQ)
	h.Gone = append(h.Gone, p.gone)
	h.AccountGone = append(h.AccountGone, p.accountGone)
	h.Stream(core.StreamFeature{Offer: offer})
	d := h.DiscoAt(core.Account)
	d.Allow = append(d.Allow, p.allow)
}

// offer tells of roster versions and of pre-approval, once logged in.
func offer(st core.Stream) []byte {
	if st.Account().IsZero() {
		return nil
	}
	// RFC 6121 §2.6.1, §3.4.1
	return []byte("<ver xmlns='urn:xmpp:features:rosterver'/><sub xmlns='urn:xmpp:features:pre-approval'/>")
}

// allow keeps strangers from discovering an account: they hear what they would
// hear of one that does not exist.
// XEP-0030 §8
func (p *People) allow(q *core.Query) error {
	if p.Subscribed(q.Head.To.Bare(), q.Asker()) {
		return nil
	}
	return stanza.Errorf(stanza.ServiceUnavailable, "")
}

// Wait waits until the ends of all sessions that are gone have been told.
// Called once, after the last session has ended and before the store closes.
func (p *People) Wait() { p.run.Wait() }

// lock takes the lock of one account; the result gives it back.
func (p *People) lock(bare jid.JID) (unlock func()) {
	m := p.locks.of(bare)
	m.Lock()
	return m.Unlock
}

// background is the context of work that no request waits for.
func background() context.Context { return context.Background() }

// Subscribed tells whether watcher may see owner's presence: he is the owner or
// has a subscription. Both are bare. When the roster cannot be read it says no.
func (p *People) Subscribed(owner, watcher jid.JID) bool {
	if owner == watcher {
		return true
	}
	return p.item(owner, watcher).State.From()
}

// Contact is owner's roster item for an address; ok is false when there is none.
func (p *People) Contact(owner, contact jid.JID) (item Item, ok bool) {
	item = p.item(owner, contact)
	return item, item.Listed
}

// Groups are the roster groups in which owner has put contact.
func (p *People) Groups(owner, contact jid.JID) []string { return p.item(owner, contact).Groups }

// Contacts are the items of owner's roster, in no order. The items are shared:
// nobody changes their groups.
func (p *People) Contacts(owner jid.JID) []Item {
	r, ok := p.look(owner)
	if !ok {
		return nil
	}
	return r.list(func(i *Item) bool { return i.Listed })
}

// Watchers are those who may see owner's presence, himself excepted.
func (p *People) Watchers(owner jid.JID) []jid.JID {
	r, ok := p.look(owner)
	if !ok {
		return nil
	}
	return r.who(State.From)
}

// Watched are those whose presence owner may see, as far as owner's own roster
// knows; Subscribed asks theirs.
func (p *People) Watched(owner jid.JID) []jid.JID {
	r, ok := p.look(owner)
	if !ok {
		return nil
	}
	return r.who(State.To)
}

func (p *People) item(owner, contact jid.JID) Item {
	r, ok := p.look(owner)
	if !ok {
		return Item{JID: contact}
	}
	return r.get(contact)
}

// look loads a roster for those who have nobody to tell of an error.
func (p *People) look(owner jid.JID) (*roster, bool) {
	if !p.router.Local(owner) || owner.Local() == "" {
		return nil, false
	}
	r, err := p.load(background(), owner)
	if err != nil {
		p.log.Error("roster unreadable", "jid", owner.String(), "err", err)
		return nil, false
	}
	return r, true
}
