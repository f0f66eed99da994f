package c2s

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"

	"mirsal/internal/auth"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xep/sm"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

// steps are what a fuzzed client picks from; the first stands for its own text.
func steps(own string) []string {
	const sasl1, proof = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'", "YzBpYXdzLHI9YWJjLHA9QUFBQQ=="
	in := func(mech, children string) string {
		return "<authenticate xmlns='" + ns2 + "' mechanism='" + mech + "'>" + children + "</authenticate>"
	}
	first := "<initial-response>biwsbj1hbGljZSxyPWFiYw==</initial-response>" // n,,n=alice,r=abc
	all := agentID("x") + bind + wantToken + "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade><resume xmlns='urn:xmpp:sm:3' h='0' previd=''/>"
	return []string{
		own, in("SCRAM-SHA-1", first+all), in("SCRAM-SHA-256", ""), in("SCRAM-SHA-256", own), response([]byte("n,,n=alice,r=abc")),
		"<response xmlns='" + ns2 + "'>" + proof + "</response>", in("HT-SHA-256-NONE", agentID("x")+"<fast xmlns='urn:xmpp:fast:0'/>"),
		response([]byte("alice\x00" + strings.Repeat("x", 32))), "<abort xmlns='" + ns2 + "'/>",
		"<next xmlns='" + ns2 + "' task='UPGR-SCRAM-SHA-256'/>", "<task-data xmlns='" + ns2 + "'>" + own + "</task-data>",
		"<auth" + sasl1 + " mechanism='SCRAM-SHA-1'>biwsbj1hbGljZSxyPWFiYw==</auth>", "<response" + sasl1 + ">" + proof + "</response>",
		"<abort" + sasl1 + "/>", oldBind, "<resume xmlns='urn:xmpp:sm:3' h='0' previd=''/>", "<auth" + sasl1 + " mechanism='SCRAM-SHA-256'>" + own + "</auth>",
	}
}

// FuzzSASL2 looks for elements, in whatever order, that crash the server or let
// in who has proved nothing.
func FuzzSASL2(f *testing.F) {
	f.Add([]byte{1, 5}, "")
	f.Add([]byte{2, 4, 5, 14}, "")
	f.Add([]byte{6, 7, 14, 15}, "")
	f.Add([]byte{6, 12, 11, 12, 14}, "")
	f.Add([]byte{1, 9, 10, 8, 3, 10}, "<hash xmlns='urn:xmpp:scram-upgrade:0'>AAAA</hash>")
	f.Add([]byte{11, 1, 12, 13, 5}, "<initial-response/>")
	f.Add([]byte{0, 16, 14}, "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'><fast xmlns='urn:xmpp:fast:0' count='-1'/></authenticate>")
	f.Fuzz(func(t *testing.T, order []byte, own string) {
		var log bytes.Buffer
		said, vocabulary := "", steps(own)
		setup := func(w *coretest.World) {
			sm.New(w.Router, func([16]byte) (uint32, bool) { return 0, false }, 0).Register(w.Host)
		}
		onPort(t, func(cfg *Config) {
			cfg.RequireTLS, cfg.Log = false, slog.New(slog.NewTextHandler(&log, nil))
		}, setup, func(p *port) {
			p.srv.Stop()
			p.srv = New(p.Router, tokenless{nobody{cred: unprovable(t)}}, p.srv.cfg)
			c := p.dial()
			c.say(hello)
			for _, step := range order[:min(len(order), 12)] {
				said += c.say(vocabulary[int(step)%len(vocabulary)])
			}
			if strings.Contains(said, "<success") || len(p.Router.Directory().Sessions(jid.MustParse("alice@example.org"))) > 0 {
				t.Errorf("somebody is in: %s", said)
			}
		})
		if strings.Contains(log.String(), "panic") || strings.Contains(log.String(), "logged in") {
			t.Error(log.String())
		}
	})
}

// tokenless is nobody, who has no tokens either.
type tokenless struct{ nobody }

func (tokenless) Tokens(string, auth.Agent, string) ([]sasl.Token, error) { return nil, nil }

// unprovable are the keys of a password that nobody knows.
func unprovable(t *testing.T) sasl.Credentials {
	t.Helper()
	cred, err := sasl.Derive(rand.Text(), []byte("salt one"), []byte("salt two"), 4096)
	if err != nil {
		t.Fatal(err)
	}
	return cred
}
