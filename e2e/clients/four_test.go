package clients

import (
	"testing"

	"mirsal/e2e/terminal"
	"mirsal/internal/client/port"
)

// profanityAt starts Profanity where Dino is too, and signs in.
func profanityAt(t *testing.T, at, name string) *terminal.Profanity {
	t.Helper()
	p := terminal.NewProfanity(t, name+"@"+chatDomain, password)
	p.Connect(at)
	return p
}

// Two of ours, Profanity and Dino in one room: each reads what each of the others says.
func TestFourClientsOfThreeMakersTalkEncryptedInARoom(t *testing.T) {
	t.Parallel()
	s, at, alice, bob := engineAndDino(t)
	s.accounts("carol", "dora")
	carol := newEngine(t, s, "carol", "carol@"+chatDomain, at)
	dora := profanityAt(t, at, "dora")
	dora.MakesKeys()
	room := alice.Must(&port.CreateRoom{Name: "The den", Members: []string{bob.account, carol.Address, dora.Account}}).(*port.Done).Chat
	carol.Must(&port.JoinRoom{Address: room})
	bob.enters(room, "The den")
	dora.EntersRoom(room, "The den")
	bob.encrypts()

	for text, say := range map[string]func(string){
		"only from alice": func(text string) { alice.Says(room, text, port.Sent) },
		"only from carol": func(text string) { carol.Says(room, text, port.Sent) },
		"only from bob":   bob.says,
		"only from dora":  dora.Enter,
	} {
		say(text)
		hearsLocked(alice, t, room, text)
		hearsLocked(carol, t, room, text)
		bob.sees(mainWindow, text)
		dora.Sees(text)
	}
	bob.wroteNothingReadable()
	if leaked := dora.Wire("only from"); len(leaked) > 0 {
		t.Errorf("dora had a readable text on the wire: %q", leaked)
	}
}

func TestProfanityAndDinoTalkEncrypted(t *testing.T) {
	t.Parallel()
	s, ip := startUsual(t)
	s.accounts("bob", "dora")
	bob, dora := newDino(t, s, ip, "bob"), profanityAt(t, ip+":5222", "dora")
	dora.MakesKeys()
	dora.Enter("/sub request " + bob.account)
	bob.accepts(dora.Account)
	dora.Sees("Received authorization request from " + bob.account)
	dora.Enter("/sub allow " + bob.account)
	dora.Opens(bob.account)
	dora.Encrypts(bob.account)
	dora.Enter("only for bob")
	bob.sees(mainWindow, "only for bob")
	bob.encrypts()
	bob.says("only for dora")
	dora.Reads(bob.account, "only for dora")
	bob.wroteNothingReadable()
}
