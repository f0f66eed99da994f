package terminal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"mirsal/internal/client/port"
)

// rowHeight is how many lines a chat has in the list.
const rowHeight = 2

func (m *model) listHeading(w int) string {
	text := "Mirsal"
	if m.s.status.Address != "" {
		text = m.s.status.Address
	}
	right := ""
	if n := m.s.unread(); n > 0 {
		right = fmt.Sprintf("%d new", n)
	}
	return paint(m.look.bold, m.pen.place(text, w-len(right)-1)) + paint(m.look.warn, right) + " "
}

// drawList draws the rows around the one the cursor is on.
func (m *model) drawList(w, h int) (lines []string) {
	list := m.addresses()
	if len(list) == 0 {
		return nil
	}
	fit := max(1, h/rowHeight)
	at := max(0, slices.Index(list, m.at))
	m.top = max(0, min(m.top, at, len(list)-fit))
	if at >= m.top+fit {
		m.top = at - fit + 1
	}
	for _, address := range list[m.top:min(m.top+fit, len(list))] {
		lines = append(lines, m.drawChat(address, w)...)
	}
	return lines
}

// drawChat draws one row of the list.
func (m *model) drawChat(address string, w int) []string {
	first, second, side, below := m.chatWords(address, w)
	one := m.pen.place(first, w-m.pen.width(side)-1)
	two := m.pen.place(second, w-m.pen.width(below)-1)
	if address == m.at && m.pane == listing {
		return []string{paint(m.look.sel, one+side+" "), paint(m.look.sel, two+below+" ")}
	}
	style := m.look.plain
	if address == m.open {
		style = m.look.accent
	} else if below != "" {
		style = m.look.bold
	}
	return []string{paint(style, one) + paint(m.look.dim, side) + " ", paint(m.look.dim, two) + paint(m.look.warn, below) + " "}
}

// chatWords is what a row says: the name, the last line, and at the right the lock with
// the time, and how many are unread.
func (m *model) chatWords(address string, w int) (first, second, side, below string) {
	if who, ok := strings.CutPrefix(address, asks); ok {
		return who, m.t("asks for contact"), "", "Enter"
	}
	c := m.s.chat(address)
	side = lockSign(c.Lock)
	if c.Last != nil {
		side += " " + shortTime(c.Last.Time, m.now())
	}
	second = m.lastLine(c)
	if c.Unread > 0 {
		below = strconv.Itoa(c.Unread)
	}
	name := m.name(address)
	if c.Online && w > 20 {
		name += " •"
	}
	return name, second, side, below
}

// lastLine is the last line of a chat, or what is being done about it.
func (m *model) lastLine(c port.Chat) string {
	if len(c.Typing) > 0 {
		return m.t("writing …")
	}
	if d := strings.TrimSpace(m.drafts[c.Address].Text); d != "" {
		return "draft: " + oneLine(d)
	}
	if c.Last == nil {
		return ""
	}
	return m.messageWords(c.Last)
}

// messageWords is a message in one line.
func (m *model) messageWords(msg *port.Message) string {
	if msg.Notice != "" {
		return oneLine(noticeWords(m, msg))
	}
	text, _ := m.said(msg)
	if text == "" && msg.File != nil {
		text = "📎 " + msg.File.Name
	}
	switch {
	case msg.Mine:
		text = m.t("you") + ": " + text
	case m.s.chat(msg.Chat).Room:
		text = msg.Name + ": " + text
	}
	return oneLine(text)
}

// shortTime is a time of day for today, a weekday for this week, else a date.
func shortTime(t, now time.Time) string {
	t = t.Local()
	switch {
	case sameDay(t, now):
		return t.Format("15:04")
	case now.Sub(t) < 6*24*time.Hour:
		return t.Format("Mon")
	case t.Year() == now.Local().Year():
		return t.Format("2 Jan")
	}
	return t.Format("2006")
}

// move moves the cursor of the list.
func (m *model) move(n int) {
	list := m.addresses()
	if len(list) == 0 {
		return
	}
	m.at = list[max(0, min(slices.Index(list, m.at)+n, len(list)-1))]
}

// step opens the next chat, or the one before.
func (m *model) step(n int) {
	m.move(n)
	if m.at != "" && !strings.HasPrefix(m.at, asks) && m.at != m.open {
		m.show(m.at)
	}
}

// enter opens what the cursor is on.
func (m *model) enter() {
	if who, ok := strings.CutPrefix(m.at, asks); ok {
		m.push(newRequest(m, who))
		return
	}
	if m.at != "" {
		m.show(m.at)
	}
}

func (m *model) otherPane() {
	switch {
	case m.pane != listing:
		m.pane, m.chosen, m.at = listing, "", m.open
	case m.open != "":
		m.pane = writing
	}
}

// back is one step back: from a message to the composer, from what is answered or edited
// to a plain message, from the conversation to the list.
func (m *model) back() {
	switch {
	case m.pane == choosing:
		m.pane, m.chosen = writing, ""
	case m.pane == writing && (m.edits != "" || m.replyTo != ""):
		if m.edits != "" {
			m.box.set("")
		}
		m.edits, m.replyTo = "", ""
	case m.pane == writing:
		m.pane, m.at = listing, m.open
	}
}

// click opens the chat, or chooses the message, that was clicked.
func (m *model) click(c tea.Mouse) tea.Cmd {
	if c.Button != tea.MouseLeft || c.Y < 2 && len(m.sheets) > 0 {
		return nil
	}
	if list := m.split() && c.X < m.listWidth() || !m.showsTalk(); list {
		m.clickList(c.Y - 2)
		return nil
	}
	switch y := c.Y - 2; {
	case len(m.sheets) > 0 || m.open == "":
	case c.Y < 2:
		m.push(newLock(m))
	case y < m.talkHeight():
		m.clickTalk(y)
	default:
		m.pane, m.chosen = writing, ""
	}
	return nil
}

func (m *model) clickList(y int) {
	list := m.addresses()
	if i := m.top + y/rowHeight; y >= 0 && i < len(list) {
		m.sheets = nil
		m.at, m.pane = list[i], listing
		m.enter()
	}
}

func (m *model) clickTalk(y int) {
	h := m.talkHeight()
	lines := m.window(m.s.talk(m.open), m.talkWidth(), h)
	if i := y - (h - len(lines)); i >= 0 && i < len(lines) {
		m.pane, m.chosen = choosing, lines[i].id
	}
}

// wheel scrolls what is under it.
func (m *model) wheel(w tea.Mouse) {
	n := 3
	if w.Button == tea.MouseWheelDown {
		n = -3
	} else if w.Button != tea.MouseWheelUp {
		return
	}
	switch {
	case m.split() && w.X < m.listWidth() || !m.showsTalk():
		m.move(-n / 3)
	case len(m.sheets) > 0:
		code := tea.KeyUp
		if n < 0 {
			code = tea.KeyDown
		}
		m.sheets[len(m.sheets)-1].key(m, tea.KeyPressMsg{Code: code})
	case m.open != "":
		m.scroll(n)
	}
}
