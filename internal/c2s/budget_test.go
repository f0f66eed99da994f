package c2s

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"mirsal/internal/limits"
)

func budgets(cfg *Config, l limits.Config) {
	cfg.Limits = limits.New(l, limits.NewMetrics(nil), slog.New(slog.DiscardHandler))
}

// Attack 14: white space, byte by byte.
func TestWhoSendsFasterThanTheBudgetIsReadMoreSlowly(t *testing.T) {
	onPort(t, func(cfg *Config) {
		budgets(cfg, limits.Config{Enabled: true, Stanzas: 200, Bytes: 1 << 20}) // a tenth before the login
	}, nil, func(p *port) {
		c := p.dial()
		c.say(hello)
		begun := time.Now()
		for range 600 {
			if _, err := c.net.Write([]byte(" ")); err != nil {
				t.Fatal(err)
			}
		}
		// 200 at once, 20 a second then
		if d := time.Since(begun); d < 15*time.Second || d > 25*time.Second {
			t.Errorf("600 elements took %v", d)
		}
		if c.gone() {
			t.Error("the stream has ended")
		}
	})
}

func TestAPausedReaderEndsWithItsConnection(t *testing.T) {
	onPort(t, func(cfg *Config) {
		budgets(cfg, limits.Config{Enabled: true, Stanzas: 10, Bytes: 100})
		cfg.Before.Size = 10_000
	}, nil, func(p *port) {
		c := p.dial()
		c.say(hello + strings.Repeat(" ", 40_000)) // a pause of over an hour
		p.srv.Stop()
		if n := p.connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

func TestWhoHasNotLoggedInInTimeMakesRoom(t *testing.T) {
	onPort(t, nil, nil, func(p *port) {
		first := p.dial()
		first.say(hello)
		time.Sleep(4 * time.Second)
		p.dial()
		p.dial()
		if !p.dial().gone() {
			t.Error("a fourth was let in")
		}
		time.Sleep(time.Second)
		if p.dial().gone() {
			t.Error("a newcomer was not let in")
		}
		if said := first.heard(); !strings.Contains(said, "<resource-constraint ") || !first.gone() {
			t.Errorf("the first heard %q", said)
		}
	})
}
