package limits

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func make1(t *testing.T, change func(*Config)) *Limits {
	t.Helper()
	cfg := Default()
	cfg.Workers = 1
	if change != nil {
		change(&cfg)
	}
	l := New(cfg, NewMetrics(nil), slog.New(slog.DiscardHandler))
	t.Cleanup(l.Close)
	return l
}

// at is the n-th address of a prefix of IPv4.
func at(prefix, n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(prefix >> 8), byte(prefix), byte(n)})
}

func refusedFor(err error, budget, scope string) bool {
	var r *Refused
	return errors.As(err, &r) && r.Budget == budget && r.Scope == scope
}

func TestAnAddressHasItsPaceOfConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make1(t, func(c *Config) { c.AddressStrangers = 0; c.Strangers = 0 })
		for i := range 1000 {
			p, err := l.Connect(at(1, 1))
			if err != nil {
				t.Fatalf("connection %d of a burst: %v", i, err)
			}
			p.Close()
		}
		if _, err := l.Connect(at(1, 1)); !refusedFor(err, "connections", "address") {
			t.Errorf("one more: %v", err)
		}
		if _, err := l.Connect(at(1, 2)); err != nil {
			t.Errorf("a neighbour: %v", err)
		}
		time.Sleep(time.Second)
		for range 50 {
			if _, err := l.Connect(at(1, 1)); err != nil {
				t.Fatalf("a second later: %v", err)
			}
		}
		if _, err := l.Connect(at(1, 1)); !refusedFor(err, "connections", "address") {
			t.Errorf("one more a second later: %v", err)
		}
	})
}
