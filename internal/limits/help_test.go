package limits

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
)

// within runs f with budgets on a fake clock; change alters the defaults.
func within(t *testing.T, change func(*Config), f func(t *testing.T, l *Limits)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := Default()
		cfg.Workers = 1
		if change != nil {
			change(&cfg)
		}
		l := New(cfg, NewMetrics(nil), slog.New(slog.DiscardHandler))
		defer l.Close()
		f(t, l)
	})
}

// at is an address of IPv4: the n-th of a prefix.
func at(prefix, n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10 + byte(prefix>>16), byte(prefix >> 8), byte(prefix), byte(n)})
}

// six is an address of IPv6: in the n-th /64 of a /48.
func six(site, n int) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, byte(site >> 8), byte(site), byte(n >> 8), byte(n), 15: 1})
}

// guest connects, which must be possible.
func guest(t *testing.T, l *Limits, a netip.Addr) *Peer {
	t.Helper()
	p, err := l.Connect(a)
	if err != nil {
		t.Fatalf("%s cannot connect: %v", a, err)
	}
	return p
}

func refused(err error, budget, scope string) bool {
	var r *Refused
	return errors.As(err, &r) && r.Budget == budget && r.Scope == scope
}
