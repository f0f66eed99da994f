package invite

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

const password = "blue horse tape"

// site is the feature with accounts, served.
type site struct {
	t    *testing.T
	auth *auth.Auth
	f    *Feature
	mux  *http.ServeMux
	met  []string // pairs and groups that were made
}

func newSite(t *testing.T, change func(*Config)) *site {
	t.Helper()
	a, err := auth.New(t.Context(), memory.New(), jid.MustParse("example.org"), config.Auth{
		Iterations: auth.MinIterations, Invitation: config.Duration{Duration: 7 * 24 * time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetPublic(t.Context(), "https://example.org"); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, auth: a, mux: http.NewServeMux()}
	cfg := Config{Domain: a.Domain(), Log: slog.New(slog.DiscardHandler), Befriend: func(_ context.Context, a, b jid.JID, group string) error {
		s.met = append(s.met, a.Local()+" "+b.Local()+" "+group)
		return nil
	}, Called: func(_ context.Context, who jid.JID) string { return strings.ToUpper(who.Local()) }}
	if change != nil {
		change(&cfg)
	}
	s.f = New(a, cfg)
	h := core.NewHost()
	s.f.Register(h)
	for pattern, handler := range h.Handlers() {
		s.mux.Handle(pattern, handler)
	}
	return s
}

func (s *site) add(names ...string) {
	s.t.Helper()
	for _, n := range names {
		if _, err := s.auth.Add(s.t.Context(), n, password); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *site) invite(o auth.Offer) auth.Invitation {
	s.t.Helper()
	in, err := s.auth.Invite(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return in
}

// get asks for a page; headers are pairs.
func (s *site) get(path string, headers ...string) *httptest.ResponseRecorder {
	return s.do(httptest.NewRequest("GET", "https://example.org"+path, nil), headers)
}

// post fills in the form of a token.
func (s *site) post(token, name, password string, headers ...string) *httptest.ResponseRecorder {
	form := url.Values{"name": {name}, "password": {password}, "again": {password}}
	r := httptest.NewRequest("POST", "https://example.org/invite/"+token, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(r, headers)
}

func (s *site) do(r *http.Request, headers []string) *httptest.ResponseRecorder {
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}
