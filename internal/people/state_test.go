package people

import "testing"

// bits is a state taken apart.
type bits struct{ to, from, out, in bool }

func TestEveryCellOfTheTablesFollowsFromWhatItsStanzaMeans(t *testing.T) {
	meaning := map[string]map[event]func(b *bits) bool{
		"outbound": {
			subscribe: func(b *bits) bool { b.out = b.out || !b.to; return true },
			subscribed: func(b *bits) bool {
				asked := b.in
				b.from, b.in = b.from || asked, false
				return asked
			},
			unsubscribe: func(b *bits) bool { b.to, b.out = false, false; return true },
			unsubscribed: func(b *bits) bool {
				had := b.from || b.in
				b.from, b.in = false, false
				return had
			},
		},
		"inbound": {
			subscribe: func(b *bits) bool {
				news := !b.from && !b.in
				b.in = b.in || news
				return news
			},
			subscribed: func(b *bits) bool {
				asked := b.out
				b.to, b.out = b.to || asked, false
				return asked
			},
			unsubscribe: func(b *bits) bool {
				had := b.from || b.in
				b.from, b.in = false, false
				return had
			},
			unsubscribed: func(b *bits) bool {
				had := b.to || b.out
				b.to, b.out = false, false
				return had
			},
		},
	}
	for name, table := range map[string]*[states][events]step{"outbound": &outbound, "inbound": &inbound} {
		for s := None; s < states; s++ {
			for e := subscribe; e < events; e++ {
				want := bits{s.To(), s.From(), s.Out(), s.In()}
				pass := meaning[name][e](&want)
				cell := table[s][e]
				got := bits{cell.next.To(), cell.next.From(), cell.next.Out(), cell.next.In()}
				if got != want || cell.pass != pass {
					t.Errorf("%s %s in state %s: %s, pass %v; want %+v, pass %v", name, e, s, cell.next, cell.pass, want, pass)
				}
			}
		}
	}
}

func TestStatesSurviveTheirNames(t *testing.T) {
	for s := None; s < states; s++ {
		if got, ok := parseState(s.String()); !ok || got != s {
			t.Errorf("%s came back as %s", s, got)
		}
	}
	if _, ok := parseState("friends"); ok {
		t.Error("an unknown state was read")
	}
}

func TestApprovalGivesTheSubscriptionAndNothingElse(t *testing.T) {
	for s := None; s < states; s++ {
		now := s.approve()
		if !now.From() || now.In() || now.To() != s.To() || now.Out() != s.Out() {
			t.Errorf("%s approved is %s", s, now)
		}
	}
}
