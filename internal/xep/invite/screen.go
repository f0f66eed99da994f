package invite

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/jid"
)

// This file is what the screen for browsers asks about an invitation. The account
// itself is made in band, as by every client (XEP-0445). docs/protocol/site.md has the shapes.

// about tells the screen what an invitation offers: no more than its page shows.
func (f *Feature) about(w http.ResponseWriter, r *http.Request) {
	in, room, ok := f.known(w, r)
	if !ok {
		return
	}
	answer(w, http.StatusOK, struct {
		Domain  string    `json:"domain"`
		From    string    `json:"from,omitempty"`   // address of who invites
		Called  string    `json:"called,omitempty"` // what From calls himself
		Circle  string    `json:"circle,omitempty"` // that is joined
		Name    string    `json:"name,omitempty"`   // the one name that can be taken
		Account bool      `json:"account"`          // makes an account, not a contact only
		Contact bool      `json:"contact"`          // From becomes a contact
		Admin   bool      `json:"admin,omitempty"`
		Left    int       `json:"left"` // how many people it is still for
		Expires time.Time `json:"expires"`
		URI     string    `json:"uri"`  // for other apps
		Apps    string    `json:"apps"` // path of the page about them
		Room    *group    `json:"room,omitempty"`
	}{
		f.cfg.Domain.String(), f.inviter(&in), f.called(r.Context(), &in), in.Circle, in.Name, !in.NoAccount, in.Contact, in.Admin, in.Left(), in.Expires.UTC(), in.URI,
		"/invite/" + in.Token + "/apps", room,
	})
}

func (f *Feature) inviter(in *auth.Invitation) string {
	if in.From == "" {
		return ""
	}
	return f.address(in.From)
}

// called is the name of who invites, as contacts see it: who holds an invitation is about to be one.
func (f *Feature) called(ctx context.Context, in *auth.Invitation) string {
	who, err := jid.Parse(f.inviter(in))
	if err != nil || f.cfg.Called == nil {
		return ""
	}
	return f.cfg.Called(ctx, who.Bare())
}

// known is invited for programs: why there is none comes in a word.
func (f *Feature) known(w http.ResponseWriter, r *http.Request) (in auth.Invitation, room *group, ok bool) {
	token, err := r.PathValue("token"), auth.ErrInvitation
	if !sameOrigin(r) {
		answer(w, http.StatusForbidden, trouble{"origin"})
		return in, nil, false
	}
	if len(token) <= maxToken {
		in, room, err = f.lookUp(r.Context(), token)
	}
	switch {
	case err == nil:
		return in, room, true
	case !errors.Is(err, auth.ErrInvitation):
		f.broken(w, r, err)
	case !f.allow(r):
		answer(w, http.StatusTooManyRequests, trouble{"paced"})
	default:
		answer(w, http.StatusNotFound, trouble{"gone"})
	}
	return in, nil, false
}

// trouble is an answer that is none.
type trouble struct {
	Why string `json:"why"`
}

func (f *Feature) broken(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		f.cfg.Log.Error("an invitation cannot be looked up", "err", err)
	}
	answer(w, http.StatusServiceUnavailable, trouble{"busy"})
}

// answer is JSON for our own pages.
func answer(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	harden(h)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Type", "application/json")
	if status == http.StatusTooManyRequests {
		h.Set("Retry-After", "60")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the asker went away
}

// maxTry bounds what asks for a name, in bytes.
const maxTry = 4 << 10

// try tells who has an invitation whether a name can be taken with it. It is paced where it
// cannot: who asks for one name after the other to learn who has an account waits.
func (f *Feature) try(w http.ResponseWriter, r *http.Request) {
	in, _, ok := f.known(w, r)
	if !ok {
		return
	}
	var q struct {
		Name string `json:"name"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxTry)).Decode(&q) != nil || in.NoAccount {
		answer(w, http.StatusBadRequest, trouble{"request"})
		return
	}
	name, err := f.accounts.MayTake(r.Context(), in.Token, q.Name)
	why, known := nameTrouble(err)
	switch {
	case !known:
		f.broken(w, r, err)
	case why == "gone":
		answer(w, http.StatusNotFound, trouble{why})
	case why != "" && !f.allow(r):
		answer(w, http.StatusTooManyRequests, trouble{"paced"})
	case why != "":
		answer(w, http.StatusOK, struct {
			Free bool   `json:"free"`
			Why  string `json:"why"`
		}{false, why})
	default:
		answer(w, http.StatusOK, struct {
			Free    bool   `json:"free"`
			Name    string `json:"name"`
			Address string `json:"address"`
		}{true, name, f.address(name)})
	}
}

// nameTrouble is what is wrong with a name, in a word; known is false for what is our fault.
func nameTrouble(err error) (why string, known bool) {
	for _, t := range []struct {
		err error
		why string
	}{
		{nil, ""}, {auth.ErrInvitation, "gone"}, {auth.ErrExists, "taken"}, {auth.ErrLookAlike, "looks-alike"}, {auth.ErrReserved, "reserved"},
		{auth.ErrMixed, "mixed"}, {auth.ErrGiven, "given"}, {auth.ErrName, "bad"}, {auth.ErrDomain, "bad"},
	} {
		if errors.Is(err, t.err) {
			return t.why, true
		}
	}
	return "", false
}
