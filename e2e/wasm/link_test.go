package wasm

import (
	"slices"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// Packing is the browser's own here, and done by no other program's test.
func TestABrowserBringsInAnotherOneWithItsHistory(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	old, bob := browse(t, "").open("old", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&old.person, bob)
	old.says(bob.Address, "a question", port.Delivered)
	bob.says(old.Address, "an answer", port.Delivered)
	fresh := browse(t, "").open("new", "alice")
	fresh.becomes("running")
	code := old.Must(&port.LinkShow{}).(*port.Code).Text
	joined := make(chan port.Event, 1)
	go func() { joined <- fresh.Must(&port.LinkJoin{Code: code, Label: "another browser"}) }()
	old.Until("being asked", func(ev port.Event) bool { _, ok := ev.(*port.LinkAsked); return ok })
	old.Must(&port.LinkConfirm{Accept: true})
	<-joined
	fresh.Synced()
	if got, want := fresh.texts(bob.Address), old.texts(bob.Address); !slices.Equal(got, want) || len(want) != 2 {
		t.Errorf("the new one has %q, the old one %q", got, want)
	}
	bob.says(old.Address, "to both", port.Delivered)
	old.hears("to both")
	fresh.hears("to both")
}
