package terminal

import "mirsal/internal/client/port"

// A drawn line of the conversation, and the message it is of.
type drawn struct {
	text, id string
}

// bottom is the index of the lowest message in view.
func (m *model) bottom(t *talk) int {
	if i := t.index(m.anchor); i >= 0 {
		return i
	}
	m.anchor, m.cut = "", 0
	return len(t.messages) - 1
}

// window draws the part of the conversation that is in view: at most h lines.
func (m *model) window(t *talk, w, h int) (lines []drawn) {
	end := m.bottom(t)
	for i := end; i >= 0 && len(lines) < h+m.cut; i-- {
		var block []drawn
		for _, l := range m.block(t, i, w) {
			block = append(block, drawn{l, t.messages[i].ID})
		}
		lines = append(block, lines...)
	}
	lines = lines[:max(0, len(lines)-m.cut)]
	return lines[max(0, len(lines)-h):]
}

// scroll goes back by n lines, or forward where n is negative. At the beginning of what
// is here, older messages are asked for.
func (m *model) scroll(n int) {
	t := m.s.talk(m.open)
	if len(t.messages) == 0 {
		return
	}
	w, h := m.talkWidth(), m.talkHeight()
	end := m.bottom(t)
	m.cut += n
	for m.cut >= len(m.block(t, end, w)) && end > 0 {
		m.cut -= len(m.block(t, end, w))
		end--
	}
	for m.cut < 0 && end < len(t.messages)-1 {
		end++
		m.cut += len(m.block(t, end, w))
	}
	m.cut = max(0, m.cut)
	m.rest(t, end)
	if n <= 0 {
		m.wantNewer(t, end)
		return
	}
	if short := h - len(m.window(t, w, h)); short > 0 {
		if t.more && !t.loading {
			m.load(t.messages[0].ID)
		}
		m.scroll(-short)
	} else if t.messages[0].ID == m.window(t, w, h)[0].id && t.more && !t.loading {
		m.load(t.messages[0].ID)
	}
}

// rest notes where the window ends; at the newest message it stays with the newest.
func (m *model) rest(t *talk, end int) {
	m.anchor = t.messages[end].ID
	if end == len(t.messages)-1 && m.cut == 0 {
		m.anchor = ""
	}
}

// wantNewer asks for newer messages where the last one that is here comes into view and is
// not the last.
func (m *model) wantNewer(t *talk, end int) {
	if n := len(t.messages); t.newer && !t.loading && end >= n-2 && n > 0 {
		t.loading = true
		m.ask(&port.History{Chat: m.open, After: t.messages[n-1].ID, Limit: 60}, nil)
	}
}

// toEnd goes to the newest message; after a jump the end is asked for anew.
func (m *model) toEnd() {
	m.anchor, m.cut = "", 0
	if t := m.s.talk(m.open); t.newer {
		*t = talk{}
	}
}

// reveal scrolls so that a message is in view.
func (m *model) reveal(id string) {
	t := m.s.talk(m.open)
	i := t.index(id)
	if i < 0 {
		return
	}
	for _, l := range m.window(t, m.talkWidth(), m.talkHeight()) {
		if l.id == id {
			return
		}
	}
	end, room := i, m.talkHeight()/2
	for end < len(t.messages)-1 && room > 0 {
		end++
		room -= len(m.block(t, end, m.talkWidth()))
	}
	m.cut = 0
	m.rest(t, end)
}

// choose begins to choose a message: the newest in view.
func (m *model) choose() {
	t := m.s.talk(m.open)
	lines := m.window(t, m.talkWidth(), m.talkHeight())
	if len(lines) == 0 {
		return
	}
	m.pane, m.chosen = choosing, lines[len(lines)-1].id
}

// chooseBy chooses a message further up or down; below the last one is the composer.
func (m *model) chooseBy(n int) {
	t := m.s.talk(m.open)
	i := t.index(m.chosen) + n
	switch {
	case i < 0:
		if t.more && !t.loading {
			m.load(t.messages[0].ID)
		}
		return
	case i >= len(t.messages) && t.newer:
		m.wantNewer(t, i)
		return
	case i >= len(t.messages):
		m.pane, m.chosen = writing, ""
		return
	}
	m.chosen = t.messages[i].ID
	m.reveal(m.chosen)
	if i == 0 && t.more && !t.loading {
		m.load(t.messages[0].ID)
	}
}

// around is how many messages a jump asks for: some before the one that is meant, some behind.
const around = 60

// jump opens a chat at a message; what lies between it and the end is not loaded.
func (m *model) jump(chat, id string) {
	if m.open != chat {
		m.show(chat)
	}
	t := m.s.talk(chat)
	if t.index(id) >= 0 {
		m.land(id)
		return
	}
	t.loading = true
	m.ask(&port.History{Chat: chat, Around: id, Limit: around}, func(ev port.Event) {
		switch {
		case port.FailureOf(ev) != nil:
			m.say("the message is not here any more")
		case m.open == chat:
			m.land(id)
		}
	})
}

// land chooses a message that is here.
func (m *model) land(id string) {
	if m.s.talk(m.open).index(id) < 0 {
		return
	}
	m.chosen, m.pane = id, choosing
	m.reveal(id)
}
