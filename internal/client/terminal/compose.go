package terminal

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"mirsal/internal/client/port"
)

// draft is what was being written in a chat.
type draft struct {
	Text  string `json:"text"`
	Reply string `json:"reply,omitempty"`
	Edits string `json:"edits,omitempty"`
}

// typeKey writes, or moves in what is written.
func (m *model) typeKey(k tea.KeyPressMsg) {
	switch k.Keystroke() {
	case "up":
		m.box.up()
		return
	case "down":
		m.box.down()
		return
	}
	before := len(m.box.line)
	if m.box.key(k) && len(m.box.line) != before {
		m.written()
	}
}

func (m *model) write(s string) {
	m.box.insert(s)
	m.written()
}

// written tells the other side, where the engine tells them at all.
func (m *model) written() {
	m.typed = m.now()
	if m.box.empty() {
		m.told("active")
		return
	}
	m.told("composing")
}

// paste puts text into the field that has the keyboard.
func (m *model) paste(s string) {
	if n := len(m.sheets); n > 0 {
		switch s2 := m.sheets[n-1].(type) {
		case *form:
			s2.entries[s2.at].box.insert(strings.TrimSpace(s))
		case *pick:
			if s2.filter != nil {
				s2.filter.insert(strings.TrimSpace(s))
				if s2.typed != nil {
					s2.typed(m)
				}
			}
		}
		return
	}
	if m.pane == writing {
		m.write(strings.TrimSuffix(s, "\n"))
	}
}

// send sends what is written: as a message, an answer, or in place of an earlier one.
func (m *model) send() {
	text := strings.TrimSpace(m.box.text())
	if text == "" || m.open == "" {
		return
	}
	m.typing = false // the message itself says that writing is over
	written := draft{Text: m.box.text(), Reply: m.replyTo, Edits: m.edits}
	chat := m.open
	m.box.set("")
	m.replyTo, m.edits = "", ""
	delete(m.drafts, chat)
	m.toEnd()
	m.divider = ""
	m.ask(&port.Send{Chat: chat, Text: text, ReplyTo: written.Reply, Corrects: written.Edits}, func(ev port.Event) {
		f := port.FailureOf(ev)
		if f == nil {
			m.firstWords(chat)
			return
		}
		m.fail(f)
		m.drafts[chat] = written
		if m.open == chat && m.box.empty() {
			m.box.set(written.Text)
			m.replyTo, m.edits = written.Reply, written.Edits
		}
	})
}

// firstWords asks for the page of a chat that did not exist before.
func (m *model) firstWords(chat string) {
	if t := m.s.talk(chat); len(t.messages) == 0 {
		t.loaded = false
	}
}

// picked is the message that is chosen, nil for none.
func (m *model) picked() *port.Message { return m.s.talk(m.open).message(m.chosen) }

// spoken is the chosen message if somebody said it and did not take it back.
func (m *model) spoken() *port.Message {
	if msg := m.picked(); msg != nil && msg.Notice == "" && !msg.Retracted {
		return msg
	}
	m.say("nothing can be done about this line")
	return nil
}

func (m *model) own() *port.Message {
	msg := m.spoken()
	if msg != nil && !msg.Mine {
		m.say("only messages of one's own can be edited or taken back")
		return nil
	}
	return msg
}

func (m *model) reply() {
	if msg := m.spoken(); msg != nil {
		m.replyTo, m.edits = msg.ID, ""
		m.pane, m.chosen = writing, ""
	}
}

func (m *model) edit() {
	if msg := m.own(); msg != nil {
		m.revise(msg)
	}
}

// revise puts a message into the composer: to be replaced, or, where it was never sent,
// to be sent anew.
func (m *model) revise(msg *port.Message) {
	m.edits, m.replyTo = msg.ID, ""
	if msg.Delivery == port.Failed {
		m.edits = ""
	}
	m.box.set(msg.Text)
	m.pane, m.chosen = writing, ""
}

// again tries to send a message that failed.
func (m *model) again() {
	msg := m.own()
	switch {
	case msg == nil:
	case msg.Delivery != port.Failed:
		m.say("this message was sent")
	default:
		m.try(&port.Retry{Chat: msg.Chat, Message: msg.ID}, "")
	}
}

func (m *model) editLast() {
	if m.s.talk(m.open).newer {
		m.toEnd() // the last one is not here
		return
	}
	for _, msg := range slices.Backward(m.s.talk(m.open).messages) {
		if msg.Mine && !msg.Retracted && msg.Text != "" && msg.File == nil && msg.Notice == "" {
			m.revise(&msg)
			return
		}
	}
}

func (m *model) retract() {
	msg := m.own()
	if msg == nil {
		return
	}
	chat, id := m.open, msg.ID
	m.push(&question{text: "Take this message back, for all? Who has read it has read it, and old programs go on showing it.", yes: func(m *model) {
		m.try(&port.Retract{Chat: chat, Message: id}, "")
	}})
}

func (m *model) yank() tea.Cmd {
	msg := m.spoken()
	if msg == nil {
		return nil
	}
	m.say("copied")
	return tea.SetClipboard(clean(msg.Text))
}

// nearest does what lies nearest about a message.
func (m *model) nearest() {
	msg := m.picked()
	if msg == nil {
		return
	}
	switch {
	case msg.Mine && msg.Delivery == port.Failed && !msg.Retracted:
		m.again()
	case msg.Notice == "invited" && len(msg.Params) > 0 && m.s.chat(msg.Params[0]).Joined:
		m.show(msg.Params[0])
	case msg.Notice == "invited" && len(msg.Params) > 0:
		m.push(m.newAccept(msg.Params))
	case msg.File != nil && msg.File.State == "remote" && !msg.Retracted:
		m.fetch("")
	case msg.Reply != nil && msg.Reply.ID != "":
		m.jump(m.open, msg.Reply.ID)
	default:
		m.reply()
	}
}

// common are the reactions offered first.
const common = "👍 ❤️ 😂 😮 😢 🙏 🎉 👎"

// newReact offers reactions; choosing one's own again takes it back.
func newReact(m *model) sheet {
	msg := m.spoken()
	if msg == nil {
		return nil
	}
	var mine []string
	for _, r := range msg.Reactions {
		if r.Mine {
			mine = append(mine, r.Emoji)
		}
	}
	chat, id := m.open, msg.ID
	give := func(m *model, emoji string) {
		m.pop()
		m.try(&port.React{Chat: chat, Message: id, Emoji: switched(mine, emoji)}, "")
	}
	p := &pick{name: "React", hint: "Enter gives it, or takes it back · or type another and press Enter", filter: m.field(), typed: func(*model) {}}
	p.fill = func(m *model) (rows []row) {
		offers := strings.Fields(common)
		if typed := strings.TrimSpace(p.filter.text()); typed != "" {
			offers = []string{typed}
		}
		for _, e := range offers {
			aside := ""
			if slices.Contains(mine, e) {
				aside = "given"
			}
			rows = append(rows, row{text: e, aside: aside, do: act(func(m *model) { give(m, e) })})
		}
		return rows
	}
	return p
}

// switched adds a sign, or takes it out.
func switched(list []string, sign string) []string {
	if i := slices.Index(list, sign); i >= 0 {
		return slices.Delete(slices.Clone(list), i, i+1)
	}
	return append(slices.Clone(list), sign)
}
