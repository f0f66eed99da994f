// Package devices lets people see which of their clients have access to their
// account, and end that: Client Access Management, XEP-0494 version 0.1.0, and beside it
// urn:mirsal:device:0 (docs/protocol/devices.md): which OMEMO device a client says that it is.
//
// It keeps nothing: auth knows the devices, the router their sessions. It grants
// no access and does not tell clients what they may do: all may do everything.
// Invariants: only an account's own sessions ask; whatever has a session is in the
// list; when a device was revoked its sessions end, and when the password was
// changed all do but the one that changed it, connected or hibernating, and what
// they would resume by is gone with them.
package devices

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

const ns = "urn:xmpp:cam:0"

// Accounts knows the devices; *auth.Auth documents what each method does.
type Accounts interface {
	Devices(ctx context.Context, name string) ([]auth.Device, error)
	Revoke(ctx context.Context, name, device string) error
	ForgetDevices(ctx context.Context) error
	SetKeys(ctx context.Context, name, device string, keys uint32) error
	SignOut(ctx context.Context, name, device string) error
	OnRevoke(f func(bare jid.JID, device string))
	OnTheft(f func(bare jid.JID, device auth.Device))
	OnPassword(f func(bare jid.JID, session any))
	WhoIsHere(f func(bare jid.JID) map[string]int)
}

// Feature is the feature.
type Feature struct {
	router   *core.Router
	accounts Accounts
	log      *slog.Logger
}

// New makes the feature.
func New(r *core.Router, a Accounts, log *slog.Logger) *Feature { return &Feature{r, a, log} }

// Register attaches the feature.
func (f *Feature) Register(h *core.Host) {
	h.IQ(core.Account, ns, "list", f.list)
	h.IQ(core.Account, ns, "revoke", f.revoke)
	h.IQ(core.Account, nsOwn, "keys", f.keys)
	h.IQ(core.Account, nsOwn, "sign-out", f.signOut)
	h.Disco(core.Account, ns, nsOwn)
	h.Every(forgetEvery, f.forget)
	f.accounts.OnRevoke(f.end)
	f.accounts.OnTheft(f.stolen)
	f.accounts.OnPassword(f.endOthers)
	f.accounts.WhoIsHere(f.here)
}

// forgetEvery is how often devices are looked for that nobody uses any more.
const forgetEvery = 24 * time.Hour

func (f *Feature) forget(time.Time) {
	if err := f.accounts.ForgetDevices(context.Background()); err != nil {
		f.log.Error("unused devices could not be forgotten", "err", err)
	}
}

// own refuses to speak about anybody's devices but the asker's, as if there were
// nothing to ask.
func own(q *core.Query, set bool) error {
	switch {
	case !q.Own():
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case q.Set() != set:
		return stanza.Errorf(stanza.BadRequest, "a list is asked for; access is ended by a set")
	}
	return nil
}

// list names the clients that have access, or are here.
// XEP-0494 §3.1
func (f *Feature) list(q *core.Query) ([]byte, error) {
	if err := own(q, false); err != nil {
		return nil, err
	}
	devices, err := f.accounts.Devices(q.Ctx, q.Asker().Local())
	if err != nil {
		return nil, err
	}
	here := f.here(q.Asker())
	b := []byte("<clients xmlns='" + ns + "'>")
	for _, d := range append(devices, f.unknown(q.Asker(), devices)...) {
		if d.Password || d.Token || here[d.ID] > 0 {
			b = appendClient(b, d, here[d.ID], q.Session != nil && q.Session.Device == d.ID && !d.Nameless)
		}
	}
	return append(b, "</clients>"...), nil
}

// here is how many sessions each device of an account has. One that waits to be
// resumed counts: a client is connected while it can still come back by XEP-0198.
// XEP-0494 §3.1
func (f *Feature) here(bare jid.JID) map[string]int {
	here := map[string]int{}
	for _, s := range f.router.Directory().Sessions(bare) {
		here[s.Device]++
	}
	return here
}

// unknown are the devices that have sessions and are not among those that are known:
// forgotten for others between their sign-in and their session. They have shown the
// password that holds now, since every session of another has ended.
func (f *Feature) unknown(bare jid.JID, known []auth.Device) (devices []auth.Device) {
	listed := map[string]bool{}
	for _, d := range known {
		listed[d.ID] = true
	}
	for _, s := range f.router.Directory().Sessions(bare) {
		if !listed[s.Device] {
			listed[s.Device] = true
			devices = append(devices, auth.Device{ID: s.Device, Name: s.JID.Resource(), First: s.Born, Last: time.Now(), Password: true})
		}
	}
	return devices
}

// appendClient appends a device that has as many sessions; own: it is the asker's.
func appendClient(b []byte, d auth.Device, sessions int, own bool) []byte {
	if d.Nameless {
		d.Name = "clients without a name (" + strconv.Itoa(sessions) + " connected)"
	}
	b = append(b, "<client type='session' connected='"+strconv.FormatBool(sessions > 0)+"' id='"...)
	b = xtok.Escape(b, d.ID)
	b = append(b, "'><first-seen>"...)
	b = stanza.AppendTime(b, d.First)
	b = append(b, "</first-seen><last-seen>"...)
	b = stanza.AppendTime(b, d.Last)
	b = append(b, "</last-seen><auth>"...)
	if d.Password {
		b = append(b, "<password/>"...)
	}
	if d.Token {
		b = append(b, "<fast/>"...)
	}
	b = append(b, "</auth><permission status='unrestricted'/><user-agent>"...)
	b = appendText(b, "software", d.Software)
	b = appendText(b, "device", d.Name)
	b = append(b, "</user-agent>"...)
	if d.Keys != 0 {
		b = append(b, "<keys xmlns='"+nsOwn+"' device='"+strconv.FormatUint(uint64(d.Keys), 10)+"'/>"...)
	}
	if own {
		b = append(b, "<here xmlns='"+nsOwn+"'/>"...)
	}
	return append(b, "</client>"...)
}

func appendText(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	b = append(b, "<"+name+">"...)
	b = xtok.Escape(b, text)
	return append(b, "</"+name+">"...)
}

// revoke ends a client's access, if it is more than the password.
// XEP-0494 §3.2
func (f *Feature) revoke(q *core.Query) ([]byte, error) {
	if err := own(q, true); err != nil {
		return nil, err
	}
	id := q.Payload.Attr("id")
	err := f.accounts.Revoke(q.Ctx, q.Asker().Local(), id)
	if errors.Is(err, auth.ErrDevice) && f.here(q.Asker())[id] > 0 {
		err = auth.ErrPasswordKnown // see unknown
	}
	switch {
	case errors.Is(err, auth.ErrDevice):
		return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such client")
	case errors.Is(err, auth.ErrPasswordKnown):
		refusal := stanza.Errorf(stanza.ServiceUnavailable, "this client knows the password: change the password, which ends its access")
		return nil, refusal.WithApp(ns, "password-reset-required")
	case err == nil:
		f.log.Info("device revoked", "jid", q.Asker().String(), "device", id, "way", "in-band")
	}
	return nil, err
}

// end closes the sessions of a revoked device.
func (f *Feature) end(bare jid.JID, device string) {
	f.close(bare, "the access of this client was ended from another one", func(s *core.Session) bool { return s.Device == device })
}

// endOthers closes all sessions but the one that changed the password; all when it
// was none. Not those of its device: a thief may be the same device by its id.
func (f *Feature) endOthers(bare jid.JID, changer any) {
	f.close(bare, "the password was changed: sign in with the new one", func(s *core.Session) bool { return changer != any(s) })
}

func (f *Feature) close(bare jid.JID, text string, which func(*core.Session) bool) {
	for _, s := range f.router.Directory().Sessions(bare) {
		if which(s) {
			s.Close(&stream.Error{Condition: "not-authorized", Text: text})
		}
	}
}
