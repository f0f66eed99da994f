package terminal

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"mirsal/internal/client/port"
)

// newPeople lists contacts, and who asks to be one.
func newPeople(m *model) sheet {
	p := &pick{name: "People", hint: "Enter write · a add · d remove · b block", empty: "Nobody yet. a adds a contact by address."}
	p.fill = func(m *model) (rows []row) {
		for _, c := range m.s.people() {
			rows = append(rows, row{text: contactLine(c), aside: contactAside(c), value: c, do: act(func(m *model) { m.openPerson(c) })})
		}
		return rows
	}
	p.keys = func(m *model, key string, r *row) bool {
		if key == "a" {
			m.push(newAddContact(m, ""))
			return true
		}
		if r == nil {
			return false
		}
		return m.personKey(key, r.value.(port.Contact))
	}
	return p
}

func contactLine(c port.Contact) string {
	if name := oneLine(c.Name); name != "" && name != c.Address {
		return name + "  " + c.Address
	}
	return c.Address
}

func contactAside(c port.Contact) string {
	switch {
	case c.Blocked:
		return "blocked"
	case c.State == "asks":
		return "asks to be a contact"
	case c.State == "asked":
		return "asked, not answered yet"
	case c.Online:
		return "online"
	}
	return ""
}

func (m *model) openPerson(c port.Contact) {
	if c.State == "asks" {
		m.push(newRequest(m, c.Address))
		return
	}
	m.sheets = nil
	m.show(c.Address)
}

func (m *model) personKey(key string, c port.Contact) bool {
	switch key {
	case "d", "delete":
		m.push(&question{text: "Remove " + contactName(c) + " from the contacts? Neither sees any more when the other is online.", yes: func(m *model) {
			m.try(&port.RemoveContact{Address: c.Address}, "removed")
		}})
	case "b":
		m.try(&port.Block{Address: c.Address, On: !c.Blocked}, "done")
	default:
		return false
	}
	return true
}

// newRequest asks what to answer somebody who wants to be a contact.
func newRequest(m *model, who string) sheet {
	answer := func(c port.Command, done string, then func(m *model)) func(*model) tea.Cmd {
		return act(func(m *model) {
			m.pop()
			m.ask(c, func(ev port.Event) {
				if f := port.FailureOf(ev); f != nil {
					m.fail(f)
					return
				}
				m.say("%s", done)
				if then != nil {
					then(m)
				}
			})
		})
	}
	return &pick{name: who + " asks to be a contact", hint: "Enter does it", rows: []row{
		{text: "Accept", more: []string{"you see when the other is online, and write to each other"}, do: answer(&port.AddContact{Address: who}, "accepted", func(m *model) { m.sheets = nil; m.show(who) })},
		{text: "Decline", more: []string{"the other is told nothing else"}, do: answer(&port.RemoveContact{Address: who}, "declined", nil)},
		{text: "Decline and block", more: []string{"nothing comes from there any more"}, do: answer(&port.RemoveContact{Address: who}, "declined and blocked", func(m *model) {
			m.try(&port.Block{Address: who, On: true}, "")
		})},
	}}
}

// newAddContact asks somebody to become a contact.
func newAddContact(m *model, address string) sheet {
	f := m.newForm("Add a contact", "They are asked; when they accept, each sees when the other is online.", "Address, like bob@example.org", "Name  (empty: as the address)")
	f.entries[0].box.set(address)
	f.submit = func(m *model, values []string) {
		m.ask(&port.AddContact{Address: values[0], Name: values[1]}, func(ev port.Event) {
			if failure := port.FailureOf(ev); failure != nil {
				f.problem = failure.Text
				return
			}
			m.sheets = nil
			m.show(ev.(*port.Done).Chat)
			m.say("%s was asked", values[0])
		})
	}
	return f
}

// newWriteTo opens a conversation with an address.
func newWriteTo(m *model) sheet {
	f := m.newForm("Write to", "", "Address of a person or of a room")
	f.entries[0].complete = func(text string) (string, []string) { return completeName(text, m.known()) }
	f.submit = func(m *model, values []string) {
		name, host, ok := strings.Cut(strings.ToLower(values[0]), "@")
		if !ok || name == "" || host == "" || strings.ContainsAny(values[0], " /") {
			f.problem = "That is no address like bob@example.org."
			return
		}
		m.sheets = nil
		m.show(name + "@" + host)
	}
	return f
}

// known is the addresses that can be completed.
func (m *model) known() (list []string) {
	for _, c := range m.s.people() {
		list = append(list, c.Address)
	}
	for _, c := range m.s.list() {
		if c.Room {
			list = append(list, c.Address)
		}
	}
	return list
}

// completeName completes a text to what all names have in common that begin with it.
func completeName(text string, names []string) (string, []string) {
	var fit []string
	for _, n := range names {
		if strings.HasPrefix(n, text) {
			fit = append(fit, n)
		}
	}
	switch len(fit) {
	case 0:
		return text, nil
	case 1:
		return fit[0], nil
	}
	return commonStart(fit), fit[:min(len(fit), 8)]
}

// commonStart is the beginning that all have in common.
func commonStart(list []string) string {
	begin := list[0]
	for _, s := range list[1:] {
		for !strings.HasPrefix(s, begin) {
			begin = begin[:len(begin)-1]
		}
	}
	return strings.ToValidUTF8(begin, "")
}
