package c2s

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestEachSessionIsThreeLinesOfLogWithoutSecrets(t *testing.T) {
	for last, want := range map[string]string{
		"</stream:stream>":             `msg="session ended" cid=1 jid=alice@example.org resource=`,
		"<message xmlns='urn:other'/>": `msg="session ended" cid=1 jid=alice@example.org condition=unsupported-stanza-type resource=`,
	} {
		var log bytes.Buffer
		quiet := func(cfg *Config) {
			cfg.RequireTLS, cfg.Log = false, slog.New(slog.NewTextHandler(&log, nil))
		}
		onPort(t, quiet, nil, func(p *port) {
			c := p.dial()
			c.login()
			c.say("<presence/><message to='bob@example.org'><body>private words</body></message>")
			c.say(last)
		})
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		for i, part := range []string{`msg="logged in" cid=1 jid=alice@example.org remote=pipe`, `msg="session bound" cid=1 jid=alice@example.org resource=`, want} {
			if len(lines) != 3 || !strings.Contains(lines[i], part) {
				t.Errorf("%q: %s", part, log.String())
			}
		}
		if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "private") {
			t.Error(log.String())
		}
	}
}

func TestTheLogTellsWhyOurSideEndsAConnection(t *testing.T) {
	var log bytes.Buffer
	quiet := func(cfg *Config) {
		cfg.RequireTLS, cfg.Log = false, slog.New(slog.NewTextHandler(&log, nil))
	}
	onPort(t, quiet, nil, func(p *port) {
		c := p.dial()
		c.login()
	})
	if !strings.Contains(log.String(), "condition=system-shutdown resource=") {
		t.Error(log.String())
	}
}
