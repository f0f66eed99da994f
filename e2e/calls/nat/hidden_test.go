//go:build linux

package nat

import (
	"net/netip"
	"strings"
	"sync"
	"testing"

	"mirsal/e2e/netns"
	"mirsal/internal/client/port"
)

// addresses of a home: the host's own and the router's.
func (s *scene) addresses(p *person) []netip.Addr {
	at, gate := aliceAddr, aliceGate
	switch p {
	case s.bob:
		at, gate = bobAddr, bobGate
	case s.carol:
		at = carolAddr
	}
	return []netip.Addr{netip.MustParseAddr(at), netip.MustParseAddr(gate)}
}

// between is how many packets a capture has seen that are from or to somebody's home.
func (s *scene) between(t *testing.T, w *netns.Watch, other *person) (n int) {
	t.Helper()
	for _, a := range s.addresses(other) {
		one, err := w.Of(a)
		if err != nil {
			t.Fatal(err)
		}
		n += one
	}
	return n
}

// hide sets whether somebody's addresses are told to nobody.
func (p *person) hide(on bool) {
	p.s.t.Helper()
	p.Start(nil)
	p.Synced()
	p.Must(&port.SetSettings{Privacy: port.Privacy{Receipts: true, ReadMarkers: true, Typing: true, HideAddress: on}})
	p.Close()
}

// TestAddressesAreHiddenFromStrangersAndOnRequestFromEverybody: no packet goes between the two, and
// nothing that is told leads to the other one, though the routers would let them meet (R20).
func TestAddressesAreHiddenFromStrangersAndOnRequestFromEverybody(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.bob.Start(nil)
	s.bob.Synced()
	s.bob.Must(&port.AddContact{Address: s.carol.Address}) // hers rings at his, and she does not know him
	s.bob.Close()
	s.routers(netns.Restricted, netns.Restricted)
	for _, c := range []struct {
		name       string
		from, to   *person
		hides      *person // by the setting; nil for nobody
		hiddenFrom bool    // that of who calls is hidden
		hiddenTo   bool
	}{
		{"contacts", s.alice, s.bob, nil, false, false},
		{"somebody that the caller does not know", s.carol, s.bob, nil, true, false},
		{"the caller hides", s.alice, s.bob, s.alice, true, false},
		{"the callee hides", s.alice, s.bob, s.bob, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.hides != nil {
				c.hides.hide(true)
				defer c.hides.hide(false)
			}
			atFrom, atTo := c.from.space.Watch(), c.to.space.Watch()
			k := call(t, c.from, c.to)
			a, b := k.ways()
			k.over(t)
			hidden := c.hiddenFrom || c.hiddenTo
			if strings.Contains(a, "relay") != hidden || strings.Contains(b, "relay") != hidden {
				t.Errorf("the ways are %s and %s", a, b)
			}
			if n := s.between(t, atTo, c.from); (n == 0) != hidden {
				t.Errorf("%d packets between the callee and the caller's home", n)
			}
			if n := s.between(t, atFrom, c.to); (n == 0) != hidden {
				t.Errorf("%d packets between the caller and the callee's home", n)
			}
			for _, side := range []struct {
				told   []string
				of     *person
				hidden bool
			}{{toldCallee(t, c.from, c.to), c.from, c.hiddenFrom}, {toldCaller(t, c.from, c.to), c.to, c.hiddenTo}} {
				if onlyRelays(side.told) != side.hidden || leads(side.told, s.addresses(side.of)) == side.hidden {
					t.Errorf("of %s is told %q", side.of.name, side.told)
				}
			}
		})
	}
}

// ear collects what an engine without media is told of the ways to the other side.
type ear struct {
	mu    sync.Mutex
	lines []string
	all   bool
	last  chan struct{} // closed when all is told
}

func (e *ear) hear(m *port.CallMedia) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lines = append(e.lines, strings.Split(m.SDP, "\r\n")...); m.Do == "address" {
		e.lines = append(e.lines, m.Candidate)
	}
	if relays(e.lines) == relaysTold && !e.all {
		e.all = true
		close(e.last)
	}
}

// toldCallee is all that a callee is told.
func toldCallee(t *testing.T, from, to *person) []string {
	t.Helper()
	e := &ear{last: make(chan struct{})}
	to.Start(func(ev port.Event) {
		if m, ok := ev.(*port.CallMedia); ok {
			e.hear(m)
		}
	})
	to.Synced()
	caller := from.phone(t, to.Address)
	ev := to.Until("a call", func(ev port.Event) bool {
		c, ok := ev.(*port.CallChanged)
		return ok && c.Call.State == "incoming"
	})
	name := ev.(*port.CallChanged).Call.ID
	to.Must(&port.AnswerCall{Call: name, Seat: "ear"})
	caller.Wait(e.last, "all addresses told")
	to.Must(&port.HangUpCall{Call: name})
	caller.Exit()
	to.Close()
	return e.lines
}

// toldCaller is all that a caller is told.
func toldCaller(t *testing.T, from, to *person) []string {
	t.Helper()
	e, offer := &ear{last: make(chan struct{})}, make(chan string, 1)
	from.Start(func(ev port.Event) {
		switch m, ok := ev.(*port.CallMedia); {
		case ok && m.Do == "offer":
			offer <- m.Call
		case ok:
			e.hear(m)
		}
	})
	from.Synced()
	callee := to.phone(t, "--answer", "--count", "1")
	from.Must(&port.PlaceCall{Chat: to.Address, Seat: "ear"})
	from.Until("being asked for an offer", func(ev port.Event) bool {
		m, ok := ev.(*port.CallMedia)
		return ok && m.Do == "offer"
	})
	name := <-offer
	from.Must(&port.CallDescribed{Call: name, SDP: strings.ReplaceAll(nobody, "\n", "\r\n")})
	callee.Wait(e.last, "all addresses told")
	from.Must(&port.HangUpCall{Call: name})
	callee.Exit()
	from.Close()
	return e.lines
}

// nobody is the offer of somebody who cannot be reached.
const nobody = `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=ice-ufrag:jLOQyxpaiuYSzjql
a=ice-pwd:WOgeRkUobIXavQrvMvqQhdlwQknEbDdn
a=ice-options:trickle
a=fingerprint:sha-256 D9:8F:90:E5:B8:CA:1B:9C:3A:E1:A8:5E:B9:32:37:2D:15:4F:23:9E:D7:D6:23:9F:D0:73:4C:4C:DA:40:13:1F
a=setup:actpass
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
`

// relaysTold is how many addresses of relays a caller has: by UDP, TCP and TLS. They come last.
const relaysTold = 3

func relays(lines []string) (n int) {
	for _, l := range lines {
		if strings.Contains(l, " typ relay") {
			n++
		}
	}
	return n
}

// onlyRelays tells whether there is an address, and none but a relay's.
func onlyRelays(lines []string) bool {
	some := false
	for _, l := range lines {
		if !strings.Contains(l, "candidate:") {
			continue
		}
		if some = true; !strings.Contains(l, " typ relay") {
			return false
		}
	}
	return some
}

// leads tells whether an address is named anywhere.
func leads(lines []string, all []netip.Addr) bool {
	for _, l := range lines {
		for _, a := range all {
			if strings.Contains(l, a.String()) {
				return true
			}
		}
	}
	return false
}
