package call

import (
	"slices"
	"time"

	"mirsal/internal/xmpp/jid"
)

// budgets count the rings of the last hour. What does not ring leaves nothing in
// them, so that they hold no more than their limits let ring.
type budgets struct {
	pair   map[[2]jid.JID][]time.Time
	callee map[jid.JID][]time.Time
	caller map[jid.JID][]time.Time
}

func newBudgets() budgets {
	return budgets{pair: map[[2]jid.JID][]time.Time{}, callee: map[jid.JID][]time.Time{}, caller: map[jid.JID][]time.Time{}}
}

// most are the rings in an hour that one call may be the last of.
type most struct{ pair, callee, caller int }

// take charges one ring; false, and nothing is charged, where one budget is spent.
func (b *budgets) take(caller, callee jid.JID, m most, now time.Time) bool {
	p := [2]jid.JID{caller, callee}
	if full(b.pair, p, m.pair, now) || full(b.callee, callee, m.callee, now) || full(b.caller, caller, m.caller, now) {
		return false
	}
	b.pair[p] = append(b.pair[p], now)
	b.callee[callee] = append(b.callee[callee], now)
	b.caller[caller] = append(b.caller[caller], now)
	return true
}

// full tells whether there are as many rings in the last hour as there may be, and
// forgets older ones.
func full[K comparable](m map[K][]time.Time, k K, most int, now time.Time) bool {
	recent := slices.DeleteFunc(m[k], func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	if len(recent) == 0 {
		delete(m, k)
	} else {
		m[k] = recent
	}
	return len(recent) >= most
}

// giveBack takes back what a call was charged that its callee has accepted: people
// who speak with each other may call as often as they like.
func (b *budgets) giveBack(caller, callee jid.JID, at time.Time) {
	without(b.pair, [2]jid.JID{caller, callee}, at)
	without(b.callee, callee, at)
	without(b.caller, caller, at)
}

func without[K comparable](m map[K][]time.Time, k K, at time.Time) {
	if i := slices.Index(m[k], at); i >= 0 {
		m[k] = slices.Delete(m[k], i, i+1)
	}
	if len(m[k]) == 0 {
		delete(m, k)
	}
}

// sweep forgets what is older than an hour.
func (b *budgets) sweep(now time.Time) {
	for k := range b.pair {
		full(b.pair, k, 1, now)
	}
	for k := range b.callee {
		full(b.callee, k, 1, now)
	}
	for k := range b.caller {
		full(b.caller, k, 1, now)
	}
}
