package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/sasl"
)

// Lives of tokens.
const (
	tokenLife   = 30 * 24 * time.Hour // from issue
	tokenRotate = 24 * time.Hour      // older ones are replaced when they are used
)

// token is one secret of one device (XEP-0484). The mechanism takes the secret
// itself to check what is shown, so it is not kept as a hash.
type token struct {
	ID      string  `json:"id"`
	Mech    string  `json:"mech"` // it is good for no other
	Secret  string  `json:"secret"`
	Issued  int64   `json:"issued"`  // Unix seconds
	Expires int64   `json:"expires"` // 0 when it was ended early
	Used    bool    `json:"used,omitempty"`
	Spent   bool    `json:"spent,omitempty"` // a newer one was used: whoever shows it is another than who has that
	First   int64   `json:"first,omitempty"` // not used until then, it is not good any more; 0 for no such bound
	Count   *uint64 `json:"count,omitempty"` // the last that was shown with it
}

func (t *token) good(now time.Time) bool {
	return !t.Spent && now.Unix() < t.Expires && (t.Used || t.First == 0 || now.Unix() < t.First)
}

// Tokens are what a device may show by a mechanism: a sasl.TokenLookup, once the
// device is known. Those out of date are among them, with what to say. The path is
// the same for accounts and devices that are not there.
func (a *Auth) Tokens(name string, g Agent, mech string) ([]sasl.Token, error) {
	ctx, now := context.Background(), time.Now()
	_, cred, err := a.look(ctx, name)
	if err != nil {
		return nil, err
	}
	r, err := a.record(ctx, name, a.DeviceID(name, g.clean()))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	var tokens []sasl.Token
	for _, t := range r.Tokens {
		if t.Mech != mech || !a.Exists(name) {
			continue
		}
		shown := sasl.Token{ID: t.ID, Secret: []byte(t.Secret)}
		switch {
		case cred.Disabled:
			shown.Refuse = sasl.AccountDisabled
		case t.Spent && now.Unix() < t.Expires:
			shown.Refuse = sasl.CredentialsExpired
			shown.Shown = func() { a.stolen(name, g) }
		case !t.good(now):
			// XEP-0484 §4.2
			shown.Refuse = sasl.CredentialsExpired
		}
		tokens = append(tokens, shown)
	}
	return tokens, nil
}

// UseToken takes the sign-in by a token that was proved, durably on return.
// ErrToken when the token is gone meanwhile, or count is not above the last one.
// Tokens of the device that are older end with it; with invalidate all of them
// do. rotate tells that a new one is due.
func (a *Auth) UseToken(ctx context.Context, name string, g Agent, tokenID string, count uint64, hasCount, invalidate bool) (rotate bool, err error) {
	g = g.clean()
	err = a.withDevice(ctx, name, g, func(r *record, now time.Time) (write bool, err error) {
		i := slices.IndexFunc(r.Tokens, func(t token) bool { return t.ID == tokenID })
		if i < 0 || !r.Tokens[i].good(now) {
			return false, ErrToken
		}
		counted, err := r.Tokens[i].takeCount(count, hasCount)
		if err != nil {
			return false, err
		}
		write = r.signIn(g, byToken, now) || counted || invalidate
		if invalidate {
			// XEP-0484 §3.6
			r.Tokens = nil
			return true, nil
		}
		rotate = r.Tokens[i].old(now) || i < len(r.Tokens)-1
		return r.promote(i) || write, nil
	})
	return rotate && err == nil, err
}

// takeCount notes how often the client says that it has used the token. Once it
// counts, it goes on counting.
// XEP-0484 §3.4
func (t *token) takeCount(count uint64, has bool) (changed bool, err error) {
	switch {
	case !has && t.Count == nil:
		return false, nil
	case !has || t.Count != nil && count <= *t.Count:
		return false, ErrToken
	}
	t.Count = &count
	return true, nil
}

func (t *token) old(now time.Time) bool { return now.Sub(time.Unix(t.Issued, 0)) >= tokenRotate }

// promote makes token i the one in use: those before it end. The last of them is remembered: the
// client that has the new one never shows it again, so who does has copied it, or has copied the
// new one.
// XEP-0484 §3.5
func (r *record) promote(i int) (changed bool) {
	changed = !r.Tokens[i].Used
	r.Tokens[i].Used = true
	if i == 0 {
		return changed
	}
	changed = changed || i > 1 || !r.Tokens[i-1].Spent
	r.Tokens[i-1].Spent = true
	r.Tokens = r.Tokens[i-1:]
	return changed
}

// stolen ends a device's tokens since two have them, and tells whoever is to know. Which of the two
// is the owner nobody can tell here: both sign in anew, which only the owner can.
func (a *Auth) stolen(name string, g Agent) {
	ctx, id := context.Background(), a.DeviceID(name, g.clean())
	var d Device
	if err := a.alter(ctx, name, id, func(r *record) bool {
		d = r.device(id, time.Now())
		return r.endTokens()
	}); err != nil {
		return // it is revoked, or nothing could be written: the next one who shows it is heard
	}
	a.changed(name, id)
	for _, f := range a.revoked {
		f(a.bare(name), id)
	}
	for _, f := range a.theft {
		f(a.bare(name), d)
	}
}

// IssueToken makes a token for a device that has proved who it is, by whatever
// means; it is good for one mechanism, and known here only. The one in use stays good
// until the new one is used; one that was never used ends.
func (a *Auth) IssueToken(ctx context.Context, name string, g Agent, mech string) (secret string, expiry time.Time, err error) {
	return a.issue(ctx, name, g, token{Mech: mech})
}

// IssueFirstToken makes a token for a device that others let in. It is good only if it
// is first used within some time, which is kept with it; a device that does not is forgotten.
func (a *Auth) IssueFirstToken(ctx context.Context, name string, g Agent, mech string, within time.Duration) (secret string, expiry time.Time, err error) {
	return a.issue(ctx, name, g, token{Mech: mech, First: time.Now().Add(within).Unix()})
}

func (a *Auth) issue(ctx context.Context, name string, g Agent, t token) (secret string, expiry time.Time, err error) {
	g = g.clean()
	if g.ID == "" {
		return "", expiry, fmt.Errorf("%w: a device without an id gets none", ErrToken)
	}
	secret = rand.Text()
	err = a.withDevice(ctx, name, g, func(r *record, now time.Time) (bool, error) {
		expiry = now.Add(tokenLife).Truncate(time.Second)
		r.Tokens = slices.DeleteFunc(r.Tokens, func(t token) bool { return !t.Used || now.Unix() >= t.Expires })
		r.Removed = false
		t.ID, t.Secret, t.Issued, t.Expires = rand.Text()[:8], secret, now.Unix(), expiry.Unix()
		r.Tokens = append(r.Tokens, t)
		return true, nil
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return secret, expiry, nil
}

// endTokens ends a device's tokens; who shows one hears that it is over.
func (r *record) endTokens() (changed bool) {
	for i := range r.Tokens {
		changed = changed || r.Tokens[i].Expires != 0
		r.Tokens[i].Expires = 0
	}
	return changed
}
