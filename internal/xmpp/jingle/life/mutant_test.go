package life

import (
	"slices"
	"testing"
)

// spoken are the cells that conversations go through.
func spoken(t testing.TB) (out [States][Events]*step) {
	for _, talk := range talks(t) {
		s := Idle
		for _, x := range talk {
			out[s][x.e] = &x
			s = x.to
		}
	}
	return out
}

// disagrees tells whether a conversation goes otherwise by g.
func disagrees(g *grid, cells *[States][Events]*step) bool {
	for s := range cells {
		for e, x := range cells[s] {
			if x == nil {
				continue
			}
			c := g[s][e]
			if c.to != x.to || c.do != x.do || s != int(Ended) && c.why != x.why {
				return true
			}
		}
	}
	return false
}

// mutants changes each cell in each way: another state, another end, gone,
// each effect more or less. f tells whether it was noticed.
func mutants(g *grid, f func(s State, e Event, what string)) {
	for s := range State(States) {
		for e := range Event(Events) {
			was := g[s][e]
			for to := range State(States) {
				if g[s][e].to = to; to != was.to {
					f(s, e, "to "+to.String())
				}
			}
			g[s][e] = was
			for why := range Why(Whys) {
				if g[s][e].why = why; was.to == Ended && s != Ended && why != was.why {
					f(s, e, "as "+why.String())
				}
			}
			if g[s][e] = (cell{to: s, do: otherwise(e)}); g[s][e] != was {
				f(s, e, "gone")
			}
			g[s][e] = was
			for one := range (^Effect(0)).All {
				g[s][e].do = was.do ^ one
				f(s, e, "with or without "+one.String())
			}
			g[s][e] = was
		}
	}
}

// violates tells whether an invariant notices what was changed at a place: where
// one comes to it by other ways already, or else somewhere.
func violates(g *grid, seen map[watch][]place, at place) bool {
	for w, way := range seen {
		if w.state == at.in && !slices.Contains(way, at) {
			if _, v := w.step(g, at.on); v != "" {
				return true
			}
		}
	}
	_, found := explore(g)
	return found != ""
}

// Of all changes of a single cell the invariants and the conversations notice 95
// in a hundred; each is counted for itself.
func TestAChangeOfTheTableIsNoticed(t *testing.T) {
	g, cells := newGrid(), spoken(t)
	if disagrees(g, &cells) {
		t.Fatal("the table and the conversations disagree")
	}
	seen, _ := explore(g)
	all, byInvariant, byTalk, either := 0, 0, 0, 0
	var escaped []string
	mutants(g, func(s State, e Event, what string) {
		all++
		found := violates(g, seen, place{s, e})
		talks := disagrees(g, &cells)
		if found {
			byInvariant++
		}
		if talks {
			byTalk++
		}
		if found || talks {
			either++
			return
		}
		escaped = append(escaped, s.String()+", "+e.String()+": "+what)
	})
	t.Logf("%d changes: %d are noticed by the invariants, %d by the conversations, %d by either", all, byInvariant, byTalk, either)
	if either*100 < all*95 {
		t.Errorf("%d of %d changes escape", all-either, all)
	}
	for i, x := range escaped {
		if i%max(1, len(escaped)/60) == 0 {
			t.Log("escapes: ", x)
		}
	}
}
