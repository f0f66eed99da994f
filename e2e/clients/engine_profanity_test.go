package clients

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"mirsal/e2e/device"
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
func engineAndProfanity(t *testing.T) (*server, *device.Device, *profanity) {
	t.Helper()
	s := start(t)
	s.accounts("alice", "bob")
	alice := newEngine(t, s, "alice", "alice@localhost", s.Addr("c2s"))
	bob := connected(t, s, "bob")
	bob.makesKeys()
	alice.Must(&port.AddContact{Address: bob.account})
	bob.sees("Received authorization request from " + alice.Address)
	bob.enter("/sub allow " + alice.Address)
	bob.enter("/sub request " + alice.Address)
	alice.Contact(bob.account, "contact")
	return s, alice, bob
}

// talksTo shows the chat with an address.
func (p *profanity) talksTo(address string) {
	p.t.Helper()
	p.enter("/msg " + address)
	p.sees(`(?m)^ ` + regexp.QuoteMeta(address))
}

// fetchesKey waits until Profanity has the key of one more device.
func (p *profanity) fetchesKey(of string, id uint32) {
	p.t.Helper()
	waitFor(p.t, fmt.Sprint(p.name, " to get the key of device ", id), func() bool {
		return len(p.wire("RECV: ", of, fmt.Sprintf("axolotl.bundles:%d", id), "<bundle ")) > 0
	})
}

// encrypted are the encrypted messages that Profanity has sent.
func (p *profanity) encrypted() []string {
	p.t.Helper()
	return p.wire("SENT: ", "<message ", "<encrypted ")
}

func TestOurClientAndProfanityTalkEncrypted(t *testing.T) {
	t.Parallel()
	_, alice, bob := engineAndProfanity(t)
	alice.Says(bob.account, "only for bob", port.Sent)
	bob.talksTo(alice.Address)
	bob.reads(alice.Address, "only for bob")
	bob.encrypts(alice.Address)
	bob.enter("only for alice")
	hearsLocked(alice, t, bob.account, "only for alice")

	bob.disconnect()
	alice.Says(bob.account, "only for bob, later", port.Sent)
	bob.reconnect()
	bob.talksTo(alice.Address)
	bob.reads(alice.Address, "only for bob, later")

	alice.Close()
	bob.enter("only for alice, later")
	bob.sees("~ me: only for alice, later")
	alice.Start(nil)
	hearsLocked(alice, t, bob.account, "only for alice, later")
	if leaked := bob.wire("only for"); len(leaked) > 0 {
		t.Errorf("bob had a readable text on the wire: %q", leaked)
	}
}

func TestProfanityWritesToANewDeviceOfOursAndNotToARemovedOne(t *testing.T) {
	t.Parallel()
	s, alice, bob := engineAndProfanity(t)
	bob.talksTo(alice.Address)
	bob.encrypts(alice.Address)
	bob.enter("to one device")
	hearsLocked(alice, t, bob.account, "to one device")

	tablet := newEngine(t, s, "tablet", alice.Address, s.Addr("c2s"))
	id := here(t, tablet)
	tablet.Says(bob.account, "only from the tablet", port.Sent)
	bob.reads(alice.Address, "only from the tablet")
	if m := alice.Hears(bob.account, "only from the tablet"); !m.Mine || m.Lock.State != port.Locked {
		t.Errorf("alice has %+v", m)
	}
	bob.fetchesKey(alice.Address, id)
	bob.enter("to two devices")
	hearsLocked(alice, t, bob.account, "to two devices")
	hearsLocked(tablet, t, bob.account, "to two devices")

	tablet.Close()
	alice.Must(&port.RemoveDevice{ID: id})
	waitFor(t, "bob to hear that the tablet is gone", func() bool {
		lists := bob.wire("RECV: ", alice.Address, "axolotl.devicelist", "<list")
		return len(lists) > 0 && !strings.Contains(lists[len(lists)-1], fmt.Sprint(id))
	})
	before := len(bob.encrypted())
	bob.enter("to one device again")
	hearsLocked(alice, t, bob.account, "to one device again")
	// Profanity's library notes what it sends behind the write: alice may have it first.
	waitFor(t, "bob to note what he has sent", func() bool { return len(bob.encrypted()) > before })
	for _, sent := range bob.encrypted()[before:] {
		if strings.Contains(sent, fmt.Sprintf(`rid="%d"`, id)) {
			t.Errorf("the removed device is written to: %s", sent)
		}
	}
}

func TestOurClientAndProfanityTalkEncryptedInARoom(t *testing.T) {
	t.Parallel()
	_, alice, bob := engineAndProfanity(t)
	room := alice.Must(&port.CreateRoom{Name: "den", Members: []string{bob.account}}).(*port.Done).Chat
	enters := func() {
		bob.enter("/join " + room)
		waitFor(t, "bob to be in", func() bool { return len(bob.wire("RECV: ", "<presence ", room+"/bob", `code="110"`)) > 0 })
	}
	enters()
	bob.enter("/win " + room)
	bob.sees(`(?m)^ den`)
	bob.enter("/omemo start")
	bob.sees(`\[OMEMO\]`)
	alice.Says(room, "only for the room", port.Sent)
	bob.sees("only for the room")
	bob.enter("only back to the room")
	hearsLocked(alice, t, room, "only back to the room")

	alice.Close()
	bob.enter("only while alice is away")
	bob.sees("me: only while alice is away|bob: only while alice is away")
	alice.Start(nil)
	hearsLocked(alice, t, room, "only while alice is away")
	alice.Says(room, "only now", port.Sent)
	bob.sees("only now")
	if leaked := bob.wire("only "); len(leaked) > 0 {
		t.Errorf("bob had a readable text on the wire: %q", leaked)
	}
}
