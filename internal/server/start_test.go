package server

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/store/sqlite"
	"mirsal/internal/xmpp/jid"
)

var quiet = Options{Log: slog.New(slog.DiscardHandler)}

// withSleeper leaves data as a graceful stop does: alice has a session that can
// be resumed, and another record is spoilt.
func withSleeper(t *testing.T, cfg config.Config) jid.JID {
	t.Helper()
	ctx, alice := t.Context(), jid.MustParse("alice@localhost/phone")
	st, err := sqlite.Open(cfg.Data, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	a, err := auth.New(ctx, st, jid.MustParse("localhost"), cfg.Auth)
	if err == nil {
		_, err = a.Add(ctx, "alice", "secret")
	}
	if err != nil {
		t.Fatal(err)
	}
	f := core.Frozen{JID: alice.String(), ID: [16]byte{1}, Since: time.Now().Unix()}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(f); err != nil {
		t.Fatal(err)
	}
	k := newSleepers(st, time.Hour)
	for key, value := range map[string][]byte{hex.EncodeToString(f.ID[:]): b.Bytes(), "ff": []byte("spoilt")} {
		if err := k.bucket.Put(ctx, alice.Bare().String(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	return alice
}

// mustFail starts a server that cannot start, and requires the words in the reason.
func mustFail(t *testing.T, cfg config.Config, words ...string) {
	t.Helper()
	s, err := Start(t.Context(), cfg, quiet)
	if err == nil {
		s.Close()
		t.Fatal("it started")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is not in one line with %q", w, err)
		}
	}
}

func TestSleepersOutliveStartsThatFailAndRecordsThatAreSpoilt(t *testing.T) {
	cfg := local(t)
	alice := withSleeper(t, cfg)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := cfg
	bad.Listen.HTTP = config.Address(taken.Addr().String())
	mustFail(t, bad, "another program")
	bad = cfg
	bad.TLS.Cert, bad.TLS.Key = "/nonexist", "/nonexist"
	mustFail(t, bad, "/nonexist")
	inTheWay := filepath.Join(cfg.Data, "control.sock", "file")
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	mustFail(t, cfg, "control socket")
	if err := os.RemoveAll(filepath.Dir(inTheWay)); err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.Router.Directory().Sessions(alice.Bare()); len(got) != 1 || got[0].JID != alice {
		t.Error("the session is lost:", got)
	}
	if owners, err := s.sleepers.bucket.Owners(context.Background()); err != nil || len(owners) > 0 {
		t.Error("a kill would find the sessions as they were:", owners, err)
	}
}

func TestAFirstStartThatFailsClaimsNothing(t *testing.T) {
	cfg := local(t)
	cfg.Data = filepath.Join(cfg.Data, "new")
	bad := cfg
	bad.TLS.Cert, bad.TLS.Key = "/nonexist", "/nonexist"
	mustFail(t, bad, "/nonexist")
	if _, err := os.Stat(filepath.Join(cfg.Data, "mirsal.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("there is a database:", err)
	}
	// the own CA needs a folder that is ours, so there is a database, but of nobody
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cfg.Data, "tls"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustFail(t, cfg, "certificate")
	if err := os.Remove(filepath.Join(cfg.Data, "tls")); err != nil {
		t.Fatal(err)
	}
	cfg.Domain = "example.org"
	s, err := Start(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	ca, err := os.ReadFile(filepath.Join(cfg.Data, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Domain = "example.com"
	mustFail(t, cfg, "belongs to example.org", "--data", "--domain example.org")
	if now, _ := os.ReadFile(filepath.Join(cfg.Data, "tls", "ca.pem")); !bytes.Equal(now, ca) {
		t.Error("the CA of another domain was replaced")
	}
}

func TestASecondServerOfTheSameDataIsCalledThat(t *testing.T) {
	cfg := local(t)
	s, err := Start(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cfg.Listen.C2S = config.Address(s.Addr("c2s"))
	mustFail(t, cfg, "in use by another mirsal")
}

// TestConnectionsThatNeverAskedHoldNoStopUp: browsers open some in advance.
func TestConnectionsThatNeverAskedHoldNoStopUp(t *testing.T) {
	waited := make(chan struct{}, 10)
	s, err := Start(t.Context(), local(t), Options{Log: slog.New(noticing{slog.DiscardHandler, brokenOff, waited})})
	if err != nil {
		t.Fatal(err)
	}
	var open []net.Conn
	for _, name := range []string{"http", "http-plain", "ops"} {
		c, err := net.Dial("tcp", s.Addr(name))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range open {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("still open")
		}
	}
	if len(waited) > 0 {
		t.Error("it waited for those who say nothing")
	}
}
