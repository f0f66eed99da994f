//go:build linux

package nat

import (
	"strings"
	"testing"

	"mirsal/e2e/netns"
	"mirsal/internal/client/port"
)

// TestCallsAreAnsweredOnceAndLeaveATrace: and what happens to a call is told at every device.
func TestCallsAreAnsweredOnceAndLeaveATrace(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	t.Run("the caller cancels", func(t *testing.T) {
		callee := s.bob.phone(t, "--decline", "--from", "nobody@"+host) // it rings on
		caller := s.alice.phone(t, s.bob.Address)
		id := idOf(caller.state("", "ringing"))
		callee.state(id, "incoming")
		caller.Interrupt()
		if c := callee.state(id, "ended"); c.Why != "missed" {
			t.Errorf("the callee is told %q", c.Why)
		}
		if status := caller.Exit(); status != 7 {
			t.Errorf("the caller ends with %d", status)
		}
		callee.Interrupt()
		callee.Exit()
	})
	t.Run("the callee is away", func(t *testing.T) {
		caller := s.alice.phone(t, s.bob.Address)
		id := idOf(caller.state("", "calling"))
		caller.Interrupt()
		if c := caller.state(id, "ended"); c.Why != "cancelled" {
			t.Errorf("the caller is told %q", c.Why)
		}
		caller.Exit()
		callee := s.bob.phone(t, "--decline", "--from", "nobody@"+host)
		if c := callee.state(id, "ended"); c.Why != "missed" || c.Chat != s.alice.Address {
			t.Errorf("who comes back is told %+v", c)
		}
		callee.Interrupt()
		callee.Exit()
		log := s.bob.phone(t, "--log")
		log.state(id, "ended")
		log.Exit()
	})
	t.Run("answered elsewhere", func(t *testing.T) {
		s.bob.Start(nil)
		s.bob.Synced()
		k := call(t, s.alice, s.guest)
		ev := s.bob.Until("the call being answered elsewhere", func(ev port.Event) bool {
			c, ok := ev.(*port.CallChanged)
			return ok && idOf(c.Call) == k.id && c.Call.State == "ended"
		})
		if c := ev.(*port.CallChanged).Call; c.Why != "answered-elsewhere" {
			t.Errorf("the other device is told %q", c.Why)
		}
		k.ways()
		k.over(t)
		s.bob.Close()
	})
	t.Run("the callee speaks with somebody else", func(t *testing.T) {
		k := call(t, s.bob, s.alice)
		other := s.carol.phone(t, s.alice.Address)
		if status := other.Exit(); status != 7 {
			t.Errorf("the other caller ends with %d", status)
		}
		id := idOf(other.state("", "ended"))
		if c := k.callee.state(id, "ended"); c.Why != "missed" || c.Chat != s.carol.Address {
			t.Errorf("the callee is told %+v", c)
		}
		k.ways()
		k.over(t)
	})
	t.Run("declined", func(t *testing.T) {
		callee := s.bob.phone(t, "--decline", "--count", "1")
		caller := s.alice.phone(t, s.bob.Address)
		if c := caller.state("", "ended"); c.Why != "rejected" {
			t.Errorf("the caller is told %q", c.Why)
		}
		if status := caller.Exit(); status != 7 {
			t.Errorf("the caller ends with %d", status)
		}
		callee.Exit()
	})
}

// TestCallsGoOn: without a server and when that is back, and in another network with another address.
func TestCallsGoOn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.routers(netns.Restricted, netns.Restricted)
	t.Run("the server restarts", func(t *testing.T) {
		k := call(t, s.alice, s.bob)
		s.server.Kill()
		k.caller.online(false)
		k.callee.online(false)
		k.ways() // with no server at all
		if err := s.server.Start(); err != nil {
			t.Fatal(err)
		}
		k.caller.online(true)
		k.callee.online(true)
		k.ways()
		k.over(t)
	})
	t.Run("the caller moves", func(t *testing.T) {
		k := call(t, s.alice, s.bob)
		k.ways()
		s.alice.space.Unplug("eth0")
		s.alice.space.Cable("eth1", cafeAddr+"/24", "192.168.3.1", s.gateC, "lan")
		k.ways()
		k.over(t)
		s.alice.space.Unplug("eth1")
		s.alice.space.Cable("eth0", aliceAddr+"/24", "192.168.1.1", s.gateA, "lan")
	})
	t.Run("the callee moves", func(t *testing.T) {
		k := call(t, s.alice, s.bob)
		k.ways()
		s.bob.space.Unplug("eth0")
		s.bob.space.Cable("eth1", cafeAddr+"/24", "192.168.3.1", s.gateC, "lan")
		k.ways()
		k.over(t)
		s.bob.space.Unplug("eth1")
		s.bob.space.Cable("eth0", bobAddr+"/24", "192.168.2.1", s.gateB, "lan")
	})
}

// TestRelayedCallsGoOn: their relay is in the server, and its addresses end with it.
func TestRelayedCallsGoOn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.routers(netns.Symmetric, netns.Symmetric)
	for _, c := range []struct {
		name string
		back func(k pair) // waits until the server may be back
	}{
		{"the server is back before they miss it", func(pair) {}},
		{"the server is back when they have looked for another way", func(k pair) {
			k.caller.silent()
			k.callee.silent()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := call(t, s.alice, s.bob)
			k.ways()
			s.server.Kill()
			k.caller.online(false)
			k.callee.online(false)
			c.back(k)
			if err := s.server.Start(); err != nil {
				t.Fatal(err)
			}
			a, b := k.ways()
			if !strings.Contains(a, "relay") || !strings.Contains(b, "relay") {
				t.Errorf("the ways are %s and %s", a, b)
			}
			k.over(t)
		})
	}
}
