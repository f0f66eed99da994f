package engine

import (
	"slices"
	"testing"

	"mirsal/internal/client/port"
)

func TestAMemberWithoutADeviceDoesNotSilenceARoom(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob", "nodevice")
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	room := alice.must(&port.CreateRoom{Name: "desk", Members: []string{bob.address, "nodevice@" + domain}}).(*port.Done).Chat
	bob.until("the invitation", func(ev port.Event) bool {
		c, ok := ev.(*port.ChatChanged)
		return ok && c.Chat.Address == room
	})
	bob.must(&port.JoinRoom{Address: room})
	id := alice.must(&port.Send{Chat: room, Text: "who can read this"}).(*port.Done).Message
	m := alice.becomes(id, port.Sent)
	if m.Lock.State != port.Locked || !slices.Contains(m.Lock.Missing, "nodevice@"+domain) {
		t.Errorf("the lock is %+v", m.Lock)
	}
	bob.hears(room, "who can read this")
}

func TestAMessageToSomebodyWithoutADeviceIsNotSentInTheClear(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "nodevice")
	alice := signIn(t, s, "alice")
	id := alice.must(&port.Send{Chat: "nodevice@" + domain, Text: "secret 55aa"}).(*port.Done).Message
	if m := alice.becomes(id, port.Failed); m.Failure == "" || m.Lock.State != port.Broken {
		t.Errorf("the message is %+v", m)
	}
	alice.must(&port.SetEncryption{Chat: "nodevice@" + domain, On: false})
	alice.says("nodevice@"+domain, "in the clear, since I say so", port.Sent)
	stop(t, s)
	if found := grep(t, s.Data, "secret 55aa"); len(found) > 0 {
		t.Errorf("the server's data holds the text: %v", found)
	}
}
