package auth

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// Errors about devices and their tokens.
var (
	ErrDevice = errors.New("no such device")
	// ErrPasswordKnown is for a device that could come back at once.
	ErrPasswordKnown = errors.New("the device knows the password: change the password instead")
	// ErrRevoked is for a device that was revoked and comes again with the password.
	ErrRevoked = errors.New("the device was revoked: another password lets it in again")
	// ErrNotKept is for what could not be written down, with nothing against the device.
	ErrNotKept = errors.New("what is kept of the device could not be written")
	ErrToken   = errors.New("the token is not good")
	ErrChanged = errors.New("the account was changed during the sign-in")
)

// Bounds of what is kept of devices.
const (
	maxDevices  = 50                  // of one account, besides those that are here; the one unused for longest is forgotten
	maxRevoked  = 50                  // of one account; when there are as many, only another password keeps more out
	deviceLife  = 90 * 24 * time.Hour // unused
	deviceGrain = time.Hour           // how exactly it is known when a device was last there
	maxAgentID  = 128                 // bytes
	maxAgent    = 64                  // characters of a name
)

// Agent is what a client says of itself when it signs in (XEP-0388 §2.3,
// user-agent). Nothing of it is believed; it is cleaned and cut before it is kept.
type Agent struct {
	ID       string // its UUID; "" for clients that have none
	Software string
	Device   string // what its person calls the installation
	// Resource tells clients without ID apart, where they chose it: a device for each
	// resource. Without either, all such sign-ins are kept as one, which is nobody's: what
	// one of them does says nothing of the others (Device.Nameless).
	Resource string
	// Since is Epoch at the beginning of the sign-in: what was proved is not believed
	// when the password was changed, or the device revoked, after that. 0 means that it is.
	Since uint64
}

// Device is one installation that has signed in (XEP-0494's client), or all of those
// that cannot be told apart.
type Device struct {
	ID             string // opaque, stable for an account
	Software, Name string
	First          time.Time
	Last           time.Time // to the hour
	Password       bool      // it has shown the password that holds now
	Token          bool      // it has a token that is good
	Nameless       bool      // any number of installations that say nothing of themselves
	Keys           uint32    // number of its OMEMO device, as it says; 0 when it does not
}

// How a device signs in.
const (
	byPassword = "password"
	byToken    = "token"
)

// DeviceID names the device of an account that an agent is; it is the same each time.
func (a *Auth) DeviceID(name string, g Agent) string {
	kind, id := "agent", g.ID
	if id == "" {
		kind, id = "resource", g.Resource
	}
	m := hmac.New(sha256.New, a.secret)
	for _, part := range []string{"device", name, kind, id} {
		fmt.Fprintf(m, "%d:%s", len(part), part)
	}
	return base32.StdEncoding.EncodeToString(m.Sum(nil)[:10])
}

// clean bounds what a client says of itself.
func (g Agent) clean() Agent {
	if len(g.ID) > maxAgentID {
		g.ID = g.ID[:maxAgentID]
	}
	if g.ID == "" && g.Resource == "" {
		return Agent{Since: g.Since} // what one of them says is not true of the others
	}
	g.Software, g.Device = cleanName(g.Software), cleanName(g.Device)
	if g.ID == "" && g.Device == "" {
		g.Device = cleanName(g.Resource)
	}
	return g
}

// cleanName keeps what is printed and breaks no line.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 16*maxAgent)], ""))
	if runes := []rune(s); len(runes) > maxAgent {
		s = string(runes[:maxAgent])
	}
	return strings.TrimSpace(s)
}

// OnRevoke sets who is told of a device that was revoked, when that is durable:
// its sessions are to end. Before use only.
func (a *Auth) OnRevoke(f func(bare jid.JID, device string)) { a.revoked = append(a.revoked, f) }

// OnPassword sets who is told of a changed password, when that is durable: all of
// the account's sessions are to end but the one that changed it (Changer.Session).
// Before use only.
func (a *Auth) OnPassword(f func(bare jid.JID, session any)) {
	a.newPassword = append(a.newPassword, f)
}

// WhoIsHere sets who knows the devices of an account's sessions: they are not
// forgotten for others. f is asked under locks and must not call back. Before use only.
func (a *Auth) WhoIsHere(f func(bare jid.JID) map[string]int) { a.here = f }

// SignedIn notes that a device has proved who it is, by "password" or by
// "token", and returns its ID. It is durable on return, but when it was last
// there is known to the hour only. ErrChanged when it was let in by what is no
// longer true, ErrRevoked, ErrNotFound when the account is gone; ErrNotKept, with the ID
// all the same.
func (a *Auth) SignedIn(ctx context.Context, name string, g Agent, by string) (device string, err error) {
	g = g.clean()
	return a.DeviceID(name, g), a.withDevice(ctx, name, g, func(r *record, now time.Time) (bool, error) {
		return r.signIn(g, by, now), nil
	})
}

// Devices lists what has signed in to an account, the latest first.
func (a *Auth) Devices(ctx context.Context, name string) (devices []Device, err error) {
	if !a.Exists(name) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	records, err := a.records(ctx, name)
	now, nameless, here := time.Now(), a.DeviceID(name, Agent{}), a.here(a.bare(name))
	for id, r := range records {
		if (here[id] > 0 || !r.forgotten(now)) && !r.Revoked && !r.Removed {
			d := r.device(id, now)
			d.Nameless = id == nameless
			devices = append(devices, d)
		}
	}
	slices.SortFunc(devices, func(x, y Device) int {
		return cmp.Or(y.Last.Compare(x.Last), cmp.Compare(x.ID, y.ID))
	})
	return devices, err
}

// OnTheft sets who is told of a device that signs in by one token of which somebody has shown
// a former one: its tokens have ended, durably, and its sessions are to. Before use only.
func (a *Auth) OnTheft(f func(bare jid.JID, device Device)) { a.theft = append(a.theft, f) }

// SetKeys notes which OMEMO device a device says that it is. ErrDevice when there is no such
// device, or when it is any number of installations.
func (a *Auth) SetKeys(ctx context.Context, name, device string, keys uint32) error {
	if device == a.DeviceID(name, Agent{}) {
		return ErrDevice
	}
	return a.alter(ctx, name, device, func(r *record) bool {
		was := r.Keys
		r.Keys = keys
		return was != keys
	})
}

// SignOut ends a device's tokens by its own wish: it is let in again by the password, not kept
// out. Its sessions are the caller's to end.
func (a *Auth) SignOut(ctx context.Context, name, device string) error {
	return a.alter(ctx, name, device, (*record).endTokens)
}

// alter changes what is kept of a device that is not revoked; change tells whether there is
// something to write.
func (a *Auth) alter(ctx context.Context, name, device string, change func(*record) bool) error {
	defer a.hold(name)()
	r, err := a.record(ctx, name, device)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (r.Revoked || r.Removed):
		return ErrDevice
	case err != nil || !change(&r):
		return err
	}
	return a.write(ctx, name, a.setRecord(device, &r))
}

// Revoke takes away what a device signs in by; who shows a token of its hears that it is over. One that has or had a token has shown
// the password once, to get it: it is not let in by the password again before that is
// changed. ErrDevice when there is no such device, ErrPasswordKnown for one
// that signs in by the password alone, and when no more can be kept out: then only
// another password does.
func (a *Auth) Revoke(ctx context.Context, name, device string) error {
	if err := a.revoke(ctx, name, device); err != nil {
		return err
	}
	for _, f := range a.revoked {
		f(a.bare(name), device)
	}
	return nil
}

func (a *Auth) revoke(ctx context.Context, name, device string) error {
	defer a.hold(name)()
	r, err := a.record(ctx, name, device)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return ErrDevice
	case err != nil:
		return err
	case r.Revoked, r.Removed:
		return ErrDevice
	case r.Password && len(r.Tokens) == 0: // one that is over counts: who is removed signs out by itself, too
		return ErrPasswordKnown
	}
	if r.Password {
		full, err := a.allRevoked(ctx, name)
		if err != nil || full {
			return cmp.Or(err, ErrPasswordKnown)
		}
	}
	r.endTokens()
	r = record{First: r.First, Last: r.Last, Password: r.Password, Revoked: r.Password, Removed: true, Tokens: r.Tokens}
	if err := a.write(ctx, name, a.setRecord(device, &r)); err != nil {
		return fmt.Errorf("auth: revoke device: %w", err)
	}
	a.changed(name, device)
	return nil
}

// allRevoked tells whether as many devices are revoked as are kept.
func (a *Auth) allRevoked(ctx context.Context, name string) (bool, error) {
	records, err := a.records(ctx, name)
	n := 0
	for _, r := range records {
		if r.Revoked {
			n++
		}
	}
	return n >= maxRevoked, err
}

// withDevice changes what is kept of an agent's device, and makes it when there
// is none. change tells whether there is something to write.
func (a *Auth) withDevice(ctx context.Context, name string, g Agent, change func(r *record, now time.Time) (bool, error)) error {
	defer a.hold(name)() // one change at a time
	switch {
	case !a.Exists(name):
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	case a.Changed(name, g):
		return ErrChanged
	}
	id, now := a.DeviceID(name, g), time.Now()
	r, err := a.record(ctx, name, id)
	fresh := errors.Is(err, store.ErrNotFound) || err == nil && r.forgotten(now)
	if err != nil && !fresh {
		return err
	}
	if r.Revoked && !fresh {
		return ErrRevoked
	}
	if fresh {
		r = record{Software: g.Software, Name: g.Device, First: now.Unix(), Last: now.Unix()}
	}
	write, err := change(&r, now)
	if err != nil || !write && !fresh {
		return err
	}
	if err := a.keep(ctx, name, id, r, fresh); err != nil {
		return fmt.Errorf("%w: %w", ErrNotKept, err)
	}
	return nil
}
