package passkey

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"

	"mirsal/internal/auth"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

// This file is what pages ask for over HTTP. docs/protocol/passkey.md has the shapes.

// question is all that a request may hold.
type question struct {
	Ticket   string `json:"ticket"`
	Name     string `json:"name"`   // of the passkey
	Device   string `json:"device"` // UUID that the new device will sign in with
	Label    string `json:"label"`
	Software string `json:"software"`
	// Challenge is that of a login, as it was given.
	Challenge  protocol.URLEncodedBase64 `json:"challenge"`
	Credential json.RawMessage           `json:"credential"`
}

// trouble is an answer that is none: a status, and why in a word.
type trouble struct {
	status int
	why    string
}

func (t *trouble) Error() string { return t.why }

func refusedFor(why string, status int) error { return &trouble{status, why} }

// serve answers our own pages, in JSON. A browser sends JSON to another origin only after
// asking, and is told nothing then.
func (f *Feature) serve(do func(r *http.Request, q *question) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := f.ask(w, r, do)
		status := http.StatusOK
		if err != nil {
			var t *trouble
			if !errors.As(err, &t) {
				if r.Context().Err() == nil {
					f.cfg.Log.Error("a passkey cannot be looked after", "err", err)
				}
				t = &trouble{http.StatusServiceUnavailable, "busy"}
			}
			status, answer = t.status, map[string]string{"why": t.why}
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer) // the asker went away
	})
}

func (f *Feature) ask(w http.ResponseWriter, r *http.Request, do func(r *http.Request, q *question) (any, error)) (any, error) {
	var q question
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch {
	case !f.cfg.SameOrigin(r):
		return nil, refusedFor("origin", http.StatusForbidden)
	case kind != "application/json", json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&q) != nil:
		return nil, refusedFor("request", http.StatusBadRequest)
	}
	if _, err := netip.ParseAddr(f.cfg.Base(r).Hostname()); err == nil {
		// WebAuthn L3 §5.1.2: a relying party has a name
		return nil, refusedFor("unavailable", http.StatusNotFound)
	}
	return do(r, &q)
}

var (
	errTicket  = refusedFor("expired", http.StatusForbidden)
	errRefused = refusedFor("refused", http.StatusForbidden)
)

// registerBegin takes a ticket's first use: the options for a new passkey.
func (f *Feature) registerBegin(r *http.Request, q *question) (any, error) {
	base := f.cfg.Base(r)
	owner := f.begin(q.Ticket, base)
	if owner.IsZero() {
		return nil, errTicket
	}
	all, err := f.all(r.Context(), owner)
	if err != nil {
		return nil, err
	}
	if len(all) >= most {
		return nil, refusedFor("full", http.StatusConflict)
	}
	options, asked, err := askCreate(f.party(base), f.personOf(owner, all))
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.tickets[q.Ticket]; t != nil {
		t.asked = asked
	}
	return options, nil
}

func (f *Feature) begin(key string, base *url.URL) (owner jid.JID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.tickets[key]
	if t == nil || t.begun || !time.Now().Before(t.until) {
		return owner
	}
	t.begun, t.origin = true, base.String()
	return t.owner.JID.Bare()
}

// end takes a ticket's second use, which is its last.
func (f *Feature) end(key string) *ticket {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.tickets[key]
	delete(f.tickets, key)
	if t == nil || t.asked == nil || !time.Now().Before(t.until) {
		return nil
	}
	return t
}

// registerFinish keeps a new passkey.
func (f *Feature) registerFinish(r *http.Request, q *question) (any, error) {
	t := f.end(q.Ticket)
	if t == nil {
		return nil, errTicket
	}
	var c created
	if json.Unmarshal(q.Credential, &c) != nil {
		return nil, refusedFor("request", http.StatusBadRequest)
	}
	base, bare := f.cfg.Base(r), t.owner.JID.Bare()
	p, err := register(f.party(base), f.personOf(bare, nil), t.asked, &c)
	if err != nil || t.origin != base.String() {
		return nil, errRefused
	}
	account, err := f.accounts.Standing(r.Context(), bare.Local())
	if err != nil {
		return nil, err
	}
	p.Name, p.RP, p.Added, p.Account = short(q.Name), base.Hostname(), time.Now().Unix(), born(account)
	switch err := f.keep(r.Context(), bare, p); {
	case errors.Is(err, errFull):
		return nil, refusedFor("full", http.StatusConflict)
	case errors.Is(err, errKnown):
		return nil, refusedFor("known", http.StatusConflict)
	case err != nil:
		return nil, err
	}
	f.cfg.Log.Info("passkey added", "jid", bare.String(), "by", t.owner.Device)
	f.alertAdded(t.owner, p.Name)
	return map[string]any{"id": p.ID, "name": p.Name}, nil
}

// loginBegin gives a challenge. Nothing is kept for it: it carries until when it is good, and
// a proof that it is ours and for whom.
func (f *Feature) loginBegin(r *http.Request, _ *question) (any, error) {
	base := f.cfg.Base(r)
	b := binary.BigEndian.AppendUint64(random(16), uint64(time.Now().Add(life).Unix()))
	options, _, err := askGet(f.party(base), append(b, f.proof(b, base.String())...))
	return options, err
}

func (f *Feature) proof(b []byte, origin string) []byte {
	m := hmac.New(sha256.New, f.secret)
	m.Write(b)
	m.Write([]byte(origin))
	return m.Sum(nil)[:16]
}

// ours tells until when a challenge is good, false when it is not.
func (f *Feature) ours(challenge []byte, origin string) (until time.Time, ok bool) {
	if len(challenge) != 40 || !hmac.Equal(f.proof(challenge[:24], origin), challenge[24:]) {
		return until, false
	}
	until = time.Unix(int64(binary.BigEndian.Uint64(challenge[16:])), 0)
	return until, time.Now().Before(until)
}

// spend takes a challenge's one use.
func (f *Feature) spend(challenge []byte, until time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, spent := f.used[string(challenge)]; spent {
		return false
	}
	f.used[string(challenge)] = until
	return true
}

// loginFinish lets a new device in: it gets a token that signs in once, and the others
// are told before.
func (f *Feature) loginFinish(r *http.Request, q *question) (any, error) {
	since, base := f.accounts.Epoch(), f.cfg.Base(r)
	until, ok := f.ours(q.Challenge, base.String())
	var a asserted
	switch {
	case !ok:
		return nil, errTicket
	case json.Unmarshal(q.Credential, &a) != nil, len(a.ID) > maxID, q.Device == "", len(q.Device) > 64:
		return nil, refusedFor("request", http.StatusBadRequest)
	}
	bare, p, err := f.proved(r, &a, q.Challenge, until)
	if err != nil {
		return nil, err
	}
	g := auth.Agent{ID: q.Device, Device: short(q.Label), Software: short(q.Software), Since: since}
	if err := f.fresh(r, bare.Local(), g); err != nil {
		return nil, err
	}
	secret, expiry, err := f.accounts.IssueFirstToken(r.Context(), bare.Local(), g, sasl.HTSHA256None, life)
	switch {
	case errors.Is(err, auth.ErrChanged), errors.Is(err, auth.ErrNotFound), errors.Is(err, auth.ErrRevoked):
		return nil, errRefused
	case err != nil:
		return nil, err
	}
	f.alertIn(bare, g, p.Name)
	f.cfg.Log.Info("device let in by a passkey", "jid", bare.String(), "device", f.accounts.DeviceID(bare.Local(), g))
	return map[string]any{
		"address": bare.String(), "device": q.Device, "mechanism": sasl.HTSHA256None, "token": secret, "expiry": expiry.UTC().Format(time.RFC3339),
	}, nil
}

// proved finds whose passkey it is and has it prove that; durable before it says so.
func (f *Feature) proved(r *http.Request, a *asserted, challenge []byte, until time.Time) (bare jid.JID, p passkey, err error) {
	ctx, base, id := r.Context(), f.cfg.Base(r), a.ID.String()
	version := uint64(0)
	if bare, err = f.ownerOf(ctx, id); err == nil {
		p, version, err = f.read(ctx, bare, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return bare, p, errRefused
	}
	if err != nil {
		return bare, p, err
	}
	account, err := f.accounts.Standing(ctx, bare.Local())
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return bare, p, errRefused
	case err != nil:
		return bare, p, err
	case account.Disabled, born(account) != p.Account:
		return bare, p, errRefused
	}
	err = verify(f.party(base), f.personOf(bare, []passkey{p}), challenge, a, &p)
	if errors.Is(err, errCount) {
		f.cfg.Log.Warn("a passkey counts backwards: there may be two of it", "jid", bare.String())
	}
	if err != nil || !f.spend(challenge, until) {
		return bare, p, errRefused
	}
	if err := f.note(ctx, bare, p, version); err != nil {
		if errors.Is(err, store.ErrConflict) {
			return bare, p, errRefused // removed, or used, in the meantime
		}
		return bare, p, err
	}
	return bare, p, nil
}

// fresh refuses a device that the account knows: nobody would see a new one in the list.
func (f *Feature) fresh(r *http.Request, name string, g auth.Agent) error {
	known, err := f.accounts.Devices(r.Context(), name)
	if err != nil {
		return err
	}
	id := f.accounts.DeviceID(name, g)
	if slices.ContainsFunc(known, func(d auth.Device) bool { return d.ID == id }) {
		return refusedFor("device", http.StatusConflict)
	}
	return nil
}
