package clients

import (
	"strings"
	"testing"
)

func TestTwoPeopleWithProfanityChat(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, bob := connected(t, s, "alice"), connected(t, s, "bob")
	befriend(alice, bob)

	alice.opens(bob)
	alice.enter("good morning")
	bob.opens(alice)
	bob.reads(alice.account, "good morning")
	bob.enter("and to you")
	alice.reads(bob.account, "and to you")

	bob.disconnect()
	alice.sees(bob.account + ` \[offline\]`)
	alice.enter("sent while away 1")
	alice.enter("sent while away 2")
	bob.reconnect()
	bob.opens(alice)
	bob.reads(alice.account, "sent while away 1")
	bob.reads(alice.account, "sent while away 2")
	if n := strings.Count(bob.screen(), "sent while away 1"); n != 1 {
		t.Errorf("bob sees %d copies of one message:\n%s", n, bob.screen())
	}
}

func TestANewProfanityFetchesTheArchive(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, bob := connected(t, s, "alice"), connected(t, s, "bob")
	befriend(alice, bob)
	alice.opens(bob)
	bob.opens(alice)
	alice.enter("the first thing")
	bob.reads(alice.account, "the first thing")
	bob.enter("the second thing")
	alice.reads(bob.account, "the second thing")
	bob.acknowledges("the first thing") // else it is sent again
	bob.disconnect()

	elsewhere := newProfanity(t, "bob")
	elsewhere.enter("/mam on")
	elsewhere.connect(s)
	waitFor(t, "Profanity to know that there is an archive", func() bool {
		return len(elsewhere.wire("RECV: ", `from="localhost"`, "urn:xmpp:mam:2")) > 0
	})
	elsewhere.opens(alice)
	elsewhere.reads(alice.account, "the first thing")
	elsewhere.sees("the second thing")
}

func TestTwoPeopleWithProfanityEncryptFromTheFirstLaunch(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.accounts("alice", "bob")
	alice, bob := connected(t, s, "alice"), connected(t, s, "bob")
	for _, p := range []*profanity{alice, bob} {
		p.makesKeys()
	}
	befriend(alice, bob)

	alice.opens(bob)
	alice.encrypts(bob.account)
	alice.enter("only for bob")
	bob.opens(alice)
	bob.reads(alice.account, "only for bob")
	bob.encrypts(alice.account)
	bob.enter("only for alice")
	alice.reads(bob.account, "only for alice")

	bob.disconnect()
	alice.sees(bob.account + ` \[offline\]`)
	alice.enter("only for bob, later")
	alice.sees("~ me: only for bob, later")
	bob.reconnect()
	bob.opens(alice)
	bob.reads(alice.account, "only for bob, later")
	t.Logf("alice sees\n%s\nbob sees\n%s", alice.screen(), bob.screen())
	for _, p := range []*profanity{alice, bob} {
		if leaked := p.wire("only for"); len(leaked) > 0 {
			t.Errorf("%s had a readable text on the wire: %q", p.name, leaked)
		}
		if len(p.wire("<message ", "<encrypted ")) < 2 {
			t.Errorf("%s did not see two encrypted messages", p.name)
		}
	}
}

func TestADefaultServerSendsReadableTextsBackAndSaysWhy(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.accounts("alice", "bob", "carol")
	alice, bob, carol := connected(t, s, "alice"), connected(t, s, "bob"), online(t, s, "carol")
	befriend(alice, bob)
	alice.opens(bob)
	alice.enter("readable")
	alice.sees(`(?i)error.*encrypt`)
	carol.do("send", "to", bob.account, "body", "readable too")
	why := carol.hears("error", "sender", bob.account, "type", "modify", "condition", "policy-violation")
	if !strings.Contains(why["text"].(string), "OMEMO") {
		t.Errorf("the refusal does not say what to do: %v", why)
	}

	carol.settled()
	if got := bob.wire("RECV: ", "<body>"); len(got) > 0 {
		t.Errorf("bob was sent a readable text: %q", got)
	}
}
