package hostile

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// testForgedAnswers answers questions that were put to somebody else. What a client
// is handed says who answered, and the server takes nobody's answer but his whom it
// asked.
func testForgedAnswers(t *testing.T, v *victim) {
	witness, friend, mallory := v.available(t, "witness"), v.connect(t, "friend"), v.connect(t, "mallory")
	say(t, witness, "<iq type='get' id='waiting' to='"+friend.JID+"'><query xmlns='jabber:iq:version'/></iq>")
	passed(t, witness, friend)
	for _, kind := range []string{"result", "error", "result"} {
		say(t, mallory, "<iq type='"+kind+"' id='waiting' to='"+witness.JID+"'/>")
		say(t, mallory, "<iq type='"+kind+"' id='waiting' to='"+friend.JID+"'/>")
		say(t, mallory, "<iq type='"+kind+"' id='waiting' to='"+mirsal.Domain+"'/>")
	}
	only(t, mallory, passed(t, mallory, witness))
	for range 2 { // the second is passed on as well: who asked has forgotten by then
		say(t, friend, "<iq type='result' id='waiting' to='"+witness.JID+"'><query xmlns='jabber:iq:version'/></iq>")
	}
	only(t, friend, passed(t, friend, witness))
	// two who use the same id are answered apart
	for _, c := range []*xmppclient.Conn{mallory, friend} {
		say(t, c, "<iq type='get' id='same' to='"+witness.JID+"'><ping xmlns='urn:xmpp:ping'/></iq>")
	}
	for range 2 {
		n := next(t, witness)
		say(t, witness, "<iq type='result' id='same' to='"+n.Attr("from")+"'/>")
	}
	for _, c := range []*xmppclient.Conn{mallory, friend} {
		if before, n := upTo(t, c, "same"); n.Attr("from") != witness.JID || len(before) != 0 {
			t.Errorf("%s was answered %s behind %v", c.JID, n, before)
		}
	}
}

// closed are requests for what an account keeps for itself or its subscribers.
var closed = []string{
	"<query xmlns='jabber:iq:roster'/>", "<query xmlns='urn:xmpp:mam:2'/>", "<metadata xmlns='urn:xmpp:mam:2'/>", "<prefs xmlns='urn:xmpp:mam:2'/>",
	"<blocklist xmlns='urn:xmpp:blocking'/>", "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>", "<list xmlns='urn:xmpp:cam:0'/>",
	"<query xmlns='jabber:iq:last'/>", "<query xmlns='http://jabber.org/protocol/disco#items'/>", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
	"<privacy xmlns='urn:mirsal:privacy:0'/>", "<query xmlns='jabber:iq:version'/>", "<ping xmlns='urn:xmpp:ping'/>", "<nonsense xmlns='urn:x'/>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:mds:displayed:0'/></pubsub>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='http://jabber.org/protocol/mood'/></pubsub>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:example:none'/></pubsub>", "<vCard xmlns='vcard-temp'/>", "<enable xmlns='urn:xmpp:carbons:2'/>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='http://jabber.org/protocol/mood' jid='mallory@" + mirsal.Domain + "'/></pubsub>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions/></pubsub>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='urn:xmpp:bookmarks:1'/></pubsub>",
}

// told is an answer without what tells the two questions apart.
func told(n *xmppclient.Node, name string) string {
	return regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(n.String(), "NAME")
}

// A stranger who asks an account is answered like one who asks an account that
// there is not. RFC 6121 §8.5.1, XEP-0030#security
func testClosedData(t *testing.T, v *victim) {
	witness, mallory := v.available(t, "witness"), v.connect(t, "mallory")
	for _, node := range []string{"urn:xmpp:bookmarks:1", "http://jabber.org/protocol/mood"} {
		if n := ask(t, witness, "set", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='"+node+"'><item id='1'><secret xmlns='urn:x'/></item></publish></pubsub>"); n.Attr("type") != "result" {
			t.Fatal(n)
		}
	}
	for _, kind := range []string{"get", "set"} {
		for _, payload := range closed {
			for _, part := range []string{"", "/gone"} { // who knows a device's full address asks the device
				here, nowhere := ask(t, mallory, kind, bare("witness")+part, payload), ask(t, mallory, kind, bare("nobody77")+part, payload)
				if a, b := told(here, "witness"), told(nowhere, "nobody77"); a != b || here.Attr("type") != "error" {
					t.Errorf("%s %s of %q is answered\n%s\nand of nobody\n%s", kind, payload, part, a, b)
				}
			}
		}
	}
}

// Presence, probes, errors and messages do not tell a stranger who exists.
func testWhoIsThere(t *testing.T, v *victim) {
	v.available(t, "witness")
	mallory := v.connect(t, "mallory")
	answers := func(name string) (all []string) {
		for _, stanza := range []string{
			"<presence type='probe' %s/>", "<presence type='subscribe' %s/>", "<presence type='unsubscribe' %s/>", "<presence type='subscribed' %s/>", "<presence type='unsubscribed' %s/>",
			"<presence %s/>", "<presence type='unavailable' %s/>", "<presence type='error' %s/>",
			"<message type='error' %s><body>x</body></message>", "<message type='headline' %s><body>x</body></message>",
			"<message type='chat' %s><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", "<message type='chat' %s><received xmlns='urn:xmpp:receipts' id='1'/></message>",
			"<message %s><thing xmlns='urn:x'/></message>", "<message %s/>",
		} {
			say(t, mallory, fmt.Sprintf(stanza, "to='"+bare(name)+"' id='i'"))
			say(t, mallory, fmt.Sprintf(stanza, "to='"+bare(name)+"/gone' id='i'"))
		}
		say(t, mallory, "<iq type='get' id='asked' to='"+mirsal.Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
		before, _ := upTo(t, mallory, "asked")
		for _, n := range before {
			all = append(all, told(n, name))
		}
		return all
	}
	nowhere := answers("nobody77")
	for _, name := range []string{"witness", "crowd7"} { // who is here, and who is away
		if here := answers(name); strings.Join(here, "\n") != strings.Join(nowhere, "\n") {
			t.Errorf("of %s:\n%s\nof nobody:\n%s", name, here, nowhere)
		}
	}
	// what is shown to people tells them who asks, unless it does not reach them
	unkept := func(name string) string {
		say(t, mallory, "<message type='chat' to='"+bare(name)+"' id='i'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>")
		return told(next(t, mallory), name)
	}
	if here, nowhere := unkept("crowd7"), unkept("nobody77"); here != nowhere {
		t.Errorf("of somebody:\n%s\nof nobody:\n%s", here, nowhere)
	}
}

// Who is blocked sees what everybody sees of an account that is not there.
// XEP-0191#block
func testBlockedSeesNothing(t *testing.T, v *victim) {
	witness := v.available(t, "witness")
	if n := ask(t, witness, "set", "", "<block xmlns='urn:xmpp:blocking'><item jid='"+bare("carol")+"'/></block>"); n.Attr("type") != "result" {
		t.Fatal(n)
	}
	defer ask(t, witness, "set", "", "<unblock xmlns='urn:xmpp:blocking'/>")
	carol := v.connect(t, "carol")
	answers := func(name string) (all []string) {
		for _, payload := range closed {
			all = append(all, told(ask(t, carol, "get", bare(name), payload), name))
		}
		for _, stanza := range []string{
			"<message type='chat' id='i' %s><body>x</body></message>", "<message id='i' %s><propose xmlns='urn:xmpp:jingle-message:0' id='c'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>",
			"<message type='chat' id='i' %s><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", "<presence type='probe' %s/>", "<presence type='subscribe' %s/>",
		} {
			say(t, carol, fmt.Sprintf(stanza, "to='"+bare(name)+"'"))
		}
		say(t, carol, "<iq type='get' id='asked' to='"+mirsal.Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
		for _, n := range first(upTo(t, carol, "asked")) {
			all = append(all, told(n, name))
		}
		return all
	}
	if here, nowhere := answers("witness"), answers("nobody77"); strings.Join(here, "\n") != strings.Join(nowhere, "\n") {
		t.Errorf("of who blocks:\n%s\nof nobody:\n%s", here, nowhere)
	}
	if got := passed(t, witness, witness); len(got) != 0 {
		t.Errorf("this reached who blocks: %v", got)
	}
}

// The server opens no connection to what messages and profiles link to.
func testLinks(t *testing.T, v *victim) {
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	url := "http://" + trap.Addr().String() + "/latest/meta-data"
	witness, mallory := v.available(t, "witness"), v.connect(t, "mallory")
	passed(t, witness, witness) // what waited for him
	for _, content := range []string{
		"<body>" + url + "</body>", "<body>" + url + "</body><x xmlns='jabber:x:oob'><url>" + url + "</url></x>",
		"<body>x</body><reference xmlns='urn:xmpp:reference:0' type='data' uri='" + url + "'/>",
		"<body>x</body><Description xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#' about='" + url + "'/>",
		"<body>&lt;img src='" + url + "'&gt;</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><img src='" + url + "'/></body></html>",
		"<body>javascript:alert(1) data:text/html,x</body>",
	} {
		say(t, mallory, "<message type='chat' to='"+witness.JID+"'>"+content+"</message>")
	}
	only(t, mallory, passed(t, mallory, witness))
	ask(t, mallory, "set", "", "<vCard xmlns='vcard-temp'><FN>x</FN><PHOTO><EXTVAL>"+url+"</EXTVAL></PHOTO><URL>"+url+"</URL></vCard>")
	ask(t, mallory, "set", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:avatar:metadata'><item id='x'><metadata xmlns='urn:xmpp:avatar:metadata'><info id='x' bytes='1' type='image/png' url='"+url+"'/></metadata></item></publish></pubsub>")
	_ = trap.(*net.TCPListener).SetDeadline(time.Now().Add(300 * time.Millisecond))
	if c, err := trap.Accept(); err == nil {
		t.Errorf("somebody came from %s", c.RemoteAddr())
		c.Close()
	}
}

// testCrowd lets three hundred fresh accounts ask, invite and ring one person.
func testCrowd(t *testing.T, v *victim) {
	v.bounded(t, 96<<20, storeCache, func() {
		for _, name := range crowd(300) {
			c := v.connect(t, name)
			to := "to='" + bare("carol") + "'"
			say(t, c, "<presence type='subscribe' "+to+"><status>"+strings.Repeat("buy ", 500)+"</status></presence>"+
				"<message "+to+"><x xmlns='jabber:x:conference' jid='spam@elsewhere.example'/></message>"+
				"<message type='chat' "+to+"><body>buy</body><request xmlns='urn:xmpp:receipts'/></message>"+
				"<message type='chat' "+to+"><propose xmlns='urn:xmpp:jingle-message:0' id='x'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>"+
				"<presence "+to+"><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x' ver='"+b64(name)+"'/></presence>")
			for _, payload := range closed[:4] {
				if n := ask(t, c, "get", bare("carol"), payload); n.Attr("type") != "error" {
					t.Errorf("a stranger was answered %s", n)
				}
			}
			// nobody answered for carol: no receipt, no presence
			for _, n := range first(func() ([]*xmppclient.Node, *xmppclient.Node) {
				say(t, c, "<iq type='get' id='end' to='"+mirsal.Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
				return upTo(t, c, "end")
			}()) {
				t.Errorf("a stranger was told %s", n)
			}
			c.Kill()
		}
	})
	// she is asked three hundred times, and can still get in and chat
	carol := v.available(t, "carol")
	asked := 0
	for _, n := range passed(t, carol, carol) {
		if n.Name.Local == "presence" && n.Attr("type") == "subscribe" {
			asked++
		}
	}
	if asked == 0 {
		t.Error("no request of the crowd arrived")
	}
}
