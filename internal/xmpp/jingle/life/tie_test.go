package life

import (
	"testing"

	"mirsal/internal/xmpp/jingle"
)

// Alice and Bob each call the other, with one device each and messages that
// arrive in order, as streams have them, but whenever they like.

// duel is both calls at both devices, and what is on its way.
type duel struct {
	calls [2][2]brief // by device, by whose call it is
	ways  [2]queue    // to each device
}

// queue is what is on its way: whose call, and what is said of it.
type queue struct {
	said [12]struct {
		whose uint8
		v     jingle.Kind
		tie   bool
	}
	n int
}

var (
	duelNames = [2]string{"alice@a/1", "bob@b/1"}
	duelIDs   = [2]string{"a", "b"} // Alice's comes first
)

func (d duel) call(at, whose int) Call {
	c := d.calls[at][whose].call(at * 2)
	c.ID, c.Device = duelIDs[whose], ""
	if d.calls[at][whose].device > 0 {
		c.Device = duelNames[1-at]
	}
	return c
}

// do is the duel when a device has come to a call, and said things of it.
func (d duel) do(at, whose int, c Call, do Effect) duel {
	b := brief{state: c.State, why: c.Why}
	if c.Device != "" {
		b.device = 1
	}
	d.calls[at][whose] = b
	q := &d.ways[1-at]
	for one := range do.All {
		if k := said(one); k != 0 {
			q.said[q.n].whose, q.said[q.n].v, q.said[q.n].tie = uint8(whose), k, c.Why == Tie
			q.n++
		}
	}
	return d
}

// arrive is the duel when the first that is on its way to a device is there.
func (d duel) arrive(at int) duel {
	q := &d.ways[at]
	m := q.said[0]
	copy(q.said[:], q.said[1:])
	q.said[len(q.said)-1].v, q.n = 0, q.n-1
	q.said[len(q.said)-1].whose, q.said[len(q.said)-1].tie = 0, false
	whose, from := int(m.whose), duelNames[1-at]
	v := jingle.Invite{Kind: m.v, ID: duelIDs[whose], TieBreak: m.tie}
	if m.v != jingle.Propose {
		c, do := d.call(at, whose).Hear(from, v)
		return d.do(at, whose, c, do)
	}
	ours := d.call(at, at)
	our, their := Contest(ours, v.ID, from)
	c, do := ours.Step(our)
	d = d.do(at, at, c, do)
	c, do = d.call(at, whose).HearAs(from, v, their)
	return d.do(at, whose, c, do)
}

func (d duel) next(f func(duel)) {
	for at := range 2 {
		if d.ways[at].n > 0 {
			f(d.arrive(at))
		}
		ours, theirs := d.call(at, at), d.call(at, 1-at)
		if theirs.State == Idle {
			c, do := ours.Step(Place)
			f(d.do(at, at, c, do))
		}
		c, do := ours.Step(HangUp)
		f(d.do(at, at, c, do))
		for _, e := range []Event{Accept, Decline} {
			c, do := theirs.Step(e)
			f(d.do(at, 1-at, c, do))
		}
	}
}

// alive is how many calls a device has in hand.
func (d duel) alive(at int) (n int) {
	for _, c := range d.calls[at] {
		if c.state != Idle && c.state != Ended {
			n++
		}
	}
	return n
}

func TestOfTwoCallsAtOnceOneIsLeft(t *testing.T) {
	seen := map[duel]bool{{}: true}
	ties := false
	for now := []duel{{}}; len(now) > 0; {
		var then []duel
		for _, d := range now {
			if d.alive(0) > 1 || d.alive(1) > 1 {
				t.Fatalf("a device has two calls in hand: %+v", d)
			}
			if a := d.calls[0][0]; a.why == Tie {
				t.Fatalf("Alice's call comes first and gives way: %+v", d)
			}
			ties = ties || d.calls[1][1].why == Tie
			d.next(func(n duel) {
				if !seen[n] {
					seen[n] = true
					then = append(then, n)
				}
			})
		}
		now = then
	}
	t.Logf("%d duels", len(seen))
	if !ties {
		t.Error("there was never a tie")
	}
}
