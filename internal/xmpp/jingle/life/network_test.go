package life

import (
	"testing"

	"mirsal/internal/xmpp/jingle"
)

// Two people with two devices each, one call, and a network that loses, repeats
// and reorders: whatever was sent once may arrive at any time and any number of
// times, or never.

const devices = 4

// names are the devices; 0 and 1 are Alice's, 2 and 3 are Bob's.
var names = [devices]string{"alice@a/1", "alice@a/2", "bob@b/1", "bob@b/2"}

// word is what was sent: by which device, what, and to which one (a session's
// stanza; a message all devices hear, by the server's copies).
type word uint8

const (
	saysPropose word = iota
	saysRinging
	saysProceed
	saysReject
	saysRetract
	saysFinish
	saysInitiate
	saysAccept
	saysWays
	saysTerminate

	wordCount = int(saysTerminate) + 1
)

// world is all devices and all that was ever sent.
type world struct {
	calls [devices]brief
	sent  uint64 // a bit for each device and word
}

// brief is a Call without what never changes.
type brief struct {
	state  State
	why    Why
	device uint8 // 0 for none, else its number and 1
}

func (b brief) call(i int) Call {
	c := Call{ID: "c", Self: "alice@a", Peer: "bob@b", State: b.state, Why: b.why}
	if i > 1 {
		c.Self, c.Peer = c.Peer, c.Self
	}
	if b.device > 0 {
		c.Device = names[b.device-1]
	}
	return c
}

func shorten(c Call) brief {
	b := brief{state: c.State, why: c.Why}
	for i, n := range names {
		if n == c.Device {
			b.device = uint8(i + 1)
		}
	}
	return b
}

func bit(device int, w word) uint64 { return 1 << (device*wordCount + int(w)) }

// after is the world when a device has come to a call, and done things.
func (w world) after(i int, c Call, do Effect) world {
	w.calls[i] = shorten(c)
	for effect, says := range map[Effect]word{SendPropose: saysPropose, SendRinging: saysRinging, SendProceed: saysProceed, SendReject: saysReject, SendRetract: saysRetract,
		SendFinish: saysFinish, SendInitiate: saysInitiate, SendAccept: saysAccept, SendWays: saysWays, SendTerminate: saysTerminate} {
		if do&effect != 0 {
			w.sent |= bit(i, says)
		}
	}
	return w
}

// arrive is the world when a device has heard what another has said.
func (w world) arrive(from, to int, says word) world {
	if says >= saysInitiate && int(w.calls[from].device) != to+1 {
		return w // it is addressed to another device
	}
	return w.force(from, to, says)
}

// force is arrive for whoever may say anything to anybody.
func (w world) force(from, to int, says word) world {
	c := w.calls[to].call(to)
	var do Effect
	if says < saysInitiate {
		c, do = c.Hear(names[from], jingle.Invite{Kind: invites[says], ID: "c"})
	} else {
		c, do = c.HearSession(names[from], "c", actions[says-saysInitiate])
	}
	return w.after(to, c, do)
}

var (
	invites = []jingle.Kind{jingle.Propose, jingle.Ringing, jingle.Proceed, jingle.Reject, jingle.Retract, jingle.Finish}
	actions = []jingle.Action{jingle.SessionInitiate, jingle.SessionAccept, jingle.TransportInfo, jingle.SessionTerminate}
)

// local is what may happen at a device by itself: Alice calls from her first,
// Bob answers where he likes.
func local(i int) []Event {
	switch i {
	case 0:
		return []Event{Place, HangUp, Timeout, MediaReady, MediaFailed, AddressFound}
	case 1:
		return []Event{Timeout}
	}
	return []Event{Accept, Decline, HangUp, Timeout, MediaReady, AddressFound}
}

// hostile are all worlds that may come after where both people's second devices
// are in a stranger's hands, who says anything at any time.
func (w world) hostile(f func(world)) {
	for _, to := range []int{0, 2} {
		for _, e := range local(to) {
			c, do := w.calls[to].call(to).Step(e)
			f(w.after(to, c, do))
		}
		for from := range devices {
			for says := range word(wordCount) {
				switch {
				case w.sent == 0: // nobody knows the call's id yet
				case from == 1 || from == 3:
					f(w.force(from, to, says))
				case from != to && w.sent&bit(from, says) != 0:
					f(w.arrive(from, to, says))
				}
			}
		}
	}
}

// next are all worlds that may come after.
func (w world) next(f func(world)) {
	for i := range devices {
		for _, e := range local(i) {
			c, do := w.calls[i].call(i).Step(e)
			f(w.after(i, c, do))
		}
		for from := range devices {
			for says := range word(wordCount) {
				if from != i && w.sent&bit(from, says) != 0 {
					f(w.arrive(from, i, says))
				}
			}
		}
	}
}

// wrong is what must never be.
func (w world) wrong() string {
	talks := func(i int) bool { return w.calls[i].state == Connecting || w.calls[i].state == Active }
	switch {
	case talks(2) && talks(3):
		return "two devices of Bob's are in the call"
	case w.calls[1].state != Idle && w.calls[1].state != Elsewhere && w.calls[1].state != Ended:
		return "Alice's other device does more than watch"
	case talks(0) && w.calls[0].device < 3:
		return "Alice is in a call with nobody"
	}
	for i := 2; i < devices; i++ {
		if talks(i) && w.calls[i].device != 1 {
			return "Bob is in a call with the wrong device"
		}
		if talks(i) && w.sent&bit(0, saysInitiate) == 0 {
			return "Bob is in a call that has not begun"
		}
	}
	return ""
}

// settled tells whether all is at its end once everybody's time has run out.
func (w world) settled() bool {
	for i := range devices {
		c, _ := w.calls[i].call(i).Step(Timeout)
		if c.State != Idle && c.State != Ended {
			return false
		}
	}
	return true
}

// roam goes through all worlds that come after the first, until there is nothing
// new, and asks each.
func roam(t *testing.T, next func(world, func(world)), ask func(world) string) (worlds, depth int) {
	seen := map[world]bool{{}: true}
	for now := []world{{}}; len(now) > 0; depth++ {
		var then []world
		for _, w := range now {
			if v := ask(w); v != "" {
				t.Fatalf("%s: %+v", v, w)
			}
			if !w.settled() {
				t.Fatalf("it does not end: %+v", w)
			}
			next(w, func(n world) {
				if !seen[n] {
					seen[n] = true
					then = append(then, n)
				}
			})
		}
		now = then
	}
	return len(seen), depth
}

func TestFourDevicesAgreeWhateverTheNetworkDoes(t *testing.T) {
	active := false
	worlds, depth := roam(t, world.next, func(w world) string {
		active = active || w.calls[0].state == Active && w.calls[2].state == Active
		return w.wrong()
	})
	t.Logf("%d worlds, the farthest %d steps away", worlds, depth-1)
	if !active {
		t.Error("nobody ever spoke with anybody")
	}
}

// Alice's and Bob's second devices are a stranger's. Bob's first takes part only
// in what Bob has accepted there, and Alice's only in what she has placed; nobody
// talks them out of the device that they are in the call with.
func TestSecondDevicesInAStrangersHandsForceNothing(t *testing.T) {
	both := false
	worlds, depth := roam(t, world.hostile, func(w world) string {
		alice, bob := w.calls[0], w.calls[2]
		talks := func(b brief) bool { return b.state == Connecting || b.state == Active }
		both = both || talks(alice) && talks(bob)
		switch {
		case talks(bob) && w.sent&bit(2, saysProceed) == 0:
			return "Bob is in a call that he has not accepted"
		case talks(alice) && w.sent&bit(0, saysPropose) == 0:
			return "Alice is in a call that she has not placed"
		case talks(bob) && bob.device != 1 && bob.device != 2 || talks(alice) && alice.device != 3 && alice.device != 4:
			return "a call with nobody"
		case w.sent&(bit(2, saysPropose)|bit(2, saysInitiate)|bit(0, saysProceed)|bit(0, saysAccept)|bit(0, saysRinging)) != 0:
			return "roles are swapped"
		}
		return ""
	})
	t.Logf("%d worlds, the farthest %d steps away", worlds, depth-1)
	if !both {
		t.Error("nobody ever spoke with anybody")
	}
}

// From every state, whoever has no part in a call changes nothing and is told
// nothing but that there is no such session.
func TestWhoHasNoPartHasNoSay(t *testing.T) {
	for s := range State(States) {
		c := Call{ID: "c", Self: "bob@b", Peer: "alice@a", State: s}
		for k := jingle.Propose; k <= jingle.Finish; k++ {
			if n, do := c.Hear("mallory@m/1", jingle.Invite{Kind: k, ID: "c"}); n != c || do != 0 {
				t.Errorf("%s of a stranger's in %s, while there is no device: %s, %s", k, s, n.State, list(do))
			}
		}
		c.Device = "alice@a/1"
		for _, from := range []string{"alice@a/2", "mallory@m/1", "alice@a.evil/1", "alice@a", "", "alice@a/1/", "bob@b.evil/1"} {
			for k := jingle.Propose; k <= jingle.Finish; k++ {
				if n, do := c.Hear(from, jingle.Invite{Kind: k, ID: "c"}); n != c || do != 0 {
					t.Errorf("%s in %s from %q: %s, %s", k, s, from, n.State, list(do))
				}
			}
			for a := jingle.ContentAccept; a <= jingle.TransportReplace; a++ {
				if n, do := c.HearSession(from, "c", a); n != c || do != Refuse {
					t.Errorf("%s in %s from %q: %s, %s", a, s, from, n.State, list(do))
				}
			}
		}
		if n, do := c.Hear("alice@a/1", jingle.Invite{Kind: jingle.Retract, ID: "d"}); n != c || do != 0 {
			t.Errorf("another call's retract in %s: %s, %s", s, n.State, list(do))
		}
		if n, do := c.HearSession("bob@b/2", "c", jingle.SessionInitiate); n != c || do != Refuse {
			t.Errorf("a session of one's own in %s: %s, %s", s, n.State, list(do))
		}
		if n, do := c.HearAs("mallory@m/1", jingle.Invite{Kind: jingle.Propose, ID: "c"}, PeerProposesQuietly); n != c || do != 0 {
			t.Errorf("a quiet propose of a stranger's in %s: %s, %s", s, n.State, list(do))
		}
	}
}

func TestOfTwoCallsAtOnceBothSidesKeepTheSame(t *testing.T) {
	alice := Call{ID: "a1", Self: "alice@a", Peer: "bob@b", State: Proposing}
	bob := Call{ID: "b1", Self: "bob@b", Peer: "alice@a", State: RingingOut}
	if our, their := Contest(alice, bob.ID, "bob@b/1"); our != Unrelated || their != PeerProposesHigher {
		t.Errorf("at Alice's: %s, %s", our, their)
	}
	if our, their := Contest(bob, alice.ID, "alice@a/1"); our != PeerProposesLower || their != PeerProposes {
		t.Errorf("at Bob's: %s, %s", our, their)
	}
	for name, c := range map[string]Call{"of somebody else": {ID: "z", Self: "bob@b", Peer: "carol@c", State: Proposing}, "that is answered": {ID: "z", Self: "bob@b", Peer: "alice@a", State: Active}} {
		if our, their := Contest(c, "a1", "alice@a/1"); our != Unrelated || their != PeerProposes {
			t.Errorf("a call %s: %s, %s", name, our, their)
		}
	}
}

func TestACallIsWithTheDeviceThatAcceptsOrCalls(t *testing.T) {
	c := Call{ID: "c", Self: "alice@a", Peer: "bob@b"}
	c, _ = c.Step(Place)
	c, _ = c.Hear("bob@b/1", jingle.Invite{Kind: jingle.Ringing, ID: "c"})
	if c.Device != "" {
		t.Errorf("it rings, and the call is with %s", c.Device)
	}
	c, _ = c.Hear("bob@b/2", jingle.Invite{Kind: jingle.Proceed, ID: "c"})
	again, do := c.Hear("bob@b/1", jingle.Invite{Kind: jingle.Proceed, ID: "c"})
	if c.Device != "bob@b/2" || again != c || do != 0 {
		t.Errorf("the call is with %s, then with %s", c.Device, again.Device)
	}
	if before, do := (Call{ID: "c", Self: "alice@a", Peer: "bob@b", State: RingingOut}).HearSession("bob@b/1", "c", jingle.SessionTerminate); before.State != RingingOut || do != Refuse {
		t.Errorf("a session before there is a device: %s, %s", before.State, list(do))
	}
	d := Call{ID: "c", Self: "bob@b", Peer: "alice@a"}
	if d, _ = d.Hear("alice@a/1", jingle.Invite{Kind: jingle.Propose, ID: "c"}); d.Device != "alice@a/1" || d.State != RingingIn {
		t.Errorf("%+v", d)
	}
}
