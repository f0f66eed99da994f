package terminal

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// where says in which panes a binding counts.
type where int

const (
	inList where = 1 << iota
	inText
	inEmpty    // the composer, as long as nothing is written
	inTalk     // a message is chosen
	inMenu     // it is in the list of actions, too
	everywhere = inList | inText | inTalk
)

// A binding is what keys do. The help and the list of actions are written from these.
type binding struct {
	keys  string // as bubbletea names them, between blanks; the first is the one shown
	where where
	what  string
	do    func(m *model) tea.Cmd
}

// act makes a binding's function of one that gives no command.
func act(f func(m *model)) func(*model) tea.Cmd {
	return func(m *model) tea.Cmd { f(m); return nil }
}

// bindings is the key table.
func bindings() []binding {
	return slices.Concat(generalKeys(), listKeys(), textKeys(), talkKeys(), actions())
}

// tryNow is the key that tries to connect; the status line names it.
const tryNow = "ctrl+y"

func generalKeys() []binding {
	return []binding{
		{"?", inList | inTalk | inEmpty, "this help", act(func(m *model) { m.push(newHelp(m)) })},
		{"f1", everywhere, "", act(func(m *model) { m.push(newHelp(m)) })},
		{"ctrl+k", everywhere, "everything that can be done, by name", act(func(m *model) { m.push(newMenu(m)) })},
		{"tab", everywhere, "from the chat list to the conversation, and back", act((*model).otherPane)},
		{"alt+down ctrl+n", everywhere, "the next chat", act(func(m *model) { m.step(1) })},
		{"alt+up ctrl+p", everywhere, "the chat before", act(func(m *model) { m.step(-1) })},
		{"pgup", inText | inTalk, "back in the conversation; older messages are fetched", act(func(m *model) { m.scroll(m.talkHeight() / 2) })},
		{"pgdown", inText | inTalk, "forward again", act(func(m *model) { m.scroll(-m.talkHeight() / 2) })},
		{"ctrl+end", inText | inTalk, "to the newest message", act((*model).toEnd)},
		{tryNow, everywhere | inMenu, "try to connect now", act((*model).kick)},
		{"esc", everywhere, "one step back", act((*model).back)},
		{"ctrl+c ctrl+q", everywhere | inMenu, "quit; drafts are kept", func(m *model) tea.Cmd { return m.quit() }},
	}
}

func listKeys() []binding {
	return []binding{
		{"up k", inList, "up", act(func(m *model) { m.move(-1) })},
		{"down j", inList, "down", act(func(m *model) { m.move(1) })},
		{"enter right l", inList, "open the chat; answer a request", act((*model).enter)},
		{"n", inList, "write to somebody", act(func(m *model) { m.push(newWriteTo(m)) })},
		{"a", inList, "add a contact", act(func(m *model) { m.push(newAddContact(m, "")) })},
		{"r", inList, "make a room", act(func(m *model) { m.push(newCreateRoom(m)) })},
		{"p", inList, "people: contacts and requests", act(func(m *model) { m.push(newPeople(m)) })},
	}
}

func textKeys() []binding {
	return []binding{
		{"enter", inText, "send", act((*model).send)},
		{"alt+enter shift+enter ctrl+j", inText, "a new line", act(func(m *model) { m.write("\n") })},
		{"up", inEmpty, "edit the last message of one's own", act((*model).editLast)},
		{"ctrl+r shift+tab", inText, "choose a message: to reply, react, edit, take back, fetch", act((*model).choose)},
	}
}

func talkKeys() []binding {
	return []binding{
		{"up k", inTalk, "the message before", act(func(m *model) { m.chooseBy(-1) })},
		{"down j", inTalk, "the next message", act(func(m *model) { m.chooseBy(1) })},
		{"enter", inTalk, "what lies nearest: the message replied to, the file, the invitation; else reply", act((*model).nearest)},
		{"r", inTalk, "reply", act((*model).reply)},
		{"+ x", inTalk, "react", act(func(m *model) { m.push(newReact(m)) })},
		{"e", inTalk, "edit one's own", act((*model).edit)},
		{"t", inTalk, "try to send again what was not sent", act((*model).again)},
		{"d delete", inTalk, "take one's own back, for all", act((*model).retract)},
		{"f", inTalk, "fetch its file", act(func(m *model) { m.fetch("") })},
		{"s", inTalk, "fetch its file and save it elsewhere", act(func(m *model) { m.push(newSave(m)) })},
		{"c", inTalk, "stop a file that is on its way", act((*model).cancel)},
		{"y", inTalk, "copy its text", func(m *model) tea.Cmd { return m.yank() }},
		{"i", inTalk, "all about it: who reacted, when, which lock", act(func(m *model) { m.push(newAbout(m)) })},
	}
}

// scope is where the keyboard is.
func (m *model) scope() where {
	switch m.pane {
	case writing:
		if m.box.empty() {
			return inText | inEmpty
		}
		return inText
	case choosing:
		return inTalk
	}
	return inList
}

// key does what a key means: to the sheet on top, by the table, or as text.
func (m *model) key(k tea.KeyPressMsg) tea.Cmd {
	m.note = note{}
	if n := len(m.sheets); n > 0 {
		switch k.Keystroke() {
		case "ctrl+c":
			return m.quit()
		case tryNow:
			m.kick()
			return nil
		case "esc":
			f, ok := m.sheets[n-1].(*form)
			m.pop()
			if ok && f.left != nil {
				f.left(m)
			}
			return nil
		}
		return m.sheets[n-1].key(m, k)
	}
	if b := m.bound(k); b != nil {
		return b.do(m)
	}
	if m.pane == writing {
		m.typeKey(k)
	}
	return nil
}

func (m *model) bound(k tea.KeyPressMsg) *binding {
	scope, name := m.scope(), pressed(k)
	for _, b := range bindings() {
		if b.where&scope != 0 && slices.Contains(strings.Fields(b.keys), name) {
			return &b
		}
	}
	return nil
}

// pressed names a key as the table does: a sign by itself, whatever was held for it.
func pressed(k tea.KeyPressMsg) string {
	if k.Text != "" && !k.Mod.Contains(tea.ModAlt) && !k.Mod.Contains(tea.ModCtrl) && k.Text != " " {
		return k.Text
	}
	return k.Keystroke()
}

// shown is a key as people read it.
func shown(keys string) string {
	first, _, _ := strings.Cut(keys, " ")
	for _, r := range [][2]string{{"ctrl+", "Ctrl-"}, {"alt+", "Alt-"}, {"shift+", "Shift-"}} {
		if key, ok := strings.CutPrefix(first, r[0]); ok {
			return r[1] + strings.ToUpper(key[:1]) + key[1:]
		}
	}
	switch first {
	case "up":
		return "↑"
	case "down":
		return "↓"
	case "pgup":
		return "PgUp"
	case "pgdown":
		return "PgDn"
	case "enter", "esc", "tab":
		return strings.ToUpper(first[:1]) + first[1:]
	}
	return first
}

// quit ends the screen; Run keeps the drafts, and its caller ends the engine.
func (m *model) quit() tea.Cmd {
	m.told("active")
	return tea.Quit
}
