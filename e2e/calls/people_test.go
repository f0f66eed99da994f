package calls

import (
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// patience is how long anything may take before a test gives up: the machine may be busy.
const patience = 90 * time.Second

// signIn makes a profile of an account, by way of where clients connect.
func signIn(t testing.TB, s *device.Server, name, folder, server string) *device.Local {
	t.Helper()
	l := device.NewLocal(t, s, name, name+"@"+device.Domain, folder)
	l.SignIn(server)
	return l
}

// meet makes two people contacts.
func meet(t testing.TB, a, b *device.Local) {
	t.Helper()
	becomes := func(p *device.Local, address, state string) {
		p.Until(address+" being "+state, func(ev port.Event) bool {
			c, ok := ev.(*port.ContactChanged)
			return ok && c.Contact.Address == address && c.Contact.State == state
		})
	}
	a.Must(&port.AddContact{Address: b.Address})
	becomes(b, a.Address, "asks")
	b.Must(&port.AddContact{Address: a.Address})
	becomes(a, b.Address, "contact")
	becomes(b, a.Address, "contact")
}

// profile makes a further profile of an account, and none of it runs afterwards.
func profile(t testing.TB, s *device.Server, name, folder string) string {
	t.Helper()
	signIn(t, s, name, folder, s.C2S).Close()
	return folder
}
