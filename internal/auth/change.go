package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

const saltSize = 16

// derive makes an account of a normalised name and a password as typed. It
// takes a few milliseconds of one core, when it is its turn; ErrBusy when too many wait.
func (a *Auth) derive(name, password string) (acc store.Account, err error) {
	if busy := a.work.do(func() { acc, err = a.deriveNow(name, password) }); busy != nil {
		return store.Account{}, busy
	}
	return acc, err
}

func (a *Auth) deriveNow(name, password string) (store.Account, error) {
	prepared, err := sasl.Password(password)
	if err != nil {
		return store.Account{}, fmt.Errorf("%w: %w", ErrPassword, err)
	}
	salts := make([]byte, 2*saltSize)
	rand.Read(salts)
	c, err := sasl.Derive(prepared, salts[:saltSize:saltSize], salts[saltSize:], a.cfg.Iterations)
	if err != nil {
		return store.Account{}, err
	}
	return store.Account{Name: name, Created: time.Now().Unix(), SHA1: store.Scram(c.SHA1), SHA256: store.Scram(c.SHA256)}, nil
}

// Add makes an account as the operator wants it; ErrExists, ErrLookAlike, ErrName,
// ErrDomain, ErrPassword. It returns the name as it is kept.
func (a *Auth) Add(ctx context.Context, name, password string) (string, error) {
	return a.add(ctx, name, password, a.newName)
}

// AddAnyway is Add for a name that may look like another.
func (a *Auth) AddAnyway(ctx context.Context, name, password string) (string, error) {
	return a.add(ctx, name, password, func(string) error { return nil })
}

// SignUp makes an account for a stranger who chose name and password; besides what
// Add refuses, ErrReserved and ErrMixed, ErrShort and ErrEasy.
func (a *Auth) SignUp(ctx context.Context, name, password string) (string, error) {
	name, err := a.Name(name)
	if err != nil {
		return "", err
	}
	if err := CheckPassword(name, password); err != nil {
		return "", err
	}
	return a.add(ctx, name, password, a.strangersName)
}

// add makes an account whose name passes; what looks alike is asked again when
// nobody else can add names.
func (a *Auth) add(ctx context.Context, name, password string, passes func(string) error) (string, error) {
	name, err := a.Name(name)
	if err != nil {
		return "", err
	}
	if a.Exists(name) {
		return "", fmt.Errorf("%w: %s", ErrExists, name)
	}
	if err := passes(name); err != nil {
		return "", err
	}
	acc, err := a.derive(name, password)
	if err != nil {
		return "", err
	}
	a.change.Lock()
	defer a.change.Unlock()
	if err := passes(name); err != nil && !a.Exists(name) {
		return "", err
	}
	return name, a.insert(ctx, acc)
}

// insert writes accounts, all or none; under change.
func (a *Auth) insert(ctx context.Context, accs ...store.Account) error {
	for _, acc := range accs {
		if a.Exists(acc.Name) {
			return fmt.Errorf("%w: %s", ErrExists, acc.Name)
		}
	}
	err := a.accounts.AddAccounts(ctx, accs)
	if errors.Is(err, store.ErrExists) {
		// also an account whose removal did not come to its end
		return ErrExists
	}
	if err != nil {
		return fmt.Errorf("auth: add account: %w", err)
	}
	a.expect(len(accs))
	for _, acc := range accs {
		a.setName(acc.Name, true)
	}
	return nil
}

// Admin tells whether an account is an administrator's; false when there is no
// such account.
func (a *Auth) Admin(ctx context.Context, name string) (bool, error) {
	acc, err := a.account(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return acc.Admin && !acc.Disabled, err
}

func (a *Auth) account(ctx context.Context, name string) (store.Account, error) {
	acc, err := a.accounts.Account(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return acc, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	if err != nil {
		return acc, fmt.Errorf("auth: %w", err)
	}
	return acc, nil
}

// Remove ends an account and all that it kept. The account itself goes last, so
// that a removal which failed or was interrupted can be repeated.
func (a *Auth) Remove(ctx context.Context, name string) error {
	name, err := a.Name(name)
	if err != nil {
		return err
	}
	a.change.Lock()
	defer a.change.Unlock()
	if _, err := a.account(ctx, name); err != nil {
		return err
	}
	bare, err := jid.New(name, a.Domain().Domain(), "")
	if err != nil {
		return fmt.Errorf("%w: the domain is not known yet", ErrDomain)
	}
	a.close(name)
	if err := a.wipe(ctx, bare); err != nil {
		a.setName(name, true)
		return fmt.Errorf("auth: remove account: %w", err)
	}
	return nil
}

// close lets nobody log in any more; what a device was about to write is written.
func (a *Auth) close(name string) {
	defer a.hold(name)()
	a.setName(name, false)
	a.changed(name, "")
}

// removedKey is where an account is noted whose traces in what others keep are
// still to be removed.
const removedKey = "removed/"

// Finish completes removals that were made without a server, or that a server
// did not live to complete: gone is called for each. Before anybody can log in.
func (a *Auth) Finish(ctx context.Context, gone func(bare jid.JID)) error {
	items, err := a.facts.Scan(ctx, owner, store.Range{Prefix: removedKey})
	if err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	for _, item := range items {
		bare, err := jid.New(strings.TrimPrefix(item.Key, removedKey), a.Domain().Domain(), "")
		if err != nil {
			return fmt.Errorf("auth: %w", err)
		}
		gone(bare)
		if err := a.facts.Delete(ctx, owner, item.Key); err != nil {
			return fmt.Errorf("auth: %w", err)
		}
	}
	return nil
}

func (a *Auth) wipe(ctx context.Context, bare jid.JID) error {
	if err := a.facts.Put(ctx, owner, removedKey+bare.Local(), []byte{}); err != nil {
		return err
	}
	if a.removal.Closing != nil {
		a.removal.Closing(bare)
	}
	if err := a.kv.RemoveOwner(ctx, bare.String()); err != nil {
		return err
	}
	if a.removal.Gone != nil {
		a.removal.Gone(bare)
	}
	if err := a.accounts.RemoveAccount(ctx, bare.Local()); err != nil || a.removal.Later {
		return err
	}
	return a.facts.Delete(ctx, owner, removedKey+bare.Local())
}
