package turn

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
)

func key() []byte { return bytes.Repeat([]byte{7}, 32) }

func TestAUserNameSaysUntilWhenAndForWhomToUsAlone(t *testing.T) {
	c := NewCredentials(key())
	until := time.Unix(1_800_000_000, 5)
	user, password := c.Issue("alice@example.org", until)
	cl, ok := c.read(user)
	if !ok || cl.until.Unix() != until.Unix() || cl.account != c.who("alice@example.org") || cl.account == c.who("bob@example.org") {
		t.Errorf("%s is read as %v", user, cl)
	}
	again, other := c.Issue("alice@example.org", until)
	if again == user || other == password || strings.Contains(user, "alice") {
		t.Errorf("%s and %s can be told to be the same person's", user, again)
	}
	stranger := NewCredentials(bytes.Repeat([]byte{8}, 32))
	if cl, _ := stranger.read(user); cl.account == stranger.who("alice@example.org") || stranger.password(user) == password {
		t.Error("another server knows the name")
	}
	if changed := "1" + user; c.password(changed) == password {
		t.Error("a later time has the same password")
	}
}

func TestUserNamesThatAreNotOursAreNotRead(t *testing.T) {
	c := NewCredentials(key())
	user, _ := c.Issue("a@b", time.Unix(1_800_000_000, 0))
	_, sealed, _ := strings.Cut(user, ":")
	for _, bad := range []string{
		"", ":", "1800000000", ":" + sealed, "x:" + sealed, "-1:" + sealed, "+1:" + sealed, "01:" + sealed, "1800000000:" + sealed[1:],
		"1800000000:" + sealed + "A", "1234567890123:" + sealed, "1800000000:" + strings.ToLower(sealed), "1800000000:" + strings.Repeat("1", 26),
	} {
		if cl, ok := c.read(bad); ok {
			t.Errorf("%q is read as %v", bad, cl)
		}
	}
}

func FuzzUserName(f *testing.F) {
	c := NewCredentials(key())
	user, _ := c.Issue("a@b", time.Unix(1_800_000_000, 0))
	f.Add(user)
	f.Add("1:A")
	f.Fuzz(func(t *testing.T, s string) {
		if cl, ok := c.read(s); ok && (len(s) > digitsMost+1+sealedSize || cl.until.Unix() < 1) {
			t.Errorf("%q is read as %v", s, cl)
		}
	})
}

// hosts are addresses, and whether they may be relayed to: on the internet, and in a
// closed network.
var hosts = []struct {
	addr            string
	internet, inner bool
}{
	{"8.8.8.8", true, true}, {"2a00:1450::1", true, true}, {"::ffff:8.8.8.8", true, true},
	{"127.0.0.1", false, true}, {"127.255.1.1", false, true}, {"::1", false, true}, {"::ffff:127.0.0.1", false, true},
	{"10.0.0.1", false, true}, {"172.16.0.1", false, true}, {"172.31.255.255", false, true}, {"172.32.0.1", true, true}, {"192.168.1.1", false, true},
	{"::ffff:10.0.0.1", false, true}, {"::ffff:192.168.1.1", false, true}, {"100.64.0.1", false, true}, {"100.128.0.1", true, true},
	{"169.254.1.1", false, true}, {"fe80::1", false, true}, {"fe80::1%eth0", false, false}, {"fc00::1", false, true}, {"fd12:3456::1", false, true},
	{"169.254.169.254", false, false}, {"::ffff:169.254.169.254", false, false}, {"fd00:ec2::254", false, false}, {"100.100.100.200", false, false},
	{"168.63.129.16", false, false}, {"192.0.0.192", false, false}, {"169.254.170.2", false, false},
	{"0.0.0.0", false, false}, {"0.1.2.3", false, false}, {"::", false, false}, {"::ffff:0.0.0.0", false, false},
	{"224.0.0.1", false, false}, {"239.255.255.250", false, false}, {"ff02::1", false, false}, {"ff0e::1", false, false}, {"::ffff:224.0.0.1", false, false},
	{"255.255.255.255", false, false}, {"240.0.0.1", false, false},
	{"::127.0.0.1", false, false}, {"::10.0.0.1", false, false}, {"64:ff9b::7f00:1", false, false}, {"64:ff9b::a00:1", false, false}, {"64:ff9b:1::1", false, false},
	{"2002:7f00:1::1", false, false}, {"2002:a00:1::1", false, false}, {"2001:0:1::1", false, false}, {"::ffff:0:127.0.0.1", false, false},
	{"2001:db8::1", false, true}, {"192.0.2.1", false, true}, {"198.18.0.1", false, true}, {"203.0.113.9", false, true}, {"3fff::1", false, true},
	{"fec0::1", false, true}, {"100::1", false, true}, {"4000::1", false, true},
	{"5.6.7.8", false, true}, {"::ffff:5.6.7.8", false, true}, // another address of this machine
	{"1.2.3.4", true, true}, {"::ffff:1.2.3.4", true, true}, // the relay address; see places
}

func testRules(private bool) *rules {
	return &rules{private: private, told: []netip.Addr{netip.MustParseAddr("1.2.3.4")}, own: []netip.Addr{netip.MustParseAddr("1.2.3.4"), netip.MustParseAddr("5.6.7.8")}, listener: 3478}
}

func TestOnlyThoseOnTheInternetAreRelayedToUnlessTheNetworkIsClosed(t *testing.T) {
	for _, h := range hosts {
		a := netip.MustParseAddr(h.addr)
		if got := testRules(false).host(a); got != h.internet {
			t.Errorf("%s: %v", h.addr, got)
		}
		if got := testRules(true).host(a); got != h.inner {
			t.Errorf("%s in a closed network: %v", h.addr, got)
		}
	}
	if (&rules{}).host(netip.Addr{}) || (&rules{private: true}).host(netip.Addr{}) {
		t.Error("no address is one")
	}
}

func TestAtOurOwnAddressOnlyAllocationsAreRelayedTo(t *testing.T) {
	live := func(p netip.AddrPort) bool { return p.Port() == 50000 }
	for _, c := range []struct {
		place           string
		internet, inner bool
	}{
		{"1.2.3.4:50000", true, true}, {"[::ffff:1.2.3.4]:50000", true, true}, {"1.2.3.4:50001", false, true}, {"1.2.3.4:3478", false, false},
		{"[::ffff:1.2.3.4]:3478", false, false}, {"5.6.7.8:50000", false, true}, {"5.6.7.8:3478", false, false}, {"127.0.0.1:3478", false, false},
		{"127.0.0.1:50000", false, true}, {"8.8.8.8:3478", true, true}, {"8.8.8.8:0", false, false},
	} {
		p := netip.MustParseAddrPort(c.place)
		if got := testRules(false).place(p, live); got != c.internet {
			t.Errorf("%s: %v", c.place, got)
		}
		if got := testRules(true).place(p, live); got != c.inner {
			t.Errorf("%s in a closed network: %v", c.place, got)
		}
	}
}

func udpAddr(s string) net.Addr { return net.UDPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

func TestQuotasHoldForAccountsAddressesAndAll(t *testing.T) {
	q := newQuotas(2, 3, 4)
	a, b, c := who{1}, who{2}, who{3}
	for i, want := range []string{"", "", "account"} {
		from := udpAddr("192.0.2.1:" + string(rune('1'+i)))
		if got := q.ask(a, from); got != want {
			t.Fatalf("%d: %q", i, got)
		}
		if want == "" {
			q.made(a, from)
		}
	}
	if q.ask(b, udpAddr("192.0.2.1:9")) != "" || q.ask(c, udpAddr("192.0.2.1:9")) != "address" {
		t.Error("an address has more than it may")
	}
	if q.ask(b, udpAddr("[2001:db8::1]:9")) != "" || q.ask(c, udpAddr("[2001:db8::2]:9")) != "server" {
		t.Error("all have more than they may")
	}
	q.failed(udpAddr("192.0.2.1:9"))
	q.failed(udpAddr("192.0.2.1:9"))
	q.failed(udpAddr("192.0.2.77:9"))
	if q.all != 3 || q.ask(c, udpAddr("192.0.2.1:5")) != "" {
		t.Error("what failed keeps its place, or gave back two")
	}
	q.failed(udpAddr("192.0.2.1:5"))
	q.failed(udpAddr("[2001:db8::1]:9"))
	q.gone(a, udpAddr("192.0.2.1:1"))
	q.gone(a, udpAddr("192.0.2.1:2"))
	if len(q.accounts)+len(q.places)+len(q.pending)+q.all != 0 {
		t.Errorf("something is kept of those who are gone: %+v", q)
	}
}

// flood is a socket from which packets come without end.
type flood struct {
	net.PacketConn
	from func(i int) net.Addr
	n, i int
}

func (f *flood) ReadFrom([]byte) (int, net.Addr, error) {
	if f.i == f.n {
		return 0, nil, io.EOF
	}
	f.i++
	return 20, f.from(f.i), nil
}

func TestAFloodOfStrangersIsDroppedBeforeAnythingLooksAtIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		home := udpAddr("192.0.2.9:5")
		for name, c := range map[string]struct {
			from func(i int) net.Addr
			most int
		}{
			"one address": {func(int) net.Addr { return udpAddr("192.0.2.1:5") }, strangerBurst},
			"many": {func(i int) net.Addr {
				return net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, byte(i >> 16), byte(i >> 8), byte(i)}), 5))
			}, strangersRate},
			"those of one /64": {func(i int) net.Addr {
				return net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 14: byte(i >> 8), 15: byte(i)}), 5))
			}, strangerBurst},
			"one who has an allocation": {func(int) net.Addr { return home }, 20_000},
		} {
			dropped, through := 0, 0
			g := newGate(&flood{from: c.from, n: 20_000}, func(p netip.AddrPort) bool { return p == addrOf(home) }, func() { dropped++ }, nobody)
			for {
				if _, _, err := g.ReadFrom(nil); err != nil {
					break
				}
				through++
			}
			if through != c.most || through+dropped != 20_000 {
				t.Errorf("%s: %d of a flood came through, %d were dropped", name, through, dropped)
			}
		}
	})
}

// nobody waits for a client's goroutine.
func nobody(net.Addr) {}

func frames(b []byte) (got [][]byte, err error) {
	client, server := net.Pipe()
	defer server.Close()
	go func() { client.Write(b); client.Close() }()
	f := newFramed(server, nobody)
	for p := make([]byte, 1600); ; {
		n, err := f.Read(p)
		if err != nil {
			return got, err
		}
		got = append(got, bytes.Clone(p[:n]))
	}
}

func TestAConnectionIsCutIntoFrames(t *testing.T) {
	one := append([]byte{0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 16)...)
	two := []byte{0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0}
	empty := []byte{0x4f, 0xff, 0, 0}
	got, err := frames(bytes.Join([][]byte{one, two, empty, one}, nil))
	if err != io.EOF || len(got) != 4 || !bytes.Equal(got[0], one) || !bytes.Equal(got[1], two) || !bytes.Equal(got[2], empty) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWhatIsNoFrameEndsTheConnection(t *testing.T) {
	for name, b := range map[string][]byte{
		// a length by which 16 bits overflow to a frame of no bytes
		"overflow": {0, 1, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42}, "overflow of a channel": {0x40, 0, 0xff, 0xfc, 0, 0},
		"odd length": {0, 1, 0, 3, 0x21, 0x12, 0xa4, 0x42}, "HTTP": []byte("GET / HTTP/1.1\r\n\r\n"), "TLS": {0x16, 3, 1, 0, 4, 0},
		"reserved channel": {0x50, 0, 0, 0}, "long": {0, 1, 5, 0xdc, 0x21}, "DTLS": {0x80, 0, 0, 0},
	} {
		if got, err := frames(b); len(got) > 0 || err == nil || err == io.ErrUnexpectedEOF {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestWhoSaysNothingIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		f := newFramed(server, nobody)
		go client.Write([]byte{0, 1})
		begin := time.Now()
		if _, err := f.Read(make([]byte, 1600)); err == nil || time.Since(begin) != firstWait {
			t.Error(err, time.Since(begin))
		}
	})
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x40, 0, 0, 1, 9, 0, 0, 0})
	f.Add([]byte{0, 1, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _ := frames(b)
		whole := bytes.Join(got, nil)
		if !bytes.HasPrefix(b, whole) {
			t.Error("frames are not what was sent")
		}
		for _, g := range got {
			if len(g) < 4 || len(g) > frameMost || len(g)%4 != 0 {
				t.Errorf("a frame of %d bytes", len(g))
			}
		}
	})
}

func TestSTUNIsKnownByItsFirstBytes(t *testing.T) {
	m := stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
	for n := 1; n <= len(m); n++ {
		if !MayBegin(m[:n]) {
			t.Errorf("not by %d bytes", n)
		}
	}
	for _, other := range []string{"G", "P", "\x16\x03\x01", "\x02", "\x40\x00", "\x00\x01\x00\x00\x22", "\x00\x01\x00\x00\x21\x12\xa4\x43", "\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if MayBegin([]byte(other)) {
			t.Errorf("%q", other)
		}
	}
}
