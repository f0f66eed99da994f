package client

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// roomInfo is what the server says of rooms: private, and its members; "" for a public one.
func (d *desk) roomInfo(members ...string) {
	former := d.lie
	d.lie = func(q conn.Request) (string, bool) {
		e := parse(d.t, string(q.Payload))
		switch {
		case e.Is(nsInfo, "query") && len(members) > 0:
			return "<query xmlns='" + nsInfo + "'><feature var='muc_membersonly'/><feature var='muc_nonanonymous'/><feature var='" + nsMAM + "'/></query>", true
		case e.Is(nsInfo, "query") && q.To.Local() != "":
			return "<query xmlns='" + nsInfo + "'><feature var='muc_open'/></query>", true
		case e.Is(nsMUCAdmin, "query") && q.Type == stanza.Get && e.First().AttrIs("affiliation", "member"):
			list := ""
			for _, m := range members {
				list += "<item affiliation='member' jid='" + m + "'/>"
			}
			return "<query xmlns='" + nsMUCAdmin + "'>" + list + "</query>", true
		case e.Is(nsMUCAdmin, "query") && q.Type == stanza.Get:
			return "<query xmlns='" + nsMUCAdmin + "'/>", true
		}
		if former != nil {
			return former(q)
		}
		return "", false
	}
}

func here(room, nick, address string, codes ...string) string {
	inside := "<item affiliation='member' role='participant'"
	if address != "" {
		inside += " jid='" + address + "/x'"
	}
	inside += "/>"
	for _, c := range codes {
		inside += "<status code='" + c + "'/>"
	}
	return "<presence xmlns='jabber:client' from='" + room + "/" + nick + "'><x xmlns='" + nsMUCUser + "'>" + inside + "</x></presence>"
}

func gone(room, nick, inside string) string {
	return "<presence xmlns='jabber:client' type='unavailable' from='" + room + "/" + nick + "'><x xmlns='" + nsMUCUser + "'>" + inside + "</x></presence>"
}

func refusal(room, nick, condition string) string {
	return "<presence xmlns='jabber:client' type='error' from='" + room + "/" + nick + "'><error type='cancel'><" + condition + " xmlns='" + stanza.NSStanzas + "'/></error></presence>"
}

// enter joins a room, in which is who came before.
func (d *desk) enter(room string, before ...string) {
	d.t.Helper()
	d.engine.Do(&port.JoinRoom{Address: room})
	d.wait()
	d.gets(append(before, here(room, "me", me, "110"))...)
	if r := d.engine.rooms[room]; r == nil || !r.joined {
		d.t.Fatal("it is not in the room")
	}
}

func TestATakenNickIsChangedAndARefusalAnswersOnce(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.engine.Do(&port.JoinRoom{Ref: port.Ref{Ref: 70}, Address: tea})
		d.wait()
		d.gets(refusal(tea, "me", "conflict"))
		if got := d.take("to='" + tea + "/me_'"); len(got) != 1 {
			t.Error("it does not try another nick")
		}
		d.gets(refusal(tea, "me_", "registration-required"))
		if a := d.answers(70, 0); len(a) != 1 || port.FailureOf(a[0]) == nil {
			t.Errorf("the answers are %v", a)
		}
		if d.engine.rooms[tea] != nil {
			t.Error("the room is kept, though we were never in it")
		}
	})
}

func TestARoomThatDoesNotAnswerIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.engine.Do(&port.JoinRoom{Ref: port.Ref{Ref: 70}, Address: tea})
		d.gets()
		time.Sleep(enterTime + time.Second)
		d.wait()
		if a := d.answers(70, 0); len(a) != 1 || port.FailureOf(a[0]) == nil {
			t.Errorf("the answers are %v", a)
		}
	})
}

func TestARoomThatIsNotThereIsNotMade(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.engine.Do(&port.JoinRoom{Ref: port.Ref{Ref: 70}, Address: tea})
		d.wait()
		d.gets(here(tea, "me", me, "110", "201"))
		if a := d.answers(70, 0); len(a) != 1 || port.FailureOf(a[0]) == nil {
			t.Errorf("the answers are %v", a)
		}
		if len(d.questions("type='cancel'")) != 1 || d.engine.rooms[tea] != nil {
			t.Error("the room was made by a mistyped name")
		}
	})
}

func TestBeingPutOutIsSaidAndWhy(t *testing.T) {
	for inside, notice := range map[string]string{
		"<status code='110'/><status code='307'/>":                                     "kicked",
		"<item affiliation='outcast'/><status code='110'/><status code='301'/>":        "banned",
		"<item affiliation='none'/><status code='110'/><status code='321'/>":           "removed",
		"<item affiliation='none'/><destroy/><status code='110'/>":                     "destroyed",
		"<item affiliation='none'/><status code='110'/><status code='307'/><destroy/>": "destroyed",
	} {
		bubble(t, func(t *testing.T, d *desk) {
			d.enter(tea)
			d.gets(gone(tea, "me", inside))
			same(t, inside, d.lines(tea), "!"+notice)
			if d.engine.rooms[tea].joined {
				t.Error("it believes to be inside")
			}
			d.take("")
			d.down()
			d.up(false)
			if again := len(d.take("to='"+tea+"/me'")) > 0; again == (notice == "destroyed") {
				t.Errorf("%s: entered again: %v", notice, again)
			}
		})
	}
}

func TestANewNickIsOurOwn(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.enter(tea)
		d.gets(gone(tea, "me", "<item nick='myself'/><status code='303'/><status code='110'/>"), here(tea, "myself", me, "110"))
		r := d.engine.rooms[tea]
		if !r.joined || r.Nick != "myself" || r.nicks[me] != "myself" {
			t.Errorf("the room is %+v", r)
		}
	})
}

func TestWhoBecomesAMemberReadsAndWhoIsNoneAnyMoreDoesNot(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p, q := d.peer(bob), d.peer(eve)
		d.roomInfo(me, bob)
		d.enter(tea, here(tea, "bob", bob))
		d.take("")
		d.must(&port.Send{Chat: tea, Text: "for two"})
		d.gets("<message type='groupchat' from='" + tea + "'><x xmlns='" + nsMUCUser + "'><item affiliation='member' jid='" + eve + "'/></x></message>")
		d.must(&port.Send{Chat: tea, Text: "for three"})
		d.gets(gone(tea, "bob", "<item affiliation='none' jid='"+bob+"/x'/><status code='321'/>"))
		d.must(&port.Send{Chat: tea, Text: "without bob"})
		sent := d.take("groupchat")
		if len(sent) != 3 {
			t.Fatalf("%d messages were sent", len(sent))
		}
		for i, want := range [][2]bool{{true, false}, {true, true}, {false, true}} {
			_, b := p.reads(sent[i])
			_, e := q.reads(sent[i])
			if (b == nil) != want[0] || (e == nil) != want[1] {
				t.Errorf("message %d: bob %v, eve %v", i, b, e)
			}
		}
	})
}

func TestAnEncryptedRoomIsNotOpenedByWhatItsServerSays(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.peer(bob)
		d.roomInfo(me, bob)
		d.enter(tea, here(tea, "bob", bob))
		d.lie = nil
		d.roomInfo()
		d.gets("<message type='groupchat' from='" + tea + "'><x xmlns='" + nsMUCUser + "'><status code='104'/></x></message>")
		d.must(&port.Send{Chat: tea, Text: "a secret"})
		for _, s := range d.take("") {
			if strings.Contains(s, "a secret") {
				t.Errorf("sent in the clear: %s", s)
			}
		}
	})
}

// What a room once was outlives its being left, and a restart.
// A server may leave out that a room is private, to have people answer in the clear.
func TestARoomInWhichOthersEncryptIsNotAnsweredInTheClear(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.roomInfo() // open to anybody
		p := d.peer(bob)
		d.enter(tea, here(tea, "bob", bob))
		d.must(&port.Send{Chat: tea, Text: "hello all"})
		if sent := d.take("hello all"); len(sent) != 1 {
			t.Fatalf("nobody encrypts: %q", sent)
		}
		d.gets(p.saysTo(jid.MustParse(tea), "only for members", "from='"+tea+"/bob' type='groupchat' id='1'", "", me))
		if l := d.chat(tea).Lock; l.State != port.Broken || l.Why != whyOthers {
			t.Fatalf("%+v", l)
		}
		id := d.must(&port.Send{Chat: tea, Text: "secret answer"}).(*port.Done).Message
		d.do(&port.React{Chat: tea, Message: id, Emoji: []string{"👍"}})
		if sent := d.take("secret answer"); len(sent) > 0 {
			t.Errorf("in the clear: %s", sent)
		}
		d.must(&port.SetEncryption{Chat: tea, On: false})
		if l := d.chat(tea).Lock; l.State != port.Open {
			t.Errorf("a person has decided: %+v", l)
		}
		d.must(&port.Retry{Chat: tea, Message: id})
		if sent := d.take("secret answer"); len(sent) != 1 {
			t.Errorf("sent: %q", sent)
		}
		d.must(&port.SetEncryption{Chat: tea, On: true})
		if l := d.chat(tea).Lock; l.State != port.Broken {
			t.Errorf("taken back: %+v", l)
		}
	})
}

func TestARoomThatWasEncryptedIsSoWhenItIsJoinedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.peer(bob)
		d.roomInfo(me, bob)
		d.enter(tea, here(tea, "bob", bob))
		d.must(&port.LeaveRoom{Address: tea})
		d.lie = nil
		d.roomInfo()
		d.stop()
		d.start()
		d.up(false)
		d.enter(tea, here(tea, "bob", bob))
		if r := d.engine.rooms[tea]; !r.Encrypted {
			t.Errorf("the room is %+v", r)
		}
	})
}

// become has the room say what somebody is in it now.
func (d *desk) become(affiliation string, who ...string) {
	items := ""
	for _, w := range who {
		items += "<item affiliation='" + affiliation + "' jid='" + w + "'/>"
	}
	d.gets("<message type='groupchat' from='" + tea + "'><x xmlns='" + nsMUCUser + "'>" + items + "</x></message>")
}

func TestAChangeOfAnEncryptedRoomsMembersIsALine(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.roomInfo(me, bob)
		d.enter(tea, here(tea, "bob", bob))
		same(t, "first entry", d.lines(tea))
		d.become("member", eve)
		d.become("admin", eve) // she was a member
		d.become("none", eve)
		d.gets(here(tea, "eve", eve)) // by presence
		same(t, "said by the room", d.lines(tea), "!member-added", "!member-removed", "!member-added")
		page := d.must(&port.History{Chat: tea, Limit: 5}).(*port.Page)
		if p := page.Messages[0].Params; len(p) != 1 || p[0] != eve {
			t.Errorf("the line is about %q", p)
		}
		// Silently, while nobody listens: bob is out, and carol is in.
		d.roomInfo(me, eve, "carol@example.org")
		d.down()
		d.stop()
		d.start()
		d.up(false)
		d.gets(here(tea, "carol", "carol@example.org"), here(tea, "me", me, "110"))
		same(t, "entered again", d.lines(tea)[3:], "!member-added", "!member-removed")
	})
}

func TestManyChangesOfMembersAreOneLine(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.roomInfo(me, bob)
		d.enter(tea)
		var many []string
		for i := range 100 {
			many = append(many, fmt.Sprintf("u%d@example.org", i))
		}
		d.become("member", many...)
		d.become("none", many...)
		same(t, "at once", d.lines(tea), "!members-changed")
		time.Sleep(memberTime)
		for _, who := range many {
			d.become("member", who)
		}
		if got := d.lines(tea); len(got) != 2+mostMemberLines || got[len(got)-1] != "!members-changed" {
			t.Errorf("one by one: %d lines", len(got))
		}
	})
}

func TestWhomWeInviteIsNoNews(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.roomInfo(me, bob)
		d.enter(tea)
		d.must(&port.Invite{Room: tea, Address: eve})
		d.become("member", eve)
		same(t, "the lines", d.lines(tea))
	})
}

func TestAnInvitationSaysTheRoomsName(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.roomInfo(me, bob)
		d.enter(tea)
		for name, want := range map[string]string{"": "<invite to='" + eve + "'/>", "Tea & <cake>": "<invite to='" + eve + "'><reason>Tea &amp; &lt;cake&gt;</reason></invite>"} {
			d.engine.rooms[tea].Name = name
			d.must(&port.Invite{Room: tea, Address: eve})
			if got := d.take("<invite"); len(got) != 1 || !strings.Contains(got[0], want) {
				t.Errorf("%q: %q", name, got)
			}
		}
	})
}

func TestAListOfMembersThatIsNotToldTakesNobodyOut(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.roomInfo(me, bob)
		d.enter(tea)
		d.lie = nil // and then all lists are refused, but that of owners
		d.lie = func(q conn.Request) (string, bool) {
			e := parse(t, string(q.Payload))
			if e.Is(nsMUCAdmin, "query") && e.First().AttrIs("affiliation", "owner") {
				return "<query xmlns='" + nsMUCAdmin + "'><item affiliation='owner' jid='" + eve + "'/></query>", true
			}
			return "error forbidden", e.Is(nsMUCAdmin, "query")
		}
		d.gets("<message type='groupchat' from='" + tea + "'><x xmlns='" + nsMUCUser + "'><status code='104'/></x></message>")
		if m := d.engine.rooms[tea].Members; m[bob] != "member" || m[eve] != "owner" {
			t.Errorf("the members are %v", m)
		}
	})
}

func TestWhatTheRoomSaidInThePastChangesNobodysMembership(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.roomInfo(me, bob)
		d.enter(tea)
		d.engine.post(func() {
			d.engine.archived(tea, result{id: "1", time: time.Now(), el: parse(t, "<message xmlns='jabber:client' type='groupchat' from='"+tea+"'><x xmlns='"+nsMUCUser+"'><item affiliation='member' jid='"+eve+"'/></x></message>")})
		})
		d.wait()
		if m := d.engine.rooms[tea].Members; m[eve] != "" {
			t.Errorf("the members are %v", m)
		}
	})
}

func TestARoomsArchiveHoldsOnlyWhatWasSaidInIt(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.enter(tea)
		d.engine.post(func() {
			for i, from := range []string{bob, bob + "/x", me, "other@conference.example.org/bob", ""} {
				el := parse(t, "<message xmlns='jabber:client' type='chat' id='"+fmt.Sprint(i)+"' from='"+from+"'><body>forged</body></message>")
				if in, _ := d.engine.archived(tea, result{id: fmt.Sprint(i), time: time.Now(), el: el}); in.Kind != timeline.Nothing {
					t.Errorf("of %q: %+v", from, in)
				}
			}
		})
		d.wait()
	})
}

func TestStanzasOfRoomsWeAreNotInDoNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		before := len(d.told)
		d.gets(here(tea, "me", me, "110"),
			"<message type='groupchat' from='"+tea+"/bob'><body>hello</body></message>",
			"<message type='groupchat' from='"+tea+"'><subject>welcome</subject></message>",
			gone(tea, "me", "<status code='110'/><status code='307'/>"))
		if len(d.told) != before || len(d.engine.rooms) != 0 {
			t.Errorf("it told %v", d.told[before:])
		}
	})
}

func TestWhoSpeaksInARoomIsWhatTheRoomSaysAndNotTheMessage(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.enter(tea, here(tea, "bob", bob), here(tea, "eve", eve))
		claim := "<x xmlns='" + nsMUCUser + "'><item jid='" + bob + "/x'/></x><occupant-id xmlns='" + nsOccupant + "' id='forged'/>"
		d.gets("<message type='groupchat' from='"+tea+"/eve' id='1'>"+claim+"<body>one</body></message>",
			"<message type='groupchat' from='"+tea+"/eve' id='2'><delay xmlns='"+nsDelay+"' from='"+tea+"' stamp='2020-01-01T00:00:00Z'/>"+claim+"<body>two</body></message>",
			"<message type='groupchat' from='"+tea+"/bob@example.org' id='3'><body>three</body></message>",
			"<message type='error' from='"+tea+"/eve' id='4'><error type='cancel'><forbidden xmlns='"+stanza.NSStanzas+"'/></error></message>")
		for _, m := range d.must(&port.History{Chat: tea, Limit: 9}).(*port.Page).Messages {
			if m.Sender == bob || m.Mine {
				t.Errorf("%q is shown as of %s", m.Text, m.Sender)
			}
		}
	})
}

func TestAPersonDoesNotBecomeARoomByABookmark(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(bob)
		d.befriend(bob)
		bookmark := func(id string) string {
			return "<message from='" + me + "'><event xmlns='" + nsEvent + "'><items node='" + nsBookmarks + "'><item id='" + id +
				"'><conference xmlns='" + nsBookmarks + "' autojoin='true'><nick>me</nick></conference></item></items></event></message>"
		}
		d.gets(bookmark(bob), bookmark(me), bookmark(server))
		d.gets(here(bob, "me", me, "110"))
		if len(d.engine.rooms) != 0 {
			t.Fatalf("the rooms are %v", d.engine.rooms)
		}
		d.take("")
		d.must(&port.Send{Chat: bob, Text: "a secret"})
		if text, err := p.reads(d.take("<encrypted")[0]); text != "a secret" || err != nil {
			t.Errorf("bob has %q, %v", text, err)
		}
		d.gets(bookmark(tea))
		if len(d.engine.rooms) != 1 {
			t.Error("a room is none")
		}
		d.gets("<message from='" + eve + "'><event xmlns='" + nsEvent + "'><items node='" + nsBookmarks + "'><retract id='" + tea + "'/></items></event></message>")
		if d.engine.rooms[tea].Left {
			t.Error("somebody else has taken a bookmark away")
		}
	})
}

// Attack: a server makes a room of somebody who has written, and whom we have not answered yet.
func TestWhoHasWrittenDoesNotBecomeARoomByABookmark(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(bob)
		d.gets(p.says("hello", "type='chat' from='"+bob+"/x' to='"+me+"' id='1'", ""))
		d.gets("<message from='" + me + "'><event xmlns='" + nsEvent + "'><items node='" + nsBookmarks + "'><item id='" + bob +
			"'><conference xmlns='" + nsBookmarks + "' autojoin='true'><nick>me</nick></conference></item></items></event></message>")
		d.gets(here(bob, "me", me, "110"))
		if len(d.engine.rooms) != 0 {
			t.Fatalf("the rooms are %v", d.engine.rooms)
		}
		d.take("")
		d.must(&port.Send{Chat: bob, Text: "a secret"})
		if sent := d.take("a secret"); len(sent) != 0 {
			t.Errorf("it is sent as %q", sent)
		}
	})
}

func TestARoomThatIsQuietIsAskedWhetherWeAreInIt(t *testing.T) {
	for condition, again := range map[string]int{"not-acceptable": 1, "service-unavailable": 0, "remote-server-not-found": 0} {
		bubble(t, func(t *testing.T, d *desk) {
			d.enter(tea)
			d.take("")
			d.lie = func(q conn.Request) (string, bool) {
				return "error " + condition, parse(t, string(q.Payload)).Is("urn:xmpp:ping", "ping")
			}
			d.questions("")
			d.gets()
			time.Sleep(quietTime + time.Second)
			d.wait()
			if n := len(d.questions("urn:xmpp:ping")); n != 1 {
				t.Errorf("it was asked %d times", n)
			}
			if n := len(d.take("to='" + tea + "/me'")); n != again {
				t.Errorf("%s: entered %d times", condition, n)
			}
		})
	}
}

func TestALargeRoomIsNotLookedThroughForEachWord(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		const size = 5000
		members, before := []string{me}, []string{}
		for i := range size {
			who := fmt.Sprintf("u%d@example.org", i)
			members, before = append(members, who), append(before, here(tea, fmt.Sprintf("n%d", i), who))
		}
		d.roomInfo(members...)
		d.enter(tea, before...)
		d.take("")
		d.questions("")
		for i := range 300 {
			d.happens(stanzaOf(t, fmt.Sprintf("<message type='groupchat' from='%s/n%d' id='%d'><body>hello</body></message>", tea, i, i)))
		}
		d.wait()
		d.must(&port.Send{Chat: tea, Text: "to all"})
		if n := len(d.questions("devicelist")); n != size {
			t.Errorf("%d lists were asked for", n)
		}
	})
}

func TestARoomHasANameBeforeItIsEntered(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		name := func() string { return d.must(&port.ListChats{}).(*port.ChatList).Chats[0].Name }
		d.gets("<message from='" + tea + "' id='1'><x xmlns='" + nsMUCUser + "'><invite from='" + bob + "'/></x></message>")
		if got := name(); got != d.engine.shortName(tea) {
			t.Errorf("without a name it is %q", got)
		}
		d.gets("<message from='" + tea + "' id='2'><x xmlns='" + nsMUCUser + "'><invite from='" + bob + "'><reason>Tea \u202eat five</reason></invite></x></message>")
		if got := name(); got != "Tea at five" {
			t.Errorf("it is called %q", got)
		}
	})
}

func TestARoomBegunByItsInvitationHasARoomsHistory(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.gets("<message from='" + tea + "' id='1'><x xmlns='" + nsMUCUser + "'><invite from='" + bob + "'/></x></message>")
		d.roomInfo(me, bob)
		d.enter(tea)
		d.questions("")
		d.must(&port.History{Chat: tea, Limit: 50})
		for _, q := range d.questions(nsMAM) {
			if q.To.String() != tea {
				t.Errorf("the history of the room is asked of %q", q.To)
			}
		}
		if c, _ := d.engine.lines.Chat(tea); !c.Room {
			t.Error("the room is no room")
		}
	})
}
