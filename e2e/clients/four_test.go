package clients

import (
	"net"
	"testing"

	"mirsal/internal/client/port"
)

// profanityAt starts Profanity where Dino is too, and signs in.
func profanityAt(t *testing.T, ip, name string) *profanity {
	t.Helper()
	p := newProfanity(t, name)
	p.account = name + "@" + chatDomain
	host, at, err := net.SplitHostPort(ip)
	if err != nil {
		t.Fatal(err)
	}
	p.enter("/connect " + p.account + " server " + host + " port " + at + " tls trust")
	p.signIn()
	return p
}

// Two of ours, Profanity and Dino in one room: each reads what each of the others says.
func TestFourClientsOfThreeMakersTalkEncryptedInARoom(t *testing.T) {
	t.Parallel()
	s, at, alice, bob := engineAndDino(t)
	s.accounts("carol", "dora")
	carol := newEngine(t, s, "carol", "carol@"+chatDomain, at)
	dora := profanityAt(t, at, "dora")
	dora.makesKeys()
	room := alice.Must(&port.CreateRoom{Name: "The den", Members: []string{bob.account, carol.Address, dora.account}}).(*port.Done).Chat
	carol.Must(&port.JoinRoom{Address: room})
	bob.enters(room, "The den")
	dora.enter("/join " + room)
	waitFor(t, "dora to be in", func() bool { return len(dora.wire("RECV: ", "<presence ", room+"/dora", `code="110"`)) > 0 })
	waitFor(t, "Profanity to ask what the room is", func() bool { return len(dora.wire("RECV: ", `"muc_membersonly"`, `"muc_nonanonymous"`)) > 0 })
	dora.enter("/win " + room)
	dora.enter("/omemo start")
	dora.sees(`\[OMEMO\]`)
	bob.encrypts()

	for text, say := range map[string]func(string){
		"only from alice": func(text string) { alice.Says(room, text, port.Sent) },
		"only from carol": func(text string) { carol.Says(room, text, port.Sent) },
		"only from bob":   bob.says,
		"only from dora":  dora.enter,
	} {
		say(text)
		hearsLocked(alice, t, room, text)
		hearsLocked(carol, t, room, text)
		bob.sees(mainWindow, text)
		dora.sees(text)
	}
	bob.wroteNothingReadable()
	if leaked := dora.wire("only from"); len(leaked) > 0 {
		t.Errorf("dora had a readable text on the wire: %q", leaked)
	}
}

func TestProfanityAndDinoTalkEncrypted(t *testing.T) {
	t.Parallel()
	s, ip := startUsual(t)
	s.accounts("bob", "dora")
	bob, dora := newDino(t, s, ip, "bob"), profanityAt(t, ip+":5222", "dora")
	dora.makesKeys()
	dora.enter("/sub request " + bob.account)
	bob.accepts(dora.account)
	dora.sees("Received authorization request from " + bob.account)
	dora.enter("/sub allow " + bob.account)
	dora.talksTo(bob.account)
	dora.encrypts(bob.account)
	dora.enter("only for bob")
	bob.sees(mainWindow, "only for bob")
	bob.encrypts()
	bob.says("only for dora")
	dora.reads(bob.account, "only for dora")
	bob.wroteNothingReadable()
}
