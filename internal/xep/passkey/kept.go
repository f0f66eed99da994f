package passkey

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"

	"mirsal/internal/auth"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// passkey is what is kept of one.
type passkey struct {
	ID      protocol.URLEncodedBase64   `json:"id"`
	Public  protocol.URLEncodedBase64   `json:"key"`   // a COSE key
	Flags   protocol.AuthenticatorFlags `json:"flags"` // of when it was last used
	Count   uint32                      `json:"count"`
	Name    string                      `json:"name,omitempty"`
	RP      string                      `json:"rp"` // the host name that it is for
	Added   int64                       `json:"added"`
	Used    int64                       `json:"used,omitempty"`
	Account int64                       `json:"account"` // when the account was made that has added it
}

var (
	errFull  = errors.New("there are as many passkeys as there can be")
	errKnown = errors.New("the passkey is somebody's already")
)

// read reads one passkey; store.ErrNotFound.
func (f *Feature) read(ctx context.Context, bare jid.JID, id string) (p passkey, version uint64, err error) {
	it, err := f.keys.Get(ctx, bare.String(), id)
	if err == nil {
		err = json.Unmarshal(it.Value, &p)
	}
	return p, it.Version, err
}

// all reads an account's passkeys, the oldest first. One that an earlier account of the name
// has left behind is none.
func (f *Feature) all(ctx context.Context, bare jid.JID) ([]passkey, error) {
	now, err := f.accounts.Standing(ctx, bare.Local())
	if err != nil {
		return nil, err
	}
	items, err := f.keys.Scan(ctx, bare.String(), store.Range{})
	if err != nil {
		return nil, err
	}
	var all []passkey
	for _, it := range items {
		var p passkey
		if err := json.Unmarshal(it.Value, &p); err != nil {
			return nil, fmt.Errorf("passkey: %w", err)
		}
		if p.Account == born(now) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(x, y passkey) int { return cmp.Compare(x.Added, y.Added) })
	return all, nil
}

// born tells an account from a later one of the same name.
func born(s auth.Standing) int64 {
	if s.Created.IsZero() {
		return 0
	}
	return s.Created.Unix()
}

// keep adds a passkey, durably: whose it is first, which means nothing alone.
func (f *Feature) keep(ctx context.Context, bare jid.JID, p *passkey) error {
	all, err := f.all(ctx, bare)
	switch {
	case err != nil:
		return err
	case len(all) >= most:
		return errFull
	}
	// WebAuthn L3 §7.1: a credential has one owner
	id := p.ID.String()
	if owner, err := f.ownerOf(ctx, id); err == nil {
		if _, _, err := f.read(ctx, owner, id); !errors.Is(err, store.ErrNotFound) {
			return errors.Join(errKnown, err)
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := f.owners.Put(ctx, "", id, []byte(bare.Local())); err != nil {
		return err
	}
	return f.keys.Put(ctx, bare.String(), id, value)
}

// ownerOf is the account of a passkey; store.ErrNotFound.
func (f *Feature) ownerOf(ctx context.Context, id string) (jid.JID, error) {
	it, err := f.owners.Get(ctx, "", id)
	if err != nil {
		return jid.JID{}, err
	}
	return jid.New(string(it.Value), f.router.Domain.Domain(), "")
}

// note writes that a passkey was used, if nobody has used it meanwhile.
func (f *Feature) note(ctx context.Context, bare jid.JID, p passkey, version uint64) error {
	p.Used = time.Now().Unix()
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	op := f.keys.Set(p.ID.String(), value)
	op.If = &version
	return f.kv.Apply(ctx, bare.String(), op)
}

// forget removes one; store.ErrNotFound.
func (f *Feature) forget(ctx context.Context, bare jid.JID, id string) error {
	if _, _, err := f.read(ctx, bare, id); err != nil {
		return err
	}
	if err := f.keys.Delete(ctx, bare.String(), id); err != nil {
		return err
	}
	return f.owners.Delete(ctx, "", id)
}
