package client

import (
	"testing"

	"mirsal/internal/client/port"
)

func TestANameIsMentionedAsAWordBehindAnAt(t *testing.T) {
	for text, want := range map[string]bool{
		"@sara": true, "hey @Sara, look": true, "(@sara)": true, "@saraali": false, "mail@sara": false, "@sara2": false, "sara": false, "@saraali @sara": true,
		"@sara.": true, "": false, "@": false,
	} {
		if got := mentions(text, "Sara"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if !mentions("يا @سارة، انظري", "سارة") || mentions("@سارةعلي", "سارة") || mentions("@ x", "") {
		t.Error("in Arabic, or without a name")
	}
}

func TestAChatSaysThatOneIsMentionedUntilThatIsRead(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.enter(tea, here(tea, "bob", bob))
		say := func(id, text string) {
			d.gets("<message type='groupchat' from='" + tea + "/bob' id='" + id + "'><body>" + text + "</body></message>")
		}
		say("1", "hello all")
		if d.chat(tea).Mentioned {
			t.Error("nobody was mentioned")
		}
		say("2", "and @me")
		say("3", "that is all")
		if c := d.chat(tea); !c.Mentioned || c.Last.ForMe {
			t.Errorf("the chat is %+v", c)
		}
		d.stop()
		d.start()
		list := d.must(&port.History{Chat: tea, Limit: 9}).(*port.Page).Messages
		if c := d.chat(tea); !c.Mentioned || c.Mention != list[1].ID || !list[1].ForMe {
			t.Errorf("after a restart: %+v", list)
		}
		d.must(&port.MarkRead{Chat: tea, Message: list[2].ID})
		if c := d.chat(tea); c.Mentioned || c.Mention != "" || c.Unread != 0 {
			t.Errorf("when it was read: %+v", c)
		}
	})
}
