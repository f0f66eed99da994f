package limits

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func anyNumber(c *Config) { c.AddressStrangers, c.Strangers = 0, 0 }

func TestAnAddressHasItsPaceOfConnections(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		for range 1000 {
			guest(t, l, at(1, 1))
		}
		if _, err := l.Connect(at(1, 1)); !refused(err, "connections", "address") {
			t.Errorf("one more: %v", err)
		}
		guest(t, l, at(1, 2))
		time.Sleep(time.Second)
		for range 50 {
			guest(t, l, at(1, 1))
		}
		if _, err := l.Connect(at(1, 1)); !refused(err, "connections", "address") {
			t.Errorf("one more a second later: %v", err)
		}
	})
}

// A household has 2^64 addresses, a site 65,536 such networks.
func TestAFloodFromManyAddressesOfAPrefixIsTheFloodOfOnePrefix(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		let := 0
		for n := range 10_000 {
			if _, err := l.Connect(six(1, n)); err == nil {
				let++
			} else if !refused(err, "connections", "prefix") {
				t.Fatal(err)
			}
		}
		if let != 4000 {
			t.Errorf("%d connections were let in at once", let)
		}
		guest(t, l, six(2, 1))
	})
}

func TestAllAddressesOfAHouseholdAreOne(t *testing.T) {
	l := New(Default(), NewMetrics(nil), slog.New(slog.DiscardHandler))
	a := netip.MustParseAddr
	for _, c := range []struct {
		a, b         string
		addr, prefix bool // the same
	}{
		{"2001:db8::1", "2001:db8::ffff:1", true, true},
		{"2001:db8::1", "2001:db8:0:1::1", false, true},
		{"2001:db8::1", "2001:db8:1::1", false, false},
		{"192.0.2.1", "::ffff:192.0.2.1", true, true},
		{"192.0.2.1", "192.0.2.2", false, true},
		{"192.0.2.1", "192.0.3.1", false, false},
		{"fe80::1%eth0", "fe80::1%eth1", true, true},
	} {
		x, y := l.Origin(a(c.a)), l.Origin(a(c.b))
		if (x.addr == y.addr) != c.addr || (x.prefix == y.prefix) != c.prefix {
			t.Errorf("%s and %s: %v %v", c.a, c.b, x, y)
		}
	}
	for _, s := range []string{"127.0.0.1", "::1", "::ffff:127.9.9.9"} {
		if !l.Origin(a(s)).exempt() {
			t.Errorf("%s is counted", s)
		}
	}
}

// Neighbours may be an attacker's: what they do is not held against an address
// from which somebody has signed in.
func TestNeighboursCannotKeepOutAnAddressThatIsFamiliar(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		guest(t, l, at(1, 1)).Succeeded("alice")
		for n := range 100 {
			for range 50 {
				l.Connect(at(1, 2+n))
			}
		}
		if _, err := l.Connect(at(1, 200)); !refused(err, "connections", "prefix") {
			t.Errorf("a stranger: %v", err)
		}
		p := guest(t, l, at(1, 1))
		if _, err := p.Handshake(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestRequestsAreByAddressAndPrefix(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		ask := func(a netip.Addr, n int, scope string) {
			t.Helper()
			for range n {
				if err := l.Request(a); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Request(a); scope != "" && !refused(err, "requests", scope) {
				t.Errorf("%s: %v", a, err)
			}
		}
		for n := range 3 {
			ask(at(1, n), 1000, "address")
		}
		ask(at(1, 3), 1000, "address")
		ask(at(1, 4), 0, "prefix")
		ask(at(2, 1), 1000, "address")
		ask(netip.MustParseAddr("127.0.0.1"), 10_000, "")
		time.Sleep(time.Second)
		ask(at(2, 1), 50, "address")
		guest(t, l, at(2, 1))
	})
}

// A connection that a Listener has counted is not counted again when a stream begins.
func TestAStreamOfACountedConnectionIsNotCountedAgain(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		for range 1000 {
			guest(t, l, at(1, 1))
		}
		if _, err := l.Enter(at(1, 1)); err != nil {
			t.Error(err)
		}
		if _, err := l.Connect(at(1, 1)); !refused(err, "connections", "address") {
			t.Error(err)
		}
	})
}

func TestAPlaceIsGivenBackOnce(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		p, q := guest(t, l, at(1, 1)), guest(t, l, at(1, 1))
		p.Bound()
		p.Close()
		if l.Strangers() != 1 || heldBy(l, q.origin) != 1 {
			t.Error("a place was given back twice")
		}
		q.Close()
		(*Peer)(nil).Close()
		if l.Strangers() != 0 || heldBy(l, q.origin) != 0 {
			t.Error("a place was kept")
		}
	})
}

func TestWithoutPacesOnlyTheNumberOfStrangersHolds(t *testing.T) {
	within(t, func(c *Config) { *c = Config{Strangers: 2000} }, func(t *testing.T, l *Limits) {
		for range 2000 {
			p := guest(t, l, at(1, 1))
			p.Failed("alice")
			if _, err := p.Handshake(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := p.Login(t.Context(), "alice", false); err != nil {
				t.Fatal(err)
			}
			if err := p.Register(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Connect(at(1, 1)); !refused(err, "strangers", "server") {
			t.Error(err)
		}
		if p := l.Pace("alice"); p.Take(1<<20, 1<<30) != 0 {
			t.Error("paced")
		}
	})
}

// remembered counts what is in a table.
func remembered[T any](t *table[T]) (n int) {
	for i := range t.shards {
		n += len(t.shards[i].m)
	}
	return n
}

// A flood from 2^64 addresses makes the server remember no more than so many.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		l.addrs.init(1024, l.sourceIdle)
		l.prefixes.init(1024, l.sourceIdle)
		l.names.init(1024, l.nameIdle)
		l.familiar.init(64)
		held := guest(t, l, six(7, 7))
		for i := range 5000 {
			p := guest(t, l, six(i, i))
			p.Failed(strings.Repeat("x", i%700))
			p.Succeeded(strings.Repeat("y", i%300))
			p.Close()
		}
		for what, n := range map[string]int{
			"addresses": remembered(&l.addrs), "prefixes": remembered(&l.prefixes), "names": remembered(&l.names),
		} {
			if n > 1024+1 {
				t.Errorf("%d %s are remembered", n, what)
			}
		}
		if f := &l.familiar; len(f.of) > 64 || len(f.refs) > 64*placesMost*2 {
			t.Errorf("places of %d accounts, %d in all", len(f.of), len(f.refs))
		}
		if heldBy(l, held.origin) != 1 {
			t.Error("who is connected was forgotten")
		}
	})
}

func TestTheLogHasOneLineAMinuteForABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		cfg := Default()
		l := New(cfg, NewMetrics(nil), slog.New(slog.NewTextHandler(&out, nil)))
		for range 5 * 60 {
			for range 100 {
				l.refuse("connections", "address", netip.MustParsePrefix("192.0.2.0/24"))
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Hour)
		l.Close()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) < 5 || len(lines) > 7 {
			t.Errorf("%d lines:\n%s", len(lines), out.String())
		}
		if !strings.Contains(lines[1], "lately_from=192.0.2.0/24") {
			t.Error(lines[1])
		}
	})
}
