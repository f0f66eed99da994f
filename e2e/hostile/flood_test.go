package hostile

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// Floods run against a server with budgets (docs/ops/limits.md), smaller than the
// defaults. Attackers have addresses of loopback of their own, the innocent pair has
// 127.0.0.1: here it is no exempt address.
func TestFloods(t *testing.T) {
	v := flooded(t)
	v.pair = v.chat(t)
	v.all(t, attacks{
		{"04 connections that stay without a login", testIdleStrangers},
		{"04 connections as fast as can be", testConnectionFlood},
		{"21 guesses at a password", testGuessingFlood},
		{"49 registrations", testRegistrationFlood},
		{"58 stanzas", testStanzaFlood},
		{"58 the limits that are announced", testAnnouncedLimits},
	})
}

func flooded(t *testing.T, more ...string) *victim {
	t.Helper()
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: append([]string{
		"--set", "c2s.require_tls=false", "--set", "c2s.negotiation=50s", "--set", "limits.enabled=true", "--set", "limits.exempt=",
		"--set", "c2s.strangers=300", "--set", "limits.strangers=60", "--set", "limits.stanza_rate=250", "--set", "limits.connections=100",
		"--set", "limits.logins=5", "--set", "limits.login_delay=1s", "--set", "limits.registrations=3", "--set", "register.open=true",
		"--set", "limits.stanza_before_auth=12000", "--set", "limits.stanza=40000",
	}, more...)})
	s.Accounts(password, "alice", "bob", "carol", "mallory")
	return &victim{Server: s, ctx: t.Context()}
}

// from is an address of loopback: prefixes are /24.
func from(prefix, n int) net.IP { return net.IPv4(127, 0, byte(prefix), byte(n)) }

// try connects from an address and logs in, or tells why that cannot be.
func (v *victim) try(ip net.IP, name, password string) (*xmppclient.Conn, error) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	o := v.options(true)
	o.From = ip
	c, err := xmppclient.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	if err = c.Login(ctx, name, password); err == nil {
		return c, nil
	}
	c.Kill()
	return nil, err
}

// counted tells whether a metric has a value over nothing for some labels.
func (v *victim) counted(t *testing.T, name string, labels ...string) bool {
	t.Helper()
	_, body, err := v.Get(v.ctx, "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(body) {
		has := strings.HasPrefix(line, name+"{")
		for _, l := range labels {
			has = has && strings.Contains(line, l)
		}
		if has && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
			return true
		}
	}
	return false
}

// testIdleStrangers takes every place that there is for those without a login,
// from few networks; who comes from elsewhere must find one.
func testIdleStrangers(t *testing.T, v *victim) {
	for prefix := range 2 {
		for n := range 3 {
			for range 60 {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from(1+prefix, 1+n)}, Timeout: patience}
				c, err := d.Dial("tcp", v.Addr("c2s"))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
			}
		}
	}
	within(t, "a newcomer to be let in", func() bool {
		c, err := v.try(from(9, 1), "carol", password)
		if err == nil {
			c.Kill()
		}
		return err == nil
	})
	if !v.counted(t, "mirsal_limits_displaced_total") {
		t.Error("nobody made room")
	}
}

// testConnectionFlood connects from one address as fast as it can.
func testConnectionFlood(t *testing.T, v *victim) {
	for range 4000 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from(3, 1)}, Timeout: patience}
		c, err := d.Dial("tcp", v.Addr("c2s"))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	if !v.counted(t, "mirsal_limits_refused_total", `budget="connections"`, `scope="address"`) {
		t.Error("the flood was let in")
	}
	c, err := v.try(from(9, 1), "carol", password)
	if err != nil {
		t.Fatal("who comes from elsewhere:", err)
	}
	c.Kill()
	if lines := strings.Count(v.Log(), "over a limit"); lines > 20 {
		t.Errorf("%d lines in the log", lines)
	}
}

// testGuessingFlood guesses alice's password from many addresses. She logs in all the
// same, from home and from elsewhere. R88
func testGuessingFlood(t *testing.T, v *victim) {
	stop := make(chan struct{})
	var guessing sync.WaitGroup
	for i := range 60 {
		guessing.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if c, err := v.try(from(10+i%3, 1+i/30), "alice", "guess"+strconv.Itoa(n)); err == nil {
					c.Kill()
					t.Error("a guess was right")
					return
				}
			}
		})
	}
	within(t, "guesses to be held back", func() bool {
		return v.counted(t, "mirsal_limits_delayed_total", `budget="logins"`) &&
			v.counted(t, "mirsal_limits_refused_total", `budget="logins"`)
	})
	for _, ip := range []net.IP{from(0, 1), from(0, 9), from(40, 1), from(41, 1)} {
		c, err := v.try(ip, "alice", password)
		if err != nil {
			t.Errorf("alice from %s: %v", ip, err)
			continue
		}
		c.Kill()
	}
	if v.counted(t, "mirsal_limits_delayed_total", `budget="logins"`, `scope="place"`) {
		t.Error("at home, alice had to wait")
	}
	close(stop)
	guessing.Wait()
}

// testRegistrationFlood makes accounts from one address.
func testRegistrationFlood(t *testing.T, v *victim) {
	made := 0
	for i := range 30 {
		if v.register(t, from(4, 1), "flood"+strconv.Itoa(i)) {
			made++
		}
	}
	if made != 3 {
		t.Errorf("%d accounts were made from one address", made)
	}
	if !v.register(t, from(5, 1), "newcomer") {
		t.Error("who comes from elsewhere could make none")
	}
}

func (v *victim) register(t *testing.T, ip net.IP, name string) bool {
	t.Helper()
	c, err := xmppclient.Dial(v.ctx, xmppclient.Options{Addr: v.Addr("c2s"), Domain: mirsal.Domain, Plain: true, From: ip})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	if err := c.Send("<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>" + name + "</username><password>one good secret</password></query></iq>"); err != nil {
		t.Fatal(err)
	}
	return next(t, c).Attr("type") == "result"
}

// testStanzaFlood sends faster than the budget lets: everything is answered, later.
func testStanzaFlood(t *testing.T, v *victim) {
	c, err := v.try(from(6, 1), "mallory", password)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	if err := c.Bind(v.ctx, ""); err != nil {
		t.Fatal(err)
	}
	const pings = 3500
	go func() {
		for i := range pings {
			if c.Send(fmt.Sprintf("<iq type='get' id='p%d'><ping xmlns='urn:xmpp:ping'/></iq>", i)) != nil {
				return
			}
		}
	}()
	for i := range pings {
		if n := next(t, c); n.Attr("id") != "p"+strconv.Itoa(i) {
			t.Fatalf("answer %d is %s", i, n)
		}
	}
	if !v.counted(t, "mirsal_limits_delayed_total", `budget="stanzas"`, `scope="session"`) {
		t.Error("the flood was read at once")
	}
}

// testAnnouncedLimits sends elements as long as was announced, and a byte longer.
// XEP-0478 §3.1
func testAnnouncedLimits(t *testing.T, v *victim) {
	announced := func(c *xmppclient.Conn) int {
		n := c.Features.Child("urn:xmpp:stream-limits:0", "limits").Child("urn:xmpp:stream-limits:0", "max-bytes")
		size, err := strconv.Atoi(n.Text)
		if err != nil {
			t.Fatal(err)
		}
		return size
	}
	element := func(head, tail string, size int) string {
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	for _, over := range []int{0, 1} {
		c, err := xmppclient.Dial(v.ctx, xmppclient.Options{Addr: v.Addr("c2s"), Domain: mirsal.Domain, Plain: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Kill()
		before := announced(c)
		head, tail := "<iq type='set' id='big'><query xmlns='jabber:iq:register'><username></username><password></password><x>", "</x></query></iq>"
		v.fits(t, c, element(head, tail, before+over), over == 0)

		if c, err = v.try(from(9, 1), "carol", password); err != nil {
			t.Fatal(err)
		}
		defer c.Kill()
		after := announced(c)
		if before != 12000 || after != 40000 {
			t.Errorf("announced are %d and %d", before, after)
		}
		// before a resource is bound: it holds from authentication on
		v.fits(t, c, element("<iq type='set' id='big'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><x>", "</x></bind></iq>", after+over), over == 0)
		if over == 0 {
			v.fits(t, c, element("<iq type='get' id='big'><ping xmlns='urn:xmpp:ping'>", "</ping></iq>", after), true)
			v.fits(t, c, element("<iq type='get' id='big'><ping xmlns='urn:xmpp:ping'>", "</ping></iq>", after+1), false)
		}
	}
}

// fits checks that an element is answered, or ends the stream for its size.
func (v *victim) fits(t *testing.T, c *xmppclient.Conn, element string, want bool) {
	t.Helper()
	_ = c.Net().SetWriteDeadline(time.Now().Add(patience))
	if err := c.Send(element); err != nil {
		t.Fatal(err)
	}
	n := next(t, c)
	if got := n.Name.Local == "iq" && n.Attr("id") == "big"; got != want {
		t.Errorf("%.60s… of %d bytes: %s", element, len(element), n)
	}
	if !want && n.Child(xmppclient.NSStreams, "policy-violation") == nil {
		t.Errorf("the stream ends with %s", n)
	}
}
