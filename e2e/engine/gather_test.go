package engine

import (
	"fmt"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

func TestADeviceThatSignsInByAPasswordHasARowForEachChatHoweverOld(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob", "carol", "dave"})
	alice, bob, carol, dave := signIn(t, s, "alice"), signIn(t, s, "bob"), signIn(t, s, "carol"), signIn(t, s, "dave")
	said := map[string]string{}
	for _, p := range []*person{carol, dave, bob} {
		meet(alice, p)
		id := p.says(alice.Address, "once from "+p.Name, port.Sent)
		said[p.Name] = alice.hears(p.Address, "once from "+p.Name).ID
		p.becomes(id, port.Delivered)
	}
	// who is no contact any more was read once: that is known to all of one's devices
	alice.Must(&port.MarkRead{Chat: dave.Address, Message: said["dave"]})
	alice.Must(&port.RemoveContact{Address: dave.Address})
	for i := range 520 {
		bob.Must(&port.Send{Chat: alice.Address, Text: fmt.Sprint("line ", i)})
	}
	alice.hears(bob.Address, "line 519")

	second := signIn(t, s, "alice")
	for st := second.Status(); !st.Synced || st.Gathering; st = second.Status() {
		second.Until("a status", func(ev port.Event) bool { _, ok := ev.(*port.Status); return ok })
	}
	unread := map[string]int{}
	for _, c := range second.Must(&port.ListChats{}).(*port.ChatList).Chats {
		if c.Last == nil {
			t.Errorf("there is nothing in the chat with %s", c.Address)
		}
		unread[c.Address] = c.Unread
	}
	if len(unread) != 3 || unread[dave.Address] != 0 || unread[carol.Address] != 1 {
		t.Errorf("the chats, with what is unread: %v", unread)
	}
}

func TestWhoWritesFirstToANewAccountThatIsAwayHearsThatItArrived(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	alice.Close()
	id := bob.says(alice.Address, "the first", port.Sent)
	alice.Start()
	bob.becomes(id, port.Delivered)
}
