package terminal

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"mirsal/internal/client/port"
)

// asked is an engine that notes what it is asked.
type asked struct{ commands []port.Command }

func (a *asked) Do(c port.Command) { a.commands = append(a.commands, c) }

// take returns the commands of one kind, and forgets all.
func take[T port.Command](a *asked) (list []T) {
	for _, c := range a.commands {
		if c, ok := c.(T); ok {
			list = append(list, c)
		}
	}
	a.commands = nil
	return list
}

// noon is when tests happen.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local) }

const me = "alice@example.org"

// begin is a screen of a size, signed in, with what the events tell.
func begin(t *testing.T, w, h int, o Options, events ...port.Event) (*model, *asked) {
	t.Helper()
	a := &asked{}
	m := newModel(a, o, noon)
	m.pen.method = ansi.GraphemeWidth
	m.box.pen = m.pen
	m.Init()
	m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	m.Update(heard(append([]port.Event{&port.Status{State: "online", Synced: true, Address: me}}, events...)))
	return m, a
}

// keys presses keys, named as the table names them, or types what is in quotes.
func (m *model) keys(keys ...string) {
	codes := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"left": tea.KeyLeft, "right": tea.KeyRight, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "backspace": tea.KeyBackspace, "f1": tea.KeyF1}
	for _, k := range keys {
		switch {
		case strings.HasPrefix(k, `"`):
			for _, r := range strings.Trim(k, `"`) {
				m.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
			}
		case strings.HasPrefix(k, "ctrl+"):
			m.Update(tea.KeyPressMsg{Code: rune(k[5]), Mod: tea.ModCtrl})
		case codes[k] != 0:
			m.Update(tea.KeyPressMsg{Code: codes[k]})
		default:
			m.Update(tea.KeyPressMsg{Code: []rune(k)[0], Text: k})
		}
	}
}

// answer answers the latest command of that kind.
func (m *model) answer(ev port.Event) { m.Update(heard{ev}) }

func page(m *model, chat string, more bool, list ...port.Message) {
	p := &port.Page{Chat: chat, Messages: list, More: more}
	m.Update(heard{p})
}

// said is a message of bob's, ago before noon.
func said(id, text string, ago time.Duration) port.Message {
	return port.Message{ID: id, Chat: "bob@example.org", Sender: "bob@example.org", Name: "Bob", Time: noon().Add(-ago), Text: text,
		Delivery: port.Received, Lock: port.Lock{State: port.Locked}}
}

// wrote is one of alice's own.
func wrote(id, text string, ago time.Duration, d port.Delivery) port.Message {
	m := said(id, text, ago)
	m.Sender, m.Name, m.Mine, m.Delivery = me, "", true, d
	return m
}

func bob(unread int, first string, last port.Message) port.Chat {
	return port.Chat{Address: "bob@example.org", Name: "Bob", Unread: unread, First: first, Last: &last, Active: last.Time, Lock: port.Lock{State: port.Locked}, Online: true}
}

// plainView is what is to be seen, without colours and without blanks at the ends.
func plainView(m *model) string {
	lines, _ := m.screen()
	for i, l := range lines {
		lines[i] = strings.TrimRight(ansi.Strip(l), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}
