package engine

import (
	"fmt"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

// TestADeviceThatWasAwayCatchesUpWithEverything lets one of bob's devices miss a
// long conversation. How fast it catches up is told, not judged.
func TestADeviceThatWasAwayCatchesUpWithEverything(t *testing.T) {
	w := newSea(t, "alice", "bob")
	w.direct = true
	alice, phone, tablet := w.enter("alice", "alice"), w.enter("bob", "bob-phone"), w.enter("bob", "bob-tablet")
	alice.chat, phone.chat, tablet.chat = phone.Address, alice.Address, alice.Address
	alice.Says(alice.chat, "before", port.Sent)
	tablet.Hears(tablet.chat, "before")
	tablet.Close()
	total := soakSize(t, 600)
	for i := range total {
		alice.texts = append(alice.texts, fmt.Sprintf("%s %s %05d", marker, alice.Name, i))
	}
	began := time.Now()
	alice.talk()
	sent := time.Since(began)
	began = time.Now()
	tablet.begin()
	tablet.Synced()
	took := time.Since(began)
	t.Logf("%d messages were sent at %.0f a second; who was away had them within %v: %.0f a second",
		total, float64(total)/sent.Seconds(), took.Round(time.Millisecond), float64(total)/took.Seconds())
	w.also = []string{"before"}
	w.agree()
}
