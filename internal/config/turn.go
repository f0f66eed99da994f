package config

import (
	"fmt"
	"net/netip"
	"time"
)

// Turn is for the server's own relay for calls.
type Turn struct {
	Host         string   `toml:"host"`
	RelayAddress []string `toml:"relay_address"`
	MinPort      int      `toml:"min_port"`
	MaxPort      int      `toml:"max_port"`
	ShareHTTPS   bool     `toml:"share_https"`
	AllowPrivate bool     `toml:"allow_private"`
	PerAccount   int      `toml:"per_account"`
	PerAddress   int      `toml:"per_address"`
	Allocations  int      `toml:"allocations"`
	ByteRate     int      `toml:"byte_rate"`
	Volume       int      `toml:"volume"`
	Lifetime     Duration `toml:"lifetime"`
	Password     Duration `toml:"password"`
}

func defaultTurn() Turn {
	return Turn{
		RelayAddress: []string{}, MinPort: 49152, MaxPort: 65535, ShareHTTPS: true, PerAccount: 20, PerAddress: 50, Allocations: 1000,
		ByteRate: 1 << 20, Volume: 8 << 30, Lifetime: Duration{12 * time.Hour}, Password: Duration{24 * time.Hour},
	}
}

// Wanted tells whether there is to be a relay.
func (l *Listen) Wanted() bool { return !l.Turn.Off() || !l.Turns.Off() }

// Addresses are the relay addresses; Load has checked them.
func (t *Turn) Addresses() (list []netip.Addr) {
	for _, s := range t.RelayAddress {
		if a, err := netip.ParseAddr(s); err == nil {
			list = append(list, a.Unmap())
		}
	}
	return list
}

func (t *Turn) check() error {
	for _, s := range t.RelayAddress {
		if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
			return fmt.Errorf("turn.relay_address: %q is no address such as 198.51.100.1", s)
		}
	}
	if list := t.Addresses(); len(list) > 2 || len(list) == 2 && list[0].Is4() == list[1].Is4() {
		return fmt.Errorf("turn.relay_address: one of IPv4, one of IPv6, or one of each")
	}
	if _, _, err := hostPort(t.Host, 1); t.Host != "" && err != nil {
		return fmt.Errorf("turn.host: %q is no host name", t.Host)
	}
	for _, n := range []struct {
		key           string
		value, lo, hi int
	}{
		{"turn.min_port", t.MinPort, 1024, 65535},
		{"turn.max_port", t.MaxPort, t.MinPort, 65535},
		{"turn.per_account", t.PerAccount, 1, 10_000},
		{"turn.per_address", t.PerAddress, 1, 100_000},
		{"turn.allocations", t.Allocations, 1, 60_000},
		{"turn.byte_rate", t.ByteRate, 10_000, 1 << 30},
		{"turn.volume", t.Volume, 1 << 20, 1 << 50},
	} {
		if n.value < n.lo || n.value > n.hi {
			return fmt.Errorf("%s: %d is not between %d and %d", n.key, n.value, n.lo, n.hi)
		}
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"turn.lifetime", t.Lifetime.Duration}, {"turn.password", t.Password.Duration}} {
		if d.value < 6*time.Minute || d.value > 7*24*time.Hour {
			return fmt.Errorf("%s: %s is not between 6m and 7d", d.key, d.value)
		}
	}
	return nil
}
