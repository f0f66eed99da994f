package engine

import (
	"bytes"
	"regexp"
	"sync/atomic"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// devicesOfTheOlderForm are the devices on a list of the older form of OMEMO.
var devicesOfTheOlderForm = regexp.MustCompile(`(<list xmlns=['"]eu\.siacs\.conversations\.axolotl['"]>).*?(</list>)`)

// TestWhoTakesTheOlderListsAwayHasEverythingGoInTheNewerForm: nobody's device is announced in
// the older form of OMEMO any more. What is written goes in the newer one, with what has no text inside it too.
func TestWhoTakesTheOlderListsAwayHasEverythingGoInTheNewerForm(t *testing.T) {
	t.Parallel()
	w := newSea(t, "alice", "bob")
	var older, newer, beside atomic.Int32
	w.between.mood.set(func(_ string, frame []byte) [][]byte {
		return [][]byte{devicesOfTheOlderForm.ReplaceAll(frame, []byte("$1$2"))}
	}, func(_ string, frame []byte) [][]byte {
		if bytes.HasPrefix(frame, []byte("<message")) {
			count(&older, frame, "<encrypted xmlns='eu.siacs")
			count(&newer, frame, "<encrypted xmlns='urn:xmpp:omemo:2'")
			count(&beside, frame, "urn:xmpp:reactions:0")
		}
		return [][]byte{frame}
	})
	alice, bob := w.enter("alice", "alice"), w.enter("bob", "bob")
	alice.chat, bob.chat = bob.Address, alice.Address
	device.Meet(alice.Device, bob.Device)
	if m := alice.Says(alice.chat, "hello", port.Sent); m.Lock.State != port.Locked {
		t.Errorf("alice's message is %+v", m)
	}
	m := bob.Hears(bob.chat, "hello")
	bob.Must(&port.React{Chat: bob.chat, Message: m.ID, Emoji: []string{"👍"}})
	alice.Message("a reaction", func(m port.Message) bool { return m.Chat == alice.chat && len(m.Reactions) == 1 })
	bob.Says(bob.chat, "and back", port.Sent)
	alice.Hears(alice.chat, "and back")
	if older.Load() > 0 || newer.Load() < 3 || beside.Load() > 0 {
		t.Errorf("%d messages in the older form, %d in the newer, %d reactions for all to see", older.Load(), newer.Load(), beside.Load())
	}
}

func count(n *atomic.Int32, frame []byte, what string) {
	if bytes.Contains(frame, []byte(what)) {
		n.Add(1)
	}
}
