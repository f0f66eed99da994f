package hostile

import (
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// refusedAll checks that each request is refused, and that nothing of the answer
// tells what is not to be known.
func refusedAll(t *testing.T, who string, c *xmppclient.Conn, room, kind string, payloads []string, secrets ...string) {
	t.Helper()
	for _, p := range payloads {
		n := ask(t, c, kind, at(room), p)
		if n.Attr("type") != "error" {
			t.Errorf("%s: %s is answered %s", who, p, n)
		}
		for _, s := range secrets {
			if strings.Contains(strings.ReplaceAll(n.String(), c.JID, ""), s) {
				t.Errorf("%s: %s is answered with %q in %s", who, p, s, n)
			}
		}
	}
}

// lists are all lists of people, and what only owners see.
func lists() (all []string) {
	for _, a := range []string{"owner", "admin", "member", "outcast", "none"} {
		all = append(all, item("affiliation='"+a+"'"))
	}
	for _, r := range []string{"moderator", "participant", "visitor", "none"} {
		all = append(all, item("role='"+r+"'"))
	}
	return append(all, "<query xmlns='"+nsMUCOwner+"'/>")
}

// Who is neither owner nor admin reads none of the lists in a room that hides who is
// in it, and the form is for owners. XEP-0045#modifymember, XEP-0045#roomconfig
func testListsOfOthers(t *testing.T, v *victim) {
	owner, friend, mallory := v.available(t, "carol"), v.available(t, "friend"), v.available(t, "mallory")
	makes(t, owner, "lists", "roomsecret=sesame")
	for _, i := range []string{"affiliation='member' jid='" + bare("mallory") + "'", "affiliation='admin' jid='" + bare("friend") + "'",
		"affiliation='outcast' jid='" + bare("zephyr") + "'", "affiliation='member' jid='" + bare("quillan") + "'"} {
		succeeds(t, owner, at("lists"), item(i))
	}
	secrets := []string{bare("zephyr"), bare("quillan"), bare("friend"), "sesame"}
	refusedAll(t, "a member outside", mallory, "lists", "get", lists(), secrets...)
	say(t, mallory, entering("lists", "mallory", "<password>sesame</password>"))
	self(t, welcomed(t, mallory, "lists"))
	refusedAll(t, "a member inside", mallory, "lists", "get", lists(), secrets...)
	refusedAll(t, "one who is banned", v.available(t, "zephyr"), "lists", "get", lists(), secrets...)
	refusedAll(t, "a stranger", v.available(t, "witness"), "lists", "get", lists(), secrets...)
	refusedAll(t, "an admin", friend, "lists", "get", []string{"<query xmlns='" + nsMUCOwner + "'/>"}, "sesame")
	takeover := []string{roomForm("roomname=mine"), "<query xmlns='" + nsMUCOwner + "'><destroy/></query>", item("affiliation='owner' jid='" + bare("mallory") + "'"),
		"<query xmlns='" + nsMUCOwner + "'><item affiliation='owner' jid='" + bare("mallory") + "'/></query>", "<query xmlns='" + nsMUCOwner + "'><x xmlns='jabber:x:data' type='cancel'/></query>"}
	for who, c := range map[string]*xmppclient.Conn{"a member": mallory, "an admin": friend} {
		refusedAll(t, who, c, "lists", "set", takeover)
	}
	for node, kind := range map[string]string{"x-roomuser-item": "info", "http://jabber.org/protocol/muc#traffic": "info", "": "items"} {
		n := ask(t, mallory, "get", at("lists"), "<query xmlns='http://jabber.org/protocol/disco#"+kind+"' node='"+node+"'/>")
		for _, s := range append(secrets, bare("carol")) {
			if strings.Contains(n.String(), s) {
				t.Errorf("%s of %q tells %s: %s", kind, node, s, n)
			}
		}
	}
}

// An address counts however it is written. RFC 7622 §3
func testAddressesWrittenOtherwise(t *testing.T, v *victim) {
	owner, mallory := v.available(t, "carol"), v.available(t, "mallory")
	makes(t, owner, "forms")
	for _, address := range []string{
		"MALLORY@" + mirsal.Domain, "mallory@" + strings.ToUpper(mirsal.Domain), "\uff4dallory@" + mirsal.Domain, "mallory@" + mirsal.Domain + ".",
		"mallory@" + mirsal.Domain + "/any", "Mallory@" + strings.ReplaceAll(mirsal.Domain, ".", "\u3002") + "/x y",
	} {
		if n := last(enter(t, mallory, "forms", "mallory")); n.Attr("type") == "error" {
			t.Fatalf("before %q: %s", address, n)
		}
		n := ask(t, owner, "set", at("forms"), item("affiliation='outcast' jid='"+address+"'"))
		if n.Attr("type") == "error" {
			if refusal(n) != "jid-malformed" {
				t.Errorf("%q is refused: %s", address, n)
			}
			say(t, mallory, "<presence type='unavailable' to='"+at("forms")+"/mallory'/>")
			passed(t, mallory, mallory)
			continue
		}
		if n := last(enter(t, mallory, "forms", "mallory")); refusal(n) != "forbidden" {
			t.Errorf("banned as %q, entered: %s", address, n)
		}
		if got := ask(t, owner, "get", at("forms"), item("affiliation='outcast'")).String(); strings.Count(got, "<item") != 1 || !strings.Contains(got, "jid='"+bare("mallory")+"'") {
			t.Errorf("banned as %q: %s", address, got)
		}
		succeeds(t, owner, at("forms"), item("affiliation='none' jid='"+bare("mallory")+"'"))
		passed(t, mallory, mallory)
	}
}

// A room has an owner, however the last one is asked to go. XEP-0045#revokeowner
func testLastOwner(t *testing.T, v *victim) {
	owner := v.available(t, "carol")
	makes(t, owner, "ownerless")
	me := bare("carol")
	for _, items := range []string{
		"<item affiliation='none' jid='" + me + "'/>", "<item affiliation='member' nick='owner'/>", "<item affiliation='admin' jid='CAROL@" + strings.ToUpper(mirsal.Domain) + "/x'/>",
		"<item affiliation='outcast' jid='" + me + "'/>", "<item affiliation='outcast' nick='owner'/>",
		"<item affiliation='none' jid='" + me + "'/><item affiliation='owner' jid='" + bare("friend") + "'/>",
		"<item affiliation='owner' jid='" + bare("friend") + "'/><item affiliation='none' jid='" + me + "'/><item affiliation='none' jid='" + bare("friend") + "'/>",
		"<item affiliation='owner' jid='" + bare("friend") + "'/><item affiliation='none' jid='" + bare("friend") + "'/><item affiliation='admin' jid='" + me + "'/>",
	} {
		if n := ask(t, owner, "set", at("ownerless"), "<query xmlns='"+nsMUCAdmin+"'>"+items+"</query>"); refusal(n) != "conflict" {
			t.Errorf("%s is answered %s", items, n)
		}
	}
	if got := ask(t, owner, "get", at("ownerless"), item("affiliation='owner'")).String(); strings.Count(got, "<item") != 1 || !strings.Contains(got, me) {
		t.Errorf("the owners are %s", got)
	}
	if n := ask(t, owner, "get", at("ownerless"), "<query xmlns='jabber:iq:register'/>"); n.Attr("type") == "result" {
		refusedAll(t, "the owner, leaving as one registered", owner, "ownerless", "set", []string{"<query xmlns='jabber:iq:register'><remove/></query>"})
	}
}

// Nobody removes, bans or lowers somebody above. XEP-0045#roles-change, XEP-0045#affil-change
func testRank(t *testing.T, v *victim) {
	owner, admin, mod, mallory := v.available(t, "carol"), v.available(t, "friend"), v.available(t, "witness"), v.available(t, "mallory")
	makes(t, owner, "rank")
	succeeds(t, owner, at("rank"), item("affiliation='admin' jid='"+bare("friend")+"'"))
	enter(t, admin, "rank", "admin")
	enter(t, mod, "rank", "mod")
	enter(t, mallory, "rank", "mallory")
	succeeds(t, owner, at("rank"), item("nick='mod' role='moderator'"))
	refusedAll(t, "a moderator", mod, "rank", "set", []string{
		item("nick='owner' role='none'"), item("nick='admin' role='none'"), item("nick='owner' role='participant'"), item("nick='owner' role='visitor'"), item("nick='admin' role='visitor'"),
		item("nick='mallory' role='moderator'"), item("nick='mallory' affiliation='member'"), item("nick='mallory' affiliation='outcast'"), item("nick='owner' affiliation='none'"),
		item("nick='mod' affiliation='admin'"), item("nick='mallory' role='none' affiliation='none'"),
	})
	refusedAll(t, "an admin", admin, "rank", "set", []string{
		item("jid='" + bare("carol") + "' affiliation='outcast'"), item("nick='owner' affiliation='none'"), item("nick='owner' role='none'"), item("nick='owner' role='participant'"),
		item("nick='admin' affiliation='owner'"), item("nick='mallory' affiliation='admin'"), item("nick='admin' affiliation='outcast'"),
		"<query xmlns='" + nsMUCAdmin + "'><item nick='mallory' role='none'/><item nick='owner' role='none'/></query>",
	})
	refusedAll(t, "a participant", mallory, "rank", "set", []string{
		item("nick='mod' role='none'"), item("nick='mallory' role='moderator'"), item("nick='mallory' affiliation='owner'"), item("nick='owner' role='none'"), item("nick='mallory' role='participant'"),
	})
	for _, n := range heard1(t, owner, "rank", mallory) {
		if n.Attr("type") == "unavailable" || len(codes(n)) > 0 && codes(n)[0] == "307" {
			t.Errorf("this was told: %s", n)
		}
	}
}

// A message or a request to a nick that nobody has, or who left, and one from
// who is outside or banned, reaches nobody. XEP-0045#privatemessage, XEP-0045#bizrules-iq
func testThroughTheRoom(t *testing.T, v *victim) {
	owner, witness, friend, mallory := v.available(t, "carol"), v.available(t, "witness"), v.available(t, "friend"), v.available(t, "mallory")
	makes(t, owner, "through")
	enter(t, witness, "through", "witness")
	enter(t, friend, "through", "ghost")
	enter(t, mallory, "through", "mallory")
	say(t, friend, "<presence type='unavailable' to='"+at("through")+"/ghost'/>")
	for n := next(t, friend); n.Attr("type") != "unavailable"; n = next(t, friend) {
	}
	heard1(t, owner, "through", mallory)
	refusedTo := func(who string, nicks []string, want ...string) {
		t.Helper()
		for _, nick := range nicks {
			for _, s := range []string{
				"<message type='chat' id='i' to='%s'><body>x</body></message>", "<message id='i' to='%s'><body>x</body></message>", "<message type='groupchat' id='i' to='%s'><body>x</body></message>",
				"<iq type='get' id='i' to='%s'><query xmlns='jabber:iq:version'/></iq>", "<iq type='set' id='i' to='%s'><vCard xmlns='vcard-temp'/></iq>", "<iq type='get' id='i' to='%s'><vCard xmlns='vcard-temp'/></iq>",
				"<iq type='get' id='i' to='%s'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", "<iq type='get' id='i' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>",
			} {
				say(t, mallory, strings.ReplaceAll(s, "%s", at("through")+"/"+nick))
				n := next(t, mallory)
				for n.Attr("id") != "i" {
					n = next(t, mallory)
				}
				if !strings.Contains(strings.Join(want, " "), refusal(n)) || refusal(n) == "" {
					t.Errorf("%s: %s to %s is answered %s", who, s, nick, n)
				}
			}
		}
	}
	refusedTo("an occupant", []string{"nobody", "ghost", "Owner\u0301"}, "item-not-found", "bad-request", "jid-malformed")
	succeeds(t, owner, at("through"), item("jid='"+bare("mallory")+"' affiliation='outcast'"))
	heardIn(t, owner, "through", witness)
	refusedTo("who is banned", []string{"nobody", "ghost", "witness", "mallory"}, "not-acceptable", "forbidden", "bad-request")
	say(t, mallory, toRoom("through", "i", "<body>x</body>"))
	say(t, mallory, "<message to='"+at("through")+"'><x xmlns='"+nsMUCUser+"'><invite to='"+bare("witness")+"'/></x></message>")
	say(t, mallory, "<presence to='"+at("through")+"/mallory'/>")
	say(t, mallory, "<presence type='probe' to='"+at("through")+"/witness'/>")
	passed(t, mallory, mallory)
	if got := heard1(t, owner, "through", witness); len(got) != 0 {
		t.Errorf("of one who is banned came %v", got)
	}
	for _, n := range passed(t, mallory, friend) {
		if strings.Contains(n.Attr("from"), "mallory") {
			t.Errorf("who left was sent %s", n)
		}
	}
	if n := ask(t, mallory, "get", at("through"), "<query xmlns='http://jabber.org/protocol/disco#info'/>"); n.Attr("type") == "result" {
		t.Errorf("who is banned is told %s", n)
	}
}

// A visitor's words reach nobody, whatever type or content they have.
// XEP-0045#message
func testVoiceByAnotherType(t *testing.T, v *victim) {
	owner, witness, mallory := v.available(t, "carol"), v.available(t, "witness"), v.available(t, "mallory")
	makes(t, owner, "silent", "moderatedroom=1", "changesubject=1")
	enter(t, witness, "silent", "witness")
	enter(t, mallory, "silent", "mallory")
	heard1(t, owner, "silent", witness)
	for _, kind := range []string{"groupchat", "normal", "chat", "headline", "error", ""} {
		for _, content := range []string{
			"<body>loud</body>", "<subject>loud</subject>", "<subject>loud</subject><body>loud</body>", "<subject>loud</subject><thread>t</thread>", "<subject/>",
			"<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>loud</payload></encrypted>", "<reactions xmlns='urn:xmpp:reactions:0' id='x'><reaction>loud</reaction></reactions>",
			"<active xmlns='http://jabber.org/protocol/chatstates'/>", "<x xmlns='" + nsMUCUser + "'><status code='332'/></x>", "<body>loud</body><x xmlns='" + nsMUCUser + "'><invite/></x>",
			"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + nsMUC + "#request</value></field><field var='muc#role'><value>moderator</value></field></x>",
		} {
			typed := ""
			if kind != "" {
				typed = " type='" + kind + "'"
			}
			say(t, mallory, "<message"+typed+" to='"+at("silent")+"'>"+content+"</message>")
		}
	}
	passed(t, mallory, mallory)
	if got := heard1(t, owner, "silent", witness); len(got) != 0 {
		t.Errorf("a visitor made heard %v", got)
	}
	if n := last(enter(t, v.available(t, "friend"), "silent", "friend")); strings.Contains(n.String(), "loud") {
		t.Errorf("the subject is %s", n)
	}
}
