package wasm

import (
	"slices"
	"testing"

	"mirsal/internal/client/port"
)

func TestABrowserAndAProgramTalkEncrypted(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob")
	alice, bob := browse(t, "").open("1", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&alice.person, bob)
	alice.says(bob.address, "from the browser", port.Delivered)
	if m := bob.hears("from the browser"); m.Lock.State != port.Locked || m.Mine {
		t.Errorf("bob has %+v", m)
	}
	bob.says(alice.address, "to the browser", port.Delivered)
	if m := alice.hears("to the browser"); m.Lock.State != port.Locked || m.Mine {
		t.Errorf("alice has %+v", m)
	}
}

func TestAReloadKeepsEverythingAndGoesOnByItsToken(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob")
	alice, bob := browse(t, "").open("1", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&alice.person, bob)
	alice.says(bob.address, "before", port.Delivered)
	devices := alice.must(&port.ListDevices{}).(*port.DeviceList).Devices
	for range 2 {
		alice.again()
		if st := alice.becomes("running"); st.Reset || st.Address != alice.address {
			t.Errorf("the engine is %+v", st)
		}
		alice.synced() // nobody has typed a password
		bob.says(alice.address, "meanwhile", port.Delivered)
		alice.hears("meanwhile")
	}
	if got := alice.texts(bob.address); !slices.Equal(got, []string{"before", "meanwhile", "meanwhile"}) {
		t.Errorf("alice's history is %q", got)
	}
	now := alice.must(&port.ListDevices{}).(*port.DeviceList).Devices
	if len(now) != 1 || now[0].Fingerprint != devices[0].Fingerprint || now[0].ID != devices[0].ID {
		t.Errorf("the device was %+v and is %+v", devices, now)
	}
}
