package server

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/turn/v5"

	"mirsal/internal/config"
	"mirsal/internal/store/memory"
	"mirsal/internal/turn"
)

// relaying is a configuration with a relay that does not leave this machine.
func relaying(t *testing.T) config.Config {
	cfg := local(t)
	cfg.Listen.Turn, cfg.Listen.Turns = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Turn.RelayAddress, cfg.Turn.AllowPrivate, cfg.Turn.ShareHTTPS = []string{"127.0.0.1"}, true, true
	return cfg
}

func TestTheRelayListensOnItsPortsAndSharesTheWebs(t *testing.T) {
	s, err := Start(t.Context(), relaying(t), Options{Store: memory.New(), Log: quiet.Log})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, dial := range map[string]func() (net.Conn, error){
		"UDP":          func() (net.Conn, error) { return net.Dial("udp", s.Addr("turn")) },
		"TCP":          func() (net.Conn, error) { return net.Dial("tcp", s.Addr("turn")) },
		"TLS":          func() (net.Conn, error) { return dialTLS(s.Addr("turns")) },
		"TLS, named":   func() (net.Conn, error) { return dialTLS(s.Addr("turns"), "stun.turn") },
		"web":          func() (net.Conn, error) { return dialTLS(s.Addr("http"), "stun.turn") },
		"browsers":     func() (net.Conn, error) { return dialTLS(s.Addr("http")) },
		"web, for NAT": func() (net.Conn, error) { return dialTLS(s.Addr("http"), "stun.nat-discovery", "http/1.1") },
	} {
		c, err := dial()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if got, err := turn.Look(c); err != nil || got.String() != c.LocalAddr().String() {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	c := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	resp, err := c.Get("https://" + s.Addr("http") + "/.well-known/host-meta")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); !strings.Contains(string(b), "XRD") {
		t.Errorf("the web side says %s", b)
	}
}

// TestABrowserIsRelayedAtTheWebsPort: a client that names nothing within TLS, to its peer
// and back, and again beside requests.
func TestABrowserIsRelayedAtTheWebsPort(t *testing.T) {
	s, err := Start(t.Context(), relaying(t), Options{Store: memory.New(), Log: quiet.Log})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	peer, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	user, password := s.relay.credentials.Issue("alice@localhost", time.Now().Add(time.Hour))
	c, err := dialTLS(s.Addr("http"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client, err := pion.NewClient(&pion.ClientConfig{TURNServerAddr: s.Addr("http"), Conn: pion.NewSTUNConn(c), Username: user, Password: password, Realm: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	relayed, err := client.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer relayed.Close()
	b := make([]byte, 100)
	for _, conn := range []net.PacketConn{relayed, peer} {
		conn.SetDeadline(time.Now().Add(10 * time.Second))
	}
	if _, err := relayed.WriteTo([]byte("there"), peer.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	n, from, err := peer.ReadFrom(b)
	if err != nil || string(b[:n]) != "there" || from.String() != relayed.LocalAddr().String() {
		t.Fatalf("%q from %v, %v", b[:n], from, err)
	}
	if _, err := peer.WriteTo([]byte("and back"), from); err != nil {
		t.Fatal(err)
	}
	if n, _, err = relayed.ReadFrom(b); err != nil || string(b[:n]) != "and back" {
		t.Errorf("%q, %v", b[:n], err)
	}
}

func dialTLS(addr string, protocols ...string) (net.Conn, error) {
	return tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols})
}

func TestWithoutBeingAskedThereIsNoRelay(t *testing.T) {
	s, err := Start(t.Context(), local(t), Options{Store: memory.New(), Log: quiet.Log})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.relay.server != nil || len(s.ownServices()) != 0 || s.Addr("turn") != "off" {
		t.Error("there is a relay")
	}
}

func TestClientsAreToldOfWhatThereIs(t *testing.T) {
	cfg := relaying(t)
	cfg.Turn.Host = "turn.example.org"
	s, err := Start(t.Context(), cfg, Options{Store: memory.New(), Log: quiet.Log})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []string
	for _, v := range s.ownServices() {
		if v.Host != "turn.example.org" || v.Restricted != strings.HasPrefix(v.Type, "turn") {
			t.Errorf("%+v", v)
		}
		got = append(got, v.Type+" "+v.Transport)
	}
	if strings.Join(got, ", ") != "stun udp, turn udp, turn tcp, turns tcp, turns tcp" {
		t.Error(got)
	}
	s.relay.addresses = nil
	if list := s.ownServices(); len(list) != 1 || list[0].Type != "stun" {
		t.Errorf("without a relay address: %+v", list)
	}
}

func TestPasswordsOfTheRelayOutliveARestart(t *testing.T) {
	cfg := relaying(t)
	var users [2]string
	until := time.Now().Add(time.Hour)
	for i := range users {
		s, err := Start(t.Context(), cfg, quiet)
		if err != nil {
			t.Fatal(err)
		}
		user, password := s.relay.credentials.Issue("alice@localhost", until)
		if i == 0 {
			users = [2]string{user, password}
		} else if !s.relay.credentials.Made(users[0], users[1]) {
			t.Error("a password is not known again")
		}
		s.Close()
	}
}

func TestTheAddressOfTheRelayIsAPublicOne(t *testing.T) {
	var list []netip.Addr
	for _, a := range []string{"127.0.0.1", "10.0.0.1", "fe80::1", "8.8.8.8", "9.9.9.9", "fd00::1", "2a00:1450::1", "2001:db8::1"} {
		list = append(list, netip.MustParseAddr(a))
	}
	if got := publicOf(list); len(got) != 2 || got[0].String() != "8.8.8.8" || got[1].String() != "2a00:1450::1" {
		t.Error(got)
	}
}
