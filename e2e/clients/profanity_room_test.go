package clients

import (
	"testing"

	"mirsal/e2e/terminal"
)

func TestTheOwnerOfANewPrivateRoomEncryptsInProfanity(t *testing.T) {
	s := start(t)
	s.accounts("alice")
	alice := connected(t, s, "alice")
	alice.MakesKeys()
	alice.Enter("/join den@conference.localhost")
	alice.Sees("Room locked")
	alice.Enter("/room config")
	alice.Sees(`Use ./form submit`)
	alice.Enter("/field6 on")
	alice.Enter("/field8 anyone")
	alice.Enter("/form submit")
	alice.Sees("Room configuration successful")
	terminal.WaitFor(t, "Profanity to ask what the room is now", func() bool {
		return len(alice.Wire("RECV: ", `"muc_membersonly"`, `"muc_nonanonymous"`)) > 0
	})
	alice.Enter("/win 2")
	alice.Enter("/omemo start")
	alice.Sees(`\[OMEMO\]`)
}
