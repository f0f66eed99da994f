package clients

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/e2e/device"
	"mirsal/e2e/terminal"
	"mirsal/internal/client/port"
)

// newEngine starts one of our own clients, as a process, and signs it in.
func newEngine(t *testing.T, s *server, name, address, at string) *device.Device {
	t.Helper()
	d := device.New(t, binary, name, address, s.ca)
	d.Start(nil)
	d.SignIn(password, at)
	return d
}

// here is the number of a device in OMEMO.
func here(t *testing.T, d *device.Device) uint32 {
	t.Helper()
	for _, one := range d.Must(&port.ListDevices{}).(*port.DeviceList).Devices {
		if one.Here {
			return one.ID
		}
	}
	t.Fatalf("%s does not list itself", d.Name)
	return 0
}

// hearsLocked waits for a text and wants it to have come encrypted.
func hearsLocked(d *device.Device, t *testing.T, chat, text string) {
	t.Helper()
	if m := d.Hears(chat, text); m.Lock.State != port.Locked {
		t.Errorf("%s has %+v", d.Name, m)
	}
}

// engineAndProfanity are alice with our client and bob with Profanity, contacts.
func engineAndProfanity(t *testing.T) (*server, *device.Device, *terminal.Profanity) {
	t.Helper()
	s := start(t)
	s.accounts("alice", "bob")
	alice := newEngine(t, s, "alice", "alice@localhost", s.Addr("c2s"))
	bob := connected(t, s, "bob")
	bob.MakesKeys()
	alice.Must(&port.AddContact{Address: bob.Account})
	bob.Accepts(alice.Address)
	alice.Contact(bob.Account, "contact")
	return s, alice, bob
}

// fetchesKey waits until Profanity has the key of one more device.
func fetchesKey(t *testing.T, p *terminal.Profanity, of string, id uint32) {
	t.Helper()
	terminal.WaitFor(t, fmt.Sprint(p.Name, " to get the key of device ", id), func() bool {
		return len(p.Wire("RECV: ", of, fmt.Sprintf("axolotl.bundles:%d", id), "<bundle ")) > 0
	})
}

func TestOurClientAndProfanityTalkEncrypted(t *testing.T) {
	t.Parallel()
	_, alice, bob := engineAndProfanity(t)
	alice.Says(bob.Account, "only for bob", port.Sent)
	bob.Opens(alice.Address)
	bob.Reads(alice.Address, "only for bob")
	bob.Encrypts(alice.Address)
	bob.Enter("only for alice")
	hearsLocked(alice, t, bob.Account, "only for alice")

	bob.Disconnect()
	alice.Says(bob.Account, "only for bob, later", port.Sent)
	bob.Reconnect()
	bob.Opens(alice.Address)
	bob.Reads(alice.Address, "only for bob, later")

	alice.Close()
	bob.Enter("only for alice, later")
	bob.Sees("~ me: only for alice, later")
	alice.Start(nil)
	hearsLocked(alice, t, bob.Account, "only for alice, later")
	if leaked := bob.Wire("only for"); len(leaked) > 0 {
		t.Errorf("bob had a readable text on the wire: %q", leaked)
	}
}

func TestProfanityWritesToANewDeviceOfOursAndNotToARemovedOne(t *testing.T) {
	t.Parallel()
	s, alice, bob := engineAndProfanity(t)
	bob.Opens(alice.Address)
	bob.Encrypts(alice.Address)
	bob.Enter("to one device")
	hearsLocked(alice, t, bob.Account, "to one device")

	tablet := newEngine(t, s, "tablet", alice.Address, s.Addr("c2s"))
	id := here(t, tablet)
	tablet.Says(bob.Account, "only from the tablet", port.Sent)
	bob.Reads(alice.Address, "only from the tablet")
	if m := alice.Hears(bob.Account, "only from the tablet"); !m.Mine || m.Lock.State != port.Locked {
		t.Errorf("alice has %+v", m)
	}
	fetchesKey(t, bob, alice.Address, id)
	bob.Enter("to two devices")
	hearsLocked(alice, t, bob.Account, "to two devices")
	hearsLocked(tablet, t, bob.Account, "to two devices")

	tablet.Close()
	alice.Must(&port.RemoveDevice{ID: id})
	terminal.WaitFor(t, "bob to hear that the tablet is gone", func() bool {
		lists := bob.Wire("RECV: ", alice.Address, "axolotl.devicelist", "<list")
		return len(lists) > 0 && !strings.Contains(lists[len(lists)-1], fmt.Sprint(id))
	})
	before := len(bob.Encrypted())
	bob.Enter("to one device again")
	hearsLocked(alice, t, bob.Account, "to one device again")
	// Profanity's library notes what it sends behind the write: alice may have it first.
	terminal.WaitFor(t, "bob to note what he has sent", func() bool { return len(bob.Encrypted()) > before })
	for _, sent := range bob.Encrypted()[before:] {
		if strings.Contains(sent, fmt.Sprintf(`rid="%d"`, id)) {
			t.Errorf("the removed device is written to: %s", sent)
		}
	}
}

func TestOurClientAndProfanityTalkEncryptedInARoom(t *testing.T) {
	t.Parallel()
	_, alice, bob := engineAndProfanity(t)
	room := alice.Must(&port.CreateRoom{Name: "den", Members: []string{bob.Account}}).(*port.Done).Chat
	bob.EntersRoom(room, "den")
	alice.Says(room, "only for the room", port.Sent)
	bob.Sees("only for the room")
	bob.Enter("only back to the room")
	hearsLocked(alice, t, room, "only back to the room")

	alice.Close()
	bob.Enter("only while alice is away")
	bob.Sees("me: only while alice is away|bob: only while alice is away")
	alice.Start(nil)
	hearsLocked(alice, t, room, "only while alice is away")
	alice.Says(room, "only now", port.Sent)
	bob.Sees("only now")
	if leaked := bob.Wire("only "); len(leaked) > 0 {
		t.Errorf("bob had a readable text on the wire: %q", leaked)
	}
}
