package hostile

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// paper are the capabilities whose hash the others claim. XEP-0115#ver
const (
	paperHash = "oY0PYzDbGCPFyAo7enzoWagCijk="
	paperCaps = "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://paper.example' ver='" + paperHash + "'/></presence>"
	paper     = "<identity category='client' type='phone' name='Paper'/><feature var='http://jabber.org/protocol/disco#info'/><feature var='urn:xmpp:avatar:metadata+notify'/>"
)

// asked waits until the server asks what capabilities mean, and answers.
func asked(t *testing.T, c *xmppclient.Conn, answer string) (was bool) {
	t.Helper()
	say(t, c, "<iq type='get' id='seen' to='"+mirsal.Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
	for {
		n := next(t, c)
		if n.Attr("id") == "seen" {
			return was
		}
		if q := n.Child("http://jabber.org/protocol/disco#info", "query"); q != nil && n.Attr("type") == "get" {
			was = true
			say(t, c, "<iq type='result' id='"+n.Attr("id")+"' to='"+n.Attr("from")+"'><query xmlns='http://jabber.org/protocol/disco#info' node='"+q.Attr("node")+"'>"+answer+"</query></iq>")
		}
	}
}

// Capabilities that do not match their hash are nobody else's. XEP-0115#security
func testPoisonedCapabilities(t *testing.T, v *victim) {
	if n := ask(t, v.connect(t, "witness"), "set", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:avatar:metadata'><item id='a'><metadata xmlns='urn:xmpp:avatar:metadata'/></item></publish></pubsub>"); n.Attr("type") != "result" {
		t.Fatal(n)
	}
	liar := v.connect(t, "mallory")
	for _, lie := range []string{
		"<identity category='client' type='phone' name='Paper'/>", paper + "<feature var='urn:example:x+notify'/>", "",
		strings.Replace(paper, "metadata+notify", "data+notify", 1), paper + paper,
		"<identity category='client' type='phone' name='Paper&lt;http://jabber.org/protocol/disco#info'/><feature var='urn:xmpp:avatar:metadata+notify'/>",
	} {
		say(t, liar, paperCaps)
		asked(t, liar, lie)
		say(t, liar, "<presence type='unavailable'/>")
		// without a hash, by the old way: it is never a key of the cache
		say(t, liar, "<presence><c xmlns='http://jabber.org/protocol/caps' node='https://paper.example' ver='"+paperHash+"' ext='x'/></presence>")
		asked(t, liar, lie)
		say(t, liar, "<presence type='unavailable'/>")
	}
	honest := v.connect(t, "friend")
	say(t, honest, paperCaps)
	if !asked(t, honest, paper) {
		t.Fatal("an honest client was not asked: what the liar said is believed")
	}
	for n := next(t, honest); !holds(n, "http://jabber.org/protocol/pubsub#event", "items"); n = next(t, honest) {
	}
}

// What needs no answer gets none, wherever it goes, and headlines are in no archive.
func testErrorsGoNowhere(t *testing.T, v *victim) {
	mallory := v.connect(t, "mallory")
	failed := "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	for _, to := range []string{bare("nobody77"), bare("nobody77") + "/x", bare("carol"), bare("carol") + "/gone", mirsal.Domain, mirsal.Domain + "/x", "elsewhere.example", mallory.JID + "x", "@@"} {
		say(t, mallory, "<message type='error' to='"+to+"'><body>x</body>"+failed+"</message><iq type='error' id='e' to='"+to+"'>"+failed+"</iq><iq type='result' id='e' to='"+to+"'/><presence type='error' to='"+to+"'>"+failed+"</presence>")
		say(t, mallory, "<message type='headline' to='"+to+"'><body>headline</body></message>")
	}
	for _, n := range passed(t, mallory, mallory) {
		// a headline to another server, or to what is no address, is refused
		if n.Attr("type") != "error" || n.Name.Local == "iq" || refusal(n) != "remote-server-not-found" && refusal(n) != "jid-malformed" && refusal(n) != "service-unavailable" || n.Child(xmppclient.NSClient, "body") != nil {
			t.Errorf("answered %s", n)
		}
	}
	// an error to oneself does not go round
	say(t, mallory, "<presence/>")
	passed(t, mallory, mallory)
	say(t, mallory, "<message type='error' id='loop' to='"+mallory.JID+"'>"+failed+"</message><message type='error' id='loop' to='"+bare("mallory")+"'>"+failed+"</message>")
	if got := passed(t, mallory, mallory); len(got) != 1 {
		t.Errorf("%d errors came back: %v", len(got), got)
	}
	say(t, mallory, "<message type='groupchat' id='g' to='"+bare("carol")+"'><body>x</body></message>")
	if n := next(t, mallory); refusal(n) != "service-unavailable" {
		t.Errorf("group chat to a person: %s", n)
	}
	if got := lastArchived(t, mallory); got == "headline" {
		t.Error("a headline is in the archive")
	}
}

// Messages reach an account whose devices come and go, or do not want any: each
// once in the archive, none lost. RFC 6121 §8.5.2
func testNobodyThere(t *testing.T, v *victim) {
	const many = 400
	mallory, shy := v.connect(t, "mallory"), v.connect(t, "carol")
	say(t, shy, "<presence><priority>-1</priority></presence>")
	passed(t, shy, shy)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for i := range many {
			if mallory.Send(fmt.Sprintf("<message type='chat' id='n%d' to='%s'><body>n%d</body></message>", i, bare("carol"), i)) != nil {
				return
			}
		}
	}()
	for range 10 {
		v.available(t, "carol").Kill()
	}
	<-gone
	ask(t, mallory, "get", mirsal.Domain, "<ping xmlns='urn:xmpp:ping'/>")
	for _, n := range passed(t, mallory, shy) {
		if n.Name.Local == "message" {
			t.Errorf("a device of priority -1 was sent %s", n)
		}
	}
	seen, after := map[string]int{}, ""
	for {
		say(t, shy, "<iq type='set' id='m'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>"+bare("mallory")+
			"</value></field></x><set xmlns='http://jabber.org/protocol/rsm'><max>250</max><after>"+after+"</after></set></query></iq>")
		page, fin := upTo(t, shy, "m")
		for _, n := range page {
			if r := n.Child("urn:xmpp:mam:2", "result"); r != nil {
				after = r.Attr("id")
				seen[child("body")(r.Child("urn:xmpp:forward:0", "forwarded").Child(xmppclient.NSClient, "message"))]++
			}
		}
		if f := fin.Child("urn:xmpp:mam:2", "fin"); f == nil || f.Attr("complete") == "true" {
			break
		}
	}
	for i := range many {
		if n := seen[fmt.Sprintf("n%d", i)]; n != 1 {
			t.Errorf("message %d is in the archive %d times", i, n)
		}
	}
}
