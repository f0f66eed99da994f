package people

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
)

// crowd gives alice contacts with more presence than her queue may hold, and
// large requests.
func crowd(t *testing.T, w *coretest.World, p *People) (each int) {
	status := "<status>" + strings.Repeat("x", 100_000) + "</status>"
	request := "<status>" + strings.Repeat("x", maxRequest-1000) + "</status>"
	for i := range 15 {
		friend := jid.MustParse(fmt.Sprintf("friend%d@example.org", i))
		befriend(t, p, alice, friend)
		w.Bind(friend.String() + "/x").Send("<presence>" + status + "</presence>")
		w.Bind(fmt.Sprintf("stranger%d@example.org/x", i)).Send("<presence to='alice@example.org' type='subscribe'>" + request + "</presence>")
	}
	return 15
}

func TestLargePresencesOfOthersDoNotLockAnybodyOut(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		many := crowd(t, w, p)
		a := w.Bind("alice@example.org/phone")
		a.Send("<presence/>")
		got := a.Got()
		if n := strings.Count(got, "from='friend"); n != many {
			t.Errorf("%d of %d contacts", n, many)
		}
		if n := strings.Count(got, "type='subscribe'"); n != many {
			t.Errorf("%d of %d requests", n, many)
		}
		if a.Ended != "" {
			t.Errorf("closed: %s", a.Ended)
		}
	})
}

func TestAPortionOfArrivalsIsBounded(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		many := crowd(t, w, p)
		for i := range 100 {
			w.Bind(fmt.Sprintf("friend1@example.org/small%d", i%10)).Send("<presence/>")
		}
		a := &arrival{people: p, session: w.Bind("alice@example.org/phone").Session, contacts: p.Watched(alice)}
		large := 0
		for packets := a.Next(); packets != nil; packets = a.Next() {
			size := 0
			for i := range packets {
				size += packets[i].Size()
			}
			if size > arrivalBytes && len(packets) > 1 {
				t.Errorf("%d packets of %d bytes at a time", len(packets), size)
			}
			if size > 100_000 {
				large++
			}
		}
		if large != many {
			t.Errorf("%d large ones, want %d", large, many)
		}
	})
}
