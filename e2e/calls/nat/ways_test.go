//go:build linux

package nat

import (
	"strings"
	"testing"

	"mirsal/e2e/netns"
	"mirsal/internal/client/port"
)

// pair is a call between two phones.
type pair struct {
	caller, callee *handset
	id             string
}

// idOf is what a call is named at both ends, behind the peer.
func idOf(c port.Call) string { return c.ID[strings.LastIndexByte(c.ID, ' ')+1:] }

// call is one with video that was answered; both are gone with the test.
func call(t testing.TB, from, to *person) pair {
	t.Helper()
	c := pair{callee: to.phone(t, "--answer", "--video", "--count", "1")}
	c.caller = from.phone(t, to.Address, "--video")
	c.id = idOf(c.caller.state("", "active"))
	c.callee.state(c.id, "active")
	return c
}

// ways are those that media takes, as both ends tell, once both have heard more and seen more.
func (c pair) ways() (caller, callee string) {
	c.caller.t.Helper()
	return c.caller.hears(true), c.callee.hears(true)
}

// over has the caller hang up, which the other hears.
func (c pair) over(t testing.TB) {
	t.Helper()
	c.caller.Interrupt()
	if status := c.caller.Exit(); status != 0 {
		t.Errorf("the caller ends with %d", status)
	}
	if one := c.callee.state(c.id, "ended"); one.Why != "peer-hung-up" {
		t.Errorf("the callee is told %q", one.Why)
	}
	if status := c.callee.Exit(); status != 0 {
		t.Errorf("the callee ends with %d", status)
	}
}

// TestCallsFindTheirWay: through each kind of router.
func TestCallsFindTheirWay(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	direct := func(way string) bool { return !strings.Contains(way, "relay") && way != "host-host" }
	relayed := func(way string) bool { return strings.Contains(way, "relay") }
	for _, c := range []struct {
		name       string
		alice, bob netns.Kind
		to         *person
		blocked    []int
		is         func(string) bool
	}{
		{"on one network", netns.Symmetric, netns.Symmetric, s.guest, nil, func(way string) bool { return way == "host-host" }},
		{"cones", netns.Cone, netns.Cone, s.bob, nil, direct},
		{"restricted cones", netns.Restricted, netns.Restricted, s.bob, nil, direct},
		{"symmetric routers", netns.Symmetric, netns.Symmetric, s.bob, nil, relayed},
		{"no UDP here", netns.NoUDP, netns.Cone, s.bob, nil, relayed},
		{"no UDP at both", netns.NoUDP, netns.NoUDP, s.bob, nil, relayed},
		{"TCP alone", netns.NoUDP, netns.NoUDP, s.bob, []int{tlsRelay}, relayed},
		{"TLS alone", netns.NoUDP, netns.NoUDP, s.bob, []int{plainRelay}, relayed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.routers(c.alice, c.bob, c.blocked...)
			k := call(t, s.alice, c.to)
			a, b := k.ways()
			if !c.is(a) || !c.is(b) {
				t.Errorf("the ways are %s and %s", a, b)
			}
			k.over(t)
		})
	}
}
