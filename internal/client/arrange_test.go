package client

import (
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

func (d *desk) chat(address string) port.Chat {
	d.t.Helper()
	for _, c := range d.must(&port.ListChats{}).(*port.ChatList).Chats {
		if c.Address == address {
			return c
		}
	}
	return port.Chat{}
}

func plainFrom(who, id, text string) string {
	return "<message from='" + who + "/phone' type='chat' id='" + id + "'><body>" + text + "</body></message>"
}

func TestHowAChatStandsIsKeptAndTold(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets(plainFrom(bob, "1", "hello"))
		d.must(&port.Pin{Chat: bob, On: true})
		d.must(&port.Mute{Chat: bob, On: true, Until: time.Now().Add(time.Hour)})
		d.must(&port.KeepDraft{Chat: bob, Draft: port.Draft{Text: "dear bob"}})
		d.must(&port.PinMessage{Chat: bob, Message: d.chat(bob).Last.ID, On: true})
		d.stop()
		d.start()
		c := d.chat(bob)
		if c.Pinned.IsZero() || c.Muted.IsZero() || c.Draft == nil || c.Draft.Text != "dear bob" || len(c.Pins) != 1 {
			t.Errorf("the chat is %+v", c)
		}
		time.Sleep(2 * time.Hour)
		d.must(&port.Pin{Chat: bob})
		d.must(&port.KeepDraft{Chat: bob})
		if c := d.chat(bob); !c.Pinned.IsZero() || !c.Muted.IsZero() || c.Draft != nil {
			t.Errorf("the chat is %+v", c)
		}
		d.must(&port.Mute{Chat: bob, On: true})
		if c := d.chat(bob); c.Muted.Year() != 9999 {
			t.Errorf("it is muted until %v", c.Muted)
		}
		if f := port.FailureOf(d.do(&port.Pin{Chat: eve, On: true})[0]); f == nil || f.Code != port.NoSuchChat {
			t.Errorf("a chat that is none: %v", f)
		}
	})
}

func TestAnArchivedChatComesBackByWhatIsNewUnlessItIsMuted(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets(plainFrom(bob, "1", "hello"))
		time.Sleep(time.Second)
		d.must(&port.Archive{Chat: bob, On: true})
		if !d.chat(bob).Archived {
			t.Error("it is not put away")
		}
		time.Sleep(time.Second)
		d.gets(plainFrom(bob, "2", "there?"))
		if d.chat(bob).Archived {
			t.Error("it is still away")
		}
		d.must(&port.Mute{Chat: bob, On: true})
		time.Sleep(time.Second)
		d.must(&port.Archive{Chat: bob, On: true})
		d.gets(plainFrom(bob, "3", "hey"))
		if !d.chat(bob).Archived {
			t.Error("a muted chat came back")
		}
	})
}

func TestDeletingForOneselfTellsNobodyAndLeavesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets(plainFrom(bob, "1", "secret-77"), plainFrom(bob, "2", "other"))
		first := d.must(&port.History{Chat: bob, Limit: 10}).(*port.Page).Messages[0]
		d.must(&port.PinMessage{Chat: bob, Message: first.ID, On: true})
		d.take("")
		d.must(&port.DeleteForMe{Chat: bob, Messages: []string{first.ID, first.ID}})
		same(t, "the chat", d.lines(bob), "other")
		if found := d.find("secret-77"); len(found) > 0 {
			t.Errorf("it is still in %v", found)
		}
		if c := d.chat(bob); len(c.Pins) > 0 || len(d.take("<message")) > 0 {
			t.Errorf("the chat is %+v", c)
		}
		d.must(&port.ClearChat{Chat: bob})
		same(t, "the chat", d.lines(bob))
		d.must(&port.ClearChat{Chat: bob, Remove: true})
		if d.chat(bob).Address != "" {
			t.Error("it is still on the list")
		}
		d.gets(plainFrom(bob, "3", "back"))
		same(t, "the chat", d.lines(bob), "back")
	})
}

func TestNothingIsClearedThatNobodyCouldHaveSeen(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets(plainFrom(bob, "1", "hello"))
		d.engine.synced = false
		if f := port.FailureOf(d.do(&port.ClearChat{Chat: bob})[0]); f == nil || f.Code != port.Unreachable {
			t.Errorf("answered by %v", f)
		}
		d.engine.synced = true
	})
}

func TestForwardingEncryptsAnewForWhomItGoesTo(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p, q := d.peer(bob), d.peer("carol@example.org")
		d.befriend(bob)
		d.befriend("carol@example.org")
		link := "aesgcm://files.example.org/a/b.jpg#" + strings.Repeat("ab", 44)
		d.gets(p.says("a word", "from='"+bob+"/phone' type='chat' id='1'", ""), p.says(link, "from='"+bob+"/phone' type='chat' id='2'", ""))
		d.take("")
		for _, m := range d.must(&port.History{Chat: bob, Limit: 10}).(*port.Page).Messages {
			d.must(&port.Forward{Chat: bob, Message: m.ID, To: []string{"carol@example.org"}})
		}
		sent := d.take("carol")
		if len(sent) != 2 || strings.Contains(strings.Join(sent, ""), "a word") {
			t.Fatalf("sent: %q", sent)
		}
		for i, want := range []string{"a word", link} {
			if got, err := q.reads(sent[i]); err != nil || got != want {
				t.Errorf("carol reads %q, %v", got, err)
			}
		}
		last := d.chat("carol@example.org").Last
		if !last.Forwarded || last.File == nil || last.File.Name != "b.jpg" {
			t.Errorf("the line is %+v", last)
		}
		if f := port.FailureOf(d.do(&port.Forward{Chat: bob, Message: "m-none", To: []string{bob}})[0]); f == nil || f.Code != port.NoSuchMessage {
			t.Errorf("a message that is none: %v", f)
		}
	})
}

func TestAFileIsForwardedWithItsCaptionAndItsAlbum(t *testing.T) {
	withFiles(t, func(t *testing.T, d *desk, k *disk, p *peer) {
		q := d.peer("carol@example.org")
		d.befriend(bob)
		d.befriend("carol@example.org")
		id := d.must(&port.SendFile{Chat: bob, Path: "/x.png", Text: "a cat", Media: port.Media{Album: "a1b2"}}).(*port.Done).Message
		k.put <- nil
		d.wait()
		d.take("")
		d.must(&port.Forward{Chat: bob, Message: id, To: []string{"carol@example.org"}})
		d.wait()
		if got := q.texts(d.takeTo("carol@example.org")); len(got) != 2 || !strings.HasPrefix(got[0], "aesgcm://") || got[1] != "a cat" {
			t.Errorf("carol has %q", got)
		}
		said := d.must(&port.History{Chat: "carol@example.org", Limit: 5}).(*port.Page).Messages
		if len(said) != 2 || said[0].File == nil || said[0].File.Caption != said[1].ID || said[0].File.Album != "a1b2" || !said[1].Forwarded {
			t.Errorf("the lines are %+v", said)
		}
		first := d.must(&port.History{Chat: bob, Limit: 5}).(*port.Page).Messages
		if first[0].File.Caption != first[1].ID {
			t.Error("the caption is that of the file that was forwarded no more")
		}
	})
}

func TestTheAddressOfAFileThatCameOpenIsNotShownBesideTheEncryptedOne(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		q := d.peer("carol@example.org")
		d.befriend(bob)
		d.befriend("carol@example.org")
		link := "https://files.example.org/private/b.jpg"
		d.gets("<message from='" + bob + "/phone' type='chat' id='1'><body>" + link + "</body><x xmlns='jabber:x:oob'><url>" + link + "</url></x></message>")
		d.take("")
		m := d.must(&port.History{Chat: bob, Limit: 10}).(*port.Page).Messages[0]
		d.must(&port.Forward{Chat: bob, Message: m.ID, To: []string{"carol@example.org"}})
		sent := d.take("carol")
		if len(sent) != 1 || strings.Contains(sent[0], "files.example.org") {
			t.Fatalf("sent: %q", sent)
		}
		if got, err := q.reads(sent[0]); err != nil || got != link {
			t.Errorf("carol reads %q, %v", got, err)
		}
	})
}

func TestStarsAreListed(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.gets(plainFrom(bob, "1", "one"), plainFrom(bob, "2", "two"))
		id := d.chat(bob).Last.ID
		d.must(&port.Star{Chat: bob, Message: id, On: true})
		if found := d.must(&port.ListStarred{Limit: 5}).(*port.Found).Messages; len(found) != 1 || found[0].ID != id {
			t.Errorf("found %+v", found)
		}
	})
}
