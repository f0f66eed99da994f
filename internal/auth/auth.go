// Package auth keeps the accounts of one domain, their devices, and the
// invitations to it: who exists, what a login is checked against, how an account
// comes and goes, which devices have signed in and by what.
//
// It speaks no protocol (sasl does, and xep/register) and keeps no password:
// only SCRAM keys. Invariants: a name that it hands out or takes is normalised;
// Exists agrees with the store except while a change is being written; a name
// cannot be taken again before everything of its former account is gone; a name
// without an account looks and costs like one with; what a device signs in by is no
// longer good when Revoke or a change of the password has returned; an
// invitation makes one account, whoever races for it and whenever the power fails.
package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"mirsal/internal/config"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

// Errors that callers branch on; their texts are for people.
var (
	ErrExists     = errors.New("the name is taken")
	ErrNotFound   = errors.New("no such account")
	ErrName       = errors.New("not a name that an account can have")
	ErrDomain     = errors.New("not the domain of this server")
	ErrInvitation = errors.New("the invitation is not known, used or out of date")
	ErrPassword   = errors.New("unusable password")
	ErrLookAlike  = errors.New("the name looks like one that is taken")
	ErrReserved   = errors.New("the name is reserved")
	ErrMixed      = errors.New("the name mixes letters of several scripts")
	ErrGiven      = errors.New("the invitation is for another name")
	ErrOffer      = errors.New("no such invitation can be made")
	ErrTooMany    = errors.New("too many invitations")
	ErrCircle     = errors.New("not a circle")
)

// Bounds of what can be configured.
const (
	MinIterations = 4096 // RFC 7677 §4; clients refuse fewer
	MaxInvitation = 30 * 24 * time.Hour
)

// Store is what accounts are kept in.
type Store interface {
	store.Accounts
	store.KV
}

// Removal is told of an account that goes, by its bare JID.
type Removal struct {
	// Closing comes first, when nobody can log in any more: it ends the sessions.
	Closing func(bare jid.JID)
	// Gone comes when the account's KV spaces are gone; the name can be taken
	// again when it has returned.
	Gone func(bare jid.JID)
	// Later leaves what Gone would do to the next start of the server, because
	// no features are here to do it.
	Later bool
}

// Auth is the accounts of one server. All methods may be called from any goroutine.
type Auth struct {
	accounts store.Accounts
	kv       store.KV
	facts    *store.Bucket
	invites  *store.Bucket
	circles  *store.Bucket
	meetings *store.Bucket
	devices  *store.Bucket
	work     *work
	cfg      config.Auth
	secret   []byte // of the keys that unknown names seem to have

	mu     sync.RWMutex // held for moments only
	names  map[string]struct{}
	looks  looksIndex // of names
	order  order      // of names
	domain jid.JID    // zero while this data has none
	public string     // where the links of invitations begin, "" while that is not known

	epoch   uint64            // number of the last change, under mu
	moments map[string]moment // of changes by account or account/device, under mu
	sweepAt int               // size of moments at which old ones go, under mu

	// change is held while an account or invitation is changed, storage
	// included; an account's hold and mu are taken inside it, in this order.
	change sync.Mutex
	holds  holds

	// These are set before use.
	removal     Removal
	meet        func() // told that there are meetings to make
	revoked     []func(bare jid.JID, device string)
	theft       []func(bare jid.JID, device Device)
	newPassword []func(bare jid.JID, session any)
	disabled    []func(bare jid.JID)
	here        func(bare jid.JID) map[string]int // how many sessions each device has
}

// New reads the accounts. The data belongs to one domain: the first that is
// given sticks, another is refused with ErrDomain. The zero domain means the one
// that the data has; Domain tells whether there is one.
func New(ctx context.Context, s Store, domain jid.JID, cfg config.Auth) (*Auth, error) {
	if cfg.Iterations < MinIterations || cfg.Iterations > sasl.MaxIterations {
		return nil, fmt.Errorf("auth: %d iterations are not between %d and %d", cfg.Iterations, MinIterations, sasl.MaxIterations)
	}
	a := &Auth{
		accounts: s, kv: s, cfg: cfg, work: newWork(runtime.GOMAXPROCS(0) / 2), names: map[string]struct{}{}, looks: looksIndex{}, meet: func() {},
		here:    func(jid.JID) map[string]int { return map[string]int{} },
		moments: map[string]moment{}, sweepAt: minSweep, holds: holds{seed: maphash.MakeSeed()},
	}
	a.devices = s.Declare(deviceSpace())
	a.facts = s.Declare(store.Space{
		Name: "server", Fields: "domain: the domain; public: where its web pages are; scram: a random secret; removed/NAME: an account whose traces are still to be removed",
		Purpose: "recognise data of another domain; let unknown names look like known ones; finish removals",
		Until:   "the server itself is gone; removed/NAME until all traces of the account are removed",
	})
	a.declareInvitations(s)
	if err := a.load(ctx); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	if domain.IsZero() {
		return a, nil
	}
	return a, a.Adopt(ctx, domain)
}

// OnRemove sets who is told of removed accounts. Before use only.
func (a *Auth) OnRemove(r Removal) {
	a.removal = r
	if r.Later { // no server is here whose chats the work on passwords would delay
		a.work = newWork(runtime.GOMAXPROCS(0))
	}
}

// owner of what belongs to the server.
const owner = ""

func (a *Auth) load(ctx context.Context) (err error) {
	if a.secret, err = a.readSecret(ctx); err != nil {
		return err
	}
	d, err := a.facts.Get(ctx, owner, "domain")
	if err == nil {
		a.domain, err = jid.Parse(string(d.Value))
	} else if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("domain: %w", err)
	}
	names, err := a.accounts.AccountNames(ctx)
	for _, n := range names {
		a.setName(n, true)
	}
	if err != nil {
		return err
	}
	return a.loadInvitations(ctx)
}

func (a *Auth) readSecret(ctx context.Context) ([]byte, error) {
	it, err := a.facts.Get(ctx, owner, "scram")
	if !errors.Is(err, store.ErrNotFound) {
		return it.Value, err
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	return secret, a.facts.Put(ctx, owner, "scram", secret)
}

// Adopt gives the data its domain; ErrDomain when it has another.
func (a *Auth) Adopt(ctx context.Context, domain jid.JID) error {
	a.change.Lock()
	defer a.change.Unlock()
	switch has := a.Domain(); {
	case has == domain:
		return nil
	case !has.IsZero():
		return fmt.Errorf("%w: this data belongs to %s, not to %s", ErrDomain, has, domain)
	case !domain.IsDomain():
		return fmt.Errorf("%w: %s is no domain", ErrDomain, domain)
	}
	if err := a.facts.Put(ctx, owner, "domain", []byte(domain.String())); err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	a.mu.Lock()
	a.domain = domain
	a.mu.Unlock()
	return nil
}

// Domain is the domain of the accounts, zero while the data has none.
func (a *Auth) Domain() jid.JID {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.domain
}

// Exists tells whether there is an account with this normalised name. It
// satisfies core.Accounts and does not block.
func (a *Auth) Exists(name string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	_, ok := a.names[name]
	return ok
}

// Count is the number of accounts.
func (a *Auth) Count() int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return len(a.names)
}

// List returns the names in order.
func (a *Auth) List(context.Context) ([]string, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	names := make([]string, 0, len(a.names))
	for n := range a.names {
		names = append(names, n)
	}
	slices.Sort(names)
	return names, nil
}

func (a *Auth) setName(name string, there bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if there {
		a.names[name] = struct{}{}
		a.looks.add(name)
		a.order.add(a.spot(name))
	} else {
		delete(a.names, name)
		a.looks.remove(name)
		a.order.remove(a.spot(name))
	}
}

// Name normalises what somebody calls an account of this server, as ParseName does.
func (a *Auth) Name(s string) (string, error) { return ParseName(s, a.Domain()) }

// ParseName normalises what somebody calls an account: a localpart, or a bare JID
// of the domain (of any, when it is zero). Errors wrap ErrName or ErrDomain.
func ParseName(s string, domain jid.JID) (string, error) {
	if !strings.Contains(s, "@") {
		j, err := jid.New(s, "localhost", "")
		if err != nil || j.Local() == "" {
			return "", fmt.Errorf("%w: %q", ErrName, s)
		}
		return j.Local(), nil
	}
	j, err := jid.Parse(s)
	if err != nil || !j.IsBare() || j.Local() == "" {
		return "", fmt.Errorf("%w: %q", ErrName, s)
	}
	if !domain.IsZero() && j.DomainOnly() != domain {
		return "", fmt.Errorf("%w: %s is not %s", ErrDomain, j.Domain(), domain)
	}
	return j.Local(), nil
}
