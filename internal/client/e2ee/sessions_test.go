package e2ee

import (
	"testing"

	"mirsal/internal/client/keep"
)

func TestSessionsLeaveMemoryOnlyWhenTheyAreStored(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	says(t, a, "one", b)
	says(t, b, "two", a)
	var k sessionKey
	for k = range b.sessions { // any
	}
	s, waiting := b.sessions[k], &keep.Batch{}
	for n := range uint32(maxLoaded + 10) {
		k.number = 1000 + n
		if err := b.putSession(k, s); err != nil {
			t.Fatal(err)
		}
	}
	waiting.Add(b.flush())
	if len(b.sessions) <= maxLoaded {
		t.Fatal("what is not stored was forgotten")
	}
	b.apply(waiting)
	b.apply(b.flush())
	if n := len(b.sessions); n != maxLoaded/2 || len(b.turns) != n {
		t.Errorf("%d sessions are in memory", n)
	}
	says(t, a, "three", b)
	says(t, b, "four", a)
}
