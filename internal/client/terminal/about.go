package terminal

import (
	"strings"
	"time"

	"mirsal/internal/client/port"
)

// newAbout is all that is known of the chosen message.
func newAbout(m *model) sheet {
	msg := m.picked()
	if msg == nil {
		return nil
	}
	chat, id := msg.Chat, msg.ID
	return &reading{name: "About this message", text: func(m *model, w int) []string {
		if now := m.s.talk(chat).message(id); now != nil {
			return m.aboutText(now, w)
		}
		return nil
	}}
}

func (m *model) aboutText(msg *port.Message, w int) (lines []string) {
	add := func(name, words string) {
		if words != "" {
			lines = append(lines, m.pen.field(name+"  "+oneLine(words), w)...)
		}
	}
	lines = append(lines, strings.Repeat(" ", w))
	add("From", m.name(msg.Sender)+" ("+msg.Sender+")")
	add("When", msg.Time.Local().Format(time.RFC1123))
	add("Way", deliveryWords(msg.Delivery))
	add("Why", failureIf(msg))
	lock := lockSign(msg.Lock) + " " + lockShort(msg.Lock)
	if msg.Lock.Why != "" {
		lock += ": " + whyWords(msg.Lock.Why)
	}
	add("Lock", lock)
	if len(msg.Lock.Missing) > 0 {
		add("Not to", strings.Join(msg.Lock.Missing, ", "))
	}
	for _, r := range msg.Reactions {
		var who []string
		for _, w := range r.Who {
			who = append(who, m.name(w))
		}
		add(r.Emoji, strings.Join(who, ", "))
	}
	if f := msg.File; f != nil {
		words := f.Name
		if f.Type != "" {
			words += " · " + f.Type
		}
		if f.Size >= 0 {
			words += " · " + bytesWords(f.Size)
		}
		add("File", words)
		add("Lies at", f.Path)
	}
	lines = append(lines, strings.Repeat(" ", w))
	return append(lines, m.pen.field(clean(msg.Text), w)...)
}

func failureIf(msg *port.Message) string {
	if msg.Delivery != port.Failed {
		return ""
	}
	return failureWords(msg.Failure)
}

func deliveryWords(d port.Delivery) string {
	switch d {
	case port.Pending:
		return "· kept on this device until there is a connection"
	case port.Sent:
		return "✓ the server has it"
	case port.Delivered:
		return "✓✓ a device of the other side has it"
	case port.Read:
		return "✓✓ it was shown on the other side"
	case port.Failed:
		return "✗ not sent"
	}
	return ""
}
