package terminal

import (
	"cmp"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"mirsal/internal/client/port"
)

// pane is what the keyboard belongs to, when no sheet is open.
type pane int

const (
	listing  pane = iota // the chat list
	writing              // the composer
	choosing             // one message of the conversation
)

// model is the whole screen. Only bubbletea's goroutine touches it.
type model struct {
	pen    pen
	look   theme
	s      *state
	engine Engine
	o      Options
	now    func() time.Time
	ref    uint64
	wait   map[uint64]func(port.Event) // who waits for an answer

	w, h    int
	focused bool // the terminal has the keyboard, as far as it tells
	pane    pane
	at      string // the row of the list the cursor is on: an address
	top     int    // the first row that is drawn
	sheets  []sheet

	open    string // the chat that is shown
	anchor  string // the lowest message that is drawn, "" the newest
	cut     int    // how many of its lines are below the window
	divider string // the first message that was unread when the chat was opened
	chosen  string

	box     editor
	replyTo string
	edits   string
	drafts  map[string]draft
	typing  bool // the other side has been told that we write
	typed   time.Time

	link  *linking          // what is shown or asked about a new device, nil on one that joins
	files map[string]uint64 // commands of files on their way, by message
	note  note
	bell  bool
	tick  bool // a tick is on its way
	lang  string
	words map[string]string // the screen's, where they are not English
}

// note is one line of news, shown until the next key or its time is over.
type note struct {
	text  string
	bad   bool
	until time.Time
}

func newModel(e Engine, o Options, now func() time.Time) *model {
	m := &model{s: newState(), engine: e, o: o, now: now, wait: map[uint64]func(port.Event){}, w: 80, h: 24, focused: true,
		drafts: map[string]draft{}, files: map[string]uint64{}, bell: o.Bell}
	m.speak(language(o.Env))
	m.pen = pen{method: ansi.WcWidth, reads: reads(o.Bidi, o.Env)}
	m.look = newTheme(darkByEnv(o.Env), env(o.Env, "NO_COLOR") != "")
	m.box.pen = m.pen
	return m
}

// Init asks for what there is to show.
func (m *model) Init() tea.Cmd {
	m.reload()
	m.engine.Do(&port.Attend{Here: true})
	return tea.RequestBackgroundColor
}

// reload asks for the lists; a profile without an account is asked to sign in.
func (m *model) reload() {
	m.ask(&port.ListChats{}, func(ev port.Event) {
		if f := port.FailureOf(ev); f != nil && f.Code == port.NotSignedIn && len(m.sheets) == 0 {
			m.push(newLogin(m))
		}
	})
	m.ask(&port.ListContacts{}, nil)
}

// ask gives the engine a command; then hears its answer, on this goroutine.
func (m *model) ask(c port.Command, then func(port.Event)) uint64 {
	m.ref++
	port.SetRef(c, m.ref)
	m.wait[m.ref] = then
	m.engine.Do(c)
	return m.ref
}

// try asks for something and says so when it was refused.
func (m *model) try(c port.Command, done string) {
	m.ask(c, func(ev port.Event) {
		if f := port.FailureOf(ev); f != nil {
			m.fail(f)
		} else if done != "" {
			m.say("%s", done)
		}
	})
}

// Update takes one message of bubbletea's.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.look = newTheme(msg.IsDark(), m.look.mono)
	case tea.ModeReportMsg:
		m.counts(msg)
	case tea.FocusMsg:
		m.attend(true)
	case tea.BlurMsg:
		m.attend(false)
	case heard:
		cmd = m.hear(msg)
	case tick:
		m.tick = false
		m.ticked()
	case tea.KeyPressMsg:
		cmd = m.key(msg)
	case tea.PasteMsg:
		m.paste(msg.Content)
	case tea.MouseClickMsg:
		cmd = m.click(msg.Mouse())
	case tea.MouseWheelMsg:
		m.wheel(msg.Mouse())
	}
	m.settle()
	return m, tea.Batch(cmd, m.nextTick())
}

// counts takes it from the terminal whether it counts cells by grapheme; bubbletea asks,
// and does the same.
func (m *model) counts(r tea.ModeReportMsg) {
	if r.Mode == ansi.ModeUnicodeCore && (r.Value == ansi.ModeReset || r.Value == ansi.ModeSet || r.Value == ansi.ModePermanentlySet) {
		m.pen.method = ansi.GraphemeWidth
		m.box.pen = m.pen
		m.box.set(m.box.text())
	}
}

func (m *model) attend(here bool) {
	m.focused = here
	m.engine.Do(&port.Attend{Here: here})
}

// hear takes events, and rings for new messages of others that nobody looks at.
func (m *model) hear(events []port.Event) (cmd tea.Cmd) {
	for _, ev := range events {
		before := m.s.status.State
		m.s.apply(ev)
		if ref := port.RefOf(ev); ref != 0 {
			then := m.wait[ref]
			delete(m.wait, ref)
			if then != nil {
				then(ev)
			}
			continue
		}
		switch e := ev.(type) {
		case *port.Status:
			m.statusChanged(before, *e)
		case *port.MessageChanged:
			if m.bell && e.New && !e.Late && !e.Message.Mine && e.Message.Notice == "" && (!m.focused || e.Message.Chat != m.open) {
				cmd = tea.Raw("\a")
			}
		case *port.KeyAlert:
			m.alert(*e)
		case *port.Done: // a transfer that was begun before, in another run perhaps
			if e.Failure != nil {
				m.fail(e.Failure)
			}
		case *port.LinkAsked:
			m.linkAsked(e)
		case *port.LinkState:
			m.linkMoved(e)
		case *port.ChatGone:
			if e.Address == m.open {
				m.close()
			}
		}
	}
	return cmd
}

func (m *model) statusChanged(before string, s port.Status) {
	if m.note.text == m.t(trying) && (s.State == "online" || s.State == "offline") {
		m.note = note{}
	}
	if s.State == "online" && before != "online" {
		m.ask(&port.ListContacts{}, nil)
	}
	if s.State == "refused" && before != "refused" && s.Failure != nil {
		m.fail(s.Failure)
	}
}

// settle does what follows from any change: pages that are missing, marks of what was seen.
func (m *model) settle() {
	if m.at == "" || !slices.Contains(m.addresses(), m.at) {
		m.at = m.open
		if list := m.addresses(); m.at == "" && len(list) > 0 {
			m.at = list[0]
		}
	}
	if m.open == "" {
		return
	}
	t := m.s.talk(m.open)
	if !t.loaded && !t.loading {
		m.load("")
	}
	if m.chosen != "" && t.loaded && t.index(m.chosen) < 0 {
		m.chosen = ""
	}
	if m.pane == choosing && m.chosen == "" {
		m.pane = writing
	}
	m.seen(t)
}

// load asks for a page of the open chat, older than a message ("" the newest).
func (m *model) load(before string) {
	m.s.talk(m.open).loading = true
	m.ask(&port.History{Chat: m.open, Before: before, Limit: 60}, nil)
}

// seen marks the open chat as read when somebody looks at its end.
func (m *model) seen(t *talk) {
	if m.s.chats[m.open].Unread == 0 || !m.focused || m.anchor != "" || t.newer || len(m.sheets) > 0 || !m.showsTalk() || len(t.messages) == 0 {
		return
	}
	last := t.messages[len(t.messages)-1].ID
	c := m.s.chats[m.open]
	c.Unread = 0 // not to be told twice before the engine answers
	m.s.chats[m.open] = c
	m.ask(&port.MarkRead{Chat: m.open, Message: last}, nil)
}

// show opens a chat, with the draft that was left there.
func (m *model) show(address string) {
	m.leave()
	c := m.s.chat(address)
	m.open, m.at, m.anchor, m.cut, m.chosen, m.divider = address, address, "", 0, "", ""
	if c.Unread > 0 {
		m.divider = c.First
	}
	m.toEnd()
	m.pane = writing
	d := m.drafts[address]
	m.box.set(d.Text)
	m.replyTo, m.edits = d.Reply, d.Edits
}

// leave keeps the draft of the open chat.
func (m *model) leave() {
	if m.open == "" {
		return
	}
	m.told("active")
	if d := (draft{Text: m.box.text(), Reply: m.replyTo, Edits: m.edits}); strings.TrimSpace(d.Text) == "" {
		delete(m.drafts, m.open)
	} else {
		m.drafts[m.open] = d
	}
	m.box.set("")
	m.replyTo, m.edits = "", ""
}

// close shows no chat.
func (m *model) close() {
	m.leave()
	m.open, m.pane, m.anchor, m.cut, m.chosen = "", listing, "", 0, ""
}

// told tells the other side that we write, or do no more.
func (m *model) told(state string) {
	composing := state == "composing"
	if m.open == "" || composing == m.typing {
		return
	}
	m.typing = composing
	m.engine.Do(&port.Typing{Chat: m.open, State: state})
}

// addresses are the rows of the list: who asks, then the chats.
func (m *model) addresses() (list []string) {
	for _, c := range m.s.requests() {
		list = append(list, asks+c.Address)
	}
	for _, c := range m.s.list() {
		list = append(list, c.Address)
	}
	if m.open != "" && m.s.chats[m.open].Address == "" {
		list = append(list, m.open)
	}
	return list
}

// asks marks a row of the list that is a request, not a chat.
const asks = "?"

func (m *model) name(address string) string {
	if address == m.s.status.Address {
		return m.t("you")
	}
	c := m.s.chat(address)
	return cmp.Or(oneLine(c.Name), address)
}
