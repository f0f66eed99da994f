// Package pubsub makes every account a publish-subscribe service of its own:
// XEP-0060, 1.30.0, as far as XEP-0163, 1.2.2, Personal Eventing Protocol, asks
// for it, with what OMEMO (XEP-0384, 0.9.1), avatars (XEP-0084, 1.1.4) and
// bookmarks (XEP-0402, 1.2.0) need of it. It is no service for groups: only the
// owner publishes.
//
// Invariants, each with a test: what was answered or notified is durable; the
// events of one account are notified in the order in which they were committed;
// nobody is notified of, or shown, what the node's access model keeps from him;
// a stranger cannot tell a closed node from a missing account.
//
// Locks. Service.lock is one account's lock (striped): everything about the
// account's nodes happens under it, notifying included, which gives events
// their order. Nobody holds it for two accounts. The cache has its own.
package pubsub

import (
	"errors"
	"hash/maphash"
	"log/slog"
	"sync"

	"mirsal/internal/core"
	"mirsal/internal/people"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces of XEP-0060.
const (
	nsPubsub  = "http://jabber.org/protocol/pubsub"
	nsOwner   = nsPubsub + "#owner"
	nsEvent   = nsPubsub + "#event"
	nsErrors  = nsPubsub + "#errors"
	nsConfig  = nsPubsub + "#node_config"
	nsOptions = nsPubsub + "#publish-options"
	nsMeta    = nsPubsub + "#meta-data"
)

// The limits of one account.
const (
	maxNodes     = 1_000
	maxItems     = 10_000    // of one node; what "max" means
	maxPayload   = 128 << 10 // bytes of one item
	maxTotal     = 32 << 20  // bytes of all items
	maxID        = 1_023     // bytes of a node's or an item's name
	maxAffiliate = 1_000     // affiliations or subscriptions of one node
)

// Interests tells which events clients want.
type Interests interface {
	// Notify tells whether a session's client wants events of a node. It does not
	// block.
	Notify(s *core.Session, node string) bool
}

// Service is all accounts' personal eventing. Make it with New.
type Service struct {
	// OnChange hears that items of an account's node came or went, or that it was
	// configured anew, once that is durable; under no lock. Added before start.
	OnChange []func(owner jid.JID, node string)
	// Also, where set, names those who may read a node for subscribers of presence,
	// and hear of it, for another reason than being one; Beside lists them. Set
	// before start. They do not block.
	Also   func(owner, asker jid.JID, node string) bool
	Beside func(owner jid.JID, node string) []jid.JID

	mirrors   map[string]*Mirror // by the node's name
	views     views
	router    *core.Router
	people    *people.People
	interests Interests
	log       *slog.Logger

	kv    store.KV
	nodes *store.Bucket
	order *store.Bucket
	items *store.Bucket
	cache *cache

	seed    maphash.Seed
	stripes [256]sync.Mutex
}

// New makes the feature over its storage.
func New(r *core.Router, kv store.KV, p *people.People, i Interests, log *slog.Logger) *Service {
	return &Service{
		router: r, people: p, interests: i, log: log, kv: kv, mirrors: map[string]*Mirror{}, cache: newCache(cacheBytes), seed: maphash.MakeSeed(),
		nodes: kv.Declare(store.Space{
			Name: "pubsub-nodes", Fields: "node -> its configuration, affiliations and subscriptions",
			Purpose: "the personal eventing nodes of an account (XEP-0163)", Export: true,
		}),
		order: kv.Declare(store.Space{
			Name: "pubsub-order", Fields: "node and place -> size and id of an item",
			Purpose: "to find a node's items in the order of their publication",
		}),
		items: kv.Declare(store.Space{
			Name: "pubsub-items", Fields: "node and id -> place and payload of an item",
			Purpose: "what an account has published: device lists, bundles, avatars, bookmarks", Export: true,
		}),
	}
}

// Register attaches the handlers. Known is to be called by who knows of clients'
// capabilities.
func (s *Service) Register(h *core.Host) {
	h.IQ(core.Account, nsPubsub, "pubsub", s.pubsubIQ)
	h.IQ(core.Account, nsOwner, "pubsub", s.ownerIQ)
	h.AccountGone = append(h.AccountGone, s.accountGone)
	h.Gone = append(h.Gone, s.views.forget)
	s.people.OnSubscribed = append(s.people.OnSubscribed, s.subscribed)
	s.describe(h.DiscoAt(core.Account))
	// COMPAT: Profanity 0.13 asks only the server what there is; not finding these,
	// it publishes its keys for contacts only
	h.Disco(core.Server, nsPubsub, nsPubsub+"#publish-options")
}

func (s *Service) accountGone(bare jid.JID) { s.cache.drop(bare) }

// lock takes the lock of one account; the result gives it back.
func (s *Service) lock(bare jid.JID) (unlock func()) {
	m := &s.stripes[maphash.String(s.seed, bare.String())%uint64(len(s.stripes))]
	m.Lock()
	return m.Unlock
}

// request is one IQ and the account it works on, whose lock is held.
type request struct {
	*core.Query
	acct  *account
	owner jid.JID
	e     xtok.Elem // the child of <pubsub/> that says what to do
	node  string    // its node attribute
	draft *Draft    // what it changes, nil for nothing
}

// action answers one kind of request.
type action struct {
	set       bool // asked by a set
	ownerOnly bool
	do        func(*Service, *request) ([]byte, error)
}

// actions are the children of <pubsub/>, by namespace and name.
var actions = map[string]map[string][]action{
	nsPubsub: {
		"publish":       {{true, true, (*Service).publish}},
		"retract":       {{true, true, (*Service).retract}},
		"create":        {{true, true, (*Service).create}},
		"subscribe":     {{true, false, (*Service).subscribe}},
		"unsubscribe":   {{true, false, (*Service).unsubscribe}},
		"items":         {{false, false, (*Service).retrieve}},
		"subscriptions": {{false, false, (*Service).mySubscriptions}},
		"affiliations":  {{false, false, (*Service).myAffiliations}},
	},
	nsOwner: {
		"configure":     {{false, true, (*Service).getConfig}, {true, true, (*Service).setConfig}},
		"default":       {{false, true, (*Service).getDefault}},
		"delete":        {{true, true, (*Service).delete}},
		"purge":         {{true, true, (*Service).purge}},
		"affiliations":  {{false, true, (*Service).getAffiliations}, {true, true, (*Service).setAffiliations}},
		"subscriptions": {{false, true, (*Service).getSubscriptions}},
	},
}

func (s *Service) pubsubIQ(q *core.Query) ([]byte, error) { return s.handle(q, nsPubsub) }

func (s *Service) ownerIQ(q *core.Query) ([]byte, error) { return s.handle(q, nsOwner) }

// handle finds the action that a request asks for and runs it under the
// account's lock.
func (s *Service) handle(q *core.Query, ns string) ([]byte, error) {
	e := q.Payload.First()
	a, ok := find(ns, e, q.Set())
	switch {
	case !q.Own() && !s.knows(q.Head.To, q.Asker()) && (!ok || a.ownerOnly):
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	case !e.OK():
		return nil, stanza.Errorf(stanza.BadRequest, "nothing is asked for")
	case !ok:
		return nil, unsupported(e.Local())
	case a.ownerOnly && !q.Own():
		return nil, stanza.Errorf(stanza.Forbidden, "only the owner may do that")
	}
	r := &request{Query: q, owner: q.Head.To, e: e, node: e.Attr("node")}
	if len(r.node) > maxID {
		return nil, stanza.Errorf(stanza.NotAcceptable, "the node's name has more than %d bytes", maxID)
	}
	b, err := s.perform(r, a)
	if r.draft != nil && (err == nil || errors.Is(err, core.ErrLater)) {
		s.tell(r.owner, r.draft.names())
	}
	return b, err
}

// perform runs an action under the account's lock.
func (s *Service) perform(r *request, a action) (_ []byte, err error) {
	defer s.lock(r.owner)()
	if r.acct, err = s.load(r.Ctx, r.owner); err != nil {
		return nil, err
	}
	return a.do(s, r)
}

func find(ns string, e xtok.Elem, set bool) (action, bool) {
	if !e.OK() || e.NS() != ns {
		return action{}, false
	}
	for _, a := range actions[ns][e.Local()] {
		if a.set == set {
			return a, true
		}
	}
	return action{}, false
}

// unsupported names the feature that is not there.
func unsupported(feature string) error {
	err := stanza.Errorf(stanza.FeatureNotImplemented, "this service cannot do that")
	b := append([]byte("<unsupported xmlns='"+nsErrors+"' feature='"), xtok.Escape(nil, feature)...)
	err.App = append(b, "'/>"...)
	return err
}

func fail(c stanza.Condition, app, text string) error {
	return stanza.Errorf(c, "%s", text).WithApp(nsErrors, app)
}

func noNode() error { return stanza.Errorf(stanza.ItemNotFound, "there is no such node") }

func needNode() error {
	return fail(stanza.BadRequest, "nodeid-required", "the request names no node")
}

// own is the node that the owner's request names.
func (r *request) own() (*node, error) {
	if r.node == "" {
		return nil, needNode()
	}
	n := r.acct.nodes[r.node]
	if n == nil {
		return nil, noNode()
	}
	return n, nil
}

// attr appends an attribute, escaped.
func attr(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), "='"...)
	return append(xtok.Escape(b, value), '\'')
}
