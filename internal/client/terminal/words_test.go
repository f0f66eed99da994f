package terminal

import (
	"strings"
	"testing"

	"mirsal/internal/client/port"
)

// Who has come in is invited no more, neither in the list nor in the conversation.
func TestAnInvitationThatWasTakenInvitesNoMore(t *testing.T) {
	room := port.Chat{Address: "desk@conference.example.org", Name: "Desk", Room: true}
	line := said("m1", "", 0)
	line.Notice, line.Params = "invited", []string{room.Address, "bob@example.org", "Desk"}
	m, _ := begin(t, 90, 24, Options{}, &port.ChatList{Chats: []port.Chat{bob(0, "", line), room}})
	if got := m.messageWords(&line); !strings.Contains(got, "Bob invites you to a room: Desk · choose") {
		t.Error(got)
	}
	room.Joined = true
	m.Update(heard{&port.ChatChanged{Chat: room}})
	if got := m.messageWords(&line); got != "you have entered a room that Bob invited you to: Desk" {
		t.Error(got)
	}
	m.show("bob@example.org")
	page(m, "bob@example.org", false, line)
	m.chosen, m.pane = "m1", choosing
	m.nearest()
	if m.open != room.Address {
		t.Errorf("Enter leads to %q", m.open)
	}
}

func TestProgramsReadTheSameWordsWithoutTheScreensKeys(t *testing.T) {
	for want, msg := range map[string]port.Message{
		"": {Text: "hello"},
		"cannot be read here: it was not encrypted to this device": {Unreadable: "not-for-us"},
		"taken back": {Retracted: true},
		"bob@example.org invites you to a room: Desk":             {Notice: "invited", Params: []string{"d@conference.example.org", "bob@example.org", "Desk"}},
		"many members have come or gone; see who is in this room": {Notice: "members-changed"},
		"carol@example.org is no member of this room any more":    {Notice: "member-removed", Params: []string{"carol@example.org"}},
		"a new kind of line [31m":                                 {Notice: "a new kind of line \x1b[31m"},
	} {
		if got := strings.ReplaceAll(Words(msg), "\uFFFD", ""); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	if got := Why("no-device"); got != "no app that encrypts is signed in there" {
		t.Error(got)
	}
}
