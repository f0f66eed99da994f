package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

func roster(from, item string) string {
	return "<iq xmlns='jabber:client' type='set' id='p'" + from + "><query xmlns='jabber:iq:roster'>" + item + "</query></iq>"
}

func TestOnlyTheAccountItselfChangesTheRosterAndWhoIsBlocked(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		item := "<item jid='" + eve + "' subscription='both'/>"
		block := "<iq xmlns='jabber:client' type='set' id='b' from='%s'><block xmlns='urn:xmpp:blocking'><item jid='" + bob + "'/></block></iq>"
		for _, from := range []string{eve, eve + "/x", me + "/other", server, "example.org/x"} {
			d.gets(roster(" from='"+from+"'", item), fmt.Sprintf(block, from))
		}
		if len(d.engine.people) != 0 {
			t.Errorf("contacts are %v", d.engine.people)
		}
		d.gets(roster("", item), fmt.Sprintf(block, me))
		if !d.engine.knows(eve) || !d.engine.people[bob].Blocked {
			t.Error("the server's own push is not taken")
		}
	})
}

func TestPresenceOfWhomWeDoNotSeeIsNothingAndFloodsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.gets("<presence from='" + eve + "/x'/>")
		d.befriend(bob)
		for i := range 1000 {
			d.happens(stanzaOf(t, fmt.Sprintf("<presence from='%s/r%d'/>", bob, i)))
			d.happens(stanzaOf(t, fmt.Sprintf("<presence type='subscribe' from='s%d@example.net'/>", i)))
		}
		d.wait()
		if n := len(d.engine.people[bob].here); n != mostResources {
			t.Errorf("%d resources are remembered", n)
		}
		if n := len(d.engine.people); n != mostAsking+1 || d.engine.people[eve] != nil {
			t.Errorf("%d people are remembered", n)
		}
		d.gets("<presence type='unsubscribe' from='s1@example.net'/>", "<presence type='unavailable' from='"+bob+"'/>")
		if d.engine.people["s1@example.net"] != nil || len(d.engine.people[bob].here) != 0 {
			t.Error("what was taken back is still there")
		}
	})
}

func TestCopiesAndResultsOfOthersAreNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.lie = func(q conn.Request) (string, bool) { return "silence", parse(t, string(q.Payload)).Is(nsMAM, "query") }
		d.questions("")
		d.down()
		d.up(false)
		id := parse(t, string(d.questions("queryid")[0].Payload)).Attr("queryid")
		inner := "<forwarded xmlns='" + nsForward + "'><message xmlns='jabber:client' type='chat' from='" + bob + "/x' to='" + me + "' id='1'><body>forged</body></message></forwarded>"
		for _, from := range []string{eve, eve + "/x", me + "/other", server} {
			d.gets("<message from='"+from+"'><received xmlns='"+nsCarbons+"'>"+inner+"</received></message>",
				"<message from='"+from+"'><sent xmlns='"+nsCarbons+"'>"+inner+"</sent></message>",
				"<message from='"+from+"'><result xmlns='"+nsMAM+"' queryid='"+id+"' id='r'>"+inner+"</result></message>",
				"<message from='"+me+"'><result xmlns='"+nsMAM+"' queryid='another' id='r'>"+inner+"</result></message>")
		}
		if len(d.engine.fetching[id].page) != 0 {
			t.Error("a result of somebody else's is in the page")
		}
		if _, there := d.engine.lines.Chat(bob); there {
			t.Error("somebody else's copy is shown")
		}
		d.gets("<message from='" + me + "'><received xmlns='" + nsCarbons + "'>" + inner + "</received></message>")
		same(t, "bob", d.lines(bob), "forged")
	})
}

func TestAStampCountsOnlyOfWhoKeepsThingsForUs(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		for i, by := range []string{eve, "", "example.net", me + "/other"} {
			d.gets(fmt.Sprintf("<message type='chat' from='%s/x' id='%d'><delay xmlns='%s' from='%s' stamp='1999-01-01T00:00:00Z'/><body>x</body></message>", eve, i, nsDelay, by))
		}
		d.gets("<message type='chat' from='" + eve + "/x' id='o'><delay xmlns='" + nsDelay + "' from='example.org' stamp='1999-01-01T00:00:00Z'/><body>offline</body></message>")
		for _, m := range d.must(&port.History{Chat: eve, Limit: 9}).(*port.Page).Messages {
			if old := m.Time.Year() == 1999; old != (m.Text == "offline") {
				t.Errorf("%q is of %v", m.Text, m.Time)
			}
		}
	})
}

func TestStrangersHearNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(eve)
		d.take("")
		d.questions("")
		d.gets(p.says("hello", "type='chat' from='"+eve+"/x' id='1'", "<request xmlns='"+nsReceipts+"'/><markable xmlns='"+nsMarkers+"'/>"))
		page := d.must(&port.History{Chat: eve, Limit: 5}).(*port.Page)
		if len(page.Messages) != 1 || page.Messages[0].Text != "hello" {
			t.Fatalf("the messages are %+v", page.Messages)
		}
		d.must(&port.MarkRead{Chat: eve, Message: page.Messages[0].ID})
		d.must(&port.Typing{Chat: eve, State: "composing"})
		d.gets("<iq type='get' id='1' from='"+eve+"/x'><ping xmlns='urn:xmpp:ping'/></iq>", "<iq type='get' id='2' from='"+eve+"/x'><query xmlns='"+nsInfo+"'/></iq>",
			"<presence type='probe' from='"+eve+"'/>", "<presence type='subscribe' from='"+eve+"'/>")
		for _, s := range d.take("") {
			if !strings.Contains(s, "service-unavailable") {
				t.Errorf("it sent %s", s)
			}
		}
		for _, q := range d.questions("") {
			if q.To.Domain() == "example.net" {
				t.Errorf("it asked %s for %s", q.To, q.Payload)
			}
		}
		d.must(&port.Send{Chat: eve, Text: "an answer"}) // from now on she knows
		if text, err := p.reads(d.take("<encrypted")[0]); text != "an answer" || err != nil {
			t.Errorf("eve has %q, %v", text, err)
		}
	})
}

func TestContactsHearThatWhatTheySaidHasArrivedOnce(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		ask := "<request xmlns='" + nsReceipts + "'/>"
		said := "<message type='chat' from='" + bob + "/x' id='1'>" + ask + "<body>hi</body><origin-id xmlns='urn:xmpp:sid:0' id='1'/></message>"
		d.gets(said, said, "<message type='chat' from='"+bob+"/x' id='2'>"+ask+"<encrypted xmlns='"+nsLegacy+"'><header sid='7'/></encrypted></message>",
			"<message from='"+me+"'><sent xmlns='"+nsCarbons+"'><forwarded xmlns='"+nsForward+"'><message xmlns='jabber:client' type='chat' from='"+me+"/o' to='"+bob+"' id='3'>"+ask+"<body>mine</body></message></forwarded></sent></message>")
		if got := d.take("<received xmlns='" + nsReceipts); len(got) != 1 || !strings.Contains(got[0], "id='1'/>") {
			t.Errorf("the receipts are %q", got)
		}
	})
}

func TestAReactionLeavesTheLockOfItsLineAlone(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.peer(bob)
		d.befriend(bob)
		d.gets("<message type='chat' from='" + bob + "/x' id='1'><body>in the clear</body></message>")
		m := d.must(&port.History{Chat: bob, Limit: 5}).(*port.Page).Messages[0]
		d.must(&port.React{Chat: bob, Message: m.ID, Emoji: []string{"👍"}})
		m = d.must(&port.History{Chat: bob, Limit: 5}).(*port.Page).Messages[0]
		if m.Lock.State != port.Open || len(m.Reactions) != 1 {
			t.Errorf("the line is %+v", m)
		}
	})
}

func TestWhatIsTakenBackIsNowhere(t *testing.T) {
	const secret = "marker-5f2e"
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets("<message type='chat' from='" + bob + "/x' id='1'><body>" + secret + "</body></message>")
		d.must(&port.Send{Chat: bob, Text: "why?", ReplyTo: d.must(&port.History{Chat: bob, Limit: 5}).(*port.Page).Messages[0].ID})
		d.gets("<message type='chat' from='" + bob + "/x' id='2'><retract xmlns='urn:xmpp:message-retract:1' id='1'/></message>")
		d.enter(tea, here(tea, "bob", bob))
		d.gets("<message type='groupchat' from='"+tea+"/bob' id='7'><stanza-id xmlns='urn:xmpp:sid:0' by='"+tea+"' id='s7'/><body>"+secret+"</body></message>",
			"<message type='groupchat' from='"+tea+"' id='8'><retract xmlns='urn:xmpp:message-retract:1' id='s7'><moderated xmlns='urn:xmpp:message-moderate:1'/><reason>off topic</reason></retract></message>")
		same(t, "the room", d.lines(tea), "!retracted")
		if found := d.find(secret); len(found) > 0 {
			t.Errorf("the text is still in %v", found)
		}
		if a := d.must(&port.Search{Query: secret, Limit: 5}).(*port.Found); len(a.Messages) > 0 {
			t.Error("it is still found")
		}
	})
}

func TestAnAlertAboutAMemberIsALineInTheRoom(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(bob)
		d.roomInfo(me, bob)
		d.enter(tea, here(tea, "bob", bob))
		d.must(&port.Send{Chat: tea, Text: "hello"})
		d.must(&port.SetTrust{Address: bob, Fingerprint: p.Fingerprint(), Trust: "verified"})
		d.anotherDevice(bob)
		if got := d.lines(tea); !slices.Contains(got, "!new-device") {
			t.Errorf("the room's lines are %q", got)
		}
	})
}

// anotherDevice comes onto somebody's list, beside the first.
func (d *desk) anotherDevice(who string) {
	d.t.Helper()
	d.peer(who)
	list := strings.ReplaceAll(d.nodes[who+" "+nsLegacy+".devicelist"], nsPubsub, nsEvent)
	d.gets("<message from='" + who + "'><event xmlns='" + nsEvent + "'><items node='" + nsLegacy + ".devicelist'>" + list + "</items></event></message>")
}

func TestANewDeviceOfSomebodyNotComparedIsALineWithHimAndNoneInRooms(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.peer(bob)
		d.befriend(bob)
		d.roomInfo(me, bob)
		d.enter(tea, here(tea, "bob", bob))
		d.must(&port.Send{Chat: tea, Text: "hello all"})
		d.must(&port.Send{Chat: bob, Text: "hello"})
		d.anotherDevice(bob)
		same(t, "the conversation", d.lines(bob), "!new-device", "hello") // what is under way stands last
		same(t, "the room", d.lines(tea), "hello all")
		alerts := 0
		for _, ev := range d.told {
			if a, ok := ev.(*port.KeyAlert); ok && a.Kind == "new-device" && a.Address == bob {
				alerts++
			}
		}
		if alerts != 1 {
			t.Errorf("%d alerts", alerts)
		}
	})
}

func TestEveryRequestIsAnswered(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.take("")
		d.gets("<iq type='set' id='2' from='"+eve+"/x'><x xmlns='y'/></iq>", "<iq type='get' id='3' from='"+server+"'><ping xmlns='urn:xmpp:ping'/></iq>",
			"<iq type='set' id='4'><query xmlns='jabber:iq:roster'/></iq>", "<iq type='get' id='5' from='"+me+"/o'><query xmlns='"+nsInfo+"' node='wrong'/></iq>")
		if got := d.take("<iq"); len(got) != 4 {
			t.Errorf("%d answers: %q", len(got), got)
		}
	})
}

func TestALargeRosterIsOneTransaction(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		list := ""
		for i := range 5000 {
			list += fmt.Sprintf("<item jid='u%d@example.org' subscription='both'/>", i)
		}
		d.lie = func(q conn.Request) (string, bool) {
			return "<query xmlns='jabber:iq:roster'>" + list + "</query>", parse(t, string(q.Payload)).Is("jabber:iq:roster", "query")
		}
		d.down()
		d.up(false)
		if len(d.engine.people) != 5000 {
			t.Fatalf("%d contacts", len(d.engine.people))
		}
		d.lie = func(q conn.Request) (string, bool) {
			return "", parse(t, string(q.Payload)).Is("jabber:iq:roster", "query")
		}
		d.down()
		d.up(false)
		if len(d.engine.people) != 5000 {
			t.Error("an answer without a list took all contacts away")
		}
	})
}

func TestWhoCameWithAKeyOfItsOwnIsNotShownAsAnother(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(eve)
		d.peer(bob)
		d.roomInfo(me, bob, eve)
		d.enter(tea, here(tea, "bob", bob), here(tea, "eve", eve))
		d.gets(p.saysTo(jid.MustParse(tea), "as bob", "type='groupchat' from='"+tea+"/eve' id='1'", "<x xmlns='"+nsMUCUser+"'><item jid='"+bob+"'/></x>", me))
		if m := d.must(&port.History{Chat: tea, Limit: 5}).(*port.Page).Messages; len(m) != 1 || m[0].Sender != eve || m[0].Text != "as bob" {
			t.Errorf("the lines are %+v", m)
		}
		time.Sleep(time.Second)
	})
}
