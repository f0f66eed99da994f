package engine

import (
	"slices"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

func TestAMemberWithoutADeviceDoesNotSilenceARoom(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob", "nodevice"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	room := alice.Must(&port.CreateRoom{Name: "desk", Members: []string{bob.Address, "nodevice@" + device.Domain}}).(*port.Done).Chat
	bob.Until("the invitation", func(ev port.Event) bool {
		c, ok := ev.(*port.ChatChanged)
		return ok && c.Chat.Address == room
	})
	bob.Must(&port.JoinRoom{Address: room})
	id := alice.Must(&port.Send{Chat: room, Text: "who can read this"}).(*port.Done).Message
	m := alice.becomes(id, port.Sent)
	if m.Lock.State != port.Locked || !slices.Contains(m.Lock.Missing, "nodevice@"+device.Domain) {
		t.Errorf("the lock is %+v", m.Lock)
	}
	bob.hears(room, "who can read this")
}

func TestAMessageToSomebodyWithoutADeviceIsNotSentInTheClear(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "nodevice"})
	alice := signIn(t, s, "alice")
	id := alice.Must(&port.Send{Chat: "nodevice@" + device.Domain, Text: "secret 55aa"}).(*port.Done).Message
	if m := alice.becomes(id, port.Failed); m.Failure == "" || m.Lock.State != port.Broken {
		t.Errorf("the message is %+v", m)
	}
	alice.Must(&port.SetEncryption{Chat: "nodevice@" + device.Domain, On: false})
	alice.says("nodevice@"+device.Domain, "in the clear, since I say so", port.Sent)
	stop(t, s)
	if found := grep(t, s.Data, "secret 55aa"); len(found) > 0 {
		t.Errorf("the server's data holds the text: %v", found)
	}
}
