package wasm

import (
	"slices"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

func TestABrowserAndAProgramTalkEncrypted(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := browse(t, "").open("1", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&alice.person, bob)
	alice.says(bob.Address, "from the browser", port.Delivered)
	if m := bob.hears("from the browser"); m.Lock.State != port.Locked || m.Mine {
		t.Errorf("bob has %+v", m)
	}
	bob.says(alice.Address, "to the browser", port.Delivered)
	if m := alice.hears("to the browser"); m.Lock.State != port.Locked || m.Mine {
		t.Errorf("alice has %+v", m)
	}
}

func TestAReloadKeepsEverythingAndGoesOnByItsToken(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := browse(t, "").open("1", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&alice.person, bob)
	alice.says(bob.Address, "before", port.Delivered)
	devices := alice.Must(&port.ListDevices{}).(*port.DeviceList).Devices
	for range 2 {
		alice.again()
		if st := alice.becomes("running"); st.Reset || st.Address != alice.Address {
			t.Errorf("the engine is %+v", st)
		}
		alice.Synced() // nobody has typed a device.Password
		bob.says(alice.Address, "meanwhile", port.Delivered)
		alice.hears("meanwhile")
	}
	if got := alice.texts(bob.Address); !slices.Equal(got, []string{"before", "meanwhile", "meanwhile"}) {
		t.Errorf("alice's history is %q", got)
	}
	now := alice.Must(&port.ListDevices{}).(*port.DeviceList).Devices
	if len(now) != 1 || now[0].Fingerprint != devices[0].Fingerprint || now[0].ID != devices[0].ID {
		t.Errorf("the device was %+v and is %+v", devices, now)
	}
}
