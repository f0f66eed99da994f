package invite

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"mirsal/internal/auth"
)

//go:embed style.css
var css []byte

// What a browser may do with a page: draw it, with what we serve and nothing else,
// and send its form back to us.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// How large a form, and a token in a link, may be, in bytes.
const (
	maxForm  = 8 << 10
	maxToken = 64
)

func harden(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex")
}

// show is what the link of an invitation opens: the screen, where there is one and a
// browser asks, else the page with the apps. Browsers send a fragment to nobody.
func (f *Feature) show(w http.ResponseWriter, r *http.Request) {
	if f.cfg.Browser == "" || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		f.showApps(w, r)
		return
	}
	if in, _, ok := f.invited(w, r); ok {
		harden(w.Header())
		w.Header().Set("Location", f.inBrowser(&in))
		w.WriteHeader(http.StatusSeeOther)
	}
}

// inBrowser is where an invitation goes on in the browser, "" for nowhere.
func (f *Feature) inBrowser(in *auth.Invitation) string {
	if f.cfg.Browser == "" {
		return ""
	}
	return f.cfg.Browser + "#invite=" + url.QueryEscape(in.Token)
}

// showApps is the page for other apps, with a form for those that cannot open invitations.
func (f *Feature) showApps(w http.ResponseWriter, r *http.Request) {
	in, room, ok := f.invited(w, r)
	if ok {
		f.send(w, r, http.StatusOK, f.open(r, &in, room, nil))
	}
}

// invited is the invitation that is asked for; where it cannot be used, the answer
// says so, and nothing else, and that is paced.
func (f *Feature) invited(w http.ResponseWriter, r *http.Request) (in auth.Invitation, room *group, ok bool) {
	token, err := r.PathValue("token"), auth.ErrInvitation
	if len(token) <= maxToken {
		in, room, err = f.lookUp(r.Context(), token)
	}
	switch {
	case err == nil:
		return in, room, true
	case !errors.Is(err, auth.ErrInvitation):
		f.fail(w, r, err)
	case !f.allow(r):
		f.send(w, r, http.StatusTooManyRequests, f.page(r, kindPaced))
	default:
		f.send(w, r, http.StatusNotFound, f.page(r, kindGone))
	}
	return in, nil, false
}

func (f *Feature) allow(r *http.Request) bool { return f.cfg.Allow(f.client(r)) }

func (f *Feature) client(r *http.Request) netip.Addr {
	if f.cfg.Client != nil {
		return f.cfg.Client(r)
	}
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	return a.Addr().Unmap()
}

// fail answers what is our fault.
func (f *Feature) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		f.cfg.Log.Error("an invitation's page failed", "err", err)
	}
	f.send(w, r, http.StatusServiceUnavailable, f.page(r, kindBusy))
}

// accept makes an account of the page's form. That the token is there is all the
// authority that there is; a form on somebody else's page is refused all the same.
func (f *Feature) accept(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) {
		f.send(w, r, http.StatusForbidden, f.page(r, kindGone))
		return
	}
	in, room, ok := f.invited(w, r)
	if !ok {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil || in.NoAccount {
		f.send(w, r, http.StatusBadRequest, f.page(r, kindGone))
		return
	}
	filled := &filled{Name: strings.TrimSpace(r.PostForm.Get("name"))}
	name, err := f.create(r.Context(), &in, filled.Name, r.PostForm)
	if err == nil {
		f.cfg.Log.Info("invitation used", "jid", f.address(name), "invitation", in.ID, "way", "page")
		f.cfg.Log.Info("account made", "jid", f.address(name), "way", "page")
		http.Redirect(w, r, "/invite/"+url.PathEscape(in.Token)+"/welcome/"+url.PathEscape(name), http.StatusSeeOther)
		return
	}
	f.refuse(w, r, &in, room, filled, err)
}

// errDiffer is a mistake in the form that auth does not see.
var errDiffer = errors.New("the passwords are not the same")

func (f *Feature) create(ctx context.Context, in *auth.Invitation, name string, v url.Values) (string, error) {
	password := v.Get("password")
	switch {
	case name == "":
		return "", auth.ErrName
	case password != v.Get("again"):
		return "", errDiffer
	}
	return f.accounts.Redeem(ctx, in.Token, name, password)
}

// refuse shows the form again, with what is wrong in words.
func (f *Feature) refuse(w http.ResponseWriter, r *http.Request, in *auth.Invitation, room *group, filled *filled, err error) {
	words := f.pages.wordsFor(r)
	switch {
	case errors.Is(err, auth.ErrInvitation):
		f.send(w, r, http.StatusNotFound, f.page(r, kindGone))
		return
	case errors.Is(err, auth.ErrExists):
		filled.Error = words.Taken
	case errors.Is(err, auth.ErrLookAlike):
		filled.Error = words.LooksAlike
	case errors.Is(err, auth.ErrReserved):
		filled.Error = words.Reserved
	case errors.Is(err, auth.ErrMixed):
		filled.Error = words.Mixed
	case errors.Is(err, auth.ErrName), errors.Is(err, auth.ErrDomain), errors.Is(err, auth.ErrGiven):
		filled.Error = words.BadName
	case errors.Is(err, auth.ErrShort):
		filled.Error, filled.Password = words.Short, true
	case errors.Is(err, errDiffer):
		filled.Error, filled.Password = words.Differ, true
	case errors.Is(err, auth.ErrEasy), errors.Is(err, auth.ErrPassword):
		filled.Error, filled.Password = words.Easy, true
	default:
		f.fail(w, r, err)
		return
	}
	if !filled.Password && !f.allow(r) {
		f.send(w, r, http.StatusTooManyRequests, f.page(r, kindPaced))
		return
	}
	f.send(w, r, http.StatusUnprocessableEntity, f.open(r, in, room, filled))
}

// welcome is where one is sent who has made an account: it is for the token and
// name that belong together only.
func (f *Feature) welcome(w http.ResponseWriter, r *http.Request) {
	token, name := r.PathValue("token"), r.PathValue("name")
	if len(token) > maxToken || !f.accounts.UsedBy(r.Context(), token, name) {
		f.send(w, r, http.StatusNotFound, f.page(r, kindGone))
		return
	}
	p := f.page(r, kindWelcome)
	p.Address = f.address(name)
	f.send(w, r, http.StatusOK, p)
}

// code is the page's link as a QR code.
func (f *Feature) code(w http.ResponseWriter, r *http.Request) {
	in, _, ok := f.invited(w, r)
	if !ok {
		return
	}
	text := in.URI
	if strings.HasPrefix(in.Link, "https:") {
		text = in.Link
	}
	svg, err := qrSVG(text)
	if err != nil {
		f.fail(w, r, err)
		return
	}
	harden(w.Header())
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write(svg) // the asker went away
}

func (f *Feature) style(w http.ResponseWriter, _ *http.Request) {
	harden(w.Header())
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(css) // the asker went away
}

// sameOrigin tells whether a form comes from a page of ours. Because our pages tell
// nobody where they are (no-referrer), browsers send "null" as their origin, and say
// by Sec-Fetch-Site what is meant. Old ones say nothing; programs have no origin.
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == r.Host
}
