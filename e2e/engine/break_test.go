package engine

import (
	"bytes"
	"testing"

	"mirsal/internal/client/port"
)

// room makes a private room of all devices, the first being its owner.
func (w *sea) room() string {
	w.t.Helper()
	var members []string
	for _, s := range w.devices[1:] {
		members = append(members, s.Address)
	}
	room := w.devices[0].Must(&port.CreateRoom{Name: "sea", Members: members}).(*port.Done).Chat
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
	return room
}

// breaks breaks a device's connection and waits until there is one again.
func (w *sea) breaks(s *swimmer) {
	w.t.Helper()
	w.between.cutOf(s.Address)
	for _, state := range []string{"offline", "online"} {
		s.Until("being "+state, func(ev port.Event) bool {
			st, ok := ev.(*port.Status)
			return ok && st.State == state
		})
	}
}

func TestARoomGoesOnOverABrokenConnection(t *testing.T) {
	t.Parallel()
	w := newSea(t, "alice", "bob")
	alice, bob := w.enter("alice", "alice"), w.enter("bob", "bob")
	room := w.room()
	alice.Says(room, "before", port.Sent)
	bob.Hears(room, "before")
	w.breaks(bob)
	if n := w.between.resumptions(); n != 1 {
		t.Fatalf("%d streams were resumed", n)
	}
	alice.Says(room, "after", port.Sent)
	if m := bob.Message("a message", func(m port.Message) bool { return m.Chat == room && !m.Mine && m.Text != "before" }); m.Text != "after" || m.Lock.State != port.Locked {
		t.Errorf("bob has %+v", m)
	}
	bob.Says(room, "and back", port.Sent)
	alice.Hears(room, "and back")
}

func TestARoomsMembersStayWhenTheirListsAreNotToBeHad(t *testing.T) {
	t.Parallel()
	w := newSea(t, "alice", "bob", "carol")
	alice, bob, carol := w.enter("alice", "alice"), w.enter("bob", "bob"), w.enter("carol", "carol")
	room := w.room()
	alice.Says(room, "before", port.Sent)
	w.between.mood.set(nil, func(client string, frame []byte) [][]byte {
		if client == alice.Address && bytes.Contains(frame, []byte("http://jabber.org/protocol/muc#admin")) {
			frame = bytes.ReplaceAll(frame, []byte("affiliation='member'"), []byte("affiliation='nonsense'"))
		}
		return [][]byte{frame}
	})
	alice.Kill()
	alice.begin()
	alice.Synced()
	if m := alice.Says(room, "after", port.Sent); m.Lock.State != port.Locked || len(m.Lock.Missing) > 0 {
		t.Errorf("the message is %+v", m)
	}
	for _, s := range []*swimmer{bob, carol} {
		if m := s.Hears(room, "after"); m.Lock.State != port.Locked {
			t.Errorf("%s has %+v", s.Name, m)
		}
	}
}
