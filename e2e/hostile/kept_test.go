package hostile

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// What somebody does not want to have kept, or does not want to have, is in no archive,
// on no disk, and does not come when he is back.
// XEP-0441#prefs, XEP-0334#rules, XEP-0191#block
func testNotKept(t *testing.T, v *victim) {
	const unwanted, unkept, blocked = "quitehaplessunwanted", "quitehaplessunkept", "quitehaplessblocked"
	friend, mallory, carol := v.available(t, "friend"), v.connect(t, "mallory"), v.connect(t, "carol")
	succeeds(t, friend, "", "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never><jid>"+bare("mallory")+"</jid></never></prefs>")
	succeeds(t, friend, "", "<block xmlns='urn:xmpp:blocking'><item jid='"+bare("carol")+"'/></block>")
	letters := func(to string) {
		say(t, mallory, "<message type='chat' to='"+to+"'><body>"+unwanted+"</body><store xmlns='urn:xmpp:hints'/></message>")
		say(t, mallory, "<message type='chat' to='"+to+"'><body>"+unkept+"</body><no-store xmlns='urn:xmpp:hints'/></message>")
		say(t, carol, "<message type='chat' to='"+to+"' id='b'><body>"+blocked+"</body><store xmlns='urn:xmpp:hints'/></message>")
		for n := next(t, carol); n.Attr("id") != "b"; n = next(t, carol) {
		}
	}
	letters(bare("friend"))
	letters(friend.JID)
	passed(t, mallory, mallory)
	write(friend.Net(), "</stream:stream>")
	ending(t, friend.Net())
	letters(bare("friend"))
	say(t, mallory, "<message type='chat' to='"+bare("witness")+"'><body>the last</body></message>")
	passed(t, mallory, mallory)
	succeeds(t, v.connect(t, "friend"), "", "<unblock xmlns='urn:xmpp:blocking'/>")
	friend = v.available(t, "friend")
	for _, n := range append(passed(t, friend, friend), results(t, friend)...) {
		for _, word := range []string{unwanted, unkept, blocked} {
			if strings.Contains(n.String(), word) {
				t.Errorf("who was away has %s", n)
			}
		}
	}
	for _, c := range []*xmppclient.Conn{mallory, carol} {
		if got := fmt.Sprint(results(t, c)); strings.Contains(got, unkept) || strings.Contains(got, blocked) {
			t.Errorf("the sender's archive has %s", got)
		}
	}
	for _, word := range []string{unkept, blocked} {
		if where := v.onDisk(t, word); len(where) > 0 {
			t.Errorf("%s is in %v", word, where)
		}
	}
	succeeds(t, friend, "", "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never/></prefs>")
}

// Who takes the name of an account that was removed has nothing of what that one had,
// and is to nobody what that one was. internal/removal walks all that is kept.
// XEP-0077#usecases-cancel
func testTakenName(t *testing.T, v *victim) {
	const word = "quitehaplessformer"
	v.Accounts(password, "leaver")
	v.befriend(t, "leaver", "witness")
	witness := v.available(t, "witness")
	makes(t, witness, "former")
	succeeds(t, witness, at("former"), item("affiliation='owner' jid='"+bare("leaver")+"'"))
	leaver := v.available(t, "leaver")
	for _, node := range []string{"urn:xmpp:bookmarks:1", "urn:xmpp:omemo:2:devices", "http://jabber.org/protocol/mood"} {
		succeeds(t, leaver, "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='"+node+"'><item id='current'><x xmlns='urn:x'>"+word+"</x></item></publish></pubsub>")
	}
	succeeds(t, leaver, "", "<vCard xmlns='vcard-temp'><NOTE>"+word+"</NOTE></vCard>")
	succeeds(t, leaver, "", "<query xmlns='jabber:iq:private'><x xmlns='urn:x'>"+word+"</x></query>")
	succeeds(t, leaver, "", "<block xmlns='urn:xmpp:blocking'><item jid='"+word+"@"+mirsal.Domain+"'/></block>")
	say(t, leaver, "<message type='chat' to='"+bare("leaver")+"'><body>"+word+"</body></message>")
	say(t, leaver, "<message type='chat' to='"+bare("witness")+"'><body>to the witness</body></message>")
	passed(t, leaver, leaver)
	say(t, leaver, "<iq type='set' id='bye'><query xmlns='jabber:iq:register'><remove/></query></iq>")
	ending(t, leaver.Net())
	v.Accounts(password, "leaver")
	again := v.available(t, "leaver")
	for _, payload := range append(closed,
		"<query xmlns='jabber:iq:private'><x xmlns='urn:x'/></query>", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:omemo:2:devices'/></pubsub>",
	) {
		n := ask(t, again, "get", "", payload)
		if s := n.String(); strings.Contains(s, word) || strings.Contains(s, "witness") {
			t.Errorf("%s is answered %s", payload, s)
		}
	}
	if got := fmt.Sprint(results(t, again)); strings.Contains(got, "witness") || strings.Contains(got, word) {
		t.Errorf("the archive has %s", got)
	}
	refusedAll(t, "a former owner", again, "former", "set", []string{item("affiliation='none' jid='" + bare("witness") + "'")})
	say(t, again, "<presence type='probe' to='"+bare("witness")+"'/>")
	for _, n := range passed(t, again, again) {
		if strings.HasPrefix(n.Attr("from"), bare("witness")) {
			t.Errorf("the new one of the name is shown %s", n)
		}
	}
}
