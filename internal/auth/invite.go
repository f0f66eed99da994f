package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mirsal/internal/store"
)

// graceOfInvitation is how long an invitation that is out of date can still be
// redeemed by somebody who showed it before: expiry counts when the token is shown.
// XEP-0445 §4
const graceOfInvitation = time.Hour

// Invitation is what was made: the token is shown once and kept as a hash.
type Invitation struct {
	Token   string    `json:"token"`
	URI     string    `json:"uri"` // xmpp:DOMAIN?register;preauth=TOKEN
	Admin   bool      `json:"admin"`
	Expires time.Time `json:"expires"`
}

// invitation is what is kept under the token's hash.
type invitation struct {
	Admin   bool   `json:"admin,omitempty"`
	Expires int64  `json:"expires"` // Unix seconds
	Claimed string `json:"claimed,omitempty"`
}

// A token is 130 random bits, so a plain hash of it cannot be turned round.
func keyOf(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// Invite makes an invitation for one account, good for life (0: the configured time, at
// most MaxInvitation).
func (a *Auth) Invite(ctx context.Context, admin bool, life time.Duration) (Invitation, error) {
	domain := a.Domain()
	if domain.IsZero() {
		return Invitation{}, fmt.Errorf("%w: the domain is not known yet; start the server once", ErrDomain)
	}
	if life <= 0 {
		life = a.cfg.Invitation.Duration
	}
	in := Invitation{Token: rand.Text(), Admin: admin, Expires: time.Now().Add(min(life, MaxInvitation)).Truncate(time.Second)}
	// XEP-0445 §2.2
	in.URI = "xmpp:" + domain.String() + "?register;preauth=" + in.Token
	value, err := json.Marshal(invitation{Admin: admin, Expires: in.Expires.Unix()})
	if err != nil {
		return Invitation{}, err
	}
	a.sweep(ctx)
	if err := a.invites.Put(ctx, owner, keyOf(in.Token), value); err != nil {
		return Invitation{}, fmt.Errorf("auth: invite: %w", err)
	}
	return in, nil
}

// sweep forgets invitations that nobody can redeem any more. What fails is
// tried again with the next invitation.
func (a *Auth) sweep(ctx context.Context) {
	items, err := a.invites.Scan(ctx, owner, store.Range{})
	if err != nil {
		return
	}
	dead := time.Now().Add(-graceOfInvitation).Unix()
	for _, it := range items {
		var in invitation
		if json.Unmarshal(it.Value, &in) == nil && in.Expires < dead {
			_ = a.invites.Delete(ctx, owner, it.Key)
		}
	}
}

// Invited checks a token that somebody shows: ErrInvitation unless it can be
// redeemed now. It is not used up.
func (a *Auth) Invited(ctx context.Context, token string) error {
	in, _, err := a.find(ctx, token)
	if err == nil && time.Now().Unix() >= in.Expires {
		err = ErrInvitation
	}
	return err
}

func (a *Auth) find(ctx context.Context, token string) (in invitation, version uint64, err error) {
	it, err := a.invites.Get(ctx, owner, keyOf(token))
	if errors.Is(err, store.ErrNotFound) {
		return in, 0, ErrInvitation
	}
	if err != nil {
		return in, 0, fmt.Errorf("auth: invitation: %w", err)
	}
	if err := json.Unmarshal(it.Value, &in); err != nil {
		return in, 0, fmt.Errorf("auth: invitation: %w", err)
	}
	// left by a crash between the account and the end of its invitation
	if in.Claimed != "" && a.Exists(in.Claimed) {
		return in, 0, ErrInvitation
	}
	return in, it.Version, nil
}

// Redeem makes an account for a token that Invited has accepted, and uses the
// token up. It returns the name as it is kept. A name that is taken, or cannot be
// one, or an unusable password leave the token good: ErrExists, ErrName, ErrPassword.
func (a *Auth) Redeem(ctx context.Context, token, name, password string) (string, error) {
	name, err := a.Name(name)
	if err != nil {
		return "", err
	}
	if _, _, err := a.find(ctx, token); err != nil {
		return "", err
	}
	if a.Exists(name) {
		return "", ErrExists
	}
	acc, err := a.derive(name, password)
	if err != nil {
		return "", err
	}
	a.change.Lock()
	defer a.change.Unlock()
	return name, a.redeem(ctx, token, acc)
}

// redeem runs under change. The claim is durable before the account, so a crash
// in between lets the token be used again for nothing but a name that failed.
func (a *Auth) redeem(ctx context.Context, token string, acc store.Account) error {
	in, version, err := a.find(ctx, token)
	if err != nil {
		return err
	}
	if a.Exists(acc.Name) {
		return ErrExists
	}
	in.Claimed = acc.Name
	value, err := json.Marshal(in)
	if err != nil {
		return err
	}
	claim := a.invites.Set(keyOf(token), value)
	claim.If = &version
	if err := a.kv.Apply(ctx, owner, claim); err != nil {
		return fmt.Errorf("auth: redeem: %w", err)
	}
	acc.Admin = in.Admin
	if err := a.insert(ctx, acc); err != nil {
		return err
	}
	// the account is there: a claimed token counts as used even when this fails
	_ = a.invites.Delete(ctx, owner, keyOf(token))
	return nil
}
