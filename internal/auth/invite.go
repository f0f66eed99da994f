package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirsal/internal/store"
)

// graceOfInvitation is how long an invitation that is out of date can still be
// redeemed by somebody who showed it before: expiry counts when the token is shown.
// XEP-0445 §4
const graceOfInvitation = time.Hour

// Bounds of invitations.
const (
	// MostUses is how many people one invitation can be for.
	MostUses = 1000
	// MostOpen is how many invitations of one person can be open at once; the
	// operator's own are not counted.
	MostOpen = 50
)

// Offer is what an invitation is to be. The zero Offer is for one account that
// meets nobody.
type Offer struct {
	Admin bool          `json:"admin,omitempty"` // the account becomes an administrator's
	Life  time.Duration `json:"life,omitempty"`  // 0: as configured; at least a second, at most MaxInvitation
	Uses  int           `json:"uses,omitempty"`  // 0: one; at most MostUses
	// From is the account that invites, "" for the operator.
	From string `json:"from,omitempty"`
	// Contact makes who accepts a contact of From, and From one of his.
	Contact bool `json:"contact,omitempty"`
	// NoAccount offers the contact only, to people who have an account.
	NoAccount bool `json:"no_account,omitempty"`
	// Circle is what the new account joins, "" for none.
	Circle string `json:"circle,omitempty"`
	// Name is the one name that can be taken, "" for any.
	Name string `json:"name,omitempty"`
	// Room is the room that the link leads to, as its bare address, "" for none. Who is let
	// in there, the room decides.
	Room string `json:"room,omitempty"`
}

// Invitation is what was made. The token is shown once and kept as a hash: in a
// list it is empty, and so are the links.
type Invitation struct {
	Offer
	ID      string    `json:"id"` // to revoke it by; no secret
	Token   string    `json:"token,omitempty"`
	URI     string    `json:"uri,omitempty"`  // xmpp:…
	Link    string    `json:"link,omitempty"` // of its web page, "" while the server has none
	Expires time.Time `json:"expires"`
	Used    []Use     `json:"used,omitempty"`
}

// Left is how often it can still be used.
func (in *Invitation) Left() int { return in.Uses - len(in.Used) }

// Use is one who accepted.
type Use struct {
	Name string    `json:"name"`
	Time time.Time `json:"time"`
}

// invitation is what is kept under the token's hash.
type invitation struct {
	Offer
	Expires int64  `json:"expires"`           // Unix seconds
	Claimed string `json:"claimed,omitempty"` // an account that is being made for it
	Used    []Use  `json:"used,omitempty"`
}

// left is how often it can still be used; an account that was claimed and came to
// be counts, whatever became of noting it.
func (in *invitation) left(exists func(string) bool) int {
	left := max(in.Uses, 1) - len(in.Used)
	if in.Claimed != "" && exists(in.Claimed) {
		left--
	}
	return left
}

func (in *invitation) over(grace time.Duration) bool {
	return time.Now().Unix() >= in.Expires+int64(grace.Seconds())
}

// InvitationID is the ID of the invitation that a token is of; it is no secret.
func InvitationID(token string) string { return keyOf(token)[:idLength] }

// A token is 130 random bits, so a plain hash of it cannot be turned round.
func keyOf(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// idLength is how much of the hash names an invitation.
const idLength = 12

func (a *Auth) declareInvitations(s store.KV) {
	a.invites = s.Declare(store.Space{
		Name: "invitation", Fields: "hash of the token: expiry, what it offers, the room it leads to, who invites, the names of those who accepted",
		Purpose: "let invited people make an account or become a contact; show who invites what became of it", Life: MaxInvitation + graceOfInvitation,
	})
	a.circles = s.Declare(store.Space{
		Name: "circle", Fields: "circle and member: since when",
		Purpose: "make the members of a circle contacts of each other",
	})
	a.meetings = s.Declare(store.Space{
		Name: "meeting", Fields: "a newcomer and whom he is to meet; how far that has come",
		Purpose: "make contacts of people who accepted an invitation or joined a circle", Life: MaxInvitation,
	})
}

// loadInvitations brings to an end what a crash left between an account and its
// invitation.
func (a *Auth) loadInvitations(ctx context.Context) error {
	p, err := a.facts.Get(ctx, owner, "public")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	a.public = string(p.Value)
	items, err := a.invites.Scan(ctx, owner, store.Range{})
	for _, it := range items {
		var in invitation
		if json.Unmarshal(it.Value, &in) == nil && in.Claimed != "" {
			err = errors.Join(err, a.settle(ctx, it.Key, in))
		}
	}
	return err
}

// SetPublic says where the links of invitations begin: a URL without a slash at its
// end. It is kept, for invitations that are made while no server runs.
func (a *Auth) SetPublic(ctx context.Context, url string) error {
	a.mu.Lock()
	same := a.public == url
	a.public = url
	a.mu.Unlock()
	if same {
		return nil
	}
	return a.facts.Put(ctx, owner, "public", []byte(url))
}

// Invite makes an invitation; ErrDomain, ErrOffer, ErrName, ErrExists, ErrLookAlike,
// ErrNotFound (of From), ErrTooMany.
func (a *Auth) Invite(ctx context.Context, o Offer) (Invitation, error) {
	if a.Domain().IsZero() {
		return Invitation{}, fmt.Errorf("%w: the domain is not known yet; start the server once", ErrDomain)
	}
	o, err := a.checkOffer(o)
	if err != nil {
		return Invitation{}, err
	}
	in := Invitation{Offer: o, Token: rand.Text(), Expires: time.Now().Add(o.Life).Truncate(time.Second)}
	in.ID = InvitationID(in.Token)
	a.addLinks(&in)
	value, err := json.Marshal(invitation{Offer: o, Expires: in.Expires.Unix()})
	if err != nil {
		return Invitation{}, err
	}
	a.change.Lock()
	defer a.change.Unlock()
	a.sweep(ctx)
	if err := a.roomFor(ctx, o.From); err != nil {
		return Invitation{}, err
	}
	if err := a.invites.Put(ctx, owner, keyOf(in.Token), value); err != nil {
		return Invitation{}, fmt.Errorf("auth: invite: %w", err)
	}
	return in, nil
}

// checkOffer fills in and normalises.
func (a *Auth) checkOffer(o Offer) (_ Offer, err error) {
	o.Uses = cmp.Or(o.Uses, 1)
	o.Life = cmp.Or(o.Life, a.cfg.Invitation.Duration)
	if o.Circle != "" {
		if o.Circle, err = CircleName(o.Circle); err != nil {
			return o, err
		}
	}
	switch {
	case o.Uses < 1 || o.Uses > MostUses:
		return o, fmt.Errorf("%w: an invitation is for 1 to %d people", ErrOffer, MostUses)
	case o.Life < time.Second || o.Life > MaxInvitation:
		return o, fmt.Errorf("%w: an invitation is good for 1s to %dd", ErrOffer, MaxInvitation/(24*time.Hour))
	case o.Uses > 1 && (o.Admin || o.Name != ""):
		return o, fmt.Errorf("%w: an administrator, or somebody by name, is invited once", ErrOffer)
	case o.Contact && o.From == "":
		return o, fmt.Errorf("%w: a contact of nobody", ErrOffer)
	case o.Room != "" && (o.Contact || o.Admin || o.From == ""):
		return o, fmt.Errorf("%w: a link to a room is one of its people's, and leads nowhere else", ErrOffer)
	case o.NoAccount && (!o.Contact && o.Room == "" || o.Admin || o.Circle != "" || o.Name != ""):
		return o, fmt.Errorf("%w: it offers nothing that somebody with an account can take", ErrOffer)
	}
	if o.From != "" {
		if o.From, err = a.Name(o.From); err == nil && !a.Exists(o.From) {
			err = fmt.Errorf("%w: %s", ErrNotFound, o.From)
		}
	}
	if err == nil && o.Name != "" {
		o.Name, err = a.free(o.Name)
	}
	return o, err
}

// free normalises a name that somebody else may take later.
func (a *Auth) free(name string) (string, error) {
	name, err := a.Name(name)
	switch {
	case err != nil:
		return "", err
	case a.Exists(name):
		return "", fmt.Errorf("%w: %s", ErrExists, name)
	}
	return name, a.newName(name)
}

// addLinks writes the links of a token.
func (a *Auth) addLinks(in *Invitation) {
	domain := a.Domain().String()
	switch {
	case in.Contact:
		// XEP-0379 §3.2, XEP-0401 §5.1
		in.URI = "xmpp:" + uriLocal(in.From) + "@" + domain + "?roster;preauth=" + in.Token
		if !in.NoAccount {
			in.URI += ";ibr=y"
		}
	case in.Room != "" && in.NoAccount:
		// XEP-0045 §17.1.1
		in.URI = "xmpp:" + uriAddress(in.Room) + "?join"
	case in.Name != "":
		// XEP-0401 §5.4
		in.URI = "xmpp:" + uriLocal(in.Name) + "@" + domain + "?register;preauth=" + in.Token
	default:
		// XEP-0445 §2.2
		in.URI = "xmpp:" + domain + "?register;preauth=" + in.Token
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.public != "" {
		in.Link = a.public + "/invite/" + in.Token
	}
}

// uriLocal escapes what a URI cannot hold.
// RFC 5122 §2.7
func uriLocal(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// uriAddress escapes a bare address.
func uriAddress(bare string) string {
	local, domain, _ := strings.Cut(bare, "@")
	return uriLocal(local) + "@" + domain
}

// roomFor refuses one who invites without end; under change.
func (a *Auth) roomFor(ctx context.Context, from string) error {
	if from == "" {
		return nil
	}
	all, err := a.Invitations(ctx, from)
	if err != nil {
		return err
	}
	open := slices.DeleteFunc(all, func(in Invitation) bool { return in.Left() <= 0 })
	if len(open) >= MostOpen {
		return fmt.Errorf("%w: %d of your invitations are open", ErrTooMany, len(open))
	}
	return nil
}

// sweep forgets invitations that nobody can redeem any more. What fails is
// tried again with the next invitation.
func (a *Auth) sweep(ctx context.Context) {
	items, err := a.invites.Scan(ctx, owner, store.Range{})
	if err != nil {
		return
	}
	for _, it := range items {
		var in invitation
		if json.Unmarshal(it.Value, &in) == nil && in.over(graceOfInvitation) {
			_ = a.invites.Delete(ctx, owner, it.Key)
		}
	}
}

// Invitations are those that are not out of date, the first to expire first: all,
// or one account's.
func (a *Auth) Invitations(ctx context.Context, from string) ([]Invitation, error) {
	items, err := a.invites.Scan(ctx, owner, store.Range{})
	if err != nil {
		return nil, fmt.Errorf("auth: invitations: %w", err)
	}
	var all []Invitation
	for _, it := range items {
		var in invitation
		if err := json.Unmarshal(it.Value, &in); err != nil {
			return nil, fmt.Errorf("auth: invitation: %w", err)
		}
		if !in.over(0) && (from == "" || in.From == from) {
			all = append(all, in.public(it.Key))
		}
	}
	slices.SortFunc(all, func(x, y Invitation) int { return x.Expires.Compare(y.Expires) })
	return all, nil
}

// public is the invitation without its token.
func (in *invitation) public(key string) Invitation {
	out := Invitation{Offer: in.Offer, ID: key[:idLength], Expires: time.Unix(in.Expires, 0), Used: in.Used}
	out.Uses = max(out.Uses, 1)
	return out
}

// Withdraw ends an invitation, by its ID; ErrInvitation when there is none.
func (a *Auth) Withdraw(ctx context.Context, id string) error {
	a.change.Lock()
	defer a.change.Unlock()
	items, err := a.invites.Scan(ctx, owner, store.Range{Prefix: id})
	if err != nil {
		return fmt.Errorf("auth: revoke: %w", err)
	}
	if len(id) < idLength || len(items) != 1 {
		return ErrInvitation
	}
	return a.invites.Delete(ctx, owner, items[0].Key)
}

// ForgetPerson removes what a removed account leaves: its invitations, and its
// places in circles. It is for Removal.Gone and for Finish, during which nobody else
// changes anything, and takes no lock.
func (a *Auth) ForgetPerson(ctx context.Context, name string) error {
	all, err := a.Invitations(ctx, name)
	for _, in := range all {
		items, bad := a.invites.Scan(ctx, owner, store.Range{Prefix: in.ID})
		err = errors.Join(err, bad)
		for _, it := range items {
			err = errors.Join(err, a.invites.Delete(ctx, owner, it.Key))
		}
	}
	return errors.Join(err, a.leaveAll(ctx, name))
}
