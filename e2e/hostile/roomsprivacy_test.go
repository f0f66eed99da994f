package hostile

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/e2e/xmppclient"
)

// What was said in a room is for those who could enter it now: in one of members
// for a member who came later, too, as for him who reads on a new device.
// XEP-0313#business-storeret-muc-archives
func testPastOfOthers(t *testing.T, v *victim) {
	owner, friend, mallory := v.available(t, "carol"), v.available(t, "friend"), v.available(t, "mallory")
	makes(t, owner, "closed", "membersonly=1", "enablearchiving=1", "{urn:mirsal:rooms:0}encrypted=0", "whois=moderators")
	for i := range 5 {
		say(t, owner, toRoom("closed", "m", fmt.Sprintf("<body>classified %d</body>", i)))
	}
	heardIn(t, owner, "closed", owner)
	nothing := func(who string) {
		t.Helper()
		if n := last(enter(t, mallory, "closed", "mallory")); n.Attr("type") != "error" {
			t.Errorf("%s entered: %s", who, n)
		}
		for _, fields := range []string{"", field("start", "2020-01-01T00:00:00Z"), field("with", bare("carol")), field("{urn:xmpp:fulltext:0}fulltext", "classified")} {
			results, n := pastOf(t, mallory, "closed", fields)
			if len(results) != 0 || n.Attr("type") != "error" {
				t.Errorf("%s was told %v %s", who, results, n)
			}
		}
		for _, payload := range []string{"<metadata xmlns='urn:xmpp:mam:2'/>", "<query xmlns='urn:xmpp:mam:2'/>"} {
			if n := ask(t, mallory, "get", at("closed"), payload); n.Attr("type") != "error" {
				t.Errorf("%s was told %s", who, n)
			}
		}
		if got := ask(t, mallory, "get", at("closed"), "<query xmlns='http://jabber.org/protocol/disco#info'/>").String(); strings.Contains(got, "classified") {
			t.Errorf("%s was told %s", who, got)
		}
	}
	nothing("a stranger")
	succeeds(t, owner, at("closed"), item("affiliation='outcast' jid='"+bare("mallory")+"'"))
	nothing("one who is banned")
	succeeds(t, owner, at("closed"), item("affiliation='member' jid='"+bare("mallory")+"'"))
	enter(t, mallory, "closed", "mallory")
	succeeds(t, owner, at("closed"), item("affiliation='none' jid='"+bare("mallory")+"'"))
	nothing("a former member")
	succeeds(t, owner, at("closed"), item("affiliation='member' jid='"+bare("friend")+"'"))
	if results, _ := pastOf(t, friend, "closed", ""); len(results) < 5 {
		t.Errorf("a new member was told %v", results)
	}
}

// hidden are the accounts whose names nobody in the room is to be sent.
var hidden = []string{"zephyr", "quillan"}

// hides checks that what somebody was sent has no trace of those hidden.
func hides(t *testing.T, what string, got ...*xmppclient.Node) {
	t.Helper()
	for _, n := range got {
		text := strings.ToLower(n.String())
		for _, name := range hidden {
			if strings.Contains(text, name) || strings.Contains(text, b64(bare(name))) {
				t.Errorf("%s tells who %s is: %s", what, name, n)
			}
		}
	}
}

// Where real addresses are hidden, a participant is sent none of them, whatever
// those whom they are of do, and whatever he asks. XEP-0045#enter-nonanon,
// XEP-0421#id-generation
func testRealAddresses(t *testing.T, v *victim) {
	owner, guest, witness := v.available(t, "quillan"), v.available(t, "zephyr"), v.available(t, "witness")
	succeeds(t, guest, "", "<vCard xmlns='vcard-temp'><FN>A guest</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>iVBORw0KGgo=</BINVAL></PHOTO></vCard>")
	makes(t, owner, "masks", "enablearchiving=1", "publicroom=1", "allow_query_users=1")
	enter(t, guest, "masks", "guest")
	hides(t, "entering", enter(t, witness, "masks", "witness")...)
	passed(t, witness, witness)
	actsOfHidden(t, owner, guest)
	hides(t, "what they do", heard1(t, owner, "masks", witness)...)
	hides(t, "the past on entering", enter(t, witness, "masks", "witness")...)
	results, n := pastOf(t, witness, "masks", "")
	hides(t, "the archive", append(results, n)...)
	if len(results) < 3 {
		t.Errorf("the archive has %v", results)
	}
	if probe, n := pastOf(t, witness, "masks", field("with", bare("zephyr"))); len(probe) > 0 {
		none, _ := pastOf(t, witness, "masks", field("with", bare("nobody77")))
		if len(probe) != len(none) {
			t.Errorf("asked for what zephyr said, the archive shows %d messages and %s", len(probe), n)
		}
	}
	questionsAbout(t, witness, guest)
	leavesOfHidden(t, v, owner, guest)
	hides(t, "how they leave", heard1(t, witness, "masks", witness)...)
}

// actsOfHidden is what occupants do in a room, done by those whose names are hidden.
func actsOfHidden(t *testing.T, owner, guest *xmppclient.Conn) {
	room := at("masks")
	for _, s := range []string{
		toRoom("masks", "a", "<body>hello</body>"), toRoom("masks", "b", "<body>and again</body>"),
		"<presence to='" + room + "/guest'><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/><x xmlns='vcard-temp:x:update'><photo>aa</photo></x></presence>",
		"<presence to='" + room + "/visitor'/>", "<presence to='" + room + "/guest'/>", "<presence><show>xa</show></presence>",
		"<message type='chat' to='" + room + "/witness'><body>psst</body><request xmlns='urn:xmpp:receipts'/></message>",
		"<message type='error' to='" + room + "/witness'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
		"<iq type='get' id='v' to='" + room + "/witness'><query xmlns='jabber:iq:version'/></iq>",
		toRoom("masks", "c", "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/><body>late</body>"),
	} {
		say(t, guest, s)
	}
	passed(t, guest, guest)
	for _, payload := range []string{
		item("nick='guest' role='visitor'"), item("nick='guest' role='participant'"), item("nick='guest' role='moderator'"), item("nick='guest' role='participant'"),
		item("nick='guest' affiliation='member'"), item("nick='guest' affiliation='admin'"), item("nick='guest' affiliation='none'"),
		item("jid='" + bare("friend") + "' affiliation='member'"), item("jid='" + bare("zephyr") + "' affiliation='member'"), item("jid='" + bare("zephyr") + "' affiliation='none'"),
		roomForm("roomname=Masks"), roomForm("enablearchiving=0"), roomForm("enablearchiving=1"),
	} {
		succeeds(t, owner, room, payload)
	}
	say(t, owner, toRoom("masks", "s", "<subject>masks</subject>"))
	say(t, owner, toRoom("masks", "t", "<body>to be taken back</body>"))
	for n := next(t, owner); ; n = next(t, owner) {
		if n.Attr("id") == "t" {
			succeeds(t, owner, room, "<moderate xmlns='urn:xmpp:message-moderate:1' id='"+place(n)+"'><retract xmlns='urn:xmpp:message-retract:1'/><reason>x</reason></moderate>")
			return
		}
	}
}

// questionsAbout asks the room, and through it the guest, all there is to ask.
func questionsAbout(t *testing.T, witness, guest *xmppclient.Conn) {
	for _, to := range []string{at("masks"), at("masks") + "/guest", at("masks") + "/owner"} {
		for _, kind := range []string{"get", "set"} {
			for _, payload := range append(closed, "<query xmlns='"+nsMUCAdmin+"'><item affiliation='owner'/></query>", item("role='moderator'"), "<query xmlns='"+nsMUCOwner+"'/>",
				"<query xmlns='jabber:iq:register'/>", "<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/>", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'/></pubsub>",
				"<vCard xmlns='vcard-temp'><FN>x</FN><JABBERID>x</JABBERID></vCard>") {
				say(t, witness, "<iq type='"+kind+"' id='q' to='"+to+"'>"+payload+"</iq>")
			}
		}
	}
	say(t, witness, "<message type='chat' to='"+at("masks")+"/guest'><body>who are you?</body></message>")
	say(t, witness, "<presence type='probe' to='"+at("masks")+"/guest'/>")
	hides(t, "an answer", passed(t, witness, witness)...)
	// the guest's client answers what reached it, each kind once by an error
	for i, n := range passed(t, witness, guest) {
		if n.Name.Local != "iq" || n.Attr("type") == "result" || n.Attr("type") == "error" {
			continue
		}
		if strings.Contains(n.String(), bare("witness")) {
			t.Errorf("the guest was sent %s", n)
		}
		answer := "<iq type='result' id='" + n.Attr("id") + "' to='" + n.Attr("from") + "'><query xmlns='jabber:iq:version'><name>x</name></query></iq>"
		if i%2 == 0 {
			answer = "<iq type='error' id='" + n.Attr("id") + "' to='" + n.Attr("from") + "'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
		}
		say(t, guest, answer)
	}
	hides(t, "an answer of the guest's client", passed(t, guest, witness)...)
	if n := ask(t, witness, "get", at("masks")+"/guest", "<vCard xmlns='vcard-temp'/>"); !strings.Contains(n.String(), "A guest") {
		t.Errorf("the card is %s", n)
	}
	if n := ask(t, guest, "get", "", "<vCard xmlns='vcard-temp'/>"); !strings.Contains(n.String(), "A guest") {
		t.Errorf("the guest's card was changed: %s", n)
	}
}

// leavesOfHidden leaves the room in each way that there is.
func leavesOfHidden(t *testing.T, v *victim, owner, guest *xmppclient.Conn) {
	succeeds(t, owner, at("masks"), item("nick='guest' role='none'"))
	enter(t, guest, "masks", "guest")
	say(t, guest, "<presence type='unavailable' to='"+at("masks")+"/guest'><status>bye</status></presence>")
	enter(t, guest, "masks", "guest")
	guest.Kill()
	again := v.available(t, "zephyr")
	enter(t, again, "masks", "guest")
	succeeds(t, owner, at("masks"), item("nick='guest' affiliation='outcast'"))
	owner.Kill()
	// a witness has voice, and hears of all that before himself
	within(t, "the owner to be gone", func() bool { return len(v.namesIn(t, "masks")) == 1 })
}

// namesIn are the nicks of those in a room, by who asks as its owner would.
func (v *victim) namesIn(t *testing.T, room string) (nicks []string) {
	t.Helper()
	for _, owner := range []string{"carol", "quillan"} {
		c := v.connect(t, owner)
		for _, role := range []string{"moderator", "participant", "visitor"} {
			n := ask(t, c, "get", at(room), item("role='"+role+"'"))
			if q := n.Child(nsMUCAdmin, "query"); q != nil && n.Attr("type") == "result" {
				for _, i := range q.Children {
					nicks = append(nicks, i.Attr("nick"))
				}
			}
		}
		c.Kill()
	}
	return nicks
}
