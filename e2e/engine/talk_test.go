package engine

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

func TestTwoPeopleTalkEncrypted(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	id := alice.says(bob.Address, "a secret marker 7f3d", port.Delivered)
	m := bob.hears(alice.Address, "a secret marker 7f3d")
	if m.Lock.State != port.Locked || m.Mine || m.Delivery != port.Received {
		t.Errorf("bob has %+v", m)
	}
	bob.Must(&port.MarkRead{Chat: alice.Address, Message: m.ID})
	alice.becomes(id, port.Read)

	bob.Must(&port.React{Chat: alice.Address, Message: m.ID, Emoji: []string{"👍"}})
	alice.changed(id, "a reaction", func(m port.Message) bool { return len(m.Reactions) == 1 && m.Reactions[0].Emoji == "👍" })
	alice.Must(&port.Send{Chat: bob.Address, Text: "a better marker 7f3d", Corrects: id})
	bob.changed(m.ID, "the correction", func(m port.Message) bool { return m.Text == "a better marker 7f3d" && m.Edited })
	bob.Must(&port.Send{Chat: alice.Address, Text: "an answer", ReplyTo: m.ID})
	if got := alice.hears(bob.Address, "an answer"); got.Reply == nil || got.Reply.ID != id {
		t.Errorf("the answer is %+v", got)
	}
	alice.Must(&port.Retract{Chat: bob.Address, Message: id})
	bob.changed(m.ID, "the retraction", func(m port.Message) bool { return m.Retracted && m.Text == "" })
	stop(t, s)
	if found := grep(t, s.Data, "7f3d"); len(found) > 0 {
		t.Errorf("the server's data holds the text: %v", found)
	}
}

func TestWhoWasAwayHasEverythingOnce(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	alice.says(bob.Address, "before", port.Delivered)
	bob.Close()
	for _, text := range []string{"one", "two", "three"} {
		alice.says(bob.Address, text, port.Sent)
	}
	bob.Start()
	bob.Synced()
	var texts []string
	for _, m := range bob.history(alice.Address) {
		if m.Notice == "" {
			texts = append(texts, m.Text)
		}
	}
	if got := len(texts); got != 4 || texts[1] != "one" || texts[2] != "two" || texts[3] != "three" {
		t.Errorf("bob's history is %q", texts)
	}
}

func TestAMessageWrittenWithoutAConnectionGoesWhenThereIsOne(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	alice.says(bob.Address, "before", port.Delivered)
	stop(t, s)
	alice.Until("being offline", func(ev port.Event) bool { st, ok := ev.(*port.Status); return ok && st.State == "offline" })
	alice.Must(&port.Send{Chat: bob.Address, Text: "written in the dark"})
	alice.Close()
	restart(t, s)
	alice.Start()
	bob.hears(alice.Address, "written in the dark")
	n := 0
	for _, m := range bob.history(alice.Address) {
		if m.Text == "written in the dark" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("bob has the message %d times", n)
	}
}

func TestARoomOfThreeTalksEncrypted(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob", "carol"})
	alice, bob, carol := signIn(t, s, "alice"), signIn(t, s, "bob"), signIn(t, s, "carol")
	room := alice.Must(&port.CreateRoom{Name: "desk", Members: []string{bob.Address, carol.Address}}).(*port.Done).Chat
	for _, p := range []*person{bob, carol} {
		p.Until("the invitation", func(ev port.Event) bool {
			c, ok := ev.(*port.ChatChanged)
			return ok && c.Chat.Address == room
		})
		p.Must(&port.JoinRoom{Address: room})
	}
	alice.says(room, "for all of you", port.Sent)
	for _, p := range []*person{bob, carol} {
		if m := p.hears(room, "for all of you"); m.Lock.State != port.Locked || m.Sender != alice.Address {
			t.Errorf("%s has %+v", p.Address, m)
		}
	}
	carol.Close()
	bob.says(room, "while carol is away", port.Sent)
	alice.hears(room, "while carol is away")
	carol.Start()
	carol.hears(room, "while carol is away")
	alice.Must(&port.Kick{Room: room, Address: carol.Address})
	alice.Until("two members", func(ev port.Event) bool {
		list := alice.Must(&port.ListMembers{Room: room}).(*port.MemberList)
		return len(list.Members) == 2
	})
	alice.says(room, "without carol", port.Sent)
	bob.hears(room, "without carol")
}

func TestAFileGoesEncryptedAndComesBackWhole(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	want := make([]byte, 1<<20)
	rand.Read(want)
	path := filepath.Join(t.TempDir(), "holiday picture.png")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	id := alice.Must(&port.SendFile{Chat: bob.Address, Path: path, Text: "look"}).(*port.Done).Message
	alice.becomes(id, port.Delivered)
	got := bob.Until("the file", func(ev port.Event) bool {
		m, ok := ev.(*port.MessageChanged)
		return ok && m.Message.File != nil
	}).(*port.MessageChanged).Message
	bob.hears(alice.Address, "look")
	to := filepath.Join(t.TempDir(), "got.png")
	bob.Must(&port.Fetch{Chat: alice.Address, Message: got.ID, Path: to})
	if b, err := os.ReadFile(to); err != nil || !bytes.Equal(b, want) {
		t.Errorf("bob has %d bytes, %v", len(b), err)
	}
}

func TestASecondDeviceReadsWhatItIsSentAndShowsWhatTheOtherSays(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	alice.says(bob.Address, "to one device", port.Delivered)
	tablet := signIn(t, s, "bob")
	bob.Until("being told of the tablet", func(ev port.Event) bool {
		a, ok := ev.(*port.KeyAlert)
		return ok && a.Address == bob.Address
	})
	alice.says(bob.Address, "to two devices", port.Delivered)
	tablet.hears(alice.Address, "to two devices")
	bob.hears(alice.Address, "to two devices")
	tablet.says(alice.Address, "from the tablet", port.Sent)
	if m := bob.hears(alice.Address, "from the tablet"); !m.Mine {
		t.Errorf("the phone has %+v", m)
	}
}
