package push

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// Bounds of what is registered.
const (
	maxRegistrations = 10      // of one account
	maxNode          = 1 << 10 // bytes
	maxOptions       = 4 << 10 // bytes
)

// registration is where one device gets its notifications. The head never changes;
// the rest is under Push.mu.
type registration struct {
	id      string // names it; made of service and node
	owner   jid.JID
	service jid.JID
	node    string

	device   string // as in core.Session
	resource string // of the session that enabled it
	shared   bool   // the device may be any number of installations
	host     string // of the endpoint, for Web Push
	enabled  time.Time
	removed  bool

	health health
	dirty  bool // health is not written down

	// What there is to say.
	count        int       // messages since the device was here
	owed         bool      // something came since the last push
	ring         bool      // it is a call
	sender, body string    // of the last message, where wanted
	due          time.Time // when the push may go; in waiting
	busy         bool      // in the queue or on its way
	last         time.Time // when the last one went …
	step         int       // … and how many went since the device was here
	seen         time.Time // when the device was here
	notBefore    time.Time // after a failure
}

// record is what is kept of a registration.
type record struct {
	Service  string `json:"jid"`
	Node     string `json:"node,omitempty"`
	Device   string `json:"device,omitempty"`
	Resource string `json:"resource,omitempty"`
	Options  string `json:"options,omitempty"` // the form, as XML; "" once it ended
	Host     string `json:"host,omitempty"`
	Enabled  int64  `json:"enabled"` // Unix seconds
}

// idOf names a registration: one for a node of a service, whoever enabled it last.
// XEP-0357#enabling
func idOf(service jid.JID, node string) string {
	sum := sha256.Sum256([]byte(service.String() + "\x00" + node))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:10])
}

func (f *Push) loadOwner(ctx context.Context, owner string) error {
	bare, err := jid.Parse(owner)
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	items, err := f.regs.Scan(ctx, owner, store.Range{})
	if err != nil {
		return err
	}
	for _, it := range items {
		r, err := f.read(ctx, bare, it)
		if err != nil {
			f.cfg.Log.Error("a push registration is unreadable", "jid", owner, "err", err)
			continue
		}
		f.put(r)
	}
	return nil
}

// read makes a registration of what is kept.
func (f *Push) read(ctx context.Context, owner jid.JID, it store.Item) (*registration, error) {
	var rec record
	if err := json.Unmarshal(it.Value, &rec); err != nil {
		return nil, err
	}
	service, err := jid.Parse(rec.Service)
	if err != nil {
		return nil, err
	}
	r := f.made(owner, service, &rec)
	h, err := f.healths.Get(ctx, owner.String(), r.id)
	if err == nil {
		err = json.Unmarshal(h.Value, &r.health)
	}
	if err != nil {
		r.health = health{} // it was never used, or a crash came between
	}
	return r, nil
}

func (f *Push) made(owner, service jid.JID, rec *record) *registration {
	return &registration{
		id: idOf(service, rec.Node), owner: owner, service: service, node: rec.Node, device: rec.Device, resource: rec.Resource,
		shared: f.shared(owner, rec.Device), host: rec.Host, enabled: time.Unix(rec.Enabled, 0),
	}
}

// account is an account's, made where there is none; under mu.
func (f *Push) account(bare jid.JID) *account {
	a := f.of[bare]
	if a == nil {
		a = &account{budget: budgetMost, at: time.Now()}
		f.of[bare] = a
	}
	return a
}

// put adds a registration to those that are known, in place of the one with its id,
// of which it goes on to know when it was last used.
func (f *Push) put(r *registration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.account(r.owner)
	for i, old := range a.regs {
		if old.id == r.id {
			f.forget(old)
			r.last, r.step, r.count = old.last, old.step, old.count
			a.regs[i] = r
			return
		}
	}
	a.regs = append(a.regs, r)
}

// store writes a registration down, and makes room for it.
func (f *Push) store(ctx context.Context, r *registration, rec *record) error {
	value, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	defer f.hold(r.owner)()
	ops := []store.Op{f.regs.Set(r.id, value), f.healths.Unset(r.id)}
	out := f.displaced(r)
	for _, o := range out {
		ops = append(ops, f.regs.Unset(o.id), f.healths.Unset(o.id))
	}
	if err := f.kv.Apply(ctx, r.owner.String(), ops...); err != nil {
		return err
	}
	for _, o := range out {
		f.cfg.Log.Info("push registration displaced by a newer one", "jid", r.owner.String(), "registration", o.id, "service", o.where(f))
	}
	f.takeOut(r.owner, func(o *registration) bool { return slices.Contains(out, o) })
	f.put(r)
	return nil
}

// displaced are those that make room for one more: those that do not work first,
// then those that their devices have not asked for the longest.
func (f *Push) displaced(r *registration) (out []*registration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.of[r.owner]
	if a == nil || slices.ContainsFunc(a.regs, func(o *registration) bool { return o.id == r.id }) {
		return nil
	}
	all := slices.Clone(a.regs)
	slices.SortFunc(all, func(x, y *registration) int {
		if xs, ys := x.health.stopped(), y.health.stopped(); xs != ys {
			if xs {
				return -1
			}
			return 1
		}
		return x.enabled.Compare(y.enabled)
	})
	return all[:max(0, len(all)-maxRegistrations+1)]
}

// remove ends registrations, durably, and tells how many.
func (f *Push) remove(ctx context.Context, bare jid.JID, which func(*registration) bool) (int, error) {
	defer f.hold(bare)()
	var ops []store.Op
	f.mu.Lock()
	if a := f.of[bare]; a != nil {
		for _, r := range a.regs {
			if which(r) {
				ops = append(ops, f.regs.Unset(r.id), f.healths.Unset(r.id))
			}
		}
	}
	f.mu.Unlock()
	if len(ops) == 0 {
		return 0, nil
	}
	if err := f.kv.Apply(ctx, bare.String(), ops...); err != nil {
		return 0, err
	}
	f.takeOut(bare, which)
	return len(ops) / 2, nil
}

// takeOut forgets registrations that are no longer kept.
func (f *Push) takeOut(bare jid.JID, which func(*registration) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.of[bare]; a != nil {
		a.regs = slices.DeleteFunc(a.regs, func(r *registration) bool {
			out := which(r)
			if out {
				f.forget(r)
			}
			return out
		})
	}
}

// where is the service as people and the log see it.
func (r *registration) where(f *Push) string {
	if r.service == f.site {
		return r.host
	}
	return r.service.String()
}
