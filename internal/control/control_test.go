package control

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

func accounts(t *testing.T) *auth.Auth {
	t.Helper()
	a, err := auth.New(t.Context(), memory.New(), jid.MustParse("example.org"),
		config.Auth{Iterations: auth.MinIterations, Invitation: config.Duration{Duration: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func status() Status {
	return Status{Ports: map[string]string{"c2s": "127.0.0.1:5222"}, NoCertificate: "closed for today"}
}

func serve(t *testing.T, dir string, a Home) *Server {
	t.Helper()
	s, err := Serve(dir, a, status, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheCommandLineWorksOnARunningServer(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("long/", 40))} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		a := accounts(t)
		s := serve(t, dir, a)
		c, err := Dial(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		exercise(t, c, a)
		c.Close()
		s.Close()
		if _, err := os.Stat(filepath.Join(dir, socketName)); err == nil {
			t.Error("the socket stays")
		}
	}
}

func exercise(t *testing.T, c *Client, a *auth.Auth) {
	t.Helper()
	ctx := t.Context()
	if name, err := c.Add(ctx, "Alice@example.org", "secret"); err != nil || name != "alice" {
		t.Error(name, err)
	}
	if _, err := c.Add(ctx, "alice", "secret"); err == nil || err.Error() != "the name is taken: alice" {
		t.Error(err)
	}
	if n, err := c.Import(ctx, strings.NewReader("bob\tone\ncarol\ttwo\n")); err != nil || n != 2 {
		t.Error(n, err)
	}
	broken := iotest.ErrReader(errors.New("no such drawer"))
	if _, err := c.Import(ctx, broken); err == nil || err.Error() != "no such drawer" {
		t.Error("people are told of HTTP:", err)
	}
	if err := errors.Join(c.Passwd(ctx, "bob", "new"), c.Remove(ctx, "carol")); err != nil {
		t.Error(err)
	}
	if names, err := c.List(ctx); err != nil || !slices.Equal(names, []string{"alice", "bob"}) {
		t.Error(names, err)
	}
	if st, err := c.Status(ctx); err != nil || st.Ports["c2s"] != "127.0.0.1:5222" || st.NoCertificate != "closed for today" {
		t.Error(st, err)
	}
	inv, err := c.Invite(ctx, auth.Offer{Admin: true, Life: time.Minute})
	if err != nil || !inv.Admin || a.Invited(ctx, inv.Token) != nil {
		t.Error(inv, err)
	}
}

func TestOnlyTheOwnerMayOpenTheSocket(t *testing.T) {
	dir := t.TempDir()
	defer serve(t, dir, accounts(t)).Close()
	if st, err := os.Stat(filepath.Join(dir, socketName)); err != nil || st.Mode().Perm() != 0o600 {
		t.Error(st.Mode(), err)
	}
}

func TestADeadSocketIsNobodyAndInNobodysWay(t *testing.T) {
	dir := t.TempDir()
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	l, _, err := listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	l.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
	l.Close()
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	serve(t, dir, accounts(t)).Close()
}

func TestRequestsAreBounded(t *testing.T) {
	a := accounts(t)
	for path, body := range map[string]string{
		"/account/add": `{"name":"` + strings.Repeat("x", maxRequest) + `"}`, "/account/list": "[", "/account/remove": `{"name":1}`,
	} {
		w := httptest.NewRecorder()
		handler(a, status).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
		if b, _ := io.ReadAll(w.Body); w.Code != 400 || !strings.Contains(string(b), "bad request") {
			t.Errorf("%s: %d %.80s", path, w.Code, b)
		}
	}
}
