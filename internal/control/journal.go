package control

import (
	"context"
	"io"
	"log/slog"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/jid"
)

// Home is the accounts at their own end; *auth.Auth.
type Home interface {
	Accounts
	Domain() jid.JID
	Name(s string) (string, error)
}

// journal is accounts whose changes are logged, without passwords and tokens.
type journal struct {
	Home
	log *slog.Logger
}

// note logs what happened unless it failed.
func (j journal) note(err error, event string, args ...any) {
	if err == nil {
		j.log.Info(event, append(args, "way", "command")...)
	}
}

// address is an account's, by what somebody called it.
func (j journal) address(name string) string {
	if own, err := j.Name(name); err == nil {
		name = own
	}
	return name + "@" + j.Domain().String()
}

func (j journal) Add(ctx context.Context, name, password string) (string, error) {
	own, err := j.Home.Add(ctx, name, password)
	j.note(err, "account made", "jid", j.address(name))
	return own, err
}

func (j journal) AddAnyway(ctx context.Context, name, password string) (string, error) {
	own, err := j.Home.AddAnyway(ctx, name, password)
	j.note(err, "account made", "jid", j.address(name))
	return own, err
}

func (j journal) Import(ctx context.Context, r io.Reader) (int, error) {
	n, err := j.Home.Import(ctx, r)
	j.note(err, "accounts imported", "count", n)
	return n, err
}

func (j journal) Passwd(ctx context.Context, name, password string) error {
	err := j.Home.Passwd(ctx, name, password)
	j.note(err, "password changed", "jid", j.address(name))
	return err
}

func (j journal) Remove(ctx context.Context, name string) error {
	err := j.Home.Remove(ctx, name)
	j.note(err, "account removed", "jid", j.address(name))
	return err
}

func (j journal) Disable(ctx context.Context, name string) error {
	err := j.Home.Disable(ctx, name)
	j.note(err, "account disabled", "jid", j.address(name))
	return err
}

func (j journal) Enable(ctx context.Context, name string) error {
	err := j.Home.Enable(ctx, name)
	j.note(err, "account enabled", "jid", j.address(name))
	return err
}

func (j journal) SetAdmin(ctx context.Context, name string, admin bool) error {
	err := j.Home.SetAdmin(ctx, name, admin)
	j.note(err, "administrator changed", "jid", j.address(name), "admin", admin)
	return err
}

func (j journal) Invite(ctx context.Context, o auth.Offer) (auth.Invitation, error) {
	inv, err := j.Home.Invite(ctx, o)
	args := []any{"invitation", inv.ID, "uses", inv.Uses, "admin", inv.Admin, "circle", inv.Circle}
	if inv.From != "" {
		args = append(args, "jid", j.address(inv.From))
	}
	j.note(err, "invitation made", args...)
	return inv, err
}

func (j journal) Withdraw(ctx context.Context, id string) error {
	err := j.Home.Withdraw(ctx, id)
	j.note(err, "invitation revoked", "invitation", id)
	return err
}

func (j journal) Join(ctx context.Context, circle, name string) error {
	err := j.Home.Join(ctx, circle, name)
	j.note(err, "circle joined", "jid", j.address(name), "circle", circle)
	return err
}

func (j journal) Leave(ctx context.Context, circle, name string) error {
	err := j.Home.Leave(ctx, circle, name)
	j.note(err, "circle left", "jid", j.address(name), "circle", circle)
	return err
}
