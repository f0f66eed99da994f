package engine

import (
	"testing"

	"mirsal/internal/client/port"
)

func TestWhoSignsOutForGoodAndInAgainIsReadAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob")
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	alice.says(bob.address, "before", port.Delivered)
	bob.must(&port.SignOut{Forget: true})
	bob.until("being offline", func(ev port.Event) bool { st, ok := ev.(*port.Status); return ok && st.State == "offline" })
	bob.must(&port.SignIn{Address: bob.address, Password: password("bob"), Server: s.addr})
	bob.synced()
	alice.until("bob's device being on his list", func(port.Event) bool {
		for _, d := range alice.must(&port.ListDevices{Address: bob.address}).(*port.DeviceList).Devices {
			if d.Active {
				return true
			}
		}
		return false
	})
	alice.says(bob.address, "after", port.Delivered)
	if m := bob.hears(alice.address, "after"); m.Unreadable != "" {
		t.Errorf("bob has %+v", m)
	}
}
