package turn

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

var here = netip.MustParseAddr("127.0.0.1")

// world is a relay on loopback with a listener of each kind.
type world struct {
	*Server
	cred          *Credentials
	udp, tcp, tls string
}

func start(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{cred: NewCredentials(key())}
	cfg := Config{
		Realm: "example.org", Credentials: w.cred, Relay: []netip.Addr{here}, Own: []netip.Addr{here}, MinPort: 20000, MaxPort: 60000, AllowPrivate: true,
		PerAccount: 3, PerAddress: 10, Most: 20, Rate: 1 << 20, Volume: 1 << 30, Lifetime: time.Hour, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if w.Server, err = Start(cfg, udp); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.udp = udp.LocalAddr().String()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.tcp = plain.Addr().String()
	w.Serve(plain)
	secure, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewTLSServer(nil)
	defer ts.Close()
	w.tls = secure.Addr().String()
	w.Serve(tls.NewListener(secure, &tls.Config{Certificates: ts.TLS.Certificates, NextProtos: Protocols}))
	return w
}

func (w *world) dial(t *testing.T, kind string) (net.PacketConn, string) {
	t.Helper()
	var c net.Conn
	var err error
	at := map[string]string{"udp": w.udp, "tcp": w.tcp, "tls": w.tls}[kind]
	switch kind {
	case "udp":
		p, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return p, at
	case "tls":
		c, err = tls.Dial("tcp", at, &tls.Config{InsecureSkipVerify: true, NextProtos: Protocols[:1]})
	default:
		c, err = net.Dial("tcp", at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pion.NewSTUNConn(c), at
}

func (w *world) client(t *testing.T, kind, user, password string) *pion.Client {
	t.Helper()
	conn, at := w.dial(t, kind)
	c, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: at, TURNServerAddr: at, Conn: conn, Username: user, Password: password, Realm: "example.org", LoggerFactory: silent{},
	})
	if err == nil {
		err = c.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); conn.Close() })
	return c
}

func (w *world) as(t *testing.T, kind, account string) *pion.Client {
	t.Helper()
	user, password := w.cred.Issue(account, time.Now().Add(time.Hour))
	return w.client(t, kind, user, password)
}

func allocate(t *testing.T, c *pion.Client) net.PacketConn {
	t.Helper()
	relayed, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { relayed.Close() })
	return relayed
}

// echo is a peer that sends back what it gets.
func echo(t *testing.T) net.PacketConn {
	t.Helper()
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	go func() {
		b := make([]byte, 2000)
		for {
			n, from, err := p.ReadFrom(b)
			if err != nil {
				return
			}
			p.WriteTo(b[:n], from)
		}
	}()
	return p
}

// comes sends until something comes back: packets may be lost.
func comes(t *testing.T, relayed net.PacketConn, to net.Addr, text string) (string, net.Addr) {
	t.Helper()
	b := make([]byte, 2000)
	for range 20 {
		if _, err := relayed.WriteTo([]byte(text), to); err != nil {
			t.Fatal(err)
		}
		relayed.SetReadDeadline(time.Now().Add(time.Second))
		if n, from, err := relayed.ReadFrom(b); err == nil {
			return string(b[:n]), from
		}
	}
	t.Fatal("nothing comes back")
	return "", nil
}

// until waits for something that others do.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not come to this: " + what)
}

func TestRelaysOverUDPAndTCPAndTLS(t *testing.T) {
	w := start(t, nil)
	peer := echo(t)
	for _, kind := range []string{"udp", "tcp", "tls"} {
		relayed := allocate(t, w.as(t, kind, kind+"@example.org"))
		// again through the channel that is bound meanwhile
		for range 3 {
			if got, from := comes(t, relayed, peer.LocalAddr(), kind); got != kind || from.String() != peer.LocalAddr().String() {
				t.Errorf("%s: %q from %v", kind, got, from)
			}
		}
	}
	if w.Allocations() != 3 {
		t.Errorf("%d allocations", w.Allocations())
	}
}

func TestTwoWhoAreBothRelayedReachEachOther(t *testing.T) {
	// as on the internet: at our own address there are allocations and nothing else
	for name, own := range map[string][]netip.Addr{"the address is ours": {here}, "a router leads it here": nil} {
		w := start(t, func(c *Config) { c.AllowPrivate, c.Own = false, own })
		one, two := allocate(t, w.as(t, "udp", "alice@example.org")), allocate(t, w.as(t, "tcp", "bob@example.org"))
		go func() {
			b := make([]byte, 2000)
			two.WriteTo([]byte("open"), one.LocalAddr())
			for {
				n, from, err := two.ReadFrom(b)
				if err != nil {
					return
				}
				two.WriteTo(b[:n], from)
			}
		}()
		until(t, name, func() bool { got, _ := comes(t, one, two.LocalAddr(), "hello"); return got == "hello" })
	}
}

func TestAnybodyMayAskForHisAddress(t *testing.T) {
	w := start(t, func(c *Config) { c.Relay = nil })
	for network, at := range map[string]string{"udp": w.udp, "tcp": w.tcp} {
		c, err := net.Dial(network, at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if got, err := Look(c); err != nil || got.String() != c.LocalAddr().String() {
			t.Error(network, got, err)
		}
	}
	if _, err := w.as(t, "udp", "alice@example.org").Allocate(); err == nil {
		t.Error("a server of STUN alone relays")
	}
}

func TestNobodyIsRelayedWithoutAPasswordThatIsGood(t *testing.T) {
	w := start(t, nil)
	user, password := w.cred.Issue("alice@example.org", time.Now().Add(time.Hour))
	late, latePassword := w.cred.Issue("alice@example.org", time.Now())
	_, sealed, _ := strings.Cut(late, ":")
	foreign, foreignPassword := NewCredentials(make([]byte, 32)).Issue("alice@example.org", time.Now().Add(time.Hour))
	gone, gonePassword := w.cred.Issue("bob@example.org", time.Now().Add(time.Hour))
	w.Revoke("bob@example.org", time.Hour)
	for what, c := range map[string][2]string{
		"no password": {user, ""}, "wrong password": {user, latePassword}, "expired": {late, latePassword}, "a later time": {"9999999999:" + sealed, latePassword},
		"made elsewhere": {foreign, foreignPassword}, "nonsense": {"alice", password}, "an account that is gone": {gone, gonePassword},
	} {
		if relayed, err := w.client(t, "udp", c[0], c[1]).Allocate(); err == nil {
			t.Errorf("%s: relayed at %v", what, relayed.LocalAddr())
		}
	}
	allocate(t, w.client(t, "udp", user, password))
}

func TestAnAllocationEndsWithItsPassword(t *testing.T) {
	w := start(t, nil)
	user, password := w.cred.Issue("alice@example.org", time.Now().Add(2*time.Second))
	relayed := allocate(t, w.client(t, "udp", user, password))
	comes(t, relayed, echo(t).LocalAddr(), "hello")
	until(t, "the allocation is gone", func() bool { return w.Allocations() == 0 })
	until(t, "its place is free", func() bool { w.quotas.mu.Lock(); defer w.quotas.mu.Unlock(); return w.quotas.all == 0 })
}

func TestAnAllocationEndsWithItsAccount(t *testing.T) {
	w := start(t, nil)
	allocate(t, w.as(t, "tls", "alice@example.org"))
	allocate(t, w.as(t, "udp", "bob@example.org"))
	w.Revoke("alice@example.org", time.Hour)
	until(t, "one is left", func() bool { return w.Allocations() == 1 })
}

func TestAnAllocationEndsWithItsConnection(t *testing.T) {
	w := start(t, nil)
	c := w.as(t, "tcp", "alice@example.org")
	if _, err := c.Allocate(); err != nil {
		t.Fatal(err)
	}
	w.doors.mu.Lock()
	for _, f := range w.doors.open {
		f.Conn.Close()
	}
	w.doors.mu.Unlock()
	until(t, "none is left", func() bool { return w.Allocations() == 0 })
	until(t, "its place is free", func() bool { w.doors.mu.Lock(); defer w.doors.mu.Unlock(); return len(w.doors.open) == 0 })
}

func TestAnAccountHasSoManyAllocations(t *testing.T) {
	w := start(t, nil)
	for range 3 {
		allocate(t, w.as(t, "udp", "alice@example.org"))
	}
	if _, err := w.as(t, "tcp", "alice@example.org").Allocate(); err == nil || !strings.Contains(err.Error(), "486") {
		t.Errorf("a fourth: %v", err)
	}
	allocate(t, w.as(t, "udp", "bob@example.org"))
}

func TestWhatMayBeRelayedIsBounded(t *testing.T) {
	w := start(t, func(c *Config) { c.Volume = 3000 })
	relayed := allocate(t, w.as(t, "udp", "alice@example.org"))
	peer := echo(t)
	comes(t, relayed, peer.LocalAddr(), "hello")
	until(t, "the volume is used up", func() bool {
		relayed.WriteTo(make([]byte, 1000), peer.LocalAddr())
		return w.Allocations() == 0
	})

	slow := &relay{pace: relayPace(1000), left: 1 << 30, all: &relays{metrics: NewMetrics(nil)}}
	passed := 0
	for range 100 {
		if slow.afford(100) {
			passed++
		}
	}
	if passed < 20 || passed > 30 {
		t.Errorf("%d packets of a burst passed", passed)
	}
}

func TestNobodyInsideIsRelayedTo(t *testing.T) {
	w := start(t, func(c *Config) { c.AllowPrivate = false })
	c := w.as(t, "udp", "alice@example.org")
	relayed := allocate(t, c)
	for _, h := range []string{"10.0.0.1:80", "192.168.1.1:80", "169.254.169.254:80", "224.0.0.1:80", "0.0.0.0:80"} {
		if err := c.CreatePermission(udpAddr(h)); err == nil {
			t.Errorf("a permission for %s", h)
		}
		if _, err := relayed.WriteTo([]byte("x"), udpAddr(h)); err == nil {
			t.Errorf("%s is written to", h)
		}
	}
	// our address may be named, for other allocations; what listens there is not reached
	victim, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	other := allocate(t, w.as(t, "udp", "bob@example.org"))
	if err := c.CreatePermission(victim.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		relayed.WriteTo([]byte("attack"), victim.LocalAddr())
		relayed.WriteTo([]byte("attack"), udpAddr(w.udp))
	}
	comes2(t, relayed, other)
	victim.SetReadDeadline(time.Now().Add(300 * time.Millisecond)) // what came is there already
	if n, _, err := victim.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("a service of this machine got %d bytes", n)
	}
}

// comes2 sends from one allocation until it arrives at another: what was sent before
// has been dealt with by then.
func comes2(t *testing.T, from, to net.PacketConn) {
	t.Helper()
	b := make([]byte, 100)
	until(t, "it arrives", func() bool {
		to.WriteTo([]byte("open"), from.LocalAddr())
		from.WriteTo([]byte("x"), to.LocalAddr())
		to.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, _, err := to.ReadFrom(b)
		return err == nil
	})
}

func TestStrangersDoNotReachAnAllocation(t *testing.T) {
	w := start(t, nil)
	relayed := allocate(t, w.as(t, "udp", "alice@example.org"))
	r := w.relays.at(relayed.LocalAddr())
	if r == nil || r.named(netip.MustParseAddr("127.0.0.1")) {
		t.Fatal("the peer is known before it is named")
	}
	comes(t, relayed, echo(t).LocalAddr(), "hello")
	if !r.named(netip.MustParseAddr("127.0.0.1")) || r.named(netip.MustParseAddr("127.0.0.2")) {
		t.Error("who may send is not who was named")
	}
}

func TestWhoNamesTooManyPeersLosesTheAllocation(t *testing.T) {
	w := start(t, nil)
	c := w.as(t, "udp", "alice@example.org")
	allocate(t, c)
	var many []net.Addr
	for i := range 30 {
		many = append(many, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, 9, 9, byte(i)}), 1)))
	}
	if err := c.CreatePermission(many...); err != nil || w.Allocations() != 1 {
		t.Fatal(err)
	}
	for k := range 5 {
		for i := range many {
			many[i] = net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, 9, byte(k), byte(i)}), 1))
		}
		c.CreatePermission(many...)
	}
	until(t, "the allocation is gone", func() bool { return w.Allocations() == 0 })
}

func TestPairsOfPortsAndTCPAreNotGivenOut(t *testing.T) {
	w := start(t, nil)
	if _, err := w.as(t, "udp", "alice@example.org").AllocateTCP(); err == nil {
		t.Error("TCP is relayed")
	}
	if _, _, err := w.relays.AllocatePacketConn(pion.AllocateListenerConfig{Network: "udp4"}); err == nil {
		t.Error("a port without an account")
	}
	user, _ := w.cred.Issue("alice@example.org", time.Now().Add(time.Hour))
	if _, _, err := w.relays.AllocatePacketConn(pion.AllocateListenerConfig{Network: "udp4", UserID: user, RequestedPort: 50000}); err == nil {
		t.Error("a chosen port")
	}
	until(t, "no place is kept", func() bool { w.quotas.mu.Lock(); defer w.quotas.mu.Unlock(); return w.quotas.all == 0 })
}

func TestAnAllocationMayEndWhileItsClientNamesPeers(t *testing.T) {
	w := start(t, func(c *Config) { c.PerAccount, c.PerAddress, c.Most = 100, 100, 100 })
	for i := range 40 {
		c := w.as(t, "udp", "alice@example.org")
		relayed := allocate(t, c)
		r := w.relays.at(relayed.LocalAddr())
		ready := make(chan struct{})
		go func() {
			close(ready)
			for range i * 5000 {
			}
			r.Close()
		}()
		<-ready
		var many []net.Addr
		for k := range 40 {
			many = append(many, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, 9, 9, byte(k)}), 1)))
		}
		go c.CreatePermission(many...) // answered or not
		until(t, "it has ended", func() bool { return w.Allocations() == 0 })
	}
}

// malformed are messages that are wrong in some way, and one that is not.
func malformed() (list [][]byte) {
	good := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.NewUsername("x"), stun.NewRealm("example.org"), stun.Fingerprint).Raw
	for i := range good {
		b := append([]byte{}, good...)
		b[i] ^= 0xff
		list = append(list, b, good[:i])
	}
	return append(list, good, make([]byte, 1599), make([]byte, 1))
}

func TestMalformedMessagesHarmNobody(t *testing.T) {
	w := start(t, nil)
	relayed := allocate(t, w.as(t, "udp", "alice@example.org"))
	peer := echo(t)
	for _, network := range []string{"udp", "tcp"} {
		for _, b := range malformed() {
			c, err := net.Dial(network, map[string]string{"udp": w.udp, "tcp": w.tcp}[network])
			if err != nil {
				t.Fatal(err)
			}
			c.Write(b)
			c.Close()
		}
	}
	comes(t, relayed, peer.LocalAddr(), "still here")
	until(t, "no connection is kept", func() bool { w.doors.mu.Lock(); defer w.doors.mu.Unlock(); return len(w.doors.open) == 0 })
	w.quotas.mu.Lock()
	defer w.quotas.mu.Unlock()
	if len(w.quotas.pending) != 0 || w.quotas.all != 1 {
		t.Error("malformed messages take places")
	}
}

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	w := start(t, func(c *Config) { c.PerAddress = 2 })
	var open []net.Conn
	for range 4 {
		c, err := net.Dial("tcp", w.tcp)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := Look(c); err != nil {
			t.Fatal(err)
		}
	}
	c, err := net.Dial("tcp", w.tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a fifth connection: %v", err)
	}
	open[0].Close()
	until(t, "there is room", func() bool { w.doors.mu.Lock(); defer w.doors.mu.Unlock(); return len(w.doors.open) == 3 })
}

func TestClosingEndsEverything(t *testing.T) {
	w := start(t, nil)
	allocate(t, w.as(t, "udp", "alice@example.org"))
	allocate(t, w.as(t, "tls", "alice@example.org"))
	w.Close()
	until(t, "no allocation is left", func() bool { w.relays.mu.Lock(); defer w.relays.mu.Unlock(); return len(w.relays.live) == 0 })
	if c, err := net.Dial("tcp", w.tcp); err == nil {
		c.Close()
		t.Error("the listener is open")
	}
	w.Close()
}
