package auth

import (
	"testing"

	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

func TestARemovalWithoutAServerIsFinishedAtItsNextStart(t *testing.T) {
	s := memory.New()
	a := open(t, s)
	add(t, a, "alice", "one good password")
	a.OnRemove(Removal{Later: true})
	if err := a.Remove(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var gone []jid.JID
		if err := a.Finish(t.Context(), func(j jid.JID) { gone = append(gone, j) }); err != nil {
			t.Fatal(err)
		}
		if len(gone) == 1 && gone[0].Local() == "alice" {
			continue // the first start
		}
		if len(gone) == 0 {
			return // the next one
		}
		t.Fatalf("gone: %v", gone)
	}
	t.Fatal("it is never finished")
}

func TestARemovalByTheServerLeavesNothingToFinish(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "one good password")
	called := 0
	a.OnRemove(Removal{Gone: func(jid.JID) { called++ }})
	if err := a.Remove(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if err := a.Finish(t.Context(), func(jid.JID) { called++ }); err != nil || called != 1 {
		t.Errorf("called %d times, %v", called, err)
	}
}
