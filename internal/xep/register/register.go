// Package register lets people make, change and end their account from their
// client: In-Band Registration, XEP-0077 version 2.5, for those who show an invitation, XEP-0445 version 0.2.0.
//
// It keeps no accounts (auth does) and asks for nothing but a name and a
// password. Invariants: without an invitation nobody registers, unless the operator opened
// registration, and then not faster than a bounded pace; nothing is offered or
// taken on a connection that others can read; who is logged in can change or end
// no account but his own.
package register

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/limits"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces.
const (
	nsRegister = "jabber:iq:register"
	nsFeature  = "http://jabber.org/features/iq-register"
	nsToken    = "urn:xmpp:ibr-token:0"
	nsInvite   = "urn:xmpp:invite"
	nsPreauth  = "urn:xmpp:pars:0"
	nsForm     = "jabber:x:data"
	nsRecovery = "urn:mirsal:recovery:0"
)

// Bounds on what strangers may ask for.
const (
	tries = 10 // requests of one stream that were refused
)

// Accounts is where accounts are; *auth.Auth. What it returned nil for is durable.
type Accounts interface {
	SignUp(ctx context.Context, name, password string) (string, error)
	ChangePassword(ctx context.Context, name, password string, by auth.Changer) error
	Remove(ctx context.Context, name string) error
	Invited(ctx context.Context, token string) error
	Redeem(ctx context.Context, token, name, password string) (string, error)
	Domain() jid.JID
}

// Config is what can be chosen.
type Config struct {
	// Open lets everybody register.
	Open bool
	// Clear allows it on connections without TLS: where logging in is allowed there.
	Clear bool
	// Router tells devices of a recovery code; nil: all codes are passwords like others.
	Router *core.Router
	// Log hears of accounts that are made, changed and ended; nil for none.
	Log *slog.Logger
}

// Feature is the feature.
type Feature struct {
	accounts Accounts
	cfg      Config
}

// New makes the feature.
func New(a Accounts, cfg Config) *Feature {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Feature{accounts: a, cfg: cfg}
}

// Register attaches the feature.
func (f *Feature) Register(h *core.Host) {
	h.Stream(core.StreamFeature{Offer: f.offer})
	h.EarlyIQ(nsRegister, "query", f.early)
	h.EarlyIQ(nsPreauth, "preauth", f.preauth)
	h.IQ(core.Server, nsRegister, "query", f.own)
	h.IQ(core.Account, nsRegister, "query", f.own)
	h.Disco(core.Server, nsRegister)
	if f.cfg.Router != nil {
		h.Disco(core.Account, nsRecovery)
	}
}

// offer is for strangers on a connection that is safe enough to log in.
func (f *Feature) offer(st core.Stream) []byte {
	if !st.Account().IsZero() || !f.safe(st) {
		return nil
	}
	// XEP-0077 §8 and XEP-0445 §3; the last is an older name of the second
	return []byte("<register xmlns='" + nsFeature + "'/><register xmlns='" + nsToken + "'/><register xmlns='" + nsInvite + "'/>")
}

func (f *Feature) safe(st core.Stream) bool { return st.Secure() || f.cfg.Clear }

// visitor is what a stream has done before authentication.
type visitor struct {
	token   string // shown and good
	refused int
	done    bool // made an account
}

type visitorKey struct{}

func visitorOf(st core.Stream) *visitor {
	if v, ok := st.Value(visitorKey{}).(*visitor); ok {
		return v
	}
	v := &visitor{}
	st.SetValue(visitorKey{}, v)
	return v
}

// guard runs what a stranger asks for, within bounds.
func (f *Feature) guard(q *core.Query, do func(v *visitor) ([]byte, error)) ([]byte, error) {
	v := visitorOf(q.Stream)
	switch {
	case !f.safe(q.Stream):
		return nil, stanza.Errorf(stanza.NotAllowed, "this needs an encrypted connection")
	case v.refused >= tries:
		return nil, stanza.Errorf(stanza.ResourceConstraint, "too many attempts on one connection")
	}
	payload, err := do(v)
	if err != nil {
		v.refused++
	}
	return payload, err
}

// preauth takes the token of an invitation. Whether it is out of date counts
// now and not later (XEP-0445 §4).
func (f *Feature) preauth(q *core.Query) ([]byte, error) {
	return f.guard(q, func(v *visitor) ([]byte, error) {
		if !q.Set() {
			return nil, stanza.Errorf(stanza.BadRequest, "a token is set, not asked for")
		}
		token := q.Payload.Attr("token")
		if err := f.accounts.Invited(q.Ctx, token); err != nil {
			return nil, refusal(err)
		}
		v.token = token
		return nil, nil
	})
}

// early answers requests for a new account.
func (f *Feature) early(q *core.Query) ([]byte, error) {
	return f.guard(q, func(v *visitor) ([]byte, error) {
		switch {
		case v.done:
			// XEP-0077 §3.1.1
			return nil, stanza.Errorf(stanza.NotAcceptable, "this connection has made an account already")
		case v.token == "" && !f.cfg.Open:
			return nil, stanza.Errorf(stanza.NotAllowed, "an account here needs an invitation: ask somebody who runs this server for a link")
		case !q.Set():
			return fields("Choose a name and a password for your account.", ""), nil
		}
		return nil, f.create(q, v)
	})
}

func (f *Feature) create(q *core.Query, v *visitor) error {
	name, password, err := answers(q.Payload)
	if err != nil {
		return err
	}
	if v.token != "" {
		name, err = f.accounts.Redeem(q.Ctx, v.token, name, password)
	} else if err = paced(q); err == nil {
		name, err = f.accounts.SignUp(q.Ctx, name, password)
	}
	if err != nil {
		return refusal(err)
	}
	f.made(name, v.token)
	v.done, v.token = true, ""
	return nil
}

// made logs a new account, and the invitation that it used, by its ID.
func (f *Feature) made(name, token string) {
	made := name + "@" + f.accounts.Domain().String()
	if token != "" {
		f.cfg.Log.Info("invitation used", "jid", made, "invitation", auth.InvitationID(token), "way", "in-band")
	}
	f.cfg.Log.Info("account made", "jid", made, "way", "in-band")
}

// paced takes an open registration from its budgets.
func paced(q *core.Query) error {
	if p := limits.PeerOf(q.Stream); p != nil && p.Register() != nil {
		return stanza.Errorf(stanza.ResourceConstraint, "too many accounts are being made; try again later")
	}
	return nil
}

// own answers those who are logged in, about their own account.
func (f *Feature) own(q *core.Query) ([]byte, error) {
	switch {
	case q.Session == nil, q.Head.To.Local() != "" && !q.Own():
		// somebody of another host; or as for an account that is not there
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	case !q.Set():
		return fields("You have an account.", q.Asker().Local()), nil
	case q.Payload.Child(nsRegister, "remove").OK():
		return nil, f.remove(q)
	}
	name, password, err := answers(q.Payload)
	if err != nil {
		return nil, err
	}
	// XEP-0077 §3.3
	if own, err := auth.ParseName(name, q.Asker().DomainOnly()); err != nil || own != q.Asker().Local() {
		return nil, stanza.Errorf(stanza.NotAllowed, "you can change your own password only")
	}
	keep := f.cfg.Router != nil && q.Payload.Child(nsRecovery, "keep").OK()
	by := auth.Changer{Device: q.Session.Device, Session: q.Session, Keep: keep}
	if err := f.accounts.ChangePassword(q.Ctx, q.Asker().Local(), password, by); err != nil {
		return nil, refusal(err)
	}
	f.cfg.Log.Info("password changed", "jid", q.Asker().String(), "way", "in-band", "kept", keep)
	if !keep {
		return nil, nil
	}
	f.alert(q.Session)
	return []byte("<query xmlns='" + nsRegister + "'><kept xmlns='" + nsRecovery + "'/></query>"), nil
}

// patience is how long a removal waits for the reply to be written.
const patience = 2 * time.Second

// written hears that all that was queued before it is written.
type written chan struct{}

// Next satisfies core.Source.
func (w written) Next() []core.Packet {
	select {
	case w <- struct{}{}:
	default:
	}
	return nil
}

// remove ends the asker's account. Its sessions, this one included, end in the
// course of it, and with them what is not written yet: so the reply goes first, and
// what it promised is done though the asker leaves.
// XEP-0077 §3.2
func (f *Feature) remove(q *core.Query) error {
	if q.Payload.First().Next().OK() {
		return stanza.Errorf(stanza.BadRequest, "to end an account, ask for nothing else")
	}
	q.Reply(nil, nil)
	told := make(written, 1)
	q.Session.Feed(told)
	select {
	case <-told:
	case <-q.Ctx.Done():
	case <-time.After(patience):
	}
	if err := f.accounts.Remove(context.WithoutCancel(q.Ctx), q.Asker().Local()); err != nil && !errors.Is(err, auth.ErrNotFound) {
		q.Session.Close(&stream.Error{Condition: "internal-server-error", Text: "the account could not be removed"})
		return err
	}
	f.cfg.Log.Info("account removed", "jid", q.Asker().String(), "way", "in-band")
	return core.ErrLater
}

// fields is the form in its plain shape, filled in for those who have an account.
func fields(instructions, name string) []byte {
	b := []byte("<query xmlns='" + nsRegister + "'>")
	if name != "" {
		b = append(b, "<registered/>"...)
	}
	b = append(b, "<instructions>"+instructions+"</instructions><username>"...)
	b = xtok.Escape(b, name)
	return append(b, "</username><password/></query>"...)
}

// answers reads a name and a password, plain or from a form that a client made of them.
func answers(query xtok.Elem) (name, password string, err error) {
	name, password = query.Child(nsRegister, "username").Text(), query.Child(nsRegister, "password").Text()
	for field := range query.Child(nsForm, "x").Children() {
		switch v := field.Child(nsForm, "value"); field.Attr("var") {
		case "username":
			name = v.Text()
		case "password":
			password = v.Text()
		}
	}
	// XEP-0077 §3.1
	if name == "" || password == "" {
		return "", "", stanza.Errorf(stanza.NotAcceptable, "a name and a password are needed")
	}
	return name, password, nil
}

// refusal is what people hear of an error of the accounts.
func refusal(err error) error {
	switch {
	case errors.Is(err, auth.ErrInvitation):
		return stanza.Errorf(stanza.ItemNotFound, "%s", auth.ErrInvitation)
	case errors.Is(err, auth.ErrExists):
		return stanza.Errorf(stanza.Conflict, "the name is taken; choose another")
	case errors.Is(err, auth.ErrLookAlike):
		return stanza.Errorf(stanza.Conflict, "the name looks too much like one that is taken; choose another")
	case errors.Is(err, auth.ErrReserved):
		return stanza.Errorf(stanza.Conflict, "the name is reserved; choose another")
	case errors.Is(err, auth.ErrMixed):
		return stanza.Errorf(stanza.NotAcceptable, "a name is written in the letters of one script")
	case errors.Is(err, auth.ErrGiven):
		return stanza.Errorf(stanza.NotAcceptable, "%s", err)
	case errors.Is(err, auth.ErrName), errors.Is(err, auth.ErrDomain):
		return stanza.Errorf(stanza.JIDMalformed, "this cannot be a name here")
	case errors.Is(err, auth.ErrPassword), errors.Is(err, auth.ErrShort), errors.Is(err, auth.ErrEasy):
		return stanza.Errorf(stanza.NotAcceptable, "%s", err)
	case errors.Is(err, auth.ErrBusy):
		return stanza.Errorf(stanza.ResourceConstraint, "the server has too many passwords to work on; try again in a minute")
	}
	return err
}
