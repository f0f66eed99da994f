// Package invite brings people in: Ad-hoc Account Invitation Generation, XEP-0401
// version 0.6.0, Pre-Authenticated Roster Subscription, XEP-0379 version 0.3.3, and the web page
// that a link of an invitation opens, where somebody without an app finds one or makes an
// account. It also makes contacts of those who were promised to each other: by an
// invitation, or by a circle.
//
// It keeps nothing: invitations and circles are auth's, and registration in a client
// is register's. Invariants: a token never reaches a log; a page tells nothing of
// a token that cannot be used, not even why; what was promised to a newcomer is kept
// until it is done, over restarts.
package invite

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// nsPars is the namespace of XEP-0379 §3.4.
const nsPars = "urn:xmpp:pars:0"

// Accounts is where invitations and circles are; *auth.Auth. What it returned nil
// for is durable.
type Accounts interface {
	Exists(name string) bool
	Admin(ctx context.Context, name string) (bool, error)
	Invite(ctx context.Context, o auth.Offer) (auth.Invitation, error)
	Invitation(ctx context.Context, token string) (auth.Invitation, error)
	UsedBy(ctx context.Context, token, name string) bool
	MayTake(ctx context.Context, token, name string) (string, error)
	Redeem(ctx context.Context, token, name, password string) (string, error)
	Befriended(ctx context.Context, token, inviter, guest string) error
	ForgetPerson(ctx context.Context, name string) error
	Members(ctx context.Context, circle string) ([]string, error)
	Meetings(ctx context.Context) ([]auth.Meeting, error)
	Met(ctx context.Context, m auth.Meeting, over bool) error
	OnMeet(f func())
}

// Config is what can be chosen.
type Config struct {
	Domain jid.JID
	// UsersMayInvite lets everybody invite people who have no account yet; else only
	// administrators can. Everybody can invite to become a contact.
	UsersMayInvite bool
	// Allow paces what does not lead to an account: unknown tokens and refused names.
	// nil is a pace of our own by address.
	Allow func(addr netip.Addr) bool
	// Client is who asks for a page; nil takes the connection's other end.
	Client func(r *http.Request) netip.Addr
	// Browser is where one goes on in the browser, "" while there is no such place: the
	// path of the screen, to which the token is given in the fragment.
	Browser string
	// Befriend makes two accounts contacts, in a group of both rosters or in none, as
	// people.BefriendIn does.
	Befriend func(ctx context.Context, a, b jid.JID, group string) error
	// Called is what somebody calls himself, "" for nothing; nil knows of nobody.
	Called func(ctx context.Context, who jid.JID) string
	// Group tells about the room to which a token leads; false where it is not the room's link (any
	// more). nil where no link leads to a room.
	Group func(room jid.JID, token string) (Group, bool)
	Log   *slog.Logger
}

// Feature is the feature.
type Feature struct {
	accounts Accounts
	cfg      Config
	pages    *pages
	wake     chan struct{} // there may be meetings; one that waits is enough

	stop context.CancelFunc
	run  sync.WaitGroup // the goroutine that Start began
}

// New makes the feature.
func New(a Accounts, cfg Config) *Feature {
	f := &Feature{accounts: a, cfg: cfg, pages: newPages(), wake: make(chan struct{}, 1), stop: func() {}}
	if f.cfg.Allow == nil {
		f.cfg.Allow = newPace().allow
	}
	a.OnMeet(f.kick)
	return f
}

// Register attaches the feature. Vouch and the commands are for others to hook up.
func (f *Feature) Register(h *core.Host) {
	h.AccountGone = append(h.AccountGone, f.gone)
	h.HTTP("GET /invite/{token}", http.HandlerFunc(f.show))
	h.HTTP("POST /invite/{token}", http.HandlerFunc(f.accept))
	h.HTTP("GET /invite/{token}/qr.svg", http.HandlerFunc(f.code))
	h.HTTP("GET /invite/{token}/welcome/{name}", http.HandlerFunc(f.welcome))
	h.HTTP("GET /invite/{token}/apps", http.HandlerFunc(f.showApps))
	h.HTTP("GET /invite/{token}/about", http.HandlerFunc(f.about))
	h.HTTP("POST /invite/{token}/name", http.HandlerFunc(f.try))
	h.HTTP("GET /invite/style.css", http.HandlerFunc(f.style))
}

// gone removes what an account leaves. What fails is logged; its invitations go
// out of date by themselves.
func (f *Feature) gone(bare jid.JID) {
	if err := f.accounts.ForgetPerson(context.Background(), bare.Local()); err != nil {
		f.cfg.Log.Error("invitations or circles keep a removed account", "jid", bare.String(), "err", err)
	}
}

// Vouch grants a subscription request that shows a token of its receiver's: a
// people.People.Vouch. What is wrong with the token leaves a request like any other.
// XEP-0379 §4.1
func (f *Feature) Vouch(owner, asker jid.JID, request xtok.Elem) bool {
	token := request.Child(nsPars, "preauth").Attr("token")
	if token == "" {
		return false
	}
	guest := asker.String()
	if asker.DomainOnly() == f.cfg.Domain {
		guest = asker.Local()
	}
	err := f.accounts.Befriended(context.Background(), token, owner.Local(), guest)
	if err != nil && !errors.Is(err, auth.ErrInvitation) {
		f.cfg.Log.Error("an invitation cannot be used", "jid", asker.String(), "err", err)
	}
	if err == nil {
		f.cfg.Log.Info("invitation used", "jid", asker.Bare().String(), "invitation", auth.InvitationID(token), "way", "in-band")
	}
	return err == nil
}

// address is an account's, by its name.
func (f *Feature) address(name string) string { return name + "@" + f.cfg.Domain.String() }

// kick says that there are meetings; it never blocks.
func (f *Feature) kick() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// again is how long a meeting that failed waits.
const again = time.Minute

// Start begins to make meetings, those left from before first, until Close.
func (f *Feature) Start() {
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.kick()
	f.run.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-f.wake:
			case <-time.After(again):
			}
			f.meetAll(ctx)
		}
	})
}

// Close ends what Start began, and waits for it. What is not done is done after
// the next Start.
func (f *Feature) Close() {
	f.stop()
	f.run.Wait()
}

func (f *Feature) meetAll(ctx context.Context) {
	all, err := f.accounts.Meetings(ctx)
	for _, m := range all {
		if err == nil && ctx.Err() == nil {
			err = f.meet(ctx, m)
		}
	}
	if err != nil && ctx.Err() == nil {
		f.cfg.Log.Error("newcomers have not met everybody yet", "err", err)
	}
}

// step is how many of a circle are met before that is noted.
const step = 25

// meet makes one meeting. Members that are met twice, after a crash, notice nothing.
func (f *Feature) meet(ctx context.Context, m auth.Meeting) error {
	if m.With != "" {
		if err := f.befriend(ctx, m.Name, m.With, ""); err != nil {
			return err
		}
		return f.accounts.Met(ctx, m, true)
	}
	members, err := f.accounts.Members(ctx, m.Circle)
	if err != nil {
		return err
	}
	for n, other := range members {
		if other <= m.After {
			continue
		}
		if err := f.befriend(ctx, m.Name, other, m.Circle); err != nil {
			return err
		}
		m.After = other
		if n%step == step-1 {
			if err := f.accounts.Met(ctx, m, false); err != nil {
				return err
			}
		}
	}
	return f.accounts.Met(ctx, m, true)
}

// befriend passes over those who are not there any more, and contact lists that
// are full.
func (f *Feature) befriend(ctx context.Context, one, other, group string) error {
	if one == other || !f.accounts.Exists(one) || !f.accounts.Exists(other) {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	a, err := jid.New(one, f.cfg.Domain.Domain(), "")
	if err != nil {
		return err
	}
	b, err := jid.New(other, f.cfg.Domain.Domain(), "")
	if err != nil {
		return err
	}
	err = f.cfg.Befriend(ctx, a, b, group)
	var full *stanza.StanzaError
	if errors.As(err, &full) {
		f.cfg.Log.Warn("two people cannot become contacts", "jid", a.String(), "other", b.String(), "err", err)
		return nil
	}
	return err
}
