package clients

import (
	"strings"
	"testing"

	"mirsal/e2e/terminal"
)

func TestTwoPeopleWithProfanityChat(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, bob := connected(t, s, "alice"), connected(t, s, "bob")
	terminal.Befriend(alice, bob)

	alice.Opens(bob.Account)
	alice.Enter("good morning")
	bob.Opens(alice.Account)
	bob.Reads(alice.Account, "good morning")
	bob.Enter("and to you")
	alice.Reads(bob.Account, "and to you")

	bob.Disconnect()
	alice.Sees(bob.Account + ` \[offline\]`)
	alice.Enter("sent while away 1")
	alice.Enter("sent while away 2")
	bob.Reconnect()
	bob.Opens(alice.Account)
	bob.Reads(alice.Account, "sent while away 1")
	bob.Reads(alice.Account, "sent while away 2")
	if n := strings.Count(bob.Screen(), "sent while away 1"); n != 1 {
		t.Errorf("bob sees %d copies of one message:\n%s", n, bob.Screen())
	}
}

func TestANewProfanityFetchesTheArchive(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, bob := connected(t, s, "alice"), connected(t, s, "bob")
	terminal.Befriend(alice, bob)
	alice.Opens(bob.Account)
	bob.Opens(alice.Account)
	alice.Enter("the first thing")
	bob.Reads(alice.Account, "the first thing")
	bob.Enter("the second thing")
	alice.Reads(bob.Account, "the second thing")
	bob.Acknowledges("the first thing") // else it is sent again
	bob.Disconnect()

	elsewhere := newProfanity(t, "bob")
	elsewhere.Enter("/mam on")
	elsewhere.Connect(s.Addr("c2s"))
	terminal.WaitFor(t, "Profanity to know that there is an archive", func() bool {
		return len(elsewhere.Wire("RECV: ", `from="localhost"`, "urn:xmpp:mam:2")) > 0
	})
	elsewhere.Opens(alice.Account)
	elsewhere.Reads(alice.Account, "the first thing")
	elsewhere.Sees("the second thing")
}

func TestTwoPeopleWithProfanityEncryptFromTheFirstLaunch(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.accounts("alice", "bob")
	alice, bob := connected(t, s, "alice"), connected(t, s, "bob")
	for _, p := range []*terminal.Profanity{alice, bob} {
		p.MakesKeys()
	}
	terminal.Befriend(alice, bob)

	alice.Opens(bob.Account)
	alice.Encrypts(bob.Account)
	alice.Enter("only for bob")
	bob.Opens(alice.Account)
	bob.Reads(alice.Account, "only for bob")
	bob.Encrypts(alice.Account)
	bob.Enter("only for alice")
	alice.Reads(bob.Account, "only for alice")

	bob.Disconnect()
	alice.Sees(bob.Account + ` \[offline\]`)
	alice.Enter("only for bob, later")
	alice.Sees("~ me: only for bob, later")
	bob.Reconnect()
	bob.Opens(alice.Account)
	bob.Reads(alice.Account, "only for bob, later")
	t.Logf("alice sees\n%s\nbob sees\n%s", alice.Screen(), bob.Screen())
	for _, p := range []*terminal.Profanity{alice, bob} {
		if leaked := p.Wire("only for"); len(leaked) > 0 {
			t.Errorf("%s had a readable text on the wire: %q", p.Name, leaked)
		}
		if len(p.Wire("<message ", "<encrypted ")) < 2 {
			t.Errorf("%s did not see two encrypted messages", p.Name)
		}
	}
}

func TestADefaultServerSendsReadableTextsBackAndSaysWhy(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.accounts("alice", "bob", "carol")
	alice, bob, carol := connected(t, s, "alice"), connected(t, s, "bob"), online(t, s, "carol")
	terminal.Befriend(alice, bob)
	alice.Opens(bob.Account)
	alice.Enter("readable")
	alice.Sees(`(?i)error.*encrypt`)
	carol.do("send", "to", bob.Account, "body", "readable too")
	why := carol.hears("error", "sender", bob.Account, "type", "modify", "condition", "policy-violation")
	if !strings.Contains(why["text"].(string), "OMEMO") {
		t.Errorf("the refusal does not say what to do: %v", why)
	}

	carol.settled()
	if got := bob.Wire("RECV: ", "<body>"); len(got) > 0 {
		t.Errorf("bob was sent a readable text: %q", got)
	}
}
