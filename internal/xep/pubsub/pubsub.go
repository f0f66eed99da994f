// Package pubsub is publish-subscribe: XEP-0060, 1.30.0, at two kinds of address.
// Every account is a service of its own, XEP-0163, 1.2.2, Personal Eventing Protocol,
// where only the owner publishes, with what OMEMO (XEP-0384, 0.9.1), avatars
// (XEP-0084, 1.1.4), bookmarks (XEP-0402, 1.2.0) and private data (XEP-0223, 1.1.1)
// need of it. And there is one service for all, with nodes that belong to those who
// made them, as XEP-0222, 1.0, asks for data that is public. Nodes are leaves: there are
// no collections, and no options or identifiers of subscriptions.
//
// Invariants, each with a test: what was answered or notified is durable; the
// events of one owner of nodes are notified in the order in which they were committed;
// nobody is notified of, or shown, what the node's access model keeps from him;
// a stranger cannot tell a closed node of an account from a missing account;
// nobody hears of a node to which he did not subscribe, personal eventing excepted;
// nobody is drawn into a node at the service by others: see tenure;
// publish-options never change a node.
//
// Locks. Service.lock is the lock of one owner of nodes (striped; the service for all
// has its own): everything about its nodes happens under it, notifying included, which
// gives events their order. Nobody holds it for two owners. Inside it: the lock of
// cache, that of views, that of outbox.
package pubsub

import (
	"context"
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
	maxAffiliate = 1_000     // affiliations of one node, and subscriptions at an account
)

// The limits of the service for all. Its index is always in memory: about 130 bytes
// for an item, which costs at least entryCost of serviceTotal.
const (
	serviceNodes  = 10_000    // of all accounts
	serviceOwned  = 100       // made by one account, which also has maxTotal for their items
	serviceTotal  = 256 << 20 // bytes of all items
	maxSubscribed = 5_000     // subscriptions of one node: what one publication may send
	maxSubscribes = 1_000     // subscriptions of one account: what may come to it unasked
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
	site      jid.JID // of the service for all, zero where there is none
	creates   func(ctx context.Context, bare jid.JID) (bool, error)
	outbox    outbox
	router    *core.Router
	people    *people.People
	interests Interests
	log       *slog.Logger

	kv    store.KV
	nodes *store.Bucket
	order *store.Bucket
	items *store.Bucket
	subs  *store.Bucket
	clock *store.Bucket // of owner "": which owners have nodes whose items expire
	cache *cache

	seed    maphash.Seed
	stripes [256]sync.Mutex
	shared  sync.Mutex // the lock of the service for all
}

// New makes the feature over its storage.
func New(r *core.Router, kv store.KV, p *people.People, i Interests, log *slog.Logger) *Service {
	s := &Service{
		router: r, people: p, interests: i, log: log, kv: kv, mirrors: map[string]*Mirror{}, cache: newCache(cacheBytes), seed: maphash.MakeSeed(),
		nodes: kv.Declare(store.Space{
			Name: "pubsub-nodes", Fields: "node -> its configuration and affiliations",
			Purpose: "the nodes of an account (XEP-0163) or of the service for all", Export: true,
		}),
		order: kv.Declare(store.Space{
			Name: "pubsub-order", Fields: "node and place -> size and id of an item",
			Purpose: "to find a node's items in the order of their publication",
		}),
		items: kv.Declare(store.Space{
			Name: "pubsub-items", Fields: "node and id -> place and payload of an item",
			Purpose: "what an account has published: device lists, bundles, avatars, bookmarks", Export: true,
		}),
		subs: kv.Declare(store.Space{
			Name: "pubsub-subscriptions", Fields: "node and address -> subscribed or pending",
			Purpose: "to whom the events of a node go", Export: true,
		}),
		clock: kv.Declare(store.Space{
			Name: "pubsub-expiring", Fields: "owner of nodes -> nothing",
			Purpose: "to find the nodes whose items expire",
		}),
	}
	s.outbox.slots = make(chan struct{}, outboxJobs)
	return s
}

// Register attaches the handlers. Known is to be called by who knows of clients'
// capabilities.
func (s *Service) Register(h *core.Host) {
	h.IQ(core.Account, nsPubsub, "pubsub", s.pubsubIQ)
	h.IQ(core.Account, nsOwner, "pubsub", s.ownerIQ)
	h.AccountGone = append(h.AccountGone, s.accountGone)
	h.Every(expireEvery, s.expireAll)
	h.Gone = append(h.Gone, s.views.forget)
	s.people.OnSubscribed = append(s.people.OnSubscribed, s.subscribed)
	s.describe(h.DiscoAt(core.Account), core.Identity{Category: "pubsub", Type: "pep"}, personal)
	// COMPAT: Profanity 0.13 asks only the server what there is; not finding these,
	// it publishes its keys for contacts only
	h.Disco(core.Server, nsPubsub, nsPubsub+"#publish-options")
}

// general tells whether nodes are those of the service for all.
func (s *Service) general(owner jid.JID) bool { return !s.site.IsZero() && owner == s.site }

// lock takes the lock of one owner of nodes; the result gives it back.
func (s *Service) lock(bare jid.JID) (unlock func()) {
	if s.general(bare) {
		s.shared.Lock()
		return s.shared.Unlock
	}
	m := &s.stripes[maphash.String(s.seed, bare.String())%uint64(len(s.stripes))]
	m.Lock()
	return m.Unlock
}

// request is one IQ and the nodes it works on, whose owner's lock is held.
type request struct {
	*core.Query
	acct    *account
	owner   jid.JID   // the account, or the service for all
	general bool      // the latter
	e       xtok.Elem // the child of <pubsub/> that says what to do
	node    string    // its node attribute
	draft   *Draft    // what it changes, nil for nothing
	after   []func()  // what is to be done when the lock is given back
}

// who may ask for an action.
type who uint8

const (
	anyone    who = iota
	publisher     // at an account its owner; at the service it depends on the node
	nodeOwner     // at an account its owner
)

// action answers one kind of request.
type action struct {
	set bool // asked by a set
	by  who
	do  func(*Service, *request) ([]byte, error)
}

// actions are the children of <pubsub/>, by namespace and name.
var actions = map[string]map[string][]action{
	nsPubsub: {
		"publish":       {{true, publisher, (*Service).publish}},
		"retract":       {{true, publisher, (*Service).retract}},
		"create":        {{true, publisher, (*Service).create}},
		"subscribe":     {{true, anyone, (*Service).subscribe}},
		"unsubscribe":   {{true, anyone, (*Service).unsubscribe}},
		"items":         {{false, anyone, (*Service).retrieve}},
		"subscriptions": {{false, anyone, (*Service).mySubscriptions}},
		"affiliations":  {{false, anyone, (*Service).myAffiliations}},
	},
	nsOwner: {
		"configure":     {{false, nodeOwner, (*Service).getConfig}, {true, nodeOwner, (*Service).setConfig}},
		"default":       {{false, publisher, (*Service).getDefault}},
		"delete":        {{true, nodeOwner, (*Service).delete}},
		"purge":         {{true, nodeOwner, (*Service).purge}},
		"affiliations":  {{false, nodeOwner, (*Service).getAffiliations}, {true, nodeOwner, (*Service).setAffiliations}},
		"subscriptions": {{false, nodeOwner, (*Service).getSubscriptions}, {true, nodeOwner, (*Service).setSubscriptions}},
	},
}

func (s *Service) pubsubIQ(q *core.Query) ([]byte, error) { return s.handle(q, nsPubsub) }

func (s *Service) ownerIQ(q *core.Query) ([]byte, error) { return s.handle(q, nsOwner) }

// handle finds the action that a request asks for and runs it under the
// account's lock.
func (s *Service) handle(q *core.Query, ns string) ([]byte, error) {
	e := q.Payload.First()
	a, ok := find(ns, e, q.Set())
	general := s.general(q.Head.To)
	switch {
	case !general && !q.Own() && (!ok || a.by != anyone) && !s.knows(q.Head.To, q.Asker()):
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	case !e.OK():
		return nil, stanza.Errorf(stanza.BadRequest, "nothing is asked for")
	case !ok:
		return nil, unsupported(feature(e))
	case !general && a.by != anyone && !q.Own():
		return nil, stanza.Errorf(stanza.Forbidden, "only the owner may do that")
	}
	r := &request{Query: q, owner: q.Head.To, general: general, e: e, node: e.Attr("node")}
	if len(r.node) > maxID {
		return nil, stanza.Errorf(stanza.NotAcceptable, "the node's name has more than %d bytes", maxID)
	}
	b, err := s.perform(r, a)
	for _, f := range r.after {
		f()
	}
	if r.draft != nil && (err == nil || errors.Is(err, core.ErrLater)) {
		s.tell(r.owner, r.draft.names())
	}
	return b, err
}

// perform runs an action under the owner's lock.
func (s *Service) perform(r *request, a action) (_ []byte, err error) {
	defer s.lock(r.owner)()
	if r.acct, err = s.load(r.Ctx, r.owner); err != nil {
		return nil, err
	}
	if err := s.expire(r); err != nil {
		return nil, err
	}
	if r.general && a.by == nodeOwner {
		n, err := r.own()
		switch {
		case err != nil:
			return nil, err
		case n.affiliation(r.owner, r.Asker()) != affOwner:
			return nil, stanza.Errorf(stanza.Forbidden, "only an owner of the node may do that")
		case a.set:
			if err := s.takeUp(r, n); err != nil {
				return nil, err
			}
		}
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

// feature names what a request for which there is no action asks for, as XEP-0060 §10 does.
func feature(e xtok.Elem) string {
	switch {
	case e.Is(nsPubsub, "options"):
		// XEP-0060#subscriber-configure-error-options
		return "subscription-options"
	case e.Is(nsPubsub, "default"):
		// XEP-0060#subscriber-default-error-notsupported
		return "retrieve-default-sub"
	}
	return e.Local()
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

// own is the node that a request names.
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
