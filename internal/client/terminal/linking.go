package terminal

import (
	"fmt"
	"strings"
	"time"

	"mirsal/internal/client/port"
)

// newLink shows the code by which a new device of one's own joins.
func newLink(m *model) sheet {
	code, problem := "", ""
	m.ask(&port.LinkShow{}, func(ev port.Event) {
		if f := port.FailureOf(ev); f != nil {
			problem = f.Text
		} else if c, ok := ev.(*port.Code); ok {
			code = c.Text
		}
	})
	return &reading{name: "Link a new device", text: func(m *model, w int) []string {
		words := "On the new device choose to link it, and scan this, or paste the text below. Show it to nobody else: whoever has it first asks to be let in, and you are asked then."
		if problem != "" {
			words = problem
		}
		lines := m.pen.field(words, w)
		if code != "" {
			lines = append(m.square(code, w), append(lines, m.pen.field("\n"+code, w)...)...)
		}
		return lines
	}}
}

// linkAsked asks whether a new device is to be let in. It lies itself over what one is
// typing, so that no single key may mean yes: the digits that the new device shows are
// to be typed, which is also the only way to have compared them.
func (m *model) linkAsked(e *port.LinkAsked) {
	f := m.newForm("A new device wants in", fmt.Sprintf("It calls itself “%s”. Let it in only if it is in your hands: it gets into your account, and has your history. Type the digits that it shows; Esc refuses it.", oneLine(e.Label)), "The digits on the new device")
	f.left = func(m *model) { m.try(&port.LinkConfirm{}, "it was not let in") }
	f.submit = func(m *model, values []string) {
		if digits := strings.ReplaceAll(values[0], " ", ""); digits == "" || digits != strings.ReplaceAll(e.Check, " ", "") {
			f.problem = "Those are not the digits that belong to it. Esc refuses it."
			return
		}
		m.pop()
		m.say("handing over …")
		m.try(&port.LinkConfirm{Accept: true}, "the new device has all")
	}
	m.push(f)
}

// linkTime is how long digits stand to be compared.
const linkTime = 10 * time.Minute

// linkMoved tells how far linking has come.
func (m *model) linkMoved(e *port.LinkState) {
	switch e.State {
	case "joined":
		if e.Check != "" {
			m.say("on the other device these digits are to be compared, or typed: %s", oneLine(e.Check))
			m.note.until = m.now().Add(linkTime)
		}
	case "sending", "receiving":
		m.say("history: %d of %d messages", e.Done, e.Total)
	case "failed":
		m.say("linking ended: %s", failureOr(e.Failure, "it failed"))
		m.note.bad = true
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
