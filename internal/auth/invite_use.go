package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"mirsal/internal/store"
)

// Invited checks a token that somebody shows: ErrInvitation unless an account can
// be made for it now. It is not used up.
func (a *Auth) Invited(ctx context.Context, token string) error {
	in, err := a.Invitation(ctx, token)
	if err == nil && in.NoAccount {
		err = ErrInvitation
	}
	return err
}

// Invitation is what a token that somebody shows stands for: ErrInvitation unless
// it can be used now.
func (a *Auth) Invitation(ctx context.Context, token string) (Invitation, error) {
	in, _, err := a.find(ctx, token)
	if err == nil && in.over(0) {
		err = ErrInvitation
	}
	if err != nil {
		return Invitation{}, err
	}
	out := in.public(keyOf(token))
	out.Token = token
	a.addLinks(&out)
	return out, nil
}

// UsedBy tells whether an account was made for a token, or became a contact by it.
func (a *Auth) UsedBy(ctx context.Context, token, name string) bool {
	in, _, err := a.read(ctx, token)
	return err == nil && in.usedBy(name)
}

func (in *invitation) usedBy(name string) bool {
	return slices.ContainsFunc(in.Used, func(u Use) bool { return u.Name == name })
}

// read reads what is kept of a token. Every token costs the same.
func (a *Auth) read(ctx context.Context, token string) (in invitation, version uint64, err error) {
	it, err := a.invites.Get(ctx, owner, keyOf(token))
	if errors.Is(err, store.ErrNotFound) {
		return in, 0, ErrInvitation
	}
	if err == nil {
		err = json.Unmarshal(it.Value, &in)
	}
	if err != nil {
		return in, 0, fmt.Errorf("auth: invitation: %w", err)
	}
	return in, it.Version, nil
}

// find is read of a token that can still be redeemed by one who showed it in time.
func (a *Auth) find(ctx context.Context, token string) (in invitation, version uint64, err error) {
	in, version, err = a.read(ctx, token)
	if err == nil && (in.over(graceOfInvitation) || in.left(a.Exists) <= 0) {
		err = ErrInvitation
	}
	return in, version, err
}

// Redeem makes an account for a token that Invited has accepted, and uses the
// token up, once. It returns the name as it is kept. What is wrong with name or
// password leaves the token good: ErrExists, ErrLookAlike, ErrReserved, ErrMixed,
// ErrName, ErrGiven, ErrPassword, ErrShort, ErrEasy.
func (a *Auth) Redeem(ctx context.Context, token, name, password string) (string, error) {
	name, err := a.Name(name)
	if err != nil {
		return "", err
	}
	in, _, err := a.find(ctx, token)
	if err != nil {
		return "", err
	}
	// before the name: who is told that one is taken has offered an account for it
	if err := CheckPassword(name, password); err != nil {
		return "", err
	}
	if err := a.mayTake(&in, name); err != nil {
		return "", err
	}
	acc, err := a.derive(name, password)
	if err != nil {
		return "", err
	}
	if err := a.redeem(ctx, token, acc); err != nil {
		return "", err
	}
	if in.Circle != "" || in.Contact {
		a.meet()
	}
	return name, nil
}

// MayTake tells somebody who shows a token whether he could take a name with it now,
// and how it is kept; nothing is taken or kept for him. Errors are those of Redeem.
func (a *Auth) MayTake(ctx context.Context, token, name string) (string, error) {
	in, _, err := a.find(ctx, token)
	if err != nil {
		return "", err
	}
	if name, err = a.Name(name); err != nil {
		return "", err
	}
	return name, a.mayTake(&in, name)
}

// mayTake tells whether an invitation is good for a name.
func (a *Auth) mayTake(in *invitation, name string) error {
	switch {
	case in.NoAccount:
		return ErrInvitation
	case a.Exists(name):
		return ErrExists
	case in.Name != "" && in.Name != name:
		return fmt.Errorf("%w: %s", ErrGiven, in.Name)
	case in.Admin || in.Name != "":
		return a.newName(name) // the operator has chosen the person, or the name
	}
	return a.strangersName(name)
}

// redeem takes the change lock. The claim is durable before the account, and who
// claims must have seen the last one who did: a token makes as many accounts as
// it was made for, whoever races for it. A crash in between lets the token be
// used again for nothing but a name that failed.
func (a *Auth) redeem(ctx context.Context, token string, acc store.Account) error {
	a.change.Lock()
	defer a.change.Unlock()
	if err := a.settleFormer(ctx, token); err != nil {
		return err
	}
	in, version, err := a.find(ctx, token)
	if err != nil {
		return err
	}
	if err := a.mayTake(&in, acc.Name); err != nil {
		return err
	}
	in.Claimed = acc.Name
	claim, err := a.setInvitation(keyOf(token), &in)
	if err != nil {
		return err
	}
	claim.If = &version
	if err := a.kv.Apply(ctx, owner, claim); err != nil {
		return fmt.Errorf("auth: redeem: %w", err)
	}
	acc.Admin = in.Admin
	err = a.insert(ctx, acc)
	// the account is there, or not: a claim is judged by that even when this fails, and
	// what it promised is made up for by the next one, or at the next start
	_ = a.settle(ctx, keyOf(token), in)
	return err
}

// settleFormer ends a claim that could not be ended; under change.
func (a *Auth) settleFormer(ctx context.Context, token string) error {
	in, _, err := a.read(ctx, token)
	if err != nil || in.Claimed == "" {
		return err
	}
	return a.settle(ctx, keyOf(token), in)
}

func (a *Auth) setInvitation(key string, in *invitation) (store.Op, error) {
	value, err := json.Marshal(in)
	return a.invites.Set(key, value), err
}

// settle ends a claim: an account that came to be has used the invitation, is a
// member of its circle and is to meet whom it was promised, in one step. Under change, or before use.
func (a *Auth) settle(ctx context.Context, key string, in invitation) error {
	name := in.Claimed
	in.Claimed = ""
	var ops []store.Op
	if a.Exists(name) {
		in.Used = append(slices.Clone(in.Used), Use{Name: name, Time: time.Now().Truncate(time.Second)})
		if in.Circle != "" {
			ops = append(ops, a.memberOps(in.Circle, name)...)
		}
		if in.Contact {
			ops = append(ops, a.meetingOp(Meeting{Name: name, With: in.From}))
		}
	}
	op, err := a.setInvitation(key, &in)
	if err != nil {
		return err
	}
	return a.kv.Apply(ctx, owner, append(ops, op)...)
}

// Befriended uses a token by which guest, a bare JID or a name of this server,
// becomes a contact of inviter: ErrInvitation unless it is good for that now. The
// same guest uses it once: shown again, perhaps by one who was taken out of the
// contact list, it means nothing.
// XEP-0379 §5.2
func (a *Auth) Befriended(ctx context.Context, token, inviter, guest string) error {
	a.change.Lock()
	defer a.change.Unlock()
	in, version, err := a.read(ctx, token)
	switch {
	case err != nil:
		return err
	case !in.Contact || in.From != inviter || in.over(0):
		return ErrInvitation
	case in.usedBy(guest), in.left(a.Exists) <= 0:
		return ErrInvitation
	}
	in.Used = append(in.Used, Use{Name: guest, Time: time.Now().Truncate(time.Second)})
	op, err := a.setInvitation(keyOf(token), &in)
	if err != nil {
		return err
	}
	op.If = &version
	return a.kv.Apply(ctx, owner, op)
}
