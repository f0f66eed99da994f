package limits

import (
	"net/netip"
	"strconv"
	"testing"
	"time"
)

// heldBy is how many streams an address has that are without a login.
func heldBy(l *Limits, o Origin) int { return l.guests[Streams].held(l, &l.addrs, o, o.addr) }

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

// Networks that have few places each may be people: most have time to log in, even
// if somebody has a new network for every connection.
func TestGuestsHaveTimeToLogInBeforeTheyMakeRoom(t *testing.T) {
	within(t, func(c *Config) { c.Strangers = 640 }, func(t *testing.T, l *Limits) {
		dropped := 0
		for i := range 640 {
			guest(t, l, at(i%64, i/64)).OnDrop(func() { dropped++ })
		}
		refusals := 0
		for i := range 500 {
			if _, err := l.Connect(at(900+i, 1)); refused(err, "strangers", "server") {
				refusals++
			}
		}
		if dropped != 10 || refusals != 490 {
			t.Errorf("%d had to go before their time, %d newcomers were refused", dropped, refusals)
		}
		time.Sleep(patience)
		guest(t, l, at(90, 1))
	})
}

// A hundred networks renew all places before anybody's time has come: somebody
// from elsewhere is let in all the same, and who is at home always.
func TestPlacesThatAreRenewedKeepNobodyOut(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		guest(t, l, at(900, 1)).Succeeded("alice")
		l.guests[Streams].list[0].Close()
		var all []*Peer
		fill := func() {
			for n := 0; l.Strangers() < l.cfg.Strangers; n++ {
				p := guest(t, l, at(n%100, 1))
				p.OnDrop(func() {})
				all = append(all, p)
			}
		}
		for n := range 30 {
			fill()
			guest(t, l, at(900, 1)).Close()
			fill()
			guest(t, l, at(901+n, 1)).Close()
			time.Sleep(450 * time.Millisecond)
			for _, p := range all[:max(0, len(all)-9*400)] {
				p.Close()
			}
			all = all[max(0, len(all)-9*400):]
		}
	})
}

// Accounts are easily had where registration is open: who is at home with one has no
// right to all places.
func TestThoseAtHomeCannotHoardEither(t *testing.T) {
	within(t, func(c *Config) { c.Strangers = 400 }, func(t *testing.T, l *Limits) {
		for i := range 400 {
			p := guest(t, l, at(i%20, 1))
			p.Succeeded("mallory" + strconv.Itoa(i%20))
			p.OnDrop(func() {})
		}
		guest(t, l, at(900, 1)).Succeeded("alice")
		guest(t, l, at(900, 1)).Close()
		time.Sleep(time.Second)
		guest(t, l, at(901, 1))
	})
}

// Who floods through a proxy or Tor is one crowd, whoever else is behind it.
func TestExemptAddressesAreOneCrowd(t *testing.T) {
	within(t, func(c *Config) { c.Strangers = 200 }, func(t *testing.T, l *Limits) {
		for range 180 {
			guest(t, l, netip.MustParseAddr("127.0.0.1")).OnDrop(func() {})
		}
		for i := range 20 {
			guest(t, l, at(1, i)).OnDrop(func() { t.Error("somebody of the office had to go") })
		}
		time.Sleep(patience)
		for i := range 20 {
			guest(t, l, at(1, 20+i)).OnDrop(func() { t.Error("a newcomer of the office had to go") })
		}
		if l.guests[Streams].exempt != 160 {
			t.Errorf("%d exempt", l.guests[Streams].exempt)
		}
	})
}

// What comes over HTTP takes no place of a stream's, and the other way round.
func TestEachDoorHasItsPlaces(t *testing.T) {
	within(t, func(c *Config) { c.Strangers, c.Web, c.AddressStrangers = 3, 2, 2 }, func(t *testing.T, l *Limits) {
		for _, d := range []Door{Web, Proxied} {
			for n := range 2 {
				if _, err := l.connect(at(1, n), d); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := l.connect(at(2, 1), d); !refused(err, "web", "server") {
				t.Error(err)
			}
		}
		guest(t, l, at(1, 1))
		guest(t, l, at(1, 1))
		if _, err := l.Connect(at(1, 1)); !refused(err, "strangers", "address") {
			t.Error(err)
		}
		if l.Strangers() != 2 {
			t.Error(l.Strangers())
		}
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
		l.guests[Streams].list[0].Close()
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

func TestNoPrefixHasMoreThanItsPlaces(t *testing.T) {
	within(t, func(c *Config) { c.AddressStrangers = 5 }, func(t *testing.T, l *Limits) {
		for i := range crowd * 5 {
			guest(t, l, at(1, i%10)).OnDrop(func() {})
		}
		if _, err := l.Connect(at(1, 3)); !refused(err, "strangers", "prefix") {
			t.Errorf("one more, of an address that has as many as others: %v", err)
		}
		time.Sleep(patience)
		guest(t, l, at(1, 20))
		if l.Strangers() != crowd*5 {
			t.Error(l.Strangers())
		}
	})
}

func TestAtHomeThereIsAPlaceThoughEveryGuestHasItsOwnNetwork(t *testing.T) {
	within(t, func(c *Config) { c.Strangers = 400 }, func(t *testing.T, l *Limits) {
		p := guest(t, l, at(900, 1))
		p.Succeeded("alice")
		p.Close()
		for i := range 400 {
			guest(t, l, at(i, 1)).OnDrop(func() {})
		}
		if _, err := l.Connect(at(901, 1)); !refused(err, "strangers", "server") {
			t.Errorf("a stranger: %v", err)
		}
		guest(t, l, at(900, 1))
	})
}

// Networks that hoard are no people who have just come: any number of newcomers get in.
func TestThoseWhoHoardMakeRoomForAnyNumber(t *testing.T) {
	within(t, func(c *Config) { c.Strangers = 400 }, func(t *testing.T, l *Limits) {
		for i := range 400 {
			guest(t, l, at(i%4, i/4)).OnDrop(func() {})
		}
		for i := range 100 {
			guest(t, l, at(900+i, 1)).OnDrop(func() { t.Error("a newcomer had to go") })
		}
	})
}
