//go:build linux

package netns

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// town is a world with a host, and a router with another behind it.
type town struct{ world, gate, home *Space }

func newTown(t *testing.T) *town {
	Need(t)
	w := &town{New(t, "world"), New(t, "gate"), New(t, "home")}
	w.world.Switch("br", "10.77.0.1/24")
	w.gate.Cable("wan", "10.77.0.2/24", "", w.world, "br")
	w.gate.Switch("lan", "192.168.1.1/24")
	w.home.Cable("eth", "192.168.1.2/24", "192.168.1.1", w.gate, "lan")
	return w
}

func listen(t *testing.T, s *Space, at string) *net.UDPConn {
	t.Helper()
	var c *net.UDPConn
	err := s.Do(func() error {
		l, err := net.ListenPacket("udp4", at)
		if err == nil {
			c = l.(*net.UDPConn)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// seen is the address from which a packet comes that from sends to at.
func seen(t *testing.T, from, at *net.UDPConn) netip.AddrPort {
	t.Helper()
	return arrives(t, from, at, at.LocalAddr().(*net.UDPAddr).AddrPort(), 50)
}

// TestRoutersTranslateAsTheirKindSays: what the tests of calls build on.
func TestRoutersTranslateAsTheirKindSays(t *testing.T) {
	w := newTown(t)
	one, other := listen(t, w.world, "10.77.0.1:4000"), listen(t, w.world, "10.77.0.1:4001")
	for i, c := range []struct {
		kind         Kind
		same, anyone bool
	}{{Cone, true, true}, {Restricted, true, false}, {Symmetric, false, false}} {
		w.gate.Translate(c.kind, "wan", "192.168.1.2")
		home := listen(t, w.home, "192.168.1.2:"+strconv.Itoa(5000+i))
		first := seen(t, home, one)
		if first.Addr().String() != "10.77.0.2" {
			t.Fatalf("%s: from %s", c.kind, first)
		}
		stranger := listen(t, w.world, "10.77.0.1:"+strconv.Itoa(6000+i))
		got := arrives(t, stranger, home, first, 5).IsValid()
		if got != c.anyone {
			t.Errorf("%s: a stranger reaches it: %v", c.kind, got)
		}
		if second := seen(t, home, other); (second == first) != c.same {
			t.Errorf("%s: %s for one, %s for another", c.kind, first, second)
		}
	}
	w.gate.Translate(NoUDP, "wan", "192.168.1.2")
	home := listen(t, w.home, "192.168.1.2:5100")
	if arrives(t, home, one, one.LocalAddr().(*net.UDPAddr).AddrPort(), 5).IsValid() {
		t.Error("UDP gets out where it is blocked")
	}
}

// arrives sends a packet so often until it is at the other end, and returns from where it came there.
func arrives(t *testing.T, from, at *net.UDPConn, to netip.AddrPort, tries int) netip.AddrPort {
	t.Helper()
	word, b := from.LocalAddr().String(), make([]byte, 50)
	for range tries {
		if _, err := from.WriteToUDPAddrPort([]byte(word), to); err != nil {
			t.Fatal(err)
		}
		_ = at.SetReadDeadline(time.Now().Add(time.Second / 5))
		for {
			n, a, err := at.ReadFromUDPAddrPort(b)
			if err != nil {
				break
			}
			if string(b[:n]) == word { // and not one that somebody else had sent before
				return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
			}
		}
	}
	return netip.AddrPort{}
}

// TestACaptureSeesEveryPacketOfItsSpaceAndNoOther: both ways.
func TestACaptureSeesEveryPacketOfItsSpaceAndNoOther(t *testing.T) {
	w := newTown(t)
	w.gate.Translate(Cone, "wan", "192.168.1.2")
	home, world := w.home.Watch(), w.world.Watch()
	if from := seen(t, listen(t, w.home, "192.168.1.2:5000"), listen(t, w.world, "10.77.0.1:4000")); !from.IsValid() {
		t.Fatal("nothing comes through")
	}
	for _, c := range []struct {
		watch *Watch
		of    string
		some  bool
	}{{home, "192.168.1.2", true}, {home, "10.77.0.1", true}, {home, "10.77.0.2", false}, {world, "10.77.0.2", true}, {world, "192.168.1.2", false}} {
		n, err := c.watch.Of(netip.MustParseAddr(c.of))
		for end := time.Now().Add(10 * time.Second); c.some && n == 0 && err == nil && time.Now().Before(end); {
			n, err = c.watch.Of(netip.MustParseAddr(c.of)) // it is read beside us
		}
		if err != nil || (n > 0) != c.some {
			t.Errorf("%s: %d packets, %v", c.of, n, err)
		}
	}
}

// TestNamesOfASpaceAreItsOwn: and programs can be run there by a path.
func TestNamesOfASpaceAreItsOwn(t *testing.T) {
	Need(t)
	s := New(t, "home")
	before, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	s.Hosts("10.77.0.1 example.org")
	cat := s.Program("/bin/cat", "A=it's")
	out, err := exec.Command(cat, "/etc/hosts").Output()
	if err != nil || !strings.Contains(string(out), "10.77.0.1 example.org") {
		t.Errorf("%q, %v", out, err)
	}
	if after, err := os.ReadFile("/etc/hosts"); err != nil || string(after) != string(before) {
		t.Errorf("outside: %q, %v", after, err)
	}
}
