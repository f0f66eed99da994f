package terminal

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"mirsal/internal/client/port"
)

// This file is what the server knows of devices: what they sign in by, where a new one is,
// and which one waits until it may come in.

// accessRow is a client that has access to the account and names no keys of its own, which
// those of other makers never do.
func accessRow(m *model, a port.Access) row {
	text := cmp.Or(oneLine(a.Name), oneLine(a.Software), m.t("a program"))
	if a.Here {
		text += m.t(" (this one)")
	}
	return row{text: text, aside: m.t("its keys are not known"), more: accessWords(m, a), value: a}
}

// accessWords says since when a client has access, when it was here last, and what it signs in by.
func accessWords(m *model, a port.Access) (lines []string) {
	first := slices.DeleteFunc([]string{oneLine(a.Software), m.lastSeen(a)}, func(s string) bool { return s == "" })
	if len(first) > 0 {
		lines = append(lines, strings.Join(first, " · "))
	}
	var second []string
	if !a.First.IsZero() {
		second = append(second, m.tf("signed in first on %s", a.First.Local().Format(time.DateOnly)))
	}
	for _, by := range a.By {
		switch by {
		case "password":
			second = append(second, m.t("by password"))
		case "token":
			second = append(second, m.t("by a token"))
		}
	}
	if len(second) > 0 {
		lines = append(lines, strings.Join(second, " · "))
	}
	return lines
}

func (m *model) lastSeen(a port.Access) string {
	switch {
	case a.Online:
		return m.t("online")
	case a.Last.IsZero():
		return ""
	}
	return m.tf("last here %s", a.Last.Local().Format("2006-01-02 15:04"))
}

// accessKey is a key on such a client's row.
func (m *model) accessKey(key string, a port.Access, then func(m *model)) bool {
	if key != "d" || a.Here {
		return false
	}
	m.push(&question{text: "End what this program signs in by? It is out at once. If it has keys of its own, they stand above and are taken off by themselves.", yes: func(m *model) {
		m.remove(&port.RemoveDevice{Client: a.Client}, then)
	}})
	return true
}

// remove takes a device off the account. Part of it may be done when the server refuses the
// rest, so the list is asked for again in either case.
func (m *model) remove(c *port.RemoveDevice, then func(m *model)) {
	m.ask(c, func(ev port.Event) {
		if f := port.FailureOf(ev); f != nil {
			m.fail(f)
		}
		then(m)
	})
}

// where says in which part of the internet the server sees a new device, in a sentence of its
// own behind others; nothing where it does not say so. What is not a network is nothing either:
// a server must not put words here.
func (m *model) where(e *port.LinkAsked) string {
	network, err := netip.ParsePrefix(e.Network)
	switch {
	case err != nil:
		return ""
	case e.Same:
		return " " + m.tf("The server sees it in the network that this device is in, too (%s).", network)
	}
	return " " + m.tf("The server sees it in the network %s, and this device in another one, as with a telephone's own network, or with somebody far away.", network)
}

// linkedWords tells of a device that another one of one's own has let in.
func (m *model) linkedWords(a port.KeyAlert) string {
	return m.tf("Another device of yours has let in “%s”. If that was not you, take it off: Ctrl-K, my devices.", oneLine(a.Label))
}

// linked tells of a device that was let in, and has it refused as long as it waits. The form lies
// itself over what one is typing, so a word is asked for and not a key.
func (m *model) linked(a port.KeyAlert) {
	if a.Link == "" {
		m.say("%s", m.linkedWords(a))
		return
	}
	f := m.newForm("A device was let in", m.tf("Another device of yours has let in one that calls itself “%s”. It can READ AND WRITE ALL YOUR MESSAGES from %s on. If that was you, press Esc. If not, it can be refused here until then.", oneLine(a.Label), m.clock(a.Until)), "To refuse it, write: refuse")
	f.submit = func(m *model, values []string) {
		if word := strings.ToLower(values[0]); word != "refuse" && word != m.t("refuse") {
			f.problem = "That is not the word. Esc leaves it as it is: it will be let in."
			return
		}
		m.ask(&port.LinkConfirm{Link: a.Link}, func(ev port.Event) {
			if failure := port.FailureOf(ev); failure != nil {
				f.problem = failure.Text
				return
			}
			m.drop(f)
			m.say("it was not let in")
		})
	}
	m.push(f)
}

// clock is a time of day, with the day where that is another one.
func (m *model) clock(t time.Time) string {
	t = t.Local()
	if t.Format(time.DateOnly) == m.now().Local().Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}
