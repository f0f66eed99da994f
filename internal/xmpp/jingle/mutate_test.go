package jingle_test

import (
	"os"
	"strconv"
	"testing"

	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/jingletest"
	"mirsal/internal/xmpp/xtok"
)

// Of mutated calls nothing leaves that a second reader does not take for one.
// MIRSAL_OFFERS says how many, MIRSAL_SEED which.
func TestMutatedCallsLeaveOnlyInTheGrammar(t *testing.T) {
	offers, seed := number("MIRSAL_OFFERS", 200_000), number("MIRSAL_SEED", 1)
	if testing.Short() {
		offers /= 20
	}
	m, x := jingletest.New(t, folder, uint64(seed)), startSecond(t)
	var accepted, notXML int
	var refused [jingle.Reasons]int
	for range offers {
		e, err := xtok.Parse(m.Next(), xtok.Limits{Size: 1 << 18, Depth: 64})
		if err != nil {
			notXML++
			continue
		}
		v, err := read(e)
		if err != nil {
			refused[err.(*jingle.Refusal).Reason]++
			continue
		}
		accepted++
		x.check(t, written(t, v))
	}
	x.finish(t)
	t.Logf("%d: %d are written (%d of them different), %d are not XML, refused %v", offers, accepted, x.Count, notXML, refused)
	if accepted < offers/10 || accepted > offers*9/10 {
		t.Errorf("%d of %d are taken: the mutator tests one side only", accepted, offers)
	}
	for r, n := range refused {
		if n == 0 {
			t.Errorf("none is refused as %s", jingle.Reason(r))
		}
	}
}

func number(env string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(env)); err == nil {
		return n
	}
	return otherwise
}
