package auth

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/sasl"
)

// Passwd sets an account's password as the operator wants it, who is none of its
// devices and is held to no rule for passwords: else see ChangePassword.
func (a *Auth) Passwd(ctx context.Context, name, password string) error {
	name, err := a.Name(name)
	if err != nil {
		return err
	}
	return a.changePassword(ctx, name, password, Changer{})
}

// Changer is who changes a password; zero for nobody with a session.
type Changer struct {
	Device string
	// Session is the one session that stays, compared by what it is and nothing
	// else: others of its device may be somebody else's. nil for none.
	Session any
	// Keep lets the account's other devices stay: those that have a token. Else every one but the changer ends.
	Keep bool
}

// ChangePassword sets an account's password as its person wants it: CheckPassword.
// Every token of the account ends, the changer's too: after it nothing signs in but
// the new password. All sessions end but the changer's (OnPassword). With by.Keep tokens stay good, the changer's
// too, and only devices without one end (OnRevoke).
func (a *Auth) ChangePassword(ctx context.Context, name, password string, by Changer) error {
	name, err := a.Name(name)
	if err != nil {
		return err
	}
	if err := CheckPassword(name, password); err != nil {
		return err
	}
	return a.changePassword(ctx, name, password, by)
}

// changePassword takes a normalised name.
func (a *Auth) changePassword(ctx context.Context, name, password string, by Changer) error {
	next, err := a.derive(name, password)
	if err != nil {
		return err
	}
	out, err := a.setPassword(ctx, next, by)
	if err != nil {
		return err
	}
	if by.Keep {
		a.endDevices(name, out)
		return nil
	}
	for _, f := range a.newPassword {
		f(a.bare(name), by.Session)
	}
	return nil
}

// endDevices ends the sessions of devices.
func (a *Auth) endDevices(name string, devices []string) {
	for _, id := range devices {
		for _, f := range a.revoked {
			f(a.bare(name), id)
		}
	}
}

// setPassword writes in an order that a crash leaves safe: tokens end first, and
// devices count as knowing the password until it is another. out are those that cannot
// come back by what they have, where others can.
func (a *Auth) setPassword(ctx context.Context, next store.Account, by Changer) (out []string, err error) {
	a.change.Lock()
	defer a.change.Unlock()
	defer a.hold(next.Name)()
	acc, err := a.account(ctx, next.Name)
	if err != nil {
		return nil, err
	}
	records, err := a.records(ctx, next.Name)
	if err != nil {
		return nil, err
	}
	if !by.Keep {
		err = a.rewrite(ctx, next.Name, records, func(_ string, r *record) bool { return r.endTokens() })
	}
	if err != nil {
		return nil, err
	}
	acc.SHA1, acc.SHA256 = next.SHA1, next.SHA256
	if err := a.accounts.SetAccount(ctx, acc); err != nil {
		return nil, fmt.Errorf("auth: set password: %w", err)
	}
	a.changed(next.Name, "")
	// the password is set even when this fails: the devices are believed to know it
	_ = a.rewrite(ctx, next.Name, records, func(id string, r *record) bool {
		if id != by.Device && !r.hasToken(time.Now()) {
			out = append(out, id)
		}
		was, revoked := r.Password, r.Revoked
		r.Password, r.Revoked = id == by.Device, false
		return r.Password != was || revoked
	})
	return out, nil
}

// rewrite changes the records of an account's devices, in one step.
func (a *Auth) rewrite(ctx context.Context, name string, records map[string]*record, change func(id string, r *record) bool) error {
	var ops []store.Op
	for id, r := range records {
		if change(id, r) {
			ops = append(ops, a.setRecord(id, r))
		}
	}
	return a.write(ctx, name, ops...)
}

// Upgrade gives an account the keys of a mechanism that it lacks, from a password
// that the client has salted (sasl.UpgradeChallenge). Only who has just proved the
// password, and not a token, may be allowed to: nothing here can tell that it is the same.
// ErrPassword when that cannot be, or the account has such keys.
// XEP-0480 §3
func (a *Auth) Upgrade(ctx context.Context, name, mech string, salted, salt []byte, iterations int) error {
	keys, err := sasl.FromSalted(mech, salted, salt, iterations)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPassword, err)
	}
	if err := checkKeys(keys); err != nil {
		return err
	}
	a.change.Lock()
	defer a.change.Unlock()
	if !slices.Contains(a.Lacks(name), mech) {
		return fmt.Errorf("%w: there are keys for %s", ErrPassword, mech)
	}
	acc, err := a.account(ctx, name)
	if err != nil {
		return err
	}
	if mech == sasl.SCRAMSHA1 {
		acc.SHA1 = store.Scram(keys)
	} else {
		acc.SHA256 = store.Scram(keys)
	}
	if err := a.accounts.SetAccount(ctx, acc); err != nil {
		return fmt.Errorf("auth: upgrade: %w", err)
	}
	return nil
}

// maxSalt is the most bytes of a salt.
const maxSalt = 64

// checkKeys refuses keys that clients would refuse or that cost too much.
func checkKeys(k sasl.Keys) error {
	switch {
	case len(k.Salt) == 0 || len(k.Salt) > maxSalt:
		return fmt.Errorf("%w: a salt of %d bytes", ErrPassword, len(k.Salt))
	case k.Iterations < MinIterations || k.Iterations > sasl.MaxIterations:
		return fmt.Errorf("%w: %d iterations", ErrPassword, k.Iterations)
	}
	return nil
}
