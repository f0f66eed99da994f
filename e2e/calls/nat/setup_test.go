//go:build linux

package nat

import (
	"slices"
	"testing"

	"mirsal/e2e/calls/phone"
	"mirsal/e2e/netns"
)

// BenchmarkClickToSound is how long it takes from the wish to call until the first sound of the other
// side, who answers at once, in milliseconds: through two routers directly, and by the relay.
func BenchmarkClickToSound(b *testing.B) {
	s := newScene(b)
	for _, c := range []struct {
		name string
		kind netns.Kind
	}{{"direct", netns.Restricted}, {"relay", netns.Symmetric}} {
		s.routers(c.kind, c.kind)
		callee := s.bob.phone(b, "--answer")
		s.once(b, callee) // so that he is there
		b.Run(c.name, func(b *testing.B) {
			var all []int64
			for b.Loop() {
				all = append(all, s.once(b, callee))
			}
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2]), "p50-ms")
			b.ReportMetric(float64(all[(len(all)*95+99)/100-1]), "p95-ms")
			b.ReportMetric(0, "ns/op")
		})
		callee.Interrupt()
		callee.Exit()
	}
}

// once is one call: milliseconds until the caller has heard something.
func (s *scene) once(t testing.TB, callee *handset) int64 {
	t.Helper()
	caller := s.alice.phone(t, s.bob.Address)
	id := idOf(caller.state("", "active"))
	first := caller.Until("the first sound", func(l phone.Line) bool { return l.Event == "callHeard" && l.Media == "audio" })
	caller.Interrupt()
	callee.state(id, "ended")
	caller.Exit()
	return first.After.Milliseconds()
}
