package doctor

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"mirsal/internal/config"
	"mirsal/internal/turn"
)

// found is what the checks of calls say, by their names.
func found(t *testing.T, e *exam) map[string]Level {
	t.Helper()
	got := map[string]Level{}
	for _, f := range e.calls(t.Context()) {
		if f.Level != OK && (f.Text == "" || f.Remedy == "") {
			t.Errorf("%+v tells not what to do", f)
		}
		got[f.Check] = f.Level
	}
	return got
}

func TestTheRelayForCallsIsLookedAt(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*exam)
		want map[string]Level
	}{
		"none":       {func(e *exam) { e.cfg.Listen.Turn = "off" }, map[string]Level{"turn.relay": Notice}},
		"coturn":     {func(e *exam) { e.cfg.Listen.Turn, e.cfg.Services.Calls = "off", []string{"turn:t.example.org"} }, map[string]Level{"turn.relay": OK}},
		"no address": {func(*exam) {}, map[string]Level{"turn.address": Problem, "turn.tls": "", "port.turn": OK, "turn.web": OK}},
		"not shared": {func(e *exam) { e.cfg.Turn.ShareHTTPS = false }, map[string]Level{"turn.tls": Notice, "turn.web": ""}},
		"no web":     {func(e *exam) { e.cfg.Listen.HTTP = "off" }, map[string]Level{"turn.tls": Notice, "turn.web": ""}},
		"public": {func(e *exam) {
			e.Addresses = func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("8.8.8.8")} }
		}, map[string]Level{"turn.address": OK}},
		"behind a router":  {func(e *exam) { e.cfg.Turn.RelayAddress = []string{"8.8.8.8"} }, map[string]Level{"turn.address": Notice}},
		"inside":           {func(e *exam) { e.cfg.Turn.RelayAddress = []string{"10.0.0.1"} }, map[string]Level{"turn.address": Problem}},
		"a closed network": {func(e *exam) { e.cfg.Turn.RelayAddress, e.cfg.Turn.AllowPrivate = []string{"192.0.2.1"}, true }, map[string]Level{"turn.address": OK, "turn.private": Warning}},
		"not in DNS": {func(e *exam) {
			e.cfg.Turn.Host = "turn.example.org"
			e.LookupHost = func(context.Context, string) ([]string, error) {
				return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
			}
		}, map[string]Level{"turn.host": Problem}},
		"closed port": {func(e *exam) { e.server.answers = true }, map[string]Level{"port.turn": Problem}},
		"chosen port": {func(e *exam) { e.cfg.Listen.Turn = ":0" }, map[string]Level{"port.turn": Notice}},
		"TLS as well": {func(e *exam) { e.cfg.Listen.Turns = ":5349" }, map[string]Level{"port.turns": OK}},
	} {
		w, cfg := healthy(t)
		e := &exam{World: w, cfg: *cfg}
		e.cfg.Listen.Turn = ":3478"
		c.set(e)
		got := found(t, e)
		for check, level := range c.want {
			if got[check] != level {
				t.Errorf("%s: %s is %q, not %q", name, check, got[check], level)
			}
		}
	}
}

func TestARelayThatAnswersIsKnown(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := turn.Start(turn.Config{
		Realm: "example.org", Credentials: turn.NewCredentials(make([]byte, 32)), MinPort: 50000, MaxPort: 50001, PerAccount: 1, PerAddress: 1, Most: 1,
		Rate: 1000, Volume: 1000, Lifetime: time.Minute, Log: slog.New(slog.DiscardHandler),
	}, udp)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, cfg := healthy(t)
	w.Dial = new(net.Dialer).DialContext
	e := &exam{World: w, cfg: *cfg}
	e.server.answers = true
	if f := e.relayPort(t.Context(), "turn", config.Address(udp.LocalAddr().String())); f.Level != OK {
		t.Errorf("%+v", f)
	}
	ts := httptest.NewTLSServer(nil) // a web side that knows of no relay
	defer ts.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(tls.NewListener(l, &tls.Config{Certificates: ts.TLS.Certificates}))
	for at, want := range map[string]Level{l.Addr().String(): OK, ts.Listener.Addr().String(): Problem} {
		if f := e.relayPort(t.Context(), "http", config.Address(at)); f.Level != want || f.Check != "turn.web" {
			t.Errorf("%+v", f)
		}
	}
}
