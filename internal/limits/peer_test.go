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

func TestAnAddressThatHoldsItsPlacesLosesTheOldest(t *testing.T) {
	within(t, func(c *Config) { c.AddressStrangers = 3 }, func(t *testing.T, l *Limits) {
		var gone []int
		for i := range 3 {
			guest(t, l, at(1, 1)).OnDrop(func() { gone = append(gone, i) })
			time.Sleep(time.Second)
		}
		if _, err := l.Connect(at(1, 1)); !refused(err, "strangers", "address") {
			t.Errorf("nobody has had time to log in: %v", err)
		}
		time.Sleep(2 * time.Second)
		guest(t, l, at(1, 1))
		if len(gone) != 1 || gone[0] != 0 || l.Strangers() != 3 {
			t.Errorf("%v gone, %d left", gone, l.Strangers())
		}
		guest(t, l, at(1, 2))
	})
}

// Attack 4 and R85: all places are taken by few networks.
func TestWhoComesFromElsewhereFindsAPlaceDuringAFlood(t *testing.T) {
	within(t, func(c *Config) { c.Strangers = 400 }, func(t *testing.T, l *Limits) {
		dropped := 0
		for i := range 400 {
			guest(t, l, at(i%4, i/4)).OnDrop(func() { dropped++ })
		}
		alice := guest(t, l, at(9, 1))
		alice.OnDrop(func() { t.Error("the only one of her network had to go") })
		time.Sleep(patience)
		for range 1000 {
			if p, err := l.Connect(at(1, 250)); err == nil {
				p.OnDrop(func() { dropped++ })
			}
		}
		if dropped < 2 || l.Strangers() != 400 {
			t.Errorf("%d dropped, %d places taken", dropped, l.Strangers())
		}
	})
}

// Networks that have few places each may be people: they have time to log in.
func TestGuestsHaveTimeToLogInBeforeTheyMakeRoom(t *testing.T) {
	within(t, func(c *Config) { c.Strangers = 400 }, func(t *testing.T, l *Limits) {
		for i := range 400 {
			guest(t, l, at(i%40, i/40)).OnDrop(func() {})
		}
		if _, err := l.Connect(at(90, 1)); !refused(err, "strangers", "server") {
			t.Errorf("nobody has had time to log in: %v", err)
		}
		time.Sleep(patience)
		guest(t, l, at(90, 1))
	})
}

// Somebody who comes from where people sign in finds a place at once, even if an
// attacker has a network for every connection, or all places of the neighbourhood.
func TestAtHomeThereIsAPlaceAtOnce(t *testing.T) {
	within(t, func(c *Config) { c.Strangers, c.AddressStrangers = 400, 50 }, func(t *testing.T, l *Limits) {
		home := func(i int) *Peer {
			p := guest(t, l, at(900+i, 1))
			p.OnDrop(func() { t.Error("one who is at home had to go") })
			return p
		}
		for i := range 2 {
			p := home(i)
			p.Succeeded("alice")
			p.Close()
		}
		for i := range 200 {
			guest(t, l, at(900, 2+i%4)).OnDrop(func() {})
		}
		home(0)
		for i := range 200 {
			guest(t, l, at(i, 1)).OnDrop(func() {})
		}
		home(1)
		if l.Strangers() != 400 {
			t.Errorf("%d places taken", l.Strangers())
		}
	})
}

func TestNoneWhoIsAtHomeMakesRoomBeforeHisTime(t *testing.T) {
	within(t, func(c *Config) { c.Strangers = 4 }, func(t *testing.T, l *Limits) {
		guest(t, l, at(9, 1)).Succeeded("alice")
		l.guests.list[0].Close()
		for i := range 4 {
			p := guest(t, l, at(i, 1))
			p.Succeeded("alice")
			p.OnDrop(func() {})
		}
		if _, err := l.Connect(at(9, 1)); !refused(err, "strangers", "server") {
			t.Errorf("all are at home: %v", err)
		}
		time.Sleep(patience)
		guest(t, l, at(9, 1))
	})
}

func TestAPlaceIsGivenBackOnce(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		p, q := guest(t, l, at(1, 1)), guest(t, l, at(1, 1))
		p.Bound()
		p.Close()
		if l.Strangers() != 1 || l.strangers(&l.addrs, q.origin.addr) != 1 {
			t.Error("a place was given back twice")
		}
		q.Close()
		(*Peer)(nil).Close()
		if l.Strangers() != 0 || l.strangers(&l.prefixes, q.origin.prefix) != 0 {
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
			"addresses": l.addrs.len(), "prefixes": l.prefixes.len(), "names": l.names.len(),
		} {
			if n > 1024+1 {
				t.Errorf("%d %s are remembered", n, what)
			}
		}
		if f := &l.familiar; len(f.of) > 64 || len(f.refs) > 64*placesMost*2 {
			t.Errorf("places of %d accounts, %d in all", len(f.of), len(f.refs))
		}
		if l.strangers(&l.addrs, held.origin.addr) != 1 {
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
