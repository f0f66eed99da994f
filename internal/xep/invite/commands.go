package invite

import (
	"context"
	"errors"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// The nodes of the commands.
// XEP-0401 §3
const (
	NodeInvite = "urn:xmpp:invite#invite"
	NodeCreate = "urn:xmpp:invite#create-account"
)

// MayInvite tells who may invite somebody to become his contact: everybody.
func (f *Feature) MayInvite(asker jid.JID) bool { return asker.DomainOnly() == f.cfg.Domain }

// MayCreate tells who may invite people that have no account yet.
func (f *Feature) MayCreate(asker jid.JID) bool {
	if asker.DomainOnly() != f.cfg.Domain {
		return false // the name of an account, at another host
	}
	if f.cfg.UsersMayInvite {
		return true
	}
	admin, err := f.accounts.Admin(context.Background(), asker.Local())
	return admin && err == nil
}

// Invite is the command by which one invites somebody to become his contact.
// XEP-0401 §5.1
func (f *Feature) Invite(q *core.Query, _ *form.Form) (form.Form, error) {
	asker := q.Asker()
	return f.invitation(q.Ctx, auth.Offer{From: asker.Local(), Contact: true, NoAccount: !f.MayCreate(asker)})
}

// CreateAccount is the command by which one invites somebody to have an account.
// XEP-0401 §5.4
func (f *Feature) CreateAccount(q *core.Query, answer *form.Form) (form.Form, error) {
	if answer == nil {
		return form.Form{Kind: form.Ask, Title: "Invite somebody to have an account here", Fields: []form.Field{
			{Var: "username", Kind: form.TextSingle, Label: "Name; empty to let them choose"},
			{Var: "roster-subscription", Kind: form.Boolean, Label: "Become contacts", Values: []string{"1"}},
		}}, nil
	}
	contact, _ := answer.Bool("roster-subscription")
	return f.invitation(q.Ctx, auth.Offer{From: q.Asker().Local(), Contact: contact, Name: answer.Value("username")})
}

func (f *Feature) invitation(ctx context.Context, o auth.Offer) (form.Form, error) {
	in, err := f.accounts.Invite(ctx, o)
	if err != nil {
		return form.Form{}, refusal(err)
	}
	f.cfg.Log.Info("invitation made", "jid", f.address(in.From), "invitation", in.ID, "way", "in-band")
	out := form.Form{Kind: form.Result, Of: "urn:xmpp:invite#invitation", Fields: []form.Field{
		{Var: "uri", Kind: form.TextSingle, Label: "Link for apps", Values: []string{in.URI}},
	}}
	if in.Link != "" {
		out.Fields = append(out.Fields, form.Field{Var: "landing-url", Kind: form.TextSingle, Label: "Link for browsers", Values: []string{in.Link}})
	}
	expire := in.Expires.UTC().Format(time.RFC3339) // XEP-0082 §3.2
	out.Fields = append(out.Fields, form.Field{Var: "expire", Kind: form.TextSingle, Label: "Good until", Values: []string{expire}})
	return out, nil
}

// refusal is what people hear of an error.
func refusal(err error) error {
	switch {
	case errors.Is(err, auth.ErrExists), errors.Is(err, auth.ErrLookAlike):
		return stanza.Errorf(stanza.Conflict, "the name is taken, or looks like one that is")
	case errors.Is(err, auth.ErrName), errors.Is(err, auth.ErrDomain):
		return stanza.Errorf(stanza.JIDMalformed, "this cannot be a name here")
	case errors.Is(err, auth.ErrTooMany):
		return stanza.Errorf(stanza.ResourceConstraint, "%s; wait until some are used or out of date", err)
	case errors.Is(err, auth.ErrOffer):
		return stanza.Errorf(stanza.NotAcceptable, "%s", err)
	}
	return err
}
