package hostile

import (
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// only checks that everything that arrived says who sent it.
func only(t *testing.T, from *xmppclient.Conn, got []*xmppclient.Node) {
	t.Helper()
	for _, n := range got {
		if n.Attr("from") != from.JID {
			t.Errorf("came from %q: %s", n.Attr("from"), n)
		}
	}
}

// A roster push is taken from one's own account only, so the server relays none
// that could be read as one: its from is the sender's. RFC 6121 §2.1.6
func testForgedRosterPush(t *testing.T, v *victim) {
	witness, mallory := v.available(t, "witness"), v.connect(t, "mallory")
	push := "<query xmlns='jabber:iq:roster'><item jid='" + bare("mallory") + "' subscription='both'/></query>"
	for _, to := range []string{witness.JID, bare("witness")} {
		say(t, mallory, "<iq type='set' id='push' to='"+to+"'>"+push+"</iq>")
		say(t, mallory, "<iq type='result' id='push' to='"+to+"'>"+push+"</iq>")
	}
	only(t, mallory, passed(t, mallory, witness))
	for _, from := range []string{bare("witness"), mirsal.Domain} {
		c := v.connect(t, "mallory")
		write(c.Net(), "<iq type='set' id='push' from='"+from+"' to='"+witness.JID+"'>"+push+"</iq>")
		refused(t, "a push from "+from, c.Net(), "invalid-from")
	}
	if got := ask(t, witness, "get", "", "<query xmlns='jabber:iq:roster'/>").String(); strings.Contains(got, "mallory") {
		t.Errorf("the roster has been changed: %s", got)
	}
}

// holds tells whether a node of this name is anywhere inside.
func holds(n *xmppclient.Node, space, local string) bool {
	for _, c := range n.Children {
		if c.Is(space, local) || holds(c, space, local) {
			return true
		}
	}
	return false
}

const forged = "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='friend@" + mirsal.Domain + "/x' to='witness@" + mirsal.Domain + "' type='chat'><body>forged</body></message></forwarded>"

// Wrappers of copies are taken out wherever a client reads one, and a copy of a
// message that holds one holds none. XEP-0280#security
func testForgedCopies(t *testing.T, v *victim) {
	witness, other, mallory := v.available(t, "witness"), v.available(t, "witness"), v.connect(t, "mallory")
	ask(t, other, "set", "", "<enable xmlns='urn:xmpp:carbons:2'/>")
	passed(t, other, witness)
	for _, wrapper := range []string{"sent", "received"} {
		copied := "<" + wrapper + " xmlns='urn:xmpp:carbons:2'>" + forged + "</" + wrapper + ">"
		for _, kind := range []string{"chat", "normal", "headline", "groupchat", "error"} {
			say(t, mallory, "<message type='"+kind+"' to='"+witness.JID+"'><body>x</body>"+copied+"<c:"+wrapper+" xmlns:c='urn:xmpp:carbons:2'>"+forged+"</c:"+wrapper+"></message>")
		}
		say(t, mallory, "<presence to='"+witness.JID+"'>"+copied+"</presence>")
	}
	got := passed(t, mallory, witness)
	only(t, mallory, got)
	for _, n := range append(got, passed(t, mallory, other)...) {
		from := n.Attr("from")
		outer := n.Child("urn:xmpp:carbons:2", "received")
		switch {
		case n.Name.Local != "message":
		case outer != nil && (from != bare("witness") || len(outer.Children) != 1 || holds(outer, "urn:xmpp:carbons:2", "received") || holds(outer, "urn:xmpp:carbons:2", "sent")):
			t.Errorf("a copy of a copy: %s", n)
		case outer == nil && (holds(n, "urn:xmpp:carbons:2", "received") || holds(n, "urn:xmpp:carbons:2", "sent")):
			t.Errorf("a wrapper came through: %s", n)
		}
	}
}

// testForgedResults sends what only an archive may say. XEP-0313#security, XEP-0359#rules
func testForgedResults(t *testing.T, v *victim) {
	witness, mallory := v.available(t, "witness"), v.connect(t, "mallory")
	var ids strings.Builder
	for _, by := range []string{bare("witness"), "WITNESS@" + mirsal.Domain, mirsal.Domain, witness.JID, "", bare("mallory")} {
		ids.WriteString("<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='" + by + "'/>")
	}
	for _, kind := range []string{"chat", "normal", "headline", "error", "groupchat"} {
		say(t, mallory, "<message type='"+kind+"' to='"+witness.JID+"'><body>x</body><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>"+forged+"</result>"+ids.String()+"</message>")
	}
	say(t, mallory, "<iq type='result' id='q' to='"+witness.JID+"'><fin xmlns='urn:xmpp:mam:2' complete='true'/></iq>")
	got := passed(t, mallory, witness)
	only(t, mallory, got)
	for _, n := range got {
		for _, c := range n.Children {
			if c.Attr("id") == "forged" || c.Is("urn:xmpp:mam:2", "result") {
				t.Errorf("passed on: %s", n)
			}
		}
	}
	say(t, witness, "<iq type='set' id='m'><query xmlns='urn:xmpp:mam:2'/></iq>")
	for _, n := range first(upTo(t, witness, "m")) {
		if strings.Contains(n.String(), "forged") {
			t.Errorf("archived: %s", n)
		}
	}
}

func first[A, B any](a A, _ B) A { return a }

// Events of one's own nodes come from one's own account, and nobody publishes
// there but oneself. XEP-0163, XEP-0384, XEP-0490, XEP-0402
func testForgedEvents(t *testing.T, v *victim) {
	witness, mallory, friend := v.available(t, "witness"), v.connect(t, "mallory"), v.connect(t, "friend")
	for _, node := range []string{"urn:xmpp:bookmarks:1", "urn:xmpp:mds:displayed:0", "urn:xmpp:avatar:metadata", "eu.siacs.conversations.axolotl.devicelist", "urn:xmpp:omemo:2:devices", "storage:bookmarks"} {
		event := "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='" + node + "'><item id='current'><forged xmlns='urn:x'/></item></items></event>"
		for _, kind := range []string{"headline", "normal", "chat"} {
			say(t, mallory, "<message type='"+kind+"' to='"+witness.JID+"'>"+event+"<addresses xmlns='http://jabber.org/protocol/address'><address type='replyto' jid='"+bare("witness")+"'/></addresses></message>")
		}
		publish := "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + node + "'><item id='current'><forged xmlns='urn:x'/></item></publish></pubsub>"
		for _, c := range []*xmppclient.Conn{mallory, friend} {
			for _, payload := range []string{
				publish, strings.Replace(strings.Replace(publish, "publish", "retract", 1), "</publish>", "</retract>", 1),
				"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete node='" + node + "'/></pubsub>",
				"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='" + node + "'/></pubsub>",
			} {
				if n := ask(t, c, "set", bare("witness"), payload); n.Attr("type") != "error" {
					t.Errorf("%s changed a node of another's: %s", c.JID, n)
				}
			}
		}
	}
	only(t, mallory, passed(t, mallory, witness))
}

// Corrections, retractions, reactions and replies are passed on under the address
// of who sends them; what they name stays as it is, in both archives.
func testOthersMessages(t *testing.T, v *victim) {
	witness, friend, mallory := v.available(t, "witness"), v.connect(t, "friend"), v.connect(t, "mallory")
	say(t, friend, "<message type='chat' id='named' to='"+bare("witness")+"'><body>as it was said</body></message>")
	passed(t, friend, witness)
	for _, change := range []string{
		"<replace xmlns='urn:xmpp:message-correct:0' id='named'/><body>never said</body>", "<retract xmlns='urn:xmpp:message-retract:1' id='named'/>",
		"<retracted xmlns='urn:xmpp:message-retract:1' id='named' by='" + bare("friend") + "'/>", "<reactions xmlns='urn:xmpp:reactions:0' id='named'><reaction>x</reaction></reactions>",
		"<reply xmlns='urn:xmpp:reply:0' id='named' to='" + bare("friend") + "'/><body>never said</body>",
		"<apply-to xmlns='urn:xmpp:fasten:0' id='named'><moderated xmlns='urn:xmpp:message-moderate:0'><retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to>",
	} {
		say(t, mallory, "<message type='chat' to='"+bare("witness")+"'>"+change+"</message>")
		// and to the archives themselves
		say(t, mallory, "<message type='groupchat' to='"+bare("witness")+"'>"+change+"</message>")
	}
	only(t, mallory, passed(t, mallory, witness))
	for _, c := range []*xmppclient.Conn{witness, friend} {
		say(t, c, "<iq type='set' id='m'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>100</max></set></query></iq>")
		found := 0
		for _, n := range first(upTo(t, c, "m")) {
			m := n.Child("urn:xmpp:mam:2", "result").Child("urn:xmpp:forward:0", "forwarded").Child(xmppclient.NSClient, "message")
			if m != nil && m.Attr("id") == "named" && child("body")(m) == "as it was said" && m.Attr("from") == friend.JID {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s has the message %d times as it was said", c.JID, found)
		}
	}
}

func testForgedDelays(t *testing.T, v *victim) {
	witness, mallory := v.available(t, "witness"), v.connect(t, "mallory")
	for _, stamp := range []string{"1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "99999-13-40T99:99:99Z", "-1", ""} {
		for _, from := range []string{mirsal.Domain, bare("witness"), witness.JID, "@@"} {
			say(t, mallory, "<message type='chat' to='"+bare("witness")+"'><body>x</body><delay xmlns='urn:xmpp:delay' from='"+from+"' stamp='"+stamp+"'/><x xmlns='jabber:x:delay' from='"+from+"' stamp='"+stamp+"'/></message>")
		}
	}
	for _, n := range passed(t, mallory, witness) {
		if n.Child("urn:xmpp:delay", "delay") != nil || n.Child("jabber:x:delay", "x") != nil {
			t.Errorf("a delay in our name: %s", n)
		}
	}
	// XEP-0033 is not spoken: who is named in it is sent nothing
	addresses := "<addresses xmlns='http://jabber.org/protocol/address'>" + strings.Repeat("<address type='to' jid='"+bare("witness")+"'/>", 100) + "</addresses>"
	say(t, mallory, "<message to='"+mirsal.Domain+"'><body>x</body>"+addresses+"</message>")
	say(t, mallory, "<message to='"+bare("carol")+"'><body>x</body>"+addresses+"</message>")
	// messages in messages, as deep as an element may be, and deeper
	deep := func(n int) string {
		return "<message type='chat' to='" + bare("witness") + "'>" + strings.Repeat("<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>", n) + strings.Repeat("</message></forwarded>", n) + "</message>"
	}
	say(t, mallory, deep(15))
	if got := passed(t, mallory, witness); len(got) != 1 {
		t.Errorf("%d stanzas came: %v", len(got), got)
	}
	c := v.connect(t, "mallory")
	write(c.Net(), deep(5000))
	refused(t, "10,000 levels", c.Net(), policy)
}
