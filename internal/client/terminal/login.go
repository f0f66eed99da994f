package terminal

import (
	"cmp"

	"mirsal/internal/client/port"
)

// newLogin is how a profile gets its account.
func newLogin(m *model) sheet {
	intro := "Sign in with an account that exists. The password is not kept where the server gives out tokens. An invitation makes an account: open its link in a browser or an app first. Signed in on another device? Ctrl-L links this one to it, and brings your history."
	f := m.newForm("Sign in", intro, "Address, like alice@example.org", "Password", "Server, as HOST:PORT  (empty: found by itself)")
	f.entries[0].box.set(m.s.status.Address)
	f.entries[1].box.hidden = true
	f.outro = m.o.Help
	f.keys = map[string]func(m *model){"ctrl+l": func(m *model) { m.push(newJoin(m)) }}
	if f.entries[0].box.text() != "" {
		f.at = 1
	}
	busy := false
	f.submit = func(m *model, values []string) {
		if values[0] == "" {
			f.problem, f.at = "An address is needed.", 0
			return
		}
		if busy {
			return
		}
		busy = true
		m.say("signing in …")
		m.ask(&port.SignIn{Address: values[0], Password: values[1], Server: values[2]}, func(ev port.Event) {
			busy = false
			m.note = note{}
			if failure := port.FailureOf(ev); failure != nil {
				f.problem = cmp.Or(failure.Text, failure.Code)
				return
			}
			m.pop()
			m.reload()
			m.say("signed in as %s", m.s.status.Address)
		})
	}
	return f
}
