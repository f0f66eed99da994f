package hostile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mirsal/e2e/xmppclient"
)

// forgedIDs are occupant ids that a sender supplies.
var forgedIDs = []string{
	"<occupant-id xmlns='" + nsOccupant + "' id='%s'/>",
	"<occupant-id xmlns='" + nsOccupant + "' id='%[1]s'/><occupant-id xmlns='" + nsOccupant + "' id='%[1]s'/>",
	"<o:occupant-id xmlns:o='" + nsOccupant + "' id='%s'/>",
	"<o:occupant-id xmlns:o='" + nsOccupant + "' o:id='%[1]s' id='%[1]s'>x</o:occupant-id><occupant-id xmlns='" + nsOccupant + "' id='%[1]s'/>",
	"<outer:occupant-id id='%s'/>",
	"<x xmlns='" + nsMUCUser + "'><occupant-id xmlns='" + nsOccupant + "' id='%s'/></x>",
}

// What a sender says of his occupant id is cut, however often and however it is
// written: everybody is shown the room's, once. XEP-0421#rules
func testForgedOccupantIDs(t *testing.T, v *victim) {
	owner, witness, mallory := v.available(t, "carol"), v.available(t, "witness"), v.available(t, "mallory")
	makes(t, owner, "ids", "enablearchiving=1")
	his := occupantIDs(self(t, enter(t, witness, "ids", "witness")))[0]
	hers := occupantIDs(self(t, enter(t, mallory, "ids", "mallory")))
	if len(hers) != 1 || hers[0] == his || hers[0] == "" {
		t.Fatalf("ids %v and %s", hers, his)
	}
	heard1(t, owner, "ids", witness)
	for i, f := range forgedIDs {
		forged := fmt.Sprintf(f, his)
		scope := " xmlns:outer='" + nsOccupant + "'"
		for _, s := range []string{
			"<message%s type='groupchat' to='" + at("ids") + "'><body>x</body>%s</message>",
			"<message%s type='chat' to='" + at("ids") + "/witness'><body>x</body>%s</message>",
			"<presence%s to='" + at("ids") + "/mallory'>%s</presence>",
			"<presence%s to='" + at("ids") + "/mallory" + fmt.Sprint(i) + "'>%s</presence>",
			"<presence%s type='unavailable' to='" + at("ids") + "/mallory'>%s</presence>",
			"<presence%s to='" + at("ids") + "/mallory'><x xmlns='" + nsMUC + "'/>%s</presence>",
		} {
			say(t, mallory, fmt.Sprintf(s, scope, forged))
		}
		passed(t, mallory, mallory)
		got := heard1(t, owner, "ids", witness)
		if len(got) < 6 {
			t.Errorf("%d stanzas with %s arrived", len(got), forged)
		}
		onlyID(t, got, his, hers[0])
	}
	results, _ := pastOf(t, witness, "ids", "")
	for _, r := range results {
		m := r.Child("urn:xmpp:mam:2", "result").Child("urn:xmpp:forward:0", "forwarded").Child(xmppclient.NSClient, "message")
		onlyID(t, []*xmppclient.Node{m}, his, hers[0])
	}
	again := v.available(t, "friend")
	onlyID(t, enter(t, again, "ids", "friend"), his, hers[0])
}

// onlyID checks that what mallory sent has her id and no other.
func onlyID(t *testing.T, got []*xmppclient.Node, his, hers string) {
	t.Helper()
	for _, n := range got {
		ids := occupantIDs(n)
		if !strings.Contains(n.Attr("from"), "/mallory") {
			continue
		}
		if len(ids) != 1 || ids[0] != hers || strings.Contains(n.String(), his) {
			t.Errorf("hers is %s, and somebody was shown %s", hers, n)
		}
	}
}

// likeWitness are nicks to be taken for Witness.
var likeWitness = []string{
	"Witness\u200b", "\u200bWitness", "Wit\u200dness", "Wit\u2060ness", "Wit\u00adness", "\u202eWitness", "Witness\u202c", "\u2066Witness\u2069", "\ufeffWitness",
	"W\u0456tness", "Witn\u0435ss", "Witne\u0455\u0455", "\uff37itness", "\U0001d416itness", "witness", "WITNESS",
	"Witness ", " Witness", "Witness\u00a0", "Wit ness", "Witness\u3164", "W1tness", "Witness\U000e0041",
	"Witness\ufe0f", "Wit\u034fness",
}

// Nobody gets a nick that looks like that of somebody inside, or like one that is
// registered: on entering, and by changing it. XEP-0045#enter-conflict
func testNickTricks(t *testing.T, v *victim) {
	owner, witness, friend, mallory := v.available(t, "carol"), v.available(t, "witness"), v.available(t, "friend"), v.available(t, "mallory")
	makes(t, owner, "nicks", "{urn:mirsal:rooms:0}register=1")
	enter(t, friend, "nicks", "visitor")
	succeeds(t, friend, at("nicks"), "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"+nsMUC+
		"#register</value></field><field var='muc#register_roomnick'><value>Witness</value></field></x></query>")
	say(t, friend, "<presence type='unavailable' to='"+at("nicks")+"/visitor'/>")
	passed(t, friend, friend)
	tricks := append([]string{"Witness"}, likeWitness...)
	takeNicks(t, mallory, "registered", tricks)
	succeeds(t, friend, at("nicks"), "<query xmlns='jabber:iq:register'><remove/></query>")
	enter(t, witness, "nicks", "Witness")
	takeNicks(t, mallory, "inside", tricks)
}

// takeNicks tries each nick, from outside and from inside.
func takeNicks(t *testing.T, mallory *xmppclient.Conn, what string, tricks []string) {
	t.Helper()
	for _, nick := range tricks {
		if n := last(enter(t, mallory, "nicks", nick)); n.Attr("type") != "error" {
			t.Errorf("%s: entered as %q (%+q)", what, nick, nick)
			say(t, mallory, "<presence type='unavailable' to='"+at("nicks")+"/"+nick+"'/>")
			passed(t, mallory, mallory)
		}
	}
	if n := last(enter(t, mallory, "nicks", "mallory")); n.Attr("type") == "error" {
		t.Fatal(n)
	}
	for _, nick := range tricks {
		say(t, mallory, "<presence to='"+at("nicks")+"/"+nick+"'/>")
		for {
			n := next(t, mallory)
			if n.Attr("type") == "error" {
				break
			}
			if slices.Contains(codes(n), "110") {
				t.Errorf("%s: changed to %q (%+q)", what, nick, nick)
				break
			}
		}
	}
	say(t, mallory, "<presence type='unavailable' to='"+at("nicks")+"/mallory'/>")
	passed(t, mallory, mallory)
}

// Who takes the nick of somebody who set the subject and left is not taken for him:
// the subject has the occupant id of who set it. XEP-0421#rules
func testSubjectsAuthor(t *testing.T, v *victim) {
	owner, friend, mallory := v.available(t, "carol"), v.available(t, "friend"), v.available(t, "mallory")
	makes(t, owner, "subjects", "changesubject=1")
	his := occupantIDs(self(t, enter(t, friend, "subjects", "boss")))[0]
	say(t, friend, toRoom("subjects", "s", "<subject>rules</subject>"))
	say(t, friend, "<presence type='unavailable' to='"+at("subjects")+"/boss'/>")
	passed(t, friend, friend)
	hers := occupantIDs(self(t, enter(t, mallory, "subjects", "boss")))[0]
	subject := last(enter(t, v.available(t, "witness"), "subjects", "witness"))
	if ids := occupantIDs(subject); len(ids) != 1 || ids[0] != his || his == hers {
		t.Errorf("the subject is %s; who set it is %s, who has the nick is %s", subject, his, hers)
	}
}
