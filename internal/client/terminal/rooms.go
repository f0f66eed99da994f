package terminal

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"mirsal/internal/client/port"
)

// newCreateRoom makes a private room.
func newCreateRoom(m *model) sheet {
	f := m.newForm("Make a room", "A room is private and encrypted: only its members enter, and they see who is in it.", "Name", "Members: addresses, with blanks between  (empty: nobody yet)")
	f.entries[1].complete = func(text string) (string, []string) {
		i := strings.LastIndex(text, " ") + 1
		more, choices := completeName(text[i:], m.known())
		return text[:i] + more, choices
	}
	f.submit = func(m *model, values []string) {
		if values[0] == "" {
			f.problem, f.at = "A name is needed.", 0
			return
		}
		members := strings.FieldsFunc(values[1], func(r rune) bool { return r == ' ' || r == ',' })
		m.say("making the room …")
		m.ask(&port.CreateRoom{Name: values[0], Members: members}, m.entered(f))
	}
	return f
}

// entered opens the room that an answer names, or says in the form what was wrong.
func (m *model) entered(f *form) func(port.Event) {
	return func(ev port.Event) {
		m.note = note{}
		if failure := port.FailureOf(ev); failure != nil {
			f.problem = failure.Text
			return
		}
		if done, ok := ev.(*port.Done); ok && done.Chat != "" {
			m.sheets = nil
			m.show(done.Chat)
		}
	}
}

// newJoinRoom enters a room.
func newJoinRoom(m *model, address string) sheet {
	f := m.newForm("Enter a room", "", "Address, like desk@conference.example.org", "Your name there  (empty: as your address)")
	f.entries[0].box.set(address)
	f.submit = func(m *model, values []string) {
		m.say("entering …")
		m.ask(&port.JoinRoom{Address: values[0], Nick: values[1]}, m.entered(f))
	}
	return f
}

// newAccept enters a room that one was invited to.
func (m *model) newAccept(params []string) sheet {
	f := newJoinRoom(m, params[0]).(*form)
	f.at = 1 // the address is known
	if len(params) > 2 && params[2] != "" {
		f.intro = "You are invited to: " + oneLine(params[2])
	}
	return f
}

// newInvite invites somebody to the open room.
func newInvite(m *model) sheet {
	c, ok := m.room()
	if !ok {
		m.say("no room is open")
		return nil
	}
	f := m.newForm(m.tf("Invite to %s", m.name(c.Address)), "They become a member, and can read what is written from then on.", "Address, like bob@example.org")
	f.entries[0].complete = func(text string) (string, []string) { return completeName(text, m.known()) }
	f.submit = func(m *model, values []string) {
		m.ask(&port.Invite{Room: c.Address, Address: values[0]}, func(ev port.Event) {
			if failure := port.FailureOf(ev); failure != nil {
				f.problem = failure.Text
				return
			}
			m.pop()
			m.say("%s was invited", values[0])
		})
	}
	return f
}

// newMembers lists who is in the open room.
func newMembers(m *model) sheet {
	c, ok := m.room()
	if !ok {
		m.say("no room is open")
		return nil
	}
	p := &pick{name: "Members of " + m.name(c.Address), hint: "Enter write · i invite · d remove", empty: "…"}
	ask := func(m *model) {
		m.ask(&port.ListMembers{Room: c.Address}, func(ev port.Event) {
			if f := port.FailureOf(ev); f != nil {
				m.fail(f)
				return
			}
			p.rows = nil
			for _, member := range ev.(*port.MemberList).Members {
				p.rows = append(p.rows, memberRow(m, member))
			}
		})
	}
	p.keys = func(m *model, key string, r *row) bool {
		switch {
		case key == "i":
			m.push(newInvite(m))
		case key == "d" && r != nil:
			m.askKick(c.Address, r.value.(port.Member), ask)
		default:
			return false
		}
		return true
	}
	ask(m)
	return p
}

func memberRow(m *model, member port.Member) row {
	text := oneLine(member.Nick)
	if member.Address != "" && text != "" {
		text += "  "
	}
	aside := member.Role
	if aside == "none" {
		aside = ""
	}
	if member.Here {
		aside = strings.TrimSpace(aside + " · here")
	}
	r := row{text: text + member.Address, aside: strings.TrimPrefix(aside, "· "), value: member}
	if member.Address != "" && member.Address != m.s.status.Address {
		r.do = func(m *model) tea.Cmd {
			m.sheets = nil
			m.show(member.Address)
			return nil
		}
	}
	return r
}

func (m *model) askKick(room string, member port.Member, then func(m *model)) {
	if member.Address == "" {
		m.say("the room hides who that is")
		return
	}
	m.push(&question{text: "Take the membership of " + member.Address + " away? They cannot read what is written from then on.", yes: func(m *model) {
		m.ask(&port.Kick{Room: room, Address: member.Address}, func(ev port.Event) {
			if f := port.FailureOf(ev); f != nil {
				m.fail(f)
				return
			}
			then(m)
		})
	}})
}
