package engine

import (
	"testing"
	"time"

	"mirsal/internal/client/port"
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
		s.chat = map[string]string{"alice": "bob@" + domain, "bob": "alice@" + domain}[account]
	}
	w.accidental(700 * time.Millisecond)
	w.talk(soakSize(t, 300))
	w.calm()
	w.agree()
	w.secret()
}

func TestARoomOfFourLosesNothingWhateverHappens(t *testing.T) {
	w := newSea(t, "alice", "bob", "carol", "dave")
	var members []string
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		members = append(members, w.enter(name, name).Address)
	}
	room := w.devices[0].Must(&port.CreateRoom{Name: "sea", Members: members[1:]}).(*port.Done).Chat
	for _, s := range w.devices {
		s.chat = room
		if s != w.devices[0] {
			s.Until("the invitation", func(ev port.Event) bool {
				c, ok := ev.(*port.ChatChanged)
				return ok && c.Chat.Address == room
			})
			s.Must(&port.JoinRoom{Address: room})
		}
	}
	w.accidental(700 * time.Millisecond)
	w.talk(soakSize(t, 300))
	w.calm()
	w.agree()
	w.secret()
}
