package engine

import (
	"testing"
	"time"

	"mirsal/e2e/device"
)

// accidental is how often accidents happen to messages.
func (w *sea) accidental(pause time.Duration) {
	w.pause, w.turns = pause, true
	w.between.mood.twice.Store(50)
	w.between.mood.swapped.Store(50)
	w.between.mood.forgotten.Store(300)
}

func TestTwoPeopleWithTwoDevicesEachLoseNothingWhateverHappens(t *testing.T) {
	w := newSea(t, "alice", "bob")
	for _, name := range []string{"alice-1", "alice-2", "bob-1", "bob-2"} {
		account := name[:len(name)-2]
		s := w.enter(account, name)
		s.chat = map[string]string{"alice": "bob@" + device.Domain, "bob": "alice@" + device.Domain}[account]
	}
	w.accidental(150 * time.Millisecond)
	w.talk(soakSize(t, 300))
	w.calm()
	w.agree()
	w.secret()
}

func TestARoomOfFourLosesNothingWhateverHappens(t *testing.T) {
	w := newSea(t, "alice", "bob", "carol", "dave")
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		w.enter(name, name)
	}
	w.room()
	w.accidental(150 * time.Millisecond)
	w.talk(soakSize(t, 300))
	w.calm()
	w.agree()
	w.secret()
}
