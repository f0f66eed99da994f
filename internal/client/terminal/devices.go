package terminal

import (
	"cmp"
	"strings"
	"time"

	"rsc.io/qr"

	"mirsal/internal/client/port"
)

// newDevices lists the devices of a conversation, or ("") one's own, with what was
// decided about their keys.
func newDevices(m *model, address string) sheet {
	name := "My devices"
	if address != "" {
		name = "Keys and devices of " + m.name(address)
	}
	p := &pick{name: name, empty: "No device is known here yet. Keys are asked for when the first message is written.", hint: "c compared · a accept · r refuse · p paste a code · v my code"}
	if address == "" {
		p.hint = "c compared · r refuse · d take off · v my code"
	}
	ask := func(m *model) {
		m.ask(&port.ListDevices{Address: address}, func(ev port.Event) {
			if f := port.FailureOf(ev); f != nil {
				m.fail(f)
				return
			}
			p.rows = nil
			list := ev.(*port.DeviceList)
			for _, d := range list.Devices {
				p.rows = append(p.rows, deviceRow(m, d, address))
			}
			for _, a := range list.Others {
				p.rows = append(p.rows, accessRow(m, a))
			}
		})
	}
	p.keys = func(m *model, key string, r *row) bool {
		switch key {
		case "v":
			m.push(newSafety(m))
			return true
		case "p":
			m.push(newPaste(m, cmp.Or(address, m.s.status.Address)))
			return true
		}
		if r == nil {
			return false
		}
		if a, ok := r.value.(port.Access); ok {
			return m.accessKey(key, a, ask)
		}
		return m.deviceKey(key, r.value.(port.Device), ask)
	}
	ask(m)
	return p
}

func deviceRow(m *model, d port.Device, of string) row {
	text := oneLine(d.Label)
	if text == "" {
		text = m.t("a device")
	}
	if d.Address != of && of != "" {
		text = m.name(d.Address) + ": " + text
	}
	if d.Here {
		text += m.t(" (this one)")
	}
	words := m.t(trustWords(d.Trust))
	if !d.Active {
		words += m.t(" · not used any more")
	}
	r := row{text: text, aside: words, value: d}
	r.more = fingerprint(d.Fingerprint)
	if !d.Seen.IsZero() {
		r.more = append(r.more, m.tf("last message %s", d.Seen.Local().Format(time.DateOnly)))
	}
	if d.Access != nil {
		r.more = append(r.more, accessWords(m, *d.Access)...)
	}
	return r
}

func trustWords(trust string) string {
	switch trust {
	case "verified":
		return "🔒✓ compared"
	case "first-use":
		return "🔒 accepted, not compared"
	case "undecided":
		return "⚠ to be decided"
	case "refused":
		return "✗ refused"
	}
	return trust
}

// fingerprint writes a key as people compare it: two lines of four groups of eight.
func fingerprint(f string) []string {
	if len(f) != 64 {
		return []string{"its key is not known yet"}
	}
	var groups []string
	for i := 0; i < 64; i += 8 {
		groups = append(groups, f[i:i+8])
	}
	return []string{strings.Join(groups[:4], " "), strings.Join(groups[4:], " ")}
}

func (m *model) deviceKey(key string, d port.Device, then func(m *model)) bool {
	decide := func(trust string) {
		m.ask(&port.SetTrust{Address: d.Address, Fingerprint: d.Fingerprint, Trust: trust}, func(ev port.Event) {
			if f := port.FailureOf(ev); f != nil {
				m.fail(f)
				return
			}
			then(m)
		})
	}
	switch {
	case key == "c" && !d.Here:
		m.push(&question{text: "Have you compared all 64 signs with those that their device shows, face to face or on a call?", yes: func(*model) { decide("verified") }})
	case key == "a" && !d.Here:
		m.push(&question{text: "Accept this key without comparing it?", yes: func(*model) { decide("first-use") }})
	case key == "r" && !d.Here:
		m.push(&question{text: "Refuse this key? That device reads nothing of yours any more, and its messages are not shown.", yes: func(*model) { decide("refused") }})
	case key == "d" && d.Own && !d.Here:
		m.push(&question{text: "Take this device off your account? It is signed out and reads nothing more.", yes: func(m *model) {
			m.remove(&port.RemoveDevice{ID: d.ID}, then)
		}})
	default:
		return false
	}
	return true
}

// newPaste compares keys by the text of somebody's code: of a room's members anybody's, else only
// of whom the conversation is with.
func newPaste(m *model, chat string) sheet {
	if m.s.chat(chat).Room {
		chat = ""
	}
	f := m.newForm("Compare by code", "Take it from their screen or from their hands, not from a message in this conversation: whoever could change the one could change the other.", "Their code: xmpp:…?omemo-sid-…")
	f.submit = func(m *model, values []string) {
		m.ask(&port.Verify{Code: values[0], Address: chat}, func(ev port.Event) {
			if failure := port.FailureOf(ev); failure != nil {
				f.problem = failure.Text
				return
			}
			m.pop()
			who := ""
			if done, ok := ev.(*port.Done); ok {
				who = m.name(done.Chat)
			}
			m.say("the keys of %s are the ones that the code names: compared", who)
			m.ask(&port.ListDevices{Address: ev.(*port.Done).Chat}, func(ev port.Event) { m.sayLeft(who, ev) })
		})
	}
	return f
}

// sayLeft says which of somebody's devices a code has not compared.
func (m *model) sayLeft(who string, ev port.Event) {
	list, ok := ev.(*port.DeviceList)
	if !ok || list.Failure != nil {
		return
	}
	used, left := 0, 0
	for _, d := range list.Devices {
		if d.Active {
			used++
		}
		if d.Active && d.Trust != "verified" {
			left++
		}
	}
	switch {
	case used == 0:
		m.say("compared; no device of %s is known yet, and one with this key counts when it appears", who)
	case left > 0:
		m.say("compared; %d of %d devices of %s are not compared yet (Ctrl-T)", left, used, who)
	}
}

// newSafety shows one's own code, to be scanned or read.
func newSafety(m *model) sheet {
	code := ""
	m.ask(&port.SafetyCode{}, func(ev port.Event) {
		if c, ok := ev.(*port.Code); ok {
			code = c.Text
		}
	})
	return &reading{name: "My safety code", text: func(m *model, w int) []string { return m.safetyText(code, w) }}
}

func (m *model) safetyText(code string, w int) (lines []string) {
	if code == "" {
		return nil
	}
	lines = m.square(code, w)
	words := "Let them scan it with their app, or compare it with what their device shows of you: then they know that nobody stands between you."
	lines = append(lines, m.pen.field(words+"\n", w)...)
	for _, part := range strings.FieldsFunc(code, func(r rune) bool { return r == '?' || r == ';' }) {
		_, print, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		for _, l := range fingerprint(print) {
			lines = append(lines, m.pen.place(l, w))
		}
	}
	return append(append(lines, strings.Repeat(" ", w)), m.pen.field(code, w)...)
}

// square draws a QR code in w cells, or says that it does not fit.
func (m *model) square(code string, w int) (lines []string) {
	square := halfBlocks(code, m.look.dark || !m.look.mono)
	if len(square) == 0 || m.pen.width(square[0]) > w {
		return m.pen.field("The QR code does not fit in here: make the terminal wider.", w)
	}
	for _, l := range square {
		lines = append(lines, m.pen.fit(m.inkOf(l), w))
	}
	return lines
}

// inkOf paints a line of a code white on black, whatever the terminal's colours: its
// light parts are what is drawn.
func (m *model) inkOf(line string) string {
	if m.look.mono {
		return line
	}
	return "\x1b[38;2;255;255;255;48;2;0;0;0m" + line + "\x1b[0m"
}

// halfBlocks draws a QR code, two dots above each other in a cell. light says that what
// is drawn is lighter than what is not. Nothing when the text is too long.
func halfBlocks(text string, light bool) (lines []string) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil
	}
	const quiet = 2 // of the four that the standard asks for; the screen has its own
	ink := func(x, y int) bool { return code.Black(x, y) != light }
	for y := -quiet; y < code.Size+quiet; y += 2 {
		var b strings.Builder
		for x := -quiet; x < code.Size+quiet; x++ {
			up, down := ink(x, y), ink(x, y+1)
			switch {
			case up && down:
				b.WriteRune('█')
			case up:
				b.WriteRune('▀')
			case down:
				b.WriteRune('▄')
			default:
				b.WriteRune(' ')
			}
		}
		lines = append(lines, b.String())
	}
	return lines
}
