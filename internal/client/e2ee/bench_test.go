package e2ee

import (
	"testing"

	"mirsal/internal/xmpp/jid"
)

// BenchmarkRead is one message of a running session read, its batch stored in memory.
func BenchmarkRead(b *testing.B) {
	t := &testing.T{}
	w := newWorld(t)
	a, c := w.client(alice), w.client(bob)
	says(t, a, "one", c)
	says(t, c, "two", a)
	a.takeNotes()
	c.takeNotes()
	for b.Loop() {
		b.StopTimer()
		e, _, err := a.write("a message of ordinary length", bob)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := c.get(alice, e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWrite is one message encrypted to a contact's one device.
func BenchmarkWrite(b *testing.B) {
	t := &testing.T{}
	w := newWorld(t)
	a, c := w.client(alice), w.client(bob)
	says(t, a, "one", c)
	for b.Loop() {
		_, batch, err := a.Encrypt(Outgoing{To: []jid.JID{bob}, Text: "a message of ordinary length"})
		if err != nil {
			b.Fatal(err)
		}
		a.apply(batch)
	}
}
