package engine

import (
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

func TestWhoSignsOutForGoodAndInAgainIsReadAgain(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	alice.says(bob.Address, "before", port.Delivered)
	bob.Must(&port.SignOut{Forget: true})
	bob.Until("being offline", func(ev port.Event) bool { st, ok := ev.(*port.Status); return ok && st.State == "offline" })
	bob.Must(&port.SignIn{Address: bob.Address, Password: device.Password, Server: s.C2S})
	bob.Synced()
	alice.Until("bob's device being on his list", func(port.Event) bool {
		for _, d := range alice.Must(&port.ListDevices{Address: bob.Address}).(*port.DeviceList).Devices {
			if d.Active {
				return true
			}
		}
		return false
	})
	alice.says(bob.Address, "after", port.Delivered)
	if m := bob.hears(alice.Address, "after"); m.Unreadable != "" {
		t.Errorf("bob has %+v", m)
	}
}
