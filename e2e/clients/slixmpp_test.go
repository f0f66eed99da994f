package clients

import (
	"fmt"
	"slices"
	"testing"
)

// acquaint makes two people with slixmpp each other's contacts.
func acquaint(alice, bob *agent) {
	alice.t.Helper()
	alice.do("subscribe", "to", bob.account)
	bob.hears("asks", "who", alice.account)
	bob.do("allow", "to", alice.account)
	bob.do("subscribe", "to", alice.account)
	alice.hears("allows", "who", bob.account)
	alice.hears("asks", "who", bob.account)
	alice.do("allow", "to", bob.account)
	bob.hears("allows", "who", alice.account)
	alice.hears("online", "who", bob.account)
	bob.hears("online", "who", alice.account)
}

func TestTwoPeopleWithSlixmppBecomeContacts(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, bob := online(t, s, "alice"), online(t, s, "bob")
	acquaint(alice, bob)
	alice.do("rename", "to", bob.account, "name", "Robert")
	for _, a := range []*agent{alice, online(t, s, "alice")} {
		got, _ := a.do("roster").(map[string]any)[bob.account].(map[string]any)
		if got["subscription"] != "both" || got["name"] != "Robert" || fmt.Sprint(got["groups"]) != "[friends]" {
			t.Errorf("bob is in alice's roster as %v", got)
		}
	}
	bob.do("leave")
	alice.hears("offline", "who", bob.account)
}

func TestTwoPeopleWithSlixmppChat(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, bob := online(t, s, "alice"), online(t, s, "bob")
	acquaint(alice, bob)

	alice.do("send", "to", bob.account, "body", "good morning")
	bob.hears("message", "sender", alice.account, "body", "good morning")
	bob.do("send", "to", alice.account, "body", "<and> & to \"you\" 🙂")
	alice.hears("message", "sender", bob.account, "body", "<and> & to \"you\" 🙂")

	bob.do("leave")
	bob.hears("disconnected")
	alice.hears("offline", "who", bob.account)
	for i := range 3 {
		alice.do("send", "to", bob.account, "body", fmt.Sprint("while away ", i))
	}
	alice.settled()
	again := online(t, s, "bob")
	for i := range 3 {
		again.hears("message", "body", fmt.Sprint("while away ", i), "delayed", true)
	}
	again.settled()
	if more := again.pending("message"); len(more) > 0 {
		t.Errorf("bob was sent more than was missed: %q", more)
	}
}

func TestSlixmppResumesAStreamThatBroke(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, bob := online(t, s, "alice"), online(t, s, "bob")
	acquaint(alice, bob)

	bob.do("cut")
	bob.hears("disconnected")
	for i := range 3 {
		alice.do("send", "to", bob.account, "body", fmt.Sprint("during the break ", i))
	}
	alice.settled()
	bob.connect()
	bob.hears("resumed")
	for i := range 3 {
		bob.hears("message", "sender", alice.account, "body", fmt.Sprint("during the break ", i))
	}
	bob.do("send", "to", alice.account, "body", "back again")
	alice.hears("message", "jid", bob.jid, "body", "back again")
	bob.settled()
	if more := bob.pending("message"); len(more) > 0 {
		t.Errorf("bob was sent messages twice: %q", more)
	}
	alice.settled()
	if gone := alice.take(happening{"event": "offline"}); gone != nil {
		t.Errorf("alice saw bob go, though his stream was resumed: %v", gone)
	}
}

func TestSlixmppResumesWithAServerThatWasRestarted(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, bob := online(t, s, "alice"), online(t, s, "bob")
	acquaint(alice, bob)
	bob.do("cut")
	alice.do("send", "to", bob.account, "body", "before the restart")
	alice.settled()

	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	alice.hears("disconnected")
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for _, a := range []*agent{alice, bob} {
		a.connect()
		a.hears("resumed")
	}
	bob.hears("message", "sender", alice.account, "body", "before the restart")
	bob.do("send", "to", alice.jid, "body", "after the restart")
	alice.hears("message", "jid", bob.jid, "body", "after the restart")
	bob.settled()
	if more := bob.pending("message"); len(more) > 0 {
		t.Errorf("bob was sent messages twice: %q", more)
	}
}

func TestSlixmppStartsAnewWithAServerThatWasKilled(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, bob := online(t, s, "alice"), online(t, s, "bob")
	acquaint(alice, bob)
	bob.do("cut")
	alice.do("send", "to", bob.account, "body", "before the crash")
	alice.do("acknowledged")

	s.Kill()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	bob.connect()
	bob.hears("not resumed")
	bob.hears("started")
	bob.do("start")
	bob.hears("message", "sender", alice.account, "body", "before the crash", "delayed", true)
	bob.settled()
	if more := bob.pending("message"); len(more) > 0 {
		t.Errorf("bob was sent messages twice: %q", more)
	}
}

func TestASecondDeviceWithSlixmppGetsCopies(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob")
	alice, phone, tablet := online(t, s, "alice"), online(t, s, "bob"), online(t, s, "bob")

	alice.do("send", "to", phone.jid, "body", "for the phone")
	phone.hears("message", "body", "for the phone")
	tablet.hears("carbon", "way", "received", "sender", alice.account, "body", "for the phone")
	tablet.do("send", "to", alice.account, "body", "from the tablet")
	alice.hears("message", "jid", tablet.jid, "body", "from the tablet")
	phone.hears("carbon", "way", "sent", "to", alice.account, "body", "from the tablet")
	tablet.settled()
	if own := tablet.pending("carbon"); len(own) > 0 {
		t.Errorf("the tablet got copies of its own: %q", own)
	}
}

func TestSlixmppReadsTheArchiveInPages(t *testing.T) {
	t.Parallel()
	s := start(t, readable)
	s.accounts("alice", "bob", "carol")
	alice, bob, carol := online(t, s, "alice"), online(t, s, "bob"), online(t, s, "carol")
	var want []string
	for i := range 5 {
		from, to := alice, bob
		if i%2 == 1 {
			from, to = bob, alice
		}
		text := fmt.Sprint("number ", i)
		from.do("send", "to", to.account, "body", text)
		to.hears("message", "body", text)
		want = append(want, text)
	}
	carol.do("send", "to", alice.account, "body", "from another")
	alice.hears("message", "body", "from another")

	for _, reader := range []*agent{alice, online(t, s, "bob")} {
		other := alice.account
		if reader == alice {
			other = bob.account
		}
		if got := bodies(reader.do("archive", "to", other)); !slices.Equal(got, want) {
			t.Errorf("%s finds %q in the archive with %s, not %q", reader.name, got, other, want)
		}
	}
	if got := bodies(alice.do("archive")); !slices.Equal(got, append(want, "from another")) {
		t.Errorf("alice finds %q in her archive", got)
	}
}

func bodies(found any) []string {
	var out []string
	for _, f := range found.([]any) {
		out = append(out, f.(map[string]any)["body"].(string))
	}
	return out
}

func TestTwoPeopleWithSlixmppEncrypt(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.accounts("alice", "bob")
	alice, bob := online(t, s, "alice"), online(t, s, "bob")
	acquaint(alice, bob)
	alice.do("omemo")
	bob.do("omemo")
	alice.do("secret", "to", bob.account, "body", "only for bob")
	bob.hears("secret", "sender", alice.account, "body", "only for bob")
	bob.do("secret", "to", alice.account, "body", "only for alice")
	alice.hears("secret", "sender", bob.account, "body", "only for alice")
}

func TestProfanityAndSlixmppEncryptForEachOther(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.accounts("alice", "bob", "carol")
	alice, bob := connected(t, s, "alice"), online(t, s, "bob")
	alice.MakesKeys()
	bob.do("omemo")
	alice.Enter("/sub request " + bob.account)
	bob.hears("asks", "who", alice.Account)
	bob.do("allow", "to", alice.Account)
	bob.do("subscribe", "to", alice.Account)
	alice.Sees("Received authorization request from " + bob.account)
	alice.Enter("/sub allow " + bob.account)
	bob.hears("online", "who", alice.Account)

	bob.do("secret", "to", alice.Account, "body", "from slixmpp")
	alice.Enter("/msg " + bob.account)
	alice.Sees(`~ bob@localhost\S*: from slixmpp`)
	alice.Encrypts(bob.account)
	alice.Enter("from profanity")
	bob.hears("secret", "sender", alice.Account, "body", "from profanity")

	// Profanity's keys are there for everybody, not for contacts only
	carol := online(t, s, "carol")
	carol.do("omemo")
	carol.do("secret", "to", alice.Account, "body", "from a stranger")
	alice.Enter("/msg " + carol.account)
	alice.Sees(`~ carol@localhost\S*: from a stranger`)
}

func TestProfanityEncryptsForAFingerprintThatWasCompared(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.accounts("alice", "bob")
	alice, bob := connected(t, s, "alice"), online(t, s, "bob")
	alice.Enter("/omemo gen")
	alice.Sees("OMEMO crytographic materials generated")
	bob.do("omemo")
	alice.Enter("/msg " + bob.account)
	alice.Encrypts(bob.account)
	alice.Enter("too early")
	alice.Sees("You should trust your recipients' device")

	alice.Enter("/omemo fingerprint")
	key := alice.Sees(`([0-9a-f]{8}-){7}[0-9a-f]{8}`)
	alice.Enter("/omemo trust " + key)
	alice.Sees(key + ` \(trusted\)`)
	alice.Enter("for the compared key")
	bob.hears("secret", "sender", alice.Account, "body", "for the compared key")
}
