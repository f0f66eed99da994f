// Package offline gives people what arrived while they were away, XEP-0160
// version 1.0.1, out of the archive: there is no second queue. Copies say by
// XEP-0203 when they came.
//
// Each account has a cursor: what lies up to it has reached one of its sessions.
// A session that becomes available is fed what lies behind the cursor, unless it
// reads the archive by itself. Invariants: what is fed comes in the archive's
// order, and nothing new overtakes it; a session is given a message once; the
// cursor passes only what was acknowledged (or, without stream management,
// written).
package offline

import (
	"log/slog"
	"sync"

	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// Offline is the feature.
type Offline struct {
	router  *core.Router
	archive *archive.Archive
	cursors *archive.Cursors
	log     *slog.Logger
	states  sync.Map // *core.Session to *state, of all sessions

	kv   store.KV
	owed *store.Bucket
	run  sync.WaitGroup // goroutines that write down what is owed
}

// New makes the feature. Its method Presence must be among people's OnPresence.
func New(r *core.Router, a *archive.Archive, kv store.KV, log *slog.Logger) *Offline {
	return &Offline{router: r, archive: a, cursors: a.Cursors(), log: log, kv: kv, owed: kv.Declare(store.Space{
		Name: "offline-owed", Fields: "place in the archive of a message that only a session which is gone was given",
		Purpose: "give it to the next one",
	})}
}

// Wait waits until what sessions that are gone were owed is written down.
// Called once, after the last session has ended and before the store closes.
func (o *Offline) Wait() { o.run.Wait() }

// Register attaches the feature.
func (o *Offline) Register(h *core.Host) {
	h.Bound = append(h.Bound, o.bound)
	h.Gone = append(h.Gone, o.gone)
	h.Deliver = append(h.Deliver, o.deliver)
	h.Delivered = append(h.Delivered, o.delivered)
	// XEP-0160#disco
	h.Disco(core.Server, "msgoffline")
}

// state is what one session has been given.
type state struct {
	mu sync.Mutex
	// seen is the presence, as it was sent, that Presence has been told of. Another one is about to
	// be: until then nothing is given to the session.
	seen    *core.Presence
	feeding bool
	upTo    uint64 // everything for the session up to here was given to it
	// held are the places of the first and last message kept back for the feed.
	heldFrom, held uint64
	// early were given while the session was not available: by its full JID.
	early map[uint64]struct{}
}

// mostEarly bounds state.early. One more comes a second time.
const mostEarly = 256

func (o *Offline) bound(s *core.Session) {
	// a session that a restart brought back is available already
	o.states.Store(s, &state{seen: s.Presence().Sent()})
}

func (o *Offline) state(s *core.Session) *state {
	st, _ := o.states.Load(s)
	if st == nil {
		return nil
	}
	return st.(*state)
}

// deliver holds back what would overtake what is being fed: the feed will come
// to it.
func (o *Offline) deliver(s *core.Session, t *core.Transit) core.Verdict {
	seq := t.SeqFor(s.JID.Bare())
	st := o.state(s)
	if seq == 0 || st == nil || !waits(t, s.JID.Bare()) {
		return core.Pass
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	p := s.Presence()
	switch {
	case st.feeding:
		st.hold(seq)
		return core.Hold
	case seq <= st.upTo:
		// the feed found it in the archive before it was released
		return core.Drop
	case p == nil || p.Priority < 0:
		st.gaveEarly(seq)
		return core.Pass
	case p.Sent() != st.seen:
		st.hold(seq)
		return core.Hold
	}
	st.upTo = seq
	return core.Pass
}

// hold leaves a message to the feed; under mu.
func (st *state) hold(seq uint64) {
	if st.heldFrom == 0 {
		st.heldFrom = seq
	}
	st.held = seq
}

// waits tells whether a message would wait for an owner who is away, so that a
// feed comes to it.
func waits(t *core.Transit, owner jid.JID) bool {
	for i := range t.Owners {
		if o := &t.Owners[i]; o.JID == owner {
			return o.Flags&archive.Offline != 0
		}
	}
	return false
}

func (st *state) gaveEarly(seq uint64) {
	if len(st.early) >= mostEarly {
		return
	}
	if st.early == nil {
		st.early = map[uint64]struct{}{}
	}
	st.early[seq] = struct{}{}
}

func (st *state) anyEarly() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.early) > 0
}

// Presence hears of each available presence that a session broadcasts, on its
// reader; see people.OnPresence.
// XEP-0160#flow
func (o *Offline) Presence(s *core.Session, _ xtok.Elem, initial bool) {
	st := o.state(s)
	if st == nil {
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	was := st.seen
	st.seen = s.Presence().Sent()
	if !s.Online() || st.feeding {
		return
	}
	came := initial || was == nil || was.Priority < 0
	if came || st.heldFrom > 0 {
		o.feed(s, st, came)
	}
}

// feed starts to give a session what it missed, or only what was held back for
// it; under st.mu.
func (o *Offline) feed(s *core.Session, st *state, came bool) {
	after := max(o.cursors.At(s.JID.Bare()), st.upTo)
	// XEP-0313#business-storeret-user-archives
	heldOnly := !came || s.Flag(core.ArchiveRead) || s.Flag(core.Modern)
	switch {
	case heldOnly && st.heldFrom == 0:
		return
	case heldOnly:
		after = st.heldFrom - 1
	case st.heldFrom > 0:
		after = min(after, st.heldFrom-1)
	}
	st.feeding = true
	s.Feed(&feed{offline: o, session: s, state: st, after: after, debts: !heldOnly})
}

// delivered moves the account's cursor.
func (o *Offline) delivered(s *core.Session, seq uint64) {
	st := o.state(s)
	if st == nil || !s.Online() {
		return
	}
	st.mu.Lock()
	_, early := st.early[seq]
	begun := st.seen != nil && st.seen == s.Presence().Sent()
	st.mu.Unlock()
	// what came early came before things that are yet to be fed
	if begun && !early {
		o.cursors.Move(s.JID.Bare(), seq)
	}
}

// query selects the next portion of a feed.
func (f *feed) query() store.Query {
	return store.Query{Owner: f.session.JID.Bare().String(), After: f.after, Limit: portion}
}
