package clients

import "testing"

func TestTheOwnerOfANewPrivateRoomEncryptsInProfanity(t *testing.T) {
	s := start(t)
	s.accounts("alice")
	alice := connected(t, s, "alice")
	alice.makesKeys()
	alice.enter("/join den@conference.localhost")
	alice.sees("Room locked")
	alice.enter("/room config")
	alice.sees(`Use ./form submit`)
	alice.enter("/field6 on")
	alice.enter("/field8 anyone")
	alice.enter("/form submit")
	alice.sees("Room configuration successful")
	waitFor(t, "Profanity to ask what the room is now", func() bool {
		return len(alice.wire("RECV: ", `"muc_membersonly"`, `"muc_nonanonymous"`)) > 0
	})
	alice.enter("/win 2")
	alice.enter("/omemo start")
	alice.sees(`\[OMEMO\]`)
}
