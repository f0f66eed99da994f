package terminal

import (
	tea "charm.land/bubbletea/v2"

	"mirsal/internal/client/port"
)

// actions are what the list of actions has, some with keys of their own.
func actions() []binding {
	return append([]binding{
		{"ctrl+f", everywhere | inMenu, "search in all conversations", act(func(m *model) { m.push(newSearch(m)) })},
		{"/", inList | inTalk | inEmpty, "search", act(func(m *model) { m.push(newSearch(m)) })},
		{"ctrl+o", inText | inMenu, "send a file", act(func(m *model) { m.push(newSendFile(m)) })},
		{"ctrl+l", everywhere | inMenu, "the lock: what is encrypted, and what that does not cover", act(func(m *model) { m.push(newLock(m)) })},
		{"ctrl+t", everywhere | inMenu, "keys and devices of this conversation; compare them", act(func(m *model) { m.push(newDevices(m, m.open)) })},
		{"ctrl+g", inText | inMenu, "members of this room", act(func(m *model) { m.push(newMembers(m)) })},
		{"", inMenu, "my devices", act(func(m *model) { m.push(newDevices(m, "")) })},
		{"", inMenu, "link a new device of mine: shows a code", act(func(m *model) { m.push(newLink(m)) })},
		{"", inMenu, "my safety code, as a QR code", act(func(m *model) { m.push(newSafety(m)) })},
		{"", inMenu, "compare: paste somebody's safety code", act(func(m *model) { m.push(newPaste(m, "")) })},
	}, placeActions()...)
}

func placeActions() []binding {
	return []binding{
		{"", inMenu, "people: contacts and requests", act(func(m *model) { m.push(newPeople(m)) })},
		{"", inMenu, "add a contact", act(func(m *model) { m.push(newAddContact(m, "")) })},
		{"", inMenu, "write to somebody", act(func(m *model) { m.push(newWriteTo(m)) })},
		{"", inMenu, "make a room", act(func(m *model) { m.push(newCreateRoom(m)) })},
		{"", inMenu, "enter a room", act(func(m *model) { m.push(newJoinRoom(m, "")) })},
		{"", inMenu, "invite somebody to this room", act(func(m *model) { m.push(newInvite(m)) })},
		{"", inMenu, "leave this room for good", act((*model).askLeave)},
		{"", inMenu, "switch this conversation's encryption off, or on again", act((*model).switchEncryption)},
		{"", inMenu, "block this person, or unblock", act((*model).switchBlock)},
		{"", inMenu, "bell at new messages: on or off", act((*model).switchBell)},
		{"", inMenu, "right-to-left text put in order here, or by the terminal", act((*model).switchBidi)},
		{"", inMenu, "link this device to one that is signed in, by its code", act(func(m *model) { m.push(newJoin(m)) })},
		{"", inMenu, "sign in again", act(func(m *model) { m.push(newLogin(m)) })},
		{"", inMenu, "sign out: take this device off the account", act((*model).askSignOut)},
	}
}

// newMenu is the list of actions, to be narrowed by typing.
func newMenu(m *model) sheet {
	p := &pick{name: "Actions", hint: "type to narrow · Enter does it", filter: m.field()}
	for _, b := range append(actions(), generalKeys()...) { // to quit comes last: Enter alone must not
		if b.where&inMenu == 0 {
			continue
		}
		aside := ""
		if b.keys != "" {
			aside = shown(b.keys)
		}
		p.rows = append(p.rows, row{text: m.t(b.what), aside: aside, do: func(m *model) tea.Cmd {
			m.pop()
			return b.do(m)
		}})
	}
	return p
}

func (m *model) room() (port.Chat, bool) {
	c := m.s.chat(m.open)
	return c, m.open != "" && c.Room
}

func (m *model) askLeave() {
	c, ok := m.room()
	if !ok {
		m.say("no room is open")
		return
	}
	m.push(&question{text: m.tf("Leave %s for good? What was said there goes from this device.", m.name(c.Address)), yes: func(m *model) {
		m.try(&port.LeaveRoom{Address: c.Address}, "")
	}})
}

func (m *model) askSignOut() {
	m.push(&question{text: "Sign out? This device is taken off the account; the history stays in the profile's folder.", yes: func(m *model) {
		m.try(&port.SignOut{Forget: true}, "signed out")
	}})
}

func (m *model) switchEncryption() {
	if m.open == "" {
		m.say("no conversation is open")
		return
	}
	chat := m.open
	if m.s.chat(chat).Lock.State == port.Open {
		m.try(&port.SetEncryption{Chat: chat, On: true}, "encrypted again")
		return
	}
	m.push(&question{text: m.tf("Send to %s unencrypted from now on? The servers on the way can read it then, and keep it.", m.name(chat)), yes: func(m *model) {
		m.try(&port.SetEncryption{Chat: chat}, "not encrypted from now on")
	}})
}

func (m *model) switchBlock() {
	c := m.s.chat(m.open)
	if m.open == "" || c.Room {
		m.say("no person's conversation is open")
		return
	}
	if c.Blocked {
		m.try(&port.Block{Address: c.Address}, "unblocked")
		return
	}
	m.push(&question{text: m.tf("Block %s? You hear nothing of them any more, and they see you offline.", m.name(c.Address)), yes: func(m *model) {
		m.try(&port.Block{Address: c.Address, On: true}, "blocked")
	}})
}

func (m *model) switchBell() {
	m.bell = !m.bell
	if m.bell {
		m.say("the bell rings at new messages")
		return
	}
	m.say("the bell is off")
}

func (m *model) switchBidi() {
	m.pen.reads = !m.pen.reads
	m.box.pen = m.pen
	m.o.Bidi = "off"
	if m.pen.reads {
		m.o.Bidi = "on"
		m.say("right-to-left text is put in order here")
		return
	}
	m.say("right-to-left text is put in order by the terminal")
}
