// Package push wakes devices that are away, XEP-0357 version 0.4.1: by publishing
// to the app server of a client, or by Web Push (RFC 8030) where the server itself
// is the app server, at the site push.DOMAIN. What is worth waking for is the one
// table of stanza.RuleOf.
//
// A registration has a health that its owner and the operator see and can test
// (urn:mirsal:push:0, docs/protocol/push.md). It is no queue of messages: they
// wait in the archive. Invariants, each with a test:
//   - a device that is connected is never pushed to, whether anybody looks or not;
//   - nothing of a message leaves the server, but that there is one, unless the
//     operator wants it;
//   - pushes of a registration are some seconds apart, and further each time until its
//     device comes back; those of an account have a budget whatever it registers;
//   - a registration that fails is paused and told of, never forgotten silently;
//   - it ends with its device's access and with its account.
//
// Locks. mu guards all registrations and is held for single operations, never
// during I/O. An account's write lock is held while its registrations change in
// the store; outside mu.
package push

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/webpush"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Namespaces.
const (
	ns        = "urn:xmpp:push:0"
	nsHealth  = "urn:mirsal:push:0"
	nsWeb     = "urn:mirsal:webpush:0"
	nsPubsub  = "http://jabber.org/protocol/pubsub"
	nsOptions = nsPubsub + "#publish-options"
	nsSummary = "urn:xmpp:push:summary"
)

// Config is what the operator chose, and where to find others.
type Config struct {
	Body, Sender bool           // of the last message, in notifications
	Web          webpush.Config // its Key is the feature's own
	Site         jid.JID        // where clients ask for Web Push, push.DOMAIN; zero for nowhere
	// Contact tells whether a peer is a contact of the owner. Only contacts ring. It may
	// block, and is asked by a goroutine of the feature's own.
	Contact func(owner, peer jid.JID) bool
	// Requests counts subscription requests that wait for the owner.
	Requests func(ctx context.Context, owner jid.JID) (int, error)
	Log      *slog.Logger
	Metrics  prometheus.Registerer
}

// Accounts knows devices and who ends their access; *auth.Auth documents what each
// method does.
type Accounts interface {
	Name(s string) (string, error)
	Devices(ctx context.Context, name string) ([]auth.Device, error)
	DeviceID(name string, g auth.Agent) string
	OnRevoke(f func(bare jid.JID, device string))
	OnPassword(f func(bare jid.JID, session any))
}

// Push is the feature. Make it with New.
type Push struct {
	router   *core.Router
	accounts Accounts
	cfg      Config
	kv       store.KV
	regs     *store.Bucket
	healths  *store.Bucket
	keys     *store.Bucket
	site     jid.JID
	web      browsers
	public   string // the key that browsers want to know
	metrics  *metrics
	writes   writes

	ctx context.Context
	end context.CancelFunc
	run sync.WaitGroup // workers and tests

	mu       sync.Mutex
	of       map[jid.JID]*account
	waiting  map[*registration]struct{} // have a due time
	queue    []*registration            // each at most once: busy
	workers  int
	calls    [][]wakening // of which decide finds out whether they may ring
	deciding bool
	services map[string]*service
}

// browsers sends to browsers; *webpush.Client.
type browsers interface {
	Send(ctx context.Context, s webpush.Subscription, m webpush.Message) webpush.Result
	Close()
}

// account is one account's registrations.
type account struct {
	regs   []*registration
	budget float64   // pushes that it may cause now …
	at     time.Time // … as of this time
}

// New makes the feature. Load comes before start, and Close before the store closes;
// its method Available must be among people's OnAvailable.
func New(r *core.Router, kv store.KV, a Accounts, cfg Config) *Push {
	f := &Push{
		router: r, accounts: a, cfg: cfg, kv: kv, site: cfg.Site, writes: writes{seed: maphash.MakeSeed()},
		of: map[jid.JID]*account{}, waiting: map[*registration]struct{}{}, services: map[string]*service{},
		regs: kv.Declare(store.Space{
			Name: "push", Fields: "service's address and node -> device, the service's own options (for Web Push: address and keys of the browser), when it was enabled",
			Purpose: "wake a device that is away", Export: true,
		}),
		healths: kv.Declare(store.Space{
			Name: "push-health", Fields: "registration -> when notifications last succeeded and failed, and why",
			Purpose: "tell people that their device is not reached", Export: true,
		}),
		keys: kv.Declare(store.Space{Name: "push-key", Fields: "the server's own key for Web Push", Purpose: "be known to browsers' push services", Until: "the server itself is gone"}),
	}
	f.ctx, f.end = context.WithCancel(context.Background())
	f.metrics = newMetrics(cfg.Metrics, f)
	return f
}

// Register attaches the feature. Commands are for others to hook up.
func (f *Push) Register(h *core.Host) {
	h.IQ(core.Account, ns, "enable", f.enable)
	h.IQ(core.Account, ns, "disable", f.disable)
	h.IQ(core.Account, nsHealth, "push", f.list)
	h.IQ(core.Account, nsHealth, "test", f.test)
	// XEP-0357#disco
	h.Disco(core.Account, ns, nsHealth)
	h.Screen = append(h.Screen, f.ended)
	h.Spread = append(h.Spread, f.spread)
	h.Asleep = append(h.Asleep, f.asleep)
	h.Bound = append(h.Bound, f.bound)
	h.Gone = append(h.Gone, f.gone)
	h.AccountGone = append(h.AccountGone, f.accountGone)
	h.Every(time.Second, f.tick)
	h.Every(flushEvery, func(time.Time) { f.flush() })
	h.Every(sweepEvery, f.sweep)
	f.accounts.OnRevoke(f.revoked)
	f.accounts.OnPassword(f.newPassword)
	f.registerSite(h)
}

// Load reads what is registered, and the server's key, which it makes once.
func (f *Push) Load(ctx context.Context) error {
	if err := f.loadKey(ctx); err != nil {
		return err
	}
	owners, err := f.regs.Owners(ctx)
	if err != nil {
		return err
	}
	for _, owner := range owners {
		if err := f.loadOwner(ctx, owner); err != nil {
			return err
		}
	}
	return nil
}

// loadKey reads the key of this server, or makes it.
func (f *Push) loadKey(ctx context.Context) error {
	item, err := f.keys.Get(ctx, "", "vapid")
	if errors.Is(err, store.ErrNotFound) {
		if item.Value, err = newKey(); err == nil {
			err = f.keys.Put(ctx, "", "vapid", item.Value)
		}
	}
	if err != nil {
		return err
	}
	key, err := webpush.ParseKey(item.Value)
	if err != nil {
		return err
	}
	f.public, err = key.Public()
	web := f.cfg.Web
	web.Key = key
	f.web = webpush.NewClient(web)
	return err
}

func newKey() ([]byte, error) {
	key, err := webpush.NewKey()
	if err != nil {
		return nil, err
	}
	return key.Bytes()
}

// Close ends what is being sent and writes down what became of the rest.
func (f *Push) Close() {
	f.mu.Lock()
	f.end() // under mu: no worker begins behind it
	f.mu.Unlock()
	f.run.Wait()
	f.flush()
	if f.web != nil {
		f.web.Close()
	}
}

// revoked ends the registrations of a device that lost its access.
func (f *Push) revoked(bare jid.JID, device string) {
	f.drop(bare, "the device was revoked", func(r *registration) bool { return r.device == device })
}

// newPassword ends those of everybody who has to sign in again; they enable push again then.
func (f *Push) newPassword(bare jid.JID, changer any) {
	s, _ := changer.(*core.Session)
	f.drop(bare, "the password was changed", func(r *registration) bool { return s == nil || r.device != s.Device || !f.belongs(r, s) })
}

func (f *Push) drop(bare jid.JID, why string, which func(*registration) bool) {
	n, err := f.remove(f.ctx, bare, which)
	if err != nil {
		f.cfg.Log.Error("push registrations cannot be removed", "jid", bare.String(), "err", err)
	}
	if n > 0 {
		f.cfg.Log.Info("push registrations removed", "jid", bare.String(), "count", n, "why", why)
	}
}

// accountGone forgets an account; its spaces are gone already.
func (f *Push) accountGone(bare jid.JID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.of[bare]; a != nil {
		for _, r := range a.regs {
			f.forget(r)
		}
		delete(f.of, bare)
	}
}

// forget takes a registration out of everything that waits; under mu.
func (f *Push) forget(r *registration) {
	r.removed = true
	delete(f.waiting, r)
}

// belongs tells whether a session is of a registration's device: of the same
// installation, or of the same name where installations cannot be told apart.
func (f *Push) belongs(r *registration, s *core.Session) bool {
	return s.Device == r.device && (!r.shared || s.JID.Resource() == r.resource)
}

// shared tells whether a device may be any number of installations.
func (f *Push) shared(bare jid.JID, device string) bool {
	return device == "" || device == f.accounts.DeviceID(bare.Local(), auth.Agent{})
}

// writes are locks by account.
type writes struct {
	seed maphash.Seed
	lock [64]sync.Mutex
}

// hold takes an account's write lock and returns what gives it back.
func (f *Push) hold(bare jid.JID) (release func()) {
	l := &f.writes.lock[maphash.String(f.writes.seed, bare.String())%uint64(len(f.writes.lock))]
	l.Lock()
	return l.Unlock
}

// own refuses to speak about anybody's devices but the asker's.
func own(q *core.Query, set bool) error {
	switch {
	case !q.Own() || q.Session == nil:
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case q.Set() != set:
		return stanza.Errorf(stanza.BadRequest, "the iq has the wrong type: get reads, set changes")
	}
	return nil
}
