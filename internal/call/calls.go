package call

import (
	"crypto/ed25519"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/call/filter"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/stanza"
)

// NS is the namespace of what the server itself says of calls: docs/protocol/calls.md.
const NS = "urn:mirsal:calls:0"

// Config is what an operator chooses, and what the feature asks others for.
type Config struct {
	// Contact tells whether peer is in owner's contact list. It may read the disk.
	Contact func(owner, peer jid.JID) bool
	// Created is when a local account was made, zero where that is not known. It may
	// read the disk. nil: of none it is known.
	Created func(bare jid.JID) time.Time

	Everyone bool // strangers ring as well
	Direct   bool // contacts may begin a session without an invitation
	Loopback bool // candidates of the device itself pass

	// Rings in an hour: of one caller at one callee, at one callee, of one caller at
	// all, and of a caller whose account is younger than Young.
	Pair, Callee, Caller, Newcomer int
	Young                          time.Duration
	Keep                           time.Duration // how long traces stay

	// Rules is a file of signed rules, Keys are those of who may sign them; without
	// keys there are none.
	Rules string
	Keys  []ed25519.PublicKey

	Log     *slog.Logger
	Metrics prometheus.Registerer // nil counts for nobody
}

// How long calls are known.
const (
	rings   = time.Minute    // how long a call that nobody answers rings
	after   = time.Minute    // how long one that has ended is known, for what is still on its way
	longest = 24 * time.Hour // how long one that was answered is
)

// Bounds of what is held in memory.
const (
	mostCalls  = 50_000 // of all accounts
	mostOpen   = 32     // that one caller may have ringing, or silent, at once
	mostCalled = 64     // of one caller, those that are answered or over among them: nobody can fill the list of all
)

// Calls is the feature. Make it with New.
type Calls struct {
	router  *core.Router
	cfg     Config
	traces  *traces
	links   *links
	metrics *metrics
	rules   rules
	inForce atomic.Pointer[filter.Rules]

	mu      sync.Mutex // guards what follows; held for single operations
	budgets budgets
	calls   map[key]*open
	at      map[jid.JID][]*open     // those that ring, by their callee
	opened  map[jid.JID]int         // how many of a caller ring or are silent
	known   map[jid.JID][]*open     // all of a caller, the oldest first
	landing map[*core.Transit]*open // invitations on their way to the devices
	news    map[jid.JID]news        // accounts that were told of silent calls

	normal     []filter.Call // what accepted calls consisted of
	nextNormal int           // of which the oldest is here
}

// key names a call. An id is its caller's word: two callers may use one.
type key struct {
	caller, callee jid.JID // bare
	id             string
}

// state is how far a call is, as the server saw it.
type state uint8

const (
	ringing state = iota
	silent        // its callee's devices do not know of it
	answered
	ended
)

// open is one call.
type open struct {
	key
	state state
	since time.Time   // of the state
	rang  time.Time   // when it was charged; zero: was not
	by    jid.JID     // of answered: the device that accepted, full
	offer filter.Call // what rules see of the invitation
	trace string      // its key in the traces, "" where the callee is not of this server

	// The invitation, for devices that come later, and those that had it.
	invitation *stanza.Stanza
	seq        uint64
	given      []*core.Session
	transit    *core.Transit   // until it landed
	came       []*core.Session // devices that have come until then
}

// New makes the feature over its storage.
func New(r *core.Router, kv store.KV, cfg Config) *Calls {
	return &Calls{
		router: r, cfg: cfg, traces: newTraces(kv, cfg.Keep), links: newLinks(kv), rules: newRules(kv, cfg.Keys, cfg.Rules), metrics: newMetrics(cfg.Metrics), budgets: newBudgets(),
		calls: map[key]*open{}, at: map[jid.JID][]*open{}, opened: map[jid.JID]int{}, known: map[jid.JID][]*open{}, landing: map[*core.Transit]*open{}, news: map[jid.JID]news{},
	}
}

// Register attaches what reads calls and writes them anew. It comes before all
// features that look at messages: they are to see what passes on.
func (f *Calls) Register(h *core.Host) {
	h.Screen = append(h.Screen, f.read)
	h.Spread = append(h.Spread, f.landed)
	h.IQ(core.Account, NS, "attempts", f.attempts)
	h.IQ(core.Account, NS, "link", f.makeLink)
	h.IQ(core.Account, NS, "links", f.listLinks)
	h.IQ(core.Account, NS, "revoke", f.revokeLink)
	h.Every(tick, f.tick)
	h.Every(tick, f.reload)
	h.Every(time.Hour, f.sweep)
	h.AccountGone = append(h.AccountGone, f.accountGone)
	h.Disco(core.Account, NS)
}

// Guard attaches what decides who rings. It comes behind blocking: who is
// blocked leaves nothing.
func (f *Calls) Guard(h *core.Host) { h.Screen = append(h.Screen, f.decide) }

// Rings tells whether a call of peer rings at owner's devices now: for who wakes
// devices that are away.
func (f *Calls) Rings(owner, peer jid.JID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.at[owner] {
		if c.caller == peer {
			return true
		}
	}
	return false
}

// decide is the core.ScreenFunc behind blocking.
func (f *Calls) decide(t *core.Transit) error {
	h := &t.Head
	switch {
	case h.From.Bare() == h.To.Bare() || f.router.Local(h.To) && !f.router.Exists(h.To.Bare()):
		return nil // among one's own devices; core answers for nobody
	case h.Kind == stanza.IQ && h.Type == stanza.Set:
		return f.session(t)
	case h.Kind != stanza.Message || h.Type == stanza.Error || !h.Facts.Any(stanza.CallOffer|stanza.CallStep):
		return nil
	}
	v, ok, err := jingle.InviteIn(t.Elem)
	if err != nil || !ok {
		return nil // a room's, of another kind
	}
	if v.Kind == jingle.Propose {
		return f.propose(t, v)
	}
	return f.step(t, v)
}

// accountGone forgets an account; its traces went with its storage.
func (f *Calls) accountGone(bare jid.JID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, c := range f.calls {
		if k.caller == bare || k.callee == bare {
			f.forget(c)
		}
	}
	delete(f.news, bare)
	f.traces.room(bare.String())
}
