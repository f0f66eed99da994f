package terminal

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"mirsal/internal/client/port"
)

// side is the column of times and ticks at the right of messages, in cells.
const side = 9

// together is how long somebody may pause and still speak under the same heading.
const together = 10 * time.Minute

// block draws one message with what stands above it, in lines of w cells.
func (m *model) block(t *talk, i, w int) (lines []string) {
	msg := &t.messages[i]
	var before *port.Message
	if i > 0 {
		before = &t.messages[i-1]
	}
	if before == nil && !t.more || before != nil && !sameDay(before.Time, msg.Time) {
		lines = append(lines, m.divide(m.day(msg.Time), w, m.look.dim))
	}
	if msg.ID == m.divider {
		lines = append(lines, m.divide(m.t("new"), w, m.look.warn))
	}
	if msg.Notice != "" {
		return append(lines, m.notice(msg, w)...)
	}
	if len(lines) > 0 || before == nil || before.Notice != "" || before.Sender != msg.Sender || before.Mine != msg.Mine || msg.Time.Sub(before.Time) > together {
		lines = append(lines, m.heading(msg, w))
	}
	return append(lines, m.body(msg, w)...)
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Local().Date()
	by, bm, bd := b.Local().Date()
	return ay == by && am == bm && ad == bd
}

// divide is a rule across the conversation with a word in it.
func (m *model) divide(word string, w int, s ansi.Style) string {
	rule := max(0, w-m.pen.width(word)-2)
	return paint(s, m.pen.fit(strings.Repeat("─", rule/2)+" "+word+" "+strings.Repeat("─", rule-rule/2), w))
}

func (m *model) notice(msg *port.Message, w int) (lines []string) {
	for _, l := range m.pen.field("— "+noticeWords(m, msg), w-1) {
		lines = append(lines, m.mark(msg)+paint(m.look.dim, l))
	}
	return lines
}

// heading is who speaks.
func (m *model) heading(msg *port.Message, w int) string {
	name, style := m.t("you"), m.look.dim
	if !msg.Mine {
		name, style = cmp.Or(oneLine(msg.Name), oneLine(msg.Sender)), m.look.person(msg.Sender)
	}
	return " " + paint(style, m.pen.place(name, w-1))
}

// mark is the first cell of a message: a bar at the one that is chosen.
func (m *model) mark(msg *port.Message) string {
	if m.pane == choosing && msg.ID == m.chosen {
		return paint(m.look.accent, "▌")
	}
	return " "
}

// body is what was said, with the time and ticks at the right of its first line.
func (m *model) body(msg *port.Message, w int) (lines []string) {
	mark, room := m.mark(msg), w-1-side
	if q := msg.Reply; q != nil && !msg.Retracted {
		lines = append(lines, mark+paint(m.look.dim, m.pen.place("┃ "+m.quoteWords(q), w-1)))
	}
	text, style := m.said(msg)
	if text != "" {
		for i, l := range m.pen.field(text, room) {
			at := strings.Repeat(" ", side)
			if i == 0 {
				at = m.sideOf(msg)
			}
			lines = append(lines, mark+paint(style, l)+at)
		}
	}
	if msg.File != nil && !msg.Retracted {
		at := strings.Repeat(" ", side)
		if text == "" {
			at = m.sideOf(msg)
		}
		lines = append(lines, mark+paint(m.look.accent, m.pen.place(fileWords(msg.File), room))+at)
		if bar := m.progressBar(msg, w-2); bar != "" {
			lines = append(lines, mark+" "+bar)
		}
	}
	for _, l := range m.below(msg, w-1) {
		lines = append(lines, mark+l)
	}
	return lines
}

// said is a message's text, or what is said in its place.
func (m *model) said(msg *port.Message) (string, ansi.Style) {
	switch {
	case msg.Retracted:
		return m.t("taken back"), m.look.dim
	case msg.Unreadable != "":
		return m.tf("It cannot be read here: %s.", m.t(whyWords(msg.Unreadable))), m.look.warn
	}
	return strings.TrimRight(clean(msg.Text), "\n"), m.look.plain
}

func (m *model) quoteWords(q *port.Quote) string {
	who := q.Sender
	if who != "" {
		who = m.name(who) + ": "
	}
	return oneLine(who + cmp.Or(q.Text, "a message that is not here"))
}

// sideOf is when it was said, and how far one's own has come.
func (m *model) sideOf(msg *port.Message) string {
	tick := "  "
	switch msg.Delivery {
	case port.Pending:
		tick = paint(m.look.dim, "· ")
	case port.Sent:
		tick = paint(m.look.dim, "✓ ")
	case port.Delivered:
		tick = paint(m.look.dim, "✓✓")
	case port.Read:
		tick = paint(m.look.read, "✓✓")
	case port.Failed:
		tick = paint(m.look.bad, "✗ ")
	}
	return paint(m.look.dim, msg.Time.Local().Format("15:04")) + " " + tick + " "
}

// below is what stands under a message: that it was edited, reactions, and what is not
// as it should be.
func (m *model) below(msg *port.Message, w int) (lines []string) {
	var words []string
	if msg.Edited {
		words = append(words, m.t("edited"))
	}
	for _, r := range msg.Reactions {
		sign := oneLine(r.Emoji)
		if len(r.Who) > 1 {
			sign += fmt.Sprintf(" %d", len(r.Who))
		}
		words = append(words, sign)
	}
	if len(words) > 0 {
		lines = append(lines, paint(m.look.dim, m.pen.place(strings.Join(words, " · "), w)))
	}
	warn := ""
	switch {
	case msg.Delivery == port.Failed:
		warn = m.tf("✗ not sent: %s (Enter tries again)", oneLine(m.t(failureWords(msg.Failure))))
	case msg.Lock.State == port.Open && (msg.Lock.Why == "was-encrypted" || m.s.chat(msg.Chat).Lock.State != port.Open):
		warn = m.t("🔓 not encrypted")
	case msg.Lock.State == port.Changed:
		warn = "⚠ " + m.t(whyWords(msg.Lock.Why))
	}
	if warn != "" && !msg.Retracted {
		for _, l := range m.pen.field(warn, w) {
			lines = append(lines, paint(m.look.warn, l))
		}
	}
	return lines
}

// fileWords is a file's name, size, and what can be done about it.
func fileWords(f *port.File) string {
	words := "📎 " + oneLine(f.Name)
	if f.Size > 0 {
		words += " · " + bytesWords(f.Size)
	}
	switch f.State {
	case "remote":
		words += " · Enter fetches it"
	case "failed":
		words += " · failed"
	case "here":
		words += " · here"
	}
	return words
}

// bytesWords is a size for people.
func bytesWords(n int64) string {
	units := []string{"bytes", "KB", "MB", "GB", "TB"}
	f, u := float64(n), 0
	for f >= 1000 && u < len(units)-1 {
		f, u = f/1000, u+1
	}
	if u == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[u])
}

// progressBar is how far a file has come, "" for one that is not on its way.
func (m *model) progressBar(msg *port.Message, w int) string {
	p, ok := m.s.progress[msg.ID]
	if !ok && msg.File.State != "sending" && msg.File.State != "loading" {
		return ""
	}
	long := max(4, min(w-24, 30))
	if !ok || p.Total <= 0 {
		return paint(m.look.dim, m.pen.fit(strings.Repeat("░", long)+" "+bytesWords(p.Done), w))
	}
	done := int(min(p.Done, p.Total) * int64(long) / p.Total)
	bar := paint(m.look.accent, strings.Repeat("█", done)) + paint(m.look.dim, strings.Repeat("░", long-done))
	return m.pen.fit(fmt.Sprintf("%s %d %% of %s", bar, min(p.Done, p.Total)*100/p.Total, bytesWords(p.Total)), w)
}
