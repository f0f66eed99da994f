// Package admin lets administrators run the server from their clients, and the
// operator from the command line, by one table of commands: Service Administration,
// XEP-0133 version 1.3.1. It also speaks to people in the server's name: announcements,
// a message of the day, a welcome.
//
// It keeps no accounts (auth does) and knows nothing of forms on the wire
// (xep/adhoc). It shows nobody's password or contact list: XEP-0133's commands for
// that are not here. Invariants: who is no administrator of this server can run
// nothing; what was done is in the log, with who did it, without secrets and
// without texts; an announcement to all goes on after a restart where it was;
// however many it is for, others are not held up; nobody is told the message of the
// day twice.
package admin

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// nsAdmin begins the nodes of XEP-0133 and is the type of its forms, nsOwn those
// that are ours.
const (
	nsAdmin = "http://jabber.org/protocol/admin"
	nsOwn   = "urn:mirsal:admin:0"
)

// Accounts is where accounts are; *auth.Auth. What it returned nil for is durable.
type Accounts interface {
	Name(s string) (string, error)
	Admin(ctx context.Context, name string) (bool, error)
	Add(ctx context.Context, name, password string) (string, error)
	Remove(ctx context.Context, name string) error
	Passwd(ctx context.Context, name, password string) error
	Disable(ctx context.Context, name string) error
	Enable(ctx context.Context, name string) error
	SetAdmin(ctx context.Context, name string, admin bool) error
	Standing(ctx context.Context, name string) (auth.Standing, error)
	Standings(ctx context.Context, want func(auth.Standing) bool) ([]auth.Standing, error)
	List(ctx context.Context) ([]string, error)
	Count() int
	Devices(ctx context.Context, name string) ([]auth.Device, error)
}

// Config is what it works with.
type Config struct {
	Accounts Accounts
	// Contacts counts those in an account's contact list. It may block on storage.
	Contacts func(owner jid.JID) int
	// Files tells of an account's uploaded files; false where the server has none. It
	// may block on storage. nil is false.
	Files func(ctx context.Context, owner jid.JID) (Files, bool, error)
	// Stop ends the server gracefully, to be started again where restart is true. It
	// does not wait. nil where that cannot be asked for.
	Stop func(restart bool)
	Log  *slog.Logger
}

// Files is what an account has uploaded and may upload.
type Files struct {
	Number, Most int
	Bytes, Quota int64
}

// Admin is the feature.
type Admin struct {
	Config
	router  *core.Router
	jobs    *store.Bucket
	texts   *store.Bucket
	seen    *store.Bucket
	motd    standing
	welcome standing

	arrived chan jid.JID // who may have to be told something
	work    chan job
	ctx     context.Context
	stop    context.CancelFunc
	run     sync.WaitGroup // the goroutines that Start began

	// telling is held while one account is told and that is noted, storage included,
	// so that nothing is noted of one that is gone.
	telling sync.Mutex

	mu   sync.Mutex // held for moments only
	end  *time.Timer
	many int // jobs that wait
}

// standing is a text that stands until it is taken away; nil for none.
type standing struct{ atomic.Pointer[standingText] }

// New makes the feature over its storage.
func New(r *core.Router, kv store.KV, cfg Config) *Admin {
	a := &Admin{
		Config: cfg, router: r, arrived: make(chan jid.JID, 4096), work: make(chan job, jobsMost),
		jobs: kv.Declare(store.Space{
			Name: "announcement", Fields: "id -> an announcement that is on its way, and the name of the last account that got it",
			Purpose: "go on with it after a restart", Until: "all accounts have it",
		}),
		texts: kv.Declare(store.Space{
			Name: "standing-message", Fields: "motd, welcome: the text, its id, since when",
			Purpose: "tell everybody the message of the day, and newcomers a welcome (XEP-0133)", Until: "an administrator takes it back",
		}),
		seen: kv.Declare(store.Space{
			Name: "standing-seen", Fields: "motd, welcome: the id of the text that the account was told",
			Purpose: "tell it once",
		}),
	}
	a.ctx, a.stop = context.WithCancel(context.Background())
	return a
}

// Register attaches the feature. Commands and Available are for others to hook up.
func (a *Admin) Register(h *core.Host) {
	h.AccountGone = append(h.AccountGone, a.gone)
	h.Disco(core.Server, nsAdmin)
}

// gone removes what was noted of an account in the course of its removal.
func (a *Admin) gone(bare jid.JID) {
	a.telling.Lock()
	defer a.telling.Unlock()
	for _, key := range []string{keyMOTD, keyWelcome} {
		if err := a.seen.Delete(context.Background(), bare.String(), key); err != nil {
			a.Log.Error("a removed account is remembered", "jid", bare.String(), "err", err)
		}
	}
}

// Allow tells whether somebody is an administrator of this server; the same name
// at another host is somebody else.
func (a *Admin) Allow(asker jid.JID) bool {
	if !a.router.Local(asker) || asker.Local() == "" {
		return false
	}
	admin, err := a.Accounts.Admin(a.ctx, asker.Local())
	return admin && err == nil
}

// Start reads what stands and goes on with announcements, until Close.
func (a *Admin) Start() error {
	if err := a.load(a.ctx); err != nil {
		return err
	}
	a.run.Go(a.announcer)
	a.run.Go(a.greeter)
	return nil
}

// Close ends what Start began, and waits for it. What is not done is done after the
// next Start.
func (a *Admin) Close() {
	a.cancelEnd()
	a.stop()
	a.run.Wait()
}

// Journal is commands that write down who did what, without texts and secrets.
func (a *Admin) Journal(all []command.Command) []command.Command {
	all = slices.Clone(all)
	for i := range all {
		all[i] = a.journal(all[i])
	}
	return all
}

func (a *Admin) journal(c command.Command) command.Command {
	do := c.Do
	_, short, _ := strings.Cut(c.Node, "#")
	c.Do = func(call *command.Call) (command.Result, error) {
		r, err := do(call)
		if err == nil {
			by := "operator"
			if !call.By.IsZero() {
				by = call.By.String()
			}
			var about []string
			for _, field := range []string{"accountjids", "accountjid", "adminjids"} {
				about = append(about, call.Values(field)...)
			}
			a.Log.Info("command done", "command", short, "by", by, "accounts", strings.Join(about, " "))
		}
		return r, err
	}
	return c
}

// refusal is what people hear of an error of the accounts.
func refusal(err error) error {
	switch {
	case errors.Is(err, auth.ErrExists), errors.Is(err, auth.ErrLookAlike):
		return stanza.Errorf(stanza.Conflict, "%s", err)
	case errors.Is(err, auth.ErrNotFound):
		return stanza.Errorf(stanza.ItemNotFound, "%s", err)
	case errors.Is(err, auth.ErrName), errors.Is(err, auth.ErrDomain):
		return stanza.Errorf(stanza.JIDMalformed, "%s", err)
	case errors.Is(err, auth.ErrPassword):
		return stanza.Errorf(stanza.NotAcceptable, "%s", err)
	case errors.Is(err, auth.ErrBusy):
		return stanza.Errorf(stanza.ResourceConstraint, "the server has too many passwords to work on; try again in a minute")
	}
	return err
}
