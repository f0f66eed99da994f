package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// Standing is how things are with an account.
type Standing struct {
	Name     string
	Created  time.Time // to the second; zero where that is not known
	Admin    bool
	Disabled bool // nobody signs in to it
}

// OnDisable sets who is told of an account that was disabled, when that is durable:
// its sessions are to end. Before use only.
func (a *Auth) OnDisable(f func(bare jid.JID)) { a.disabled = append(a.disabled, f) }

// Standing reads one account; ErrName, ErrDomain, ErrNotFound.
func (a *Auth) Standing(ctx context.Context, name string) (Standing, error) {
	name, err := a.Name(name)
	if err != nil {
		return Standing{}, err
	}
	acc, err := a.account(ctx, name)
	return standing(acc), err
}

func standing(acc store.Account) Standing {
	s := Standing{Name: acc.Name, Admin: acc.Admin, Disabled: acc.Disabled}
	if acc.Created > 0 {
		s.Created = time.Unix(acc.Created, 0)
	}
	return s
}

// Standings reads those accounts that are wanted, in the order of their names. It
// reads every account: not for what is asked often.
func (a *Auth) Standings(ctx context.Context, want func(Standing) bool) (all []Standing, err error) {
	names, err := a.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		acc, err := a.account(ctx, name)
		switch s := standing(acc); {
		case errors.Is(err, ErrNotFound): // removed meanwhile
		case err != nil:
			return nil, err
		case want(s):
			all = append(all, s)
		}
	}
	return all, nil
}

// Disable lets nobody sign in to an account and ends its sessions (OnDisable);
// everything that it keeps stays, and messages for it wait.
func (a *Auth) Disable(ctx context.Context, name string) error {
	bare, changed, err := a.restand(ctx, name, func(acc *store.Account) { acc.Disabled = true })
	if err != nil || !changed {
		return err
	}
	for _, f := range a.disabled {
		f(bare)
	}
	return nil
}

// Enable ends what Disable began.
func (a *Auth) Enable(ctx context.Context, name string) error {
	_, _, err := a.restand(ctx, name, func(acc *store.Account) { acc.Disabled = false })
	return err
}

// SetAdmin makes an account an administrator's, or no longer.
func (a *Auth) SetAdmin(ctx context.Context, name string, admin bool) error {
	_, _, err := a.restand(ctx, name, func(acc *store.Account) { acc.Admin = admin })
	return err
}

// restand changes an account, durably on return. Who is about to sign in while it
// is disabled is caught by Changed.
func (a *Auth) restand(ctx context.Context, name string, change func(*store.Account)) (bare jid.JID, changed bool, err error) {
	name, err = a.Name(name)
	if err != nil {
		return bare, false, err
	}
	a.change.Lock()
	defer a.change.Unlock()
	defer a.hold(name)()
	acc, err := a.account(ctx, name)
	if err != nil {
		return bare, false, err
	}
	was := standing(acc)
	change(&acc)
	now := standing(acc)
	if now == was {
		return a.bare(name), false, nil
	}
	if err := a.accounts.SetAccount(ctx, acc); err != nil {
		return bare, false, fmt.Errorf("auth: change account: %w", err)
	}
	if now.Disabled && !was.Disabled {
		a.changed(name, "")
	}
	return a.bare(name), true, nil
}
