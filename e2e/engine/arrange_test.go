package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

func TestARoomHasANameAWordAndAPictureForAllItsMembers(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	room := alice.Must(&port.CreateRoom{Name: "tea", Members: []string{bob.Address}}).(*port.Done).Chat
	bob.Must(&port.JoinRoom{Address: room})
	name, about, picture := "Tea at five", "every day", append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte("pixel"), 2000)...)
	alice.Must(&port.SetRoom{Room: room, Name: &name, Description: &about, Picture: picture})
	details := func(p *person, right func(*port.RoomDetails) bool) {
		p.t.Helper()
		if now := p.Must(&port.RoomInfo{Room: room}).(*port.RoomDetails); !right(now) {
			p.Until("the room's details", func(ev port.Event) bool {
				d, ok := ev.(*port.RoomDetails)
				return ok && right(d)
			})
		}
	}
	details(bob, func(d *port.RoomDetails) bool {
		return d.Name == name && d.Description == about && d.Avatar != "" && d.Role == "member" && !d.MayChange
	})
	if p := bob.Must(&port.Avatar{Address: room}).(*port.Picture); !bytes.Equal(p.Data, picture) {
		t.Errorf("bob's picture of the room has %d bytes", len(p.Data))
	}
	alice.Must(&port.SetRole{Room: room, Address: bob.Address, Role: "admin"})
	details(bob, func(d *port.RoomDetails) bool { return d.Role == "admin" && d.MayInvite && !d.MayChange })
	if _, err := bob.Call(t.Context(), &port.DestroyRoom{Room: room}); err == nil {
		t.Error("an admin has ended the room")
	}
	alice.Must(&port.DestroyRoom{Room: room})
}

func TestWhatIsDeletedForOneselfStaysSoThroughARestart(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	for _, text := range []string{"one", "two", "three"} {
		alice.says(bob.Address, text, port.Sent)
		bob.hears(alice.Address, text)
	}
	bob.Must(&port.DeleteForMe{Chat: alice.Address, Messages: []string{bob.history(alice.Address)[1].ID}})
	bob.Close()
	alice.says(bob.Address, "four", port.Sent)
	bob.Start()
	bob.Synced()
	bob.Must(&port.Forward{Chat: alice.Address, Message: bob.history(alice.Address)[0].ID, To: []string{alice.Address}})
	alice.hears(bob.Address, "one")
	var texts []string
	for _, m := range bob.history(alice.Address) {
		texts = append(texts, m.Text)
	}
	if len(texts) != 4 || texts[0] != "one" || texts[1] != "three" || texts[2] != "four" {
		t.Errorf("bob has %q", texts)
	}
	if mine := alice.history(bob.Address); len(mine) < 4 || mine[1].Text != "two" {
		t.Error("alice has lost hers")
	}
}

func TestAFileIsForwardedWithoutAnotherUpload(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob", "carol"})
	alice, bob, carol := signIn(t, s, "alice"), signIn(t, s, "bob"), signIn(t, s, "carol")
	meet(alice, bob)
	meet(bob, carol)
	path := filepath.Join(t.TempDir(), "note.ogg")
	sound := bytes.Repeat([]byte("hum"), 500)
	if err := os.WriteFile(path, sound, 0o600); err != nil {
		t.Fatal(err)
	}
	media := port.Media{Duration: 4200, Waveform: []byte{1, 99, 200}}
	alice.Must(&port.SendFile{Chat: bob.Address, Path: path, Type: "audio/ogg", Media: media})
	arrives := func(p *person, chat string) port.Message {
		return p.Until("the voice note", func(ev port.Event) bool {
			m, ok := ev.(*port.MessageChanged)
			return ok && m.Message.Chat == chat && m.Message.File != nil
		}).(*port.MessageChanged).Message
	}
	m := arrives(bob, alice.Address)
	bob.Must(&port.Fetch{Chat: alice.Address, Message: m.ID, Path: filepath.Join(t.TempDir(), "first.ogg")})
	told := func(who string, f *port.File) {
		if f.Name != "note.ogg" || f.Type != "audio/ogg" || f.Duration != 4200 || !bytes.Equal(f.Waveform, media.Waveform) {
			t.Errorf("%s is told of %+v", who, f)
		}
	}
	told("bob", m.File)
	bob.Must(&port.Forward{Chat: alice.Address, Message: m.ID, To: []string{carol.Address}})
	m = arrives(carol, bob.Address)
	told("carol", m.File)
	to := filepath.Join(t.TempDir(), "here.ogg")
	carol.Must(&port.Fetch{Chat: bob.Address, Message: m.ID, Path: to})
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, sound) {
		t.Errorf("carol has %d bytes, %v", len(got), err)
	}
}
