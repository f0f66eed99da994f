// Package passkey is a way back in for people who lost every device but keep a passkey:
// urn:mirsal:passkey:0, docs/protocol/passkey.md. A passkey is no SASL mechanism: what it
// proves over HTTP gets a new device its first token (XEP-0484), as another device's word
// does (urn:mirsal:link:0).
//
// It checks no signatures (go-webauthn does, proof.go) and keeps no sessions. Invariants: only a
// session of an account adds a passkey to it, by a ticket that is good once; a challenge
// lets in once, within minutes, on the origin that asked for it; of a passkey that was added, and of
// every device that one let in, the others have been told before it is used; all that is kept goes
// with the account, and a later account of the same name has none of it.
package passkey

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// Namespaces.
const (
	ns     = "urn:mirsal:passkey:0"
	nsLink = "urn:mirsal:link:0" // what devices are told of a new one
)

// Bounds.
const (
	life    = 5 * time.Minute // of a ticket, a challenge, and then of a token that nobody has used
	sweep   = time.Minute
	most    = 20 // passkeys of one account
	tickets = 4  // of one session
	maxBody = 16 << 10
)

// Accounts knows accounts and devices; *auth.Auth documents what each method does.
type Accounts interface {
	Epoch() uint64
	Standing(ctx context.Context, name string) (auth.Standing, error)
	DeviceID(name string, g auth.Agent) string
	Devices(ctx context.Context, name string) ([]auth.Device, error)
	IssueFirstToken(ctx context.Context, name string, g auth.Agent, mech string, within time.Duration) (secret string, expiry time.Time, err error)
}

// Config is what can be chosen.
type Config struct {
	// Base is the origin of the site for a request; never one that is not ours.
	Base func(r *http.Request) *url.URL
	// SameOrigin tells whether a request comes from a page of the site, or a program.
	SameOrigin func(r *http.Request) bool
	Log        *slog.Logger
}

// Feature is the feature.
type Feature struct {
	router   *core.Router
	accounts Accounts
	kv       store.KV
	keys     *store.Bucket // owner and credential: passkey
	owners   *store.Bucket // credential: name of its owner
	cfg      Config
	secret   []byte // of challenges; this process's

	mu      sync.Mutex // held for moments
	tickets map[string]*ticket
	used    map[string]time.Time // challenges that have let in, until they are out of date
}

// New makes the feature.
func New(r *core.Router, kv store.KV, a Accounts, cfg Config) *Feature {
	return &Feature{
		router: r, accounts: a, kv: kv, cfg: cfg, secret: random(32), tickets: map[string]*ticket{}, used: map[string]time.Time{},
		keys: kv.Declare(store.Space{
			Name: "passkey", Fields: "id of the passkey: its public key, the name that its owner gave it, when it was added and last used, how often it says that it was used, whether it can be copied to other devices",
			Purpose: "let somebody who lost every device in again",
		}),
		owners: kv.Declare(store.Space{
			Name: "passkey-owner", Fields: "id of a passkey: the name of the account that has it",
			Purpose: "find the account of a passkey that signs in without a name",
		}),
	}
}

// Register attaches the feature.
func (f *Feature) Register(h *core.Host) {
	h.IQ(core.Account, ns, "passkeys", f.list)
	h.IQ(core.Account, ns, "ticket", f.ticket)
	h.IQ(core.Account, ns, "remove", f.remove)
	h.Disco(core.Account, ns)
	h.Gone = append(h.Gone, f.gone)
	h.AccountGone = append(h.AccountGone, f.accountGone)
	h.Every(sweep, f.sweep)
	for path, do := range map[string]func(r *http.Request, q *question) (any, error){
		"register/begin": f.registerBegin, "register/finish": f.registerFinish,
		"login/begin": f.loginBegin, "login/finish": f.loginFinish,
	} {
		h.HTTP("POST /passkey/"+path, f.serve(do))
	}
}

// gone ends what a session wanted.
func (f *Feature) gone(s *core.Session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, t := range f.tickets {
		if t.owner == s {
			delete(f.tickets, key)
		}
	}
}

// sweep forgets what is out of date.
func (f *Feature) sweep(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, t := range f.tickets {
		if !now.Before(t.until) {
			delete(f.tickets, key)
		}
	}
	for key, until := range f.used {
		if !now.Before(until) {
			delete(f.used, key)
		}
	}
}

// accountGone forgets whose the passkeys of a removed account were; the passkeys are
// gone already, so what fails here lets nobody in.
func (f *Feature) accountGone(bare jid.JID) {
	ctx := context.Background()
	items, err := f.owners.Scan(ctx, "", store.Range{})
	var ops []store.Op
	for _, it := range items {
		if string(it.Value) == bare.Local() {
			ops = append(ops, f.owners.Unset(it.Key))
		}
	}
	if err == nil && len(ops) > 0 {
		err = f.kv.Apply(ctx, "", ops...)
	}
	if err != nil {
		f.cfg.Log.Error("the passkeys of a removed account are still listed", "jid", bare.String(), "err", err)
	}
}
