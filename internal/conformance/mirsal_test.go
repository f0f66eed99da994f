package conformance_test

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/internal/config"
	"mirsal/internal/conformance"
	"mirsal/internal/server"
	"mirsal/internal/xmpp/jid"
)

// house is a server of ours in this process.
type house struct {
	*server.Server
	roots *x509.CertPool
}

func open(t *testing.T, more ...string) house {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	here := "127.0.0.1:0"
	cfg, err := config.Load("", append([]string{
		"domain=example.org", "data=" + data, "log.level=error", "auth.iterations=4096",
		"listen.c2s=" + here, "listen.c2s_tls=" + here, "listen.http=" + here, "listen.http_plain=off", "listen.ops=off",
		"services.calls=stun:turn.example.org,turn:turn.example.org", "services.secret=0123456789abcdef",
		"contact.admin=mailto:a@example.org", "contact.abuse=mailto:b@example.org,mailto:a@example.org",
		"listen.component=" + here,
	}, more...))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Components = map[string]string{"bridge.example.org": "0123456789abcdef"}
	s, err := server.Start(context.Background(), cfg, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, name := range []string{"alice", "bob"} {
		if _, err := s.Auth.Add(context.Background(), name, "secret"); err != nil {
			t.Fatal(err)
		}
	}
	ca, err := os.ReadFile(filepath.Join(data, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	h := house{s, x509.NewCertPool()}
	h.roots.AppendCertsFromPEM(ca)
	return h
}

func (h house) options() conformance.Options {
	return conformance.Options{
		Account: jid.MustParse("alice@example.org"), Password: "secret", Program: "test", Now: time.Now(), CA: h.roots,
		Server: h.Addr("c2s"), ServerTLS: h.Addr("c2s-tls"), Web: h.Addr("http"), Component: h.Addr("component"),
	}
}

func run(t *testing.T, o conformance.Options) *conformance.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	r, err := conformance.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func find(t *testing.T, r *conformance.Report, key string) conformance.Row {
	t.Helper()
	for _, row := range r.Rows {
		if row.Key == key {
			return row
		}
	}
	t.Fatalf("no row %s", key)
	return conformance.Row{}
}

func TestOurOwnServerIsSeenAsItIs(t *testing.T) {
	h := open(t)
	r := run(t, h.options())
	for _, row := range r.Rows {
		if asked := row.Section != conformance.Beyond && row.Result != conformance.NotServer; asked && row.Result != conformance.Works {
			t.Errorf("of the suite, %s: %s (%s)", row.Key, row.Result, row.Evidence)
		}
	}
	for _, key := range []string{
		"core.core", "core.tls", "core.direct-tls", "core.disco", "core.caps", "core.pep", "web.connect",
		"im.core", "im.avatar-compat", "im.vcard", "im.carbons", "im.blocking", "im.private-pubsub", "im.private-xml", "im.sm", "im.history",
		"mobile.sm", "mobile.csi", "av.turn", "beyond.sasl2", "beyond.fast", "beyond.binding-types", "beyond.downgrade", "beyond.hostmeta",
		"beyond.roster-versions", "beyond.limits", "beyond.devices", "beyond.omemo", "beyond.displayed", "beyond.mam-extended", "beyond.mam-prefs", "beyond.caps2", "beyond.contact",
	} {
		if row := find(t, r, key); row.Result != conformance.Works {
			t.Errorf("%s: %s (%s)", key, row.Result, row.Evidence)
		}
	}
	for _, row := range r.Rows {
		if row.Evidence == "not reached" {
			t.Errorf("%s was not tried", row.Key)
		}
	}
	if !r.CoreMet() || len(r.Left) > 0 {
		t.Errorf("core met: %v; left behind: %q", r.CoreMet(), r.Left)
	}
}

func TestOneWhoMayPushNowhereIsToldSo(t *testing.T) {
	h := open(t, "push.web=false")
	row := find(t, run(t, h.options()), "mobile.push")
	if row.Result != conformance.Partly || !strings.Contains(row.Evidence, "no service of its own") {
		t.Errorf("%s (%s)", row.Result, row.Evidence)
	}
}

// What the first run left behind in the account, the second would fall over.
func TestASecondRunFindsTheAccountAsTheFirstDid(t *testing.T) {
	h := open(t)
	first, second := run(t, h.options()), run(t, h.options())
	for i := range first.Rows {
		a, b := first.Rows[i], second.Rows[i]
		if a.Result != b.Result {
			t.Errorf("%s: %s (%s), then %s (%s)", a.Key, a.Result, a.Evidence, b.Result, b.Evidence)
		}
	}
	if got := find(t, second, "im.avatar-compat").Evidence; !strings.Contains(got, "taken back") {
		t.Errorf("the second run finds a picture or a vCard: %s", got)
	}
}

func TestWhyNobodyCouldSignInIsSaidInWords(t *testing.T) {
	h := open(t)
	for words, change := range map[string]func(*conformance.Options){
		"wrong password":    func(o *conformance.Options) { o.Password = "another" },
		"not trusted":       func(o *conformance.Options) { o.CA = x509.NewCertPool() },
		"nothing answers":   func(o *conformance.Options) { o.Server = "127.0.0.1:1" },
		"password is empty": func(o *conformance.Options) { o.Password = "" },
		"does not serve":    func(o *conformance.Options) { o.Account = jid.MustParse("alice@elsewhere.example") },
	} {
		o := h.options()
		change(&o)
		_, err := conformance.Run(context.Background(), o)
		var s *conformance.SignInError
		if !errors.As(err, &s) || !strings.Contains(s.Reason, words) {
			t.Errorf("%v, want words %q", err, words)
		}
	}
}
