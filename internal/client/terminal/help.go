package terminal

import "strings"

// newHelp is the keyboard help, written from the key table.
func newHelp(m *model) sheet {
	return &reading{name: "Help", text: helpText}
}

func helpText(m *model, w int) (lines []string) {
	for _, part := range []struct {
		title string
		in    where
		list  []binding
	}{
		{"Everywhere", 0, generalKeys()},
		{"In the chat list", 0, listKeys()},
		{"Writing", 0, textKeys()},
		{"A message is chosen", 0, talkKeys()},
		{"Actions, also under Ctrl-K by name", 0, actions()},
	} {
		lines = append(lines, strings.Repeat(" ", w), paint(m.look.accent, m.pen.place(m.t(part.title), w)))
		for _, b := range part.list {
			if b.what != "" && b.keys != "" {
				lines = append(lines, m.helpLine(b, w)...)
			}
		}
	}
	lines = append(lines, strings.Repeat(" ", w))
	for _, words := range helpNotes() {
		for _, l := range m.pen.field(words, w) {
			lines = append(lines, paint(m.look.dim, l))
		}
	}
	return lines
}

// helpLine is what a key does, its words beside it.
func (m *model) helpLine(b binding, w int) (lines []string) {
	const keys = 12
	for i, l := range m.pen.field(m.t(b.what), w-keys) {
		name := ""
		if i == 0 {
			name = allShown(b.keys)
		}
		lines = append(lines, "  "+m.pen.fit(paint(m.look.bold, name), keys-2)+l)
	}
	return lines
}

// allShown is at most two keys of a binding, as people read them.
func allShown(keys string) string {
	first, rest, _ := strings.Cut(keys, " ")
	words := shown(first)
	if len(rest) == 1 && !strings.Contains(words, rest) {
		words += " " + rest
	}
	return words
}

func helpNotes() []string {
	return []string{
		"Beside messages: · kept here · ✓ the server has it · ✓✓ the other side has it, coloured or bold when it was shown there · ✗ not sent.",
		"Locks: 🔒 encrypted · 🔒✓ and every key was compared · 🔓 not encrypted · ⚠ a key has changed · ✗ cannot be encrypted. Ctrl-L says what each covers.",
		"The mouse opens chats, chooses messages and scrolls. A message that begins with ? or / is typed with a blank before it.",
	}
}
