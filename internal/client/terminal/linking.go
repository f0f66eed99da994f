package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mirsal/internal/client/port"
)

// linking is a device of one's own on its way in, on the old device's screen: the sheet with the
// code, and the form that lies over all else when somebody has answered it.
type linking struct {
	waits bool   // for its code
	code  string // "" before it is there, and once it is spent
	until time.Time
	words string // in place of the code
	bad   bool
	form  *form // nil when nobody asks
}

// newLink shows the code by which a new device of one's own joins.
func newLink(m *model) sheet {
	l := &linking{waits: true, words: "asking for a code …"}
	m.link = l
	m.ask(&port.LinkShow{}, func(ev port.Event) {
		l.waits = false
		if f := port.FailureOf(ev); f != nil {
			l.words, l.bad = f.Text, true
		} else if c, ok := ev.(*port.Code); ok {
			l.code, l.until, l.words = c.Text, c.Until, ""
		}
	})
	return &reading{name: "Link a new device", text: l.text}
}

func (l *linking) text(m *model, w int) []string {
	if l.code == "" {
		style := m.look.plain
		if l.bad {
			style = m.look.bad
		}
		lines := m.pen.field("\n"+oneLine(l.words), w)
		for i := range lines {
			lines[i] = paint(style, lines[i])
		}
		return lines
	}
	words := "On the new device choose to link it, and scan this, or paste the text below. Show it to nobody else: whoever has it first asks to be let in, and you are asked then."
	if !l.until.IsZero() {
		words += " It is good until " + l.until.Local().Format("15:04") + ", for one device."
	}
	square := m.square(l.code, w)
	if len(square) > m.bodyHeight() {
		words += fmt.Sprintf(" To see the whole square, make the terminal %d lines high.", len(square)+m.h-m.bodyHeight())
	}
	lines := append(m.pen.field(words+"\n", w), square...)
	return append(lines, m.pen.field("\n"+l.code, w)...)
}

// linkAsked asks whether a new device is to be let in. It lies itself over what one is
// typing, so that no single key may mean yes: the digits that the new device shows are
// to be typed, which is also the only way to have compared them.
func (m *model) linkAsked(e *port.LinkAsked) {
	name := oneLine(e.Label)
	if e.Software != "" {
		name += " (" + oneLine(e.Software) + ")"
	}
	f := m.newForm("A new device wants in", m.tf("A device that calls itself “%s” wants to READ AND WRITE ALL YOUR MESSAGES, from now on and those that were. The name proves nothing. Let it in only if it is in your hands, and type the digits that it shows. If somebody has asked you for the code or for digits, press Esc: that refuses it.", name)+m.where(e), "The digits on the new device")
	f.left = func(m *model) { m.try(&port.LinkConfirm{}, "it was not let in") }
	f.submit = func(m *model, values []string) {
		if !sameDigits(values[0], e.Check) {
			f.problem = "Those are not the digits that belong to it. Esc refuses it."
			return
		}
		m.drop(f)
		m.say("handing over …")
		m.try(&port.LinkConfirm{Accept: true}, "the new device has all")
	}
	if m.link == nil {
		m.link = &linking{}
	}
	m.link.form = f
	m.push(f)
}

// sameDigits compares what was typed with what belongs to a device.
func sameDigits(typed, check string) bool {
	typed = strings.ReplaceAll(typed, " ", "")
	return typed != "" && typed == strings.ReplaceAll(check, " ", "")
}

// drop takes a sheet away, wherever it lies.
func (m *model) drop(s sheet) {
	m.sheets = slices.DeleteFunc(m.sheets, func(other sheet) bool { return other == s })
}

// linkTime is how long digits stand to be compared.
const linkTime = 10 * time.Minute

// linkMoved tells how far linking has come, on either device.
func (m *model) linkMoved(e *port.LinkState) {
	if m.link != nil {
		m.link.moved(m, e)
	}
	switch e.State {
	case "joined":
		if m.link == nil && e.Check != "" { // here is the new device
			m.say("type these digits on the device that has shown the code: %s", oneLine(e.Check))
			m.note.until = m.now().Add(linkTime)
		}
	case "held":
		m.say("let in, and the server has it wait until %s; until then any device of yours can refuse it", m.clock(e.Until))
		m.note.until = e.Until
	case "sending", "receiving":
		m.say("history: %d of %d messages", e.Done, e.Total)
	case "failed":
		if e.Failure == nil || e.Failure.Code != port.Canceled { // what a person did needs no news
			m.say("linking ended: %s", failureOr(e.Failure, "it failed"))
			m.note.bad = true
		}
	}
}

// moved keeps the code's sheet true: a code is spent when somebody has answered it, and a
// question about what is over is none.
func (l *linking) moved(m *model, e *port.LinkState) {
	switch {
	case e.State == "waiting":
		return
	case e.State == "failed" && l.waits:
		return // an earlier code has ended, because this one is asked for
	}
	l.code = ""
	switch e.State {
	case "joined":
		l.words = "A device has answered the code."
	case "held":
		l.words = m.tf("The new device is let in, and the server has it wait until %s. Until then any device of yours can refuse it. Keep this program running: the history goes over then.", m.clock(e.Until))
	case "sending":
		l.words = fmt.Sprintf("The new device gets your history: %d of %d messages.", e.Done, e.Total)
	case "done":
		l.words = "The new device is let in, and has all. Ctrl-K, “my devices”, lists it."
	case "failed":
		l.words, l.bad = "Linking has ended: "+failureOr(e.Failure, "it failed"), true
	}
	if l.form != nil && (e.State == "done" || e.State == "failed") {
		m.drop(l.form)
		l.form = nil
	}
}

// newJoin signs in by the code that an old device shows.
func newJoin(m *model) sheet {
	f := m.newForm("Link to a device of yours", "On a device that is signed in choose “link a new device” (mirsal chat: Ctrl-K), and paste the text of its code here. Your history comes along.", "The code", "What your other devices will call this one")
	f.entries[1].box.set(m.o.Label)
	f.submit = func(m *model, values []string) {
		m.say("asking to be let in …")
		m.ask(&port.LinkJoin{Code: values[0], Label: values[1]}, func(ev port.Event) {
			m.note = note{}
			if failure := port.FailureOf(ev); failure != nil {
				f.problem = failure.Text
				return
			}
			m.sheets = nil
			m.reload()
		})
	}
	return f
}
