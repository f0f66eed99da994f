package clients

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// engineAndDino are alice with our client and bob with Dino, contacts.
func engineAndDino(t *testing.T) (s *server, at string, alice *device.Device, bob *dino) {
	t.Helper()
	s, ip := startUsual(t)
	s.accounts("alice", "bob")
	at = ip + ":5222"
	alice = newEngine(t, s, "alice", "alice@"+chatDomain, at)
	bob = newDino(t, s, ip, "bob")
	alice.Must(&port.AddContact{Address: bob.account})
	bob.accepts(alice.Address)
	alice.Contact(bob.account, "contact")
	return s, at, alice, bob
}

func TestOurClientAndDinoTalkEncryptedOnAllDevices(t *testing.T) {
	t.Parallel()
	s, at, alice, bob := engineAndDino(t)
	alice.Says(bob.account, "only for bob", port.Sent)
	bob.sees(mainWindow, "only for bob")
	bob.encrypts()
	bob.says("only for alice")
	hearsLocked(alice, t, bob.account, "only for alice")

	alice.Close()
	bob.says("only while away")
	alice.Start(nil)
	hearsLocked(alice, t, bob.account, "only while away")

	tablet := newEngine(t, s, "tablet", alice.Address, at)
	id := here(t, tablet)
	tablet.Says(bob.account, "only from the tablet", port.Sent)
	bob.sees(mainWindow, "only from the tablet")
	alice.Hears(bob.account, "only from the tablet")
	bob.hears(fmt.Sprintf(`:device [^>]*id=.%d.`, id))
	bob.says("only for two devices")
	hearsLocked(alice, t, bob.account, "only for two devices")
	hearsLocked(tablet, t, bob.account, "only for two devices")
	bob.look("talked")
	if strings.Contains(bob.wire(), "only ") {
		t.Error("bob had a readable text on the wire")
	}
}

func TestOurClientAndDinoTalkEncryptedInAGroup(t *testing.T) {
	t.Parallel()
	_, _, alice, bob := engineAndDino(t)
	room := alice.Must(&port.CreateRoom{Name: "The den", Members: []string{bob.account}}).(*port.Done).Chat
	bob.enters(room, "The den")
	bob.encrypts()
	alice.Says(room, "only for the group", port.Sent)
	bob.sees(mainWindow, "only for the group")
	bob.says("only back to the group")
	hearsLocked(alice, t, room, "only back to the group")
	alice.Close()
	bob.says("only while away")
	alice.Start(nil)
	hearsLocked(alice, t, room, "only while away")
	if strings.Contains(bob.wire(), "only ") {
		t.Error("bob had a readable text on the wire")
	}
}
