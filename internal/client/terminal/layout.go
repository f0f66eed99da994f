package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"mirsal/internal/client/port"
)

// narrow is the width below which the list and the conversation take turns.
const narrow = 64

// smallest is the least that anything is laid out for.
const (
	smallestWidth  = 20
	smallestHeight = 6
)

func (m *model) split() bool { return m.w >= narrow }

// listWidth is the width of the chat list.
func (m *model) listWidth() int {
	if !m.split() {
		return m.w
	}
	return max(24, min(m.w/3, 36))
}

// talkWidth is the width of the conversation, and of sheets.
func (m *model) talkWidth() int {
	if !m.split() {
		return m.w
	}
	return m.w - m.listWidth() - 1
}

// showsTalk tells whether the conversation's place is in view.
func (m *model) showsTalk() bool { return m.split() || m.pane != listing || len(m.sheets) > 0 }

// bodyHeight is the height below the heading and above the status.
func (m *model) bodyHeight() int { return max(1, m.h-2-len(m.status(m.w))) }

// talkHeight is the height of the conversation above the composer.
func (m *model) talkHeight() int {
	lines, _ := m.composer(m.talkWidth())
	return max(1, m.bodyHeight()-len(lines))
}

// View draws the screen.
func (m *model) View() tea.View {
	v := tea.NewView("")
	v.AltScreen, v.ReportFocus, v.MouseMode = true, true, tea.MouseModeCellMotion
	v.WindowTitle = "Mirsal"
	if n := m.s.unread(); n > 0 {
		v.WindowTitle = fmt.Sprintf("Mirsal (%d)", n)
	}
	if m.w < smallestWidth || m.h < smallestHeight {
		v.SetContent("too small")
		return v
	}
	lines, at := m.screen()
	v.SetContent(strings.Join(lines, "\n"))
	if at != nil {
		v.Cursor = tea.NewCursor(at.X, at.Y)
		v.Cursor.Shape = tea.CursorBar
	}
	return v
}

// screen is all lines of the view, and the cursor.
func (m *model) screen() (lines []string, at *tea.Position) {
	h := m.bodyHeight()
	var left, right []string
	if m.split() || !m.showsTalk() {
		left = append([]string{m.listHeading(m.listWidth()), m.rule(m.listWidth())}, m.drawList(m.listWidth(), h)...)
	}
	if m.showsTalk() {
		body, cursor := m.main(m.talkWidth(), h)
		right = append([]string{m.heading2(m.talkWidth()), m.rule(m.talkWidth())}, body...)
		if at = cursor; at != nil {
			at.Y += 2
		}
	}
	if m.split() && at != nil {
		at.X += m.listWidth() + 1
	}
	return append(m.beside(left, right, h+2), m.status(m.w)...), at
}

// beside puts two columns side by side; one of them may be missing.
func (m *model) beside(left, right []string, h int) (lines []string) {
	for i := range h {
		switch {
		case right == nil:
			lines = append(lines, lineAt(left, i, m.w))
		case left == nil:
			lines = append(lines, lineAt(right, i, m.w))
		default:
			bar := "│"
			if i == 1 {
				bar = "┼"
			}
			lines = append(lines, lineAt(left, i, m.listWidth())+paint(m.look.bar, bar)+lineAt(right, i, m.talkWidth()))
		}
	}
	return lines
}

func lineAt(lines []string, i, w int) string {
	if i < len(lines) {
		return lines[i]
	}
	return strings.Repeat(" ", w)
}

func (m *model) rule(w int) string { return paint(m.look.bar, strings.Repeat("─", w)) }

// heading2 is the line above the conversation: whose it is, and its lock.
func (m *model) heading2(w int) string {
	if n := len(m.sheets); n > 0 {
		return paint(m.look.bold, m.pen.place(m.t(m.sheets[n-1].title()), w))
	}
	if m.open == "" {
		return strings.Repeat(" ", w)
	}
	c := m.s.chat(m.open)
	lock, style := m.lockLine(c)
	if w < 50 {
		lock = lockSign(c.Lock)
	}
	lock = m.pen.cut(lock, w/2)
	room := w - m.pen.width(lock) - 1
	name := m.name(c.Address)
	line := paint(m.look.bold, m.pen.edge(name)+m.pen.spot(name, min(m.pen.width(name), room-2))+m.pen.edge(name))
	return m.pen.fit(line+paint(m.look.dim, m.pen.spot(m.t(hereWords(c)), m.pen.width(m.t(hereWords(c))))), room) + paint(style, m.pen.spot(lock, m.pen.width(lock))) + " "
}

func hereWords(c port.Chat) string {
	switch {
	case c.Blocked:
		return "blocked"
	case c.Room && !c.Joined:
		return "not in the room now"
	case c.Room:
		return "room"
	case c.Online:
		return "online"
	}
	return ""
}

// main is the sheet on top, or the conversation with the composer.
func (m *model) main(w, h int) ([]string, *tea.Position) {
	if n := len(m.sheets); n > 0 {
		lines, at := m.sheets[n-1].draw(m, w, h)
		return lines, at
	}
	if m.open == "" {
		return m.welcome(w), nil
	}
	compose, at := m.composer(w)
	room := max(1, h-len(compose))
	lines := m.talkLines(w, room)
	if at != nil {
		at.Y += room
	}
	return append(lines, compose...), at
}

// talkLines is the conversation, at the bottom of its place.
func (m *model) talkLines(w, h int) (lines []string) {
	t := m.s.talk(m.open)
	shown := m.window(t, w, h)
	for range h - len(shown) {
		lines = append(lines, strings.Repeat(" ", w))
	}
	if len(shown) < h && t.loading {
		lines[len(lines)-1] = paint(m.look.dim, m.pen.fit(" fetching …", w))
	}
	for _, l := range shown {
		lines = append(lines, l.text)
	}
	return lines
}

func (m *model) welcome(w int) (lines []string) {
	words := "No conversation is open.\n\nEnter opens the one that is chosen on the left.\nn  write to somebody\na  add a contact\nr  make a room\n?  help"
	if len(m.s.chats) == 0 {
		words = "Nothing was said here yet.\n\nn  write to somebody: an address like bob@example.org\na  add a contact\nr  make a room\n?  help"
	}
	for _, l := range m.pen.field("\n"+m.t(words), w) {
		lines = append(lines, paint(m.look.dim, l))
	}
	return lines
}

// composer is the lines below the conversation: who writes, what is answered or edited,
// and the field.
func (m *model) composer(w int) (lines []string, at *tea.Position) {
	if m.open == "" {
		return nil, nil
	}
	about := m.about()
	lines = append(lines, m.rule(w))
	if about != "" {
		line := paint(m.look.dim, m.pen.place(about, w))
		if m.h < 16 { // no room for a rule beside it
			lines = nil
		}
		lines = append(lines, line)
	}
	rows, x, y := m.box.view(w-4, max(1, min(5, m.h/4)))
	for i, r := range rows {
		sign := "   "
		if i == 0 {
			sign = " › "
		}
		lines = append(lines, paint(m.look.accent, sign)+r+" ")
	}
	if m.pane == writing && len(m.sheets) == 0 {
		at = &tea.Position{X: 3 + x, Y: len(lines) - len(rows) + y}
	}
	return lines, at
}

// about is what the line above the field says.
func (m *model) about() string {
	c := m.s.chat(m.open)
	switch {
	case m.edits != "":
		return m.t("editing · Esc leaves it as it was")
	case m.replyTo != "":
		if msg := m.s.talk(m.open).message(m.replyTo); msg != nil {
			return m.t("replying") + " · ┃ " + m.quoteWords(&port.Quote{Sender: msg.Sender, Text: msg.Text})
		}
		return m.t("replying")
	case len(c.Typing) == 1:
		return m.tf("%s is writing …", m.name(c.Typing[0]))
	case len(c.Typing) > 1:
		return m.tf("%d are writing …", len(c.Typing))
	case m.anchor != "" || m.s.talk(m.open).newer:
		return m.t("further down there is more · Ctrl-End")
	}
	return ""
}

// status is the last lines: news, or the connection and the keys.
func (m *model) status(w int) []string {
	if m.note.text != "" {
		style, text := m.look.accent, m.note.text
		if m.note.bad {
			style, text = m.look.bad, "✗ "+text
		}
		lines := m.pen.field(oneLine(text), w)
		for i := range lines {
			lines[i] = paint(style, lines[i])
		}
		return lines[:min(len(lines), 4)]
	}
	text, style := m.connection()
	left := m.pen.cut(text, w-2)
	if m.s.status.State == "offline" && m.pen.width(left) > w/3 {
		left = m.pen.cut(text, w-2-m.pen.width(" · ? help")) // why comes before what keys do
	}
	right := m.fewer(m.tHints(m.keyHints()), w-m.pen.width(left)-5)
	gap := w - 2 - m.pen.width(left) - m.pen.width(right)
	ends := m.pen.edge(left + right)
	return []string{ends + paint(style, m.pen.spot(left, m.pen.width(left))) + strings.Repeat(" ", max(0, gap-1)) + strings.Repeat(ends, min(1, max(0, gap))) + paint(m.look.dim, m.pen.spot(right, m.pen.width(right))) + ends}
}

// connection says where the connection stands, calmly.
func (m *model) connection() (string, ansi.Style) {
	s := m.s.status
	switch s.State {
	case "online":
		if !s.Synced {
			return m.t("fetching what came meanwhile …"), m.look.dim
		}
		return m.t("connected"), m.look.good
	case "connecting":
		return m.t("connecting …"), m.look.dim
	case "refused":
		return m.tf("not connected: %s", failureOr(s.Failure, "refused")), m.look.bad
	case "offline":
		return m.offlineWords(), m.look.warn
	}
	return m.t("not signed in"), m.look.dim
}

// offlineWords is when it is tried again, how to try now, and why there is no connection:
// what matters most first, since a narrow terminal shows the beginning.
func (m *model) offlineWords() string {
	s := m.s.status
	words := m.t("offline")
	if wait := s.Retry.Sub(m.now()).Round(time.Second); !s.Retry.IsZero() && wait > 0 {
		words += m.tf(", again in %s", wait)
	}
	words += m.tf(" (%s now)", shown(tryNow))
	if s.Failure != nil {
		words += ": " + oneLine(s.Failure.Text)
	}
	return words
}

// trying is said until something is known.
const trying = "trying to connect …"

// kick has the engine try to connect at once: a person is here.
func (m *model) kick() {
	switch m.s.status.State {
	case "online":
		m.say("this device is connected")
	case "offline", "connecting":
		m.engine.Do(&port.Attend{Here: true})
		m.say(trying)
	default:
		m.say("nobody is signed in here")
	}
}

// fewer leaves out hints until they fit; the last one, which leads on, stays longest.
func (m *model) fewer(hints string, w int) string {
	list := strings.Split(hints, " · ")
	for len(list) > 1 && m.pen.width(strings.Join(list, " · ")) > w {
		list = slices.Delete(list, len(list)-2, len(list)-1)
	}
	return m.pen.cut(strings.Join(list, " · "), w)
}

func failureOr(f *port.Failure, words string) string {
	if f != nil {
		return oneLine(f.Text)
	}
	return words
}

func (m *model) keyHints() string {
	if n := len(m.sheets); n > 0 {
		return m.sheets[n-1].hints()
	}
	switch m.pane {
	case writing:
		return "Ctrl-K all actions · Ctrl-R messages · Tab list · ? help"
	case choosing:
		return "r reply · + react · e edit · d take back · f fetch · Esc"
	}
	return "Enter open · n write · / search · ? help"
}
