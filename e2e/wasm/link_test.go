package wasm

import (
	"slices"
	"testing"

	"mirsal/internal/client/port"
)

// Packing is the browser's own here, and done by no other program's test.
func TestABrowserBringsInAnotherOneWithItsHistory(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob")
	old, bob := browse(t, "").open("old", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&old.person, bob)
	old.says(bob.address, "a question", port.Delivered)
	bob.says(old.address, "an answer", port.Delivered)
	fresh := browse(t, "").open("new", "alice")
	fresh.becomes("running")
	code := old.must(&port.LinkShow{}).(*port.Code).Text
	joined := make(chan port.Event, 1)
	go func() { joined <- fresh.must(&port.LinkJoin{Code: code, Label: "another browser"}) }()
	old.until("being asked", func(ev port.Event) bool { _, ok := ev.(*port.LinkAsked); return ok })
	old.must(&port.LinkConfirm{Accept: true})
	<-joined
	fresh.synced()
	if got, want := fresh.texts(bob.address), old.texts(bob.address); !slices.Equal(got, want) || len(want) != 2 {
		t.Errorf("the new one has %q, the old one %q", got, want)
	}
	bob.says(old.address, "to both", port.Delivered)
	old.hears("to both")
	fresh.hears("to both")
}
