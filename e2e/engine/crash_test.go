package engine

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// TestAClientKilledAtAnyInstantLosesAndDoublesNothing kills one side of a
// conversation again and again, at random instants, while both send and receive.
func TestAClientKilledAtAnyInstantLosesAndDoublesNothing(t *testing.T) {
	w := newSea(t, "alice", "bob")
	w.direct = true
	alice, bob := w.enter("alice", "alice"), w.enter("bob", "bob")
	alice.chat, bob.chat = bob.Address, alice.Address
	w.write(soakSize(t, 400))
	rng := rand.New(rand.NewPCG(w.seed, 3))
	over := make(chan struct{})
	var killer, talking sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Duration(rng.IntN(int(300 * time.Millisecond)))):
				alice.Kill()
				alice.begin()
				w.count.kills++
			}
		}
	})
	talking.Go(alice.talk)
	talking.Go(bob.talk)
	talking.Wait()
	close(over)
	killer.Wait()
	t.Logf("alice was killed %d times", w.count.kills)
	w.calm()
	w.agree()
}
