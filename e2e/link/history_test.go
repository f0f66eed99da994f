package link

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	here "mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// line is what a person sees of a message, and what it points at.
func (d *device) pageOf(chat string) (out []string) {
	d.t.Helper()
	for _, m := range d.Must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages {
		m.Lock = port.Lock{}
		if m.File != nil {
			f := *m.File
			f.State, f.Path = "", ""
			m.File = &f
		}
		raw, err := json.Marshal(m)
		if err != nil {
			d.t.Fatal(err)
		}
		out = append(out, string(raw))
	}
	return out
}

// find is the ID of the line with a text.
func (d *device) find(chat, text string) string {
	d.t.Helper()
	for _, m := range d.Must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages {
		if m.Text == text {
			return m.ID
		}
	}
	d.t.Fatalf("%s has no %q", d.label, text)
	return ""
}

func (d *device) again() {
	d.t.Helper()
	d.Close()
	d.Start()
	d.Synced()
}

// lively is a conversation with all that a line can be.
func lively(t *testing.T, phone, b *device) {
	t.Helper()
	answer := func(d *device, chat, to, text string) {
		id := d.Must(&port.Send{Chat: chat, Text: text, ReplyTo: d.find(chat, to)}).(*port.Done).Message
		until(d, func(m *port.MessageChanged) bool { return m.Message.ID == id && m.Message.Delivery != port.Pending })
	}
	for i := range 3 {
		phone.again()
		phone.says(bob, fmt.Sprint("from another run ", i))
		b.hears(fmt.Sprint("from another run ", i))
	}
	phone.says(bob, "one")
	b.hears("one")
	b.says(alice, "two")
	phone.hears("two")
	answer(phone, bob, "two", "to two")
	b.hears("to two")
	answer(b, alice, "one", "to one")
	phone.hears("to one")
	answer(phone, bob, "one", "to myself")
	b.hears("to myself")
	phone.Must(&port.React{Chat: bob, Message: phone.find(bob, "two"), Emoji: []string{"👍"}})
	b.Must(&port.React{Chat: alice, Message: b.find(alice, "one"), Emoji: []string{"❤"}})
	until(phone, func(m *port.MessageChanged) bool { return m.Message.Text == "one" && len(m.Message.Reactions) == 1 })
	until(b, func(m *port.MessageChanged) bool { return m.Message.Text == "two" && len(m.Message.Reactions) == 1 })
	phone.says(bob, "wrnog")
	b.hears("wrnog")
	phone.Must(&port.Send{Chat: bob, Text: "right", Corrects: phone.find(bob, "wrnog")})
	b.hears("right")
	phone.says(bob, "never said")
	b.hears("never said")
	phone.Must(&port.Retract{Chat: bob, Message: phone.find(bob, "never said")})
	until(b, func(m *port.MessageChanged) bool { return m.Message.Retracted })
	b.says(alice, "last")
	phone.hears("last")
}

func TestTheHistoryOfALinkedDeviceIsThatOfTheOldOne(t *testing.T) {
	s := here.Serve(t, []string{"alice", "bob"})
	phone, b := signIn(t, s, "alice", "phone"), signIn(t, s, "bob", "bob's")
	phone.Must(&port.AddContact{Address: bob})
	until(b, func(c *port.ContactChanged) bool { return c.Contact.State == "asks" })
	b.Must(&port.AddContact{Address: alice})
	lively(t, phone, b)
	tablet := empty(t, s, "tablet")
	joined := tablet.begin(&port.LinkJoin{Code: phone.shows(), Label: "tablet"})
	phone.asked()
	phone.Must(&port.LinkConfirm{Accept: true})
	if f := <-joined; f != nil {
		t.Fatal(f)
	}
	same := func(when string) {
		t.Helper()
		tablet.Synced()
		old, young := phone.pageOf(bob), tablet.pageOf(bob)
		for _, l := range old {
			if !slices.Contains(young, l) {
				t.Errorf("%s, missing or another: %s", when, l)
			}
		}
		for _, l := range young {
			if !slices.Contains(old, l) {
				t.Errorf("%s, only there: %s", when, l)
			}
		}
		if len(old) != len(young) {
			t.Errorf("%s: %d lines, %d there", when, len(old), len(young))
		}
	}
	same("at once")
	tablet.again()
	same("after a restart")
	phone.again()
	tablet.again()
	same("after both began anew")
}
