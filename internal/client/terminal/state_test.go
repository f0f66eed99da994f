package terminal

import (
	"slices"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

func ids(t *talk) (list []string) {
	for _, m := range t.messages {
		list = append(list, m.ID)
	}
	return list
}

func TestLinesStandWhereTheEngineSays(t *testing.T) {
	s := newState()
	const chat = "bob@example.org"
	s.apply(&port.MessageChanged{Message: said("m0", "before any page", time.Hour), New: true})
	if s.talks[chat] != nil {
		t.Fatal("a conversation nobody has opened is kept")
	}
	s.apply(&port.Page{Chat: chat, Messages: []port.Message{said("m3", "c", 3), said("m5", "e", 1)}, More: true})
	s.apply(&port.MessageChanged{Message: said("m4", "late", 2), New: true, After: "m3"})
	s.apply(&port.MessageChanged{Message: said("m6", "new", 0), New: true, After: "m5"})
	s.apply(&port.MessageChanged{Message: said("m1", "older than the page", 9), New: true, After: "m0"})
	s.apply(&port.MessageChanged{Message: said("m4", "edited", 2)})
	if got := ids(s.talks[chat]); !slices.Equal(got, []string{"m3", "m4", "m5", "m6"}) {
		t.Errorf("lines %q", got)
	}
	if m := s.talks[chat].message("m4"); m.Text != "edited" {
		t.Errorf("m4 is %q", m.Text)
	}
	s.apply(&port.Page{Chat: chat, Messages: []port.Message{said("m1", "a", 9), said("m2", "b", 8), said("m3", "c", 3)}})
	if got := ids(s.talks[chat]); !slices.Equal(got, []string{"m1", "m2", "m3", "m4", "m5", "m6"}) || s.talks[chat].more {
		t.Errorf("lines %q, more %v", got, s.talks[chat].more)
	}
	s.apply(&port.MessageChanged{Message: said("m00", "the very first", 99), New: true})
	if got := ids(s.talks[chat]); got[0] != "m00" {
		t.Errorf("lines %q", got)
	}
	s.apply(&port.ChatGone{Address: chat})
	if s.talks[chat] != nil {
		t.Error("a chat that is gone is still there")
	}
}

func TestALineThatComesAgainAtAnotherPlaceIsThereOnce(t *testing.T) {
	s := newState()
	s.apply(&port.Page{Chat: "bob@example.org", Messages: []port.Message{said("a", "", 3), said("b", "", 2), said("c", "", 1)}})
	s.apply(&port.MessageChanged{Message: said("a", "", 0), New: true, After: "c"})
	if got := ids(s.talks["bob@example.org"]); !slices.Equal(got, []string{"b", "c", "a"}) {
		t.Errorf("lines %q", got)
	}
}

func TestTheListIsNewestFirstAndRequestsComeBeforeContacts(t *testing.T) {
	s := newState()
	s.apply(&port.ChatList{Chats: []port.Chat{{Address: "a@x", Active: noon().Add(-time.Hour)}, {Address: "b@x", Active: noon()}}})
	s.apply(&port.ChatChanged{Chat: port.Chat{Address: "c@x", Active: noon().Add(time.Hour), Unread: 2}})
	var got []string
	for _, c := range s.list() {
		got = append(got, c.Address)
	}
	if !slices.Equal(got, []string{"c@x", "b@x", "a@x"}) || s.unread() != 2 {
		t.Errorf("list %q, %d unread", got, s.unread())
	}
	s.apply(&port.ContactList{Contacts: []port.Contact{{Address: "a@x", State: "contact"}, {Address: "z@x", State: "asks"}}})
	if p := s.people(); p[0].Address != "z@x" || len(s.requests()) != 1 {
		t.Errorf("people %v", p)
	}
	s.apply(&port.ContactChanged{Contact: port.Contact{Address: "z@x", State: "none"}})
	if len(s.requests()) != 0 {
		t.Error("who was declined still asks")
	}
}

func TestProgressEndsWithTheTransfer(t *testing.T) {
	s := newState()
	m := said("f", "", 0)
	m.File = &port.File{State: "loading"}
	s.apply(&port.Progress{Message: "f", Done: 1, Total: 2})
	s.apply(&port.MessageChanged{Message: m})
	if _, on := s.progress["f"]; !on {
		t.Error("a file on its way has no progress")
	}
	m.File = &port.File{State: "here"}
	s.apply(&port.MessageChanged{Message: m})
	if _, on := s.progress["f"]; on {
		t.Error("a file that is here is still on its way")
	}
}
