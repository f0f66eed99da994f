package engine

import (
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// person is one account on one device.
type person struct {
	*device.Local
	t *testing.T
}

// signIn opens a new profile on a new device.
func signIn(t *testing.T, s *device.Server, name string) *person {
	t.Helper()
	p := open(t, s, name, t.TempDir())
	p.SignIn(s.C2S)
	return p
}

// open starts the engine of a folder.
func open(t *testing.T, s *device.Server, name, folder string) *person {
	t.Helper()
	return &person{device.NewLocal(t, s, name, name+"@"+device.Domain, folder), t}
}

// hears waits for a message with this text and returns it.
func (p *person) hears(chat, text string) port.Message {
	p.t.Helper()
	return p.Message("the message "+text, func(m port.Message) bool { return m.Chat == chat && m.Text == text })
}

// says sends a message and waits until it has come as far as wanted.
func (p *person) says(chat, text string, want port.Delivery) string {
	p.t.Helper()
	id := p.Must(&port.Send{Chat: chat, Text: text}).(*port.Done).Message
	p.becomes(id, want)
	return id
}

func (p *person) becomes(id string, want port.Delivery) port.Message {
	p.t.Helper()
	return p.changed(id, "the message being "+string(want), func(m port.Message) bool {
		if m.Delivery == port.Failed && want != port.Failed {
			p.t.Fatalf("%s: the message failed: %s", p.Name, m.Failure)
		}
		return m.Delivery == want
	})
}

// changed waits for one message being as wanted.
func (p *person) changed(id, what string, right func(port.Message) bool) port.Message {
	p.t.Helper()
	return p.Message(what, func(m port.Message) bool { return m.ID == id && right(m) })
}

func (p *person) history(chat string) []port.Message {
	p.t.Helper()
	return p.Must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages
}

// meet makes two people contacts.
func meet(a, b *person) {
	a.t.Helper()
	a.Must(&port.AddContact{Address: b.Address})
	b.Until("being asked", func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == a.Address && c.Contact.State == "asks"
	})
	b.Must(&port.AddContact{Address: a.Address})
	a.Until("being a contact", func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == b.Address && c.Contact.State == "contact" && c.Contact.Online
	})
}
