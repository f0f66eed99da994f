package rooms

import (
	"bytes"
	"strings"
	"testing"

	"mirsal/internal/core"
)

func TestWhoEntersSeesWhoIsThereThenHimselfThenThePastThenTheSubject(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		a.Send("<message to='den@" + host + "' type='groupchat' id='m1'><body>hello</body></message>")
		expect(t, "alice", a.Got(), "<message to='alice@example.org/a' xmlns='jabber:client' from='den@"+host+"/alice' id='m1' type='groupchat'><body>hello</body><occupant-id",
			"<stanza-id xmlns='urn:xmpp:sid:0' id='id1' by='den@"+host+"'/></message>")
		b := w.Login("bob@example.org/b")
		b.Send("<presence id='j' to='den@" + host + "/bob'>" + enter + "<status>here</status></presence>")
		got := b.Got()
		expect(t, "bob", got, "<presence to='bob@example.org/b' xmlns='jabber:client' from='den@"+host+"/alice'>",
			"<item affiliation='owner' role='moderator'/>",
			"from='den@"+host+"/bob' id='j'><status>here</status><occupant-id xmlns='urn:xmpp:occupant-id:0' id='",
			"<item affiliation='none' role='participant' jid='bob@example.org/b'/>", "<status code='110'/><status code='170'/></x></presence>",
			"<body>hello</body>", "<delay xmlns='urn:xmpp:delay' from='den@"+host+"'", "<stanza-id", "<subject/></message>")
		if strings.Contains(got, "alice@example.org") {
			t.Error("a real address is shown in a semi-anonymous room:", got)
		}
		expect(t, "alice", a.Got(), "from='den@"+host+"/bob'><status>here</status>", "jid='bob@example.org/b'")
		b.Send("<presence type='unavailable' to='den@" + host + "/bob'><status>bye</status></presence>")
		expect(t, "bob", b.Got(), "type='unavailable'><status>bye</status>", "role='none'", "<status code='110'/>")
		expect(t, "alice", a.Got(), "from='den@"+host+"/bob' type='unavailable'><status>bye</status>")
	})
}

func TestANickChangeIsOneForAllSessionsThatShareIt(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b1, b2 := w.in("bob@example.org/1", "den@"+host+"/bob"), w.in("bob@example.org/2", "den@"+host+"/bob")
		a.Got()
		b1.Got()
		b1.Send("<presence to='den@" + host + "/robert'/>")
		for who, got := range map[string]string{"alice": a.Got(), "bob": b1.Got(), "bob's other": b2.Got()} {
			expect(t, who, got, "from='den@"+host+"/bob' type='unavailable'", "nick='robert'", "<status code='303'/>", "from='den@"+host+"/robert'")
		}
		b1.Send("<presence to='den@" + host + "/AIice'/>")
		expect(t, "bob", b1.Got(), "<conflict")
		c := w.Login("carol@example.org/c")
		c.Send("<presence to='den@" + host + "/Robert '>" + enter + "</presence>")
		expect(t, "carol", c.Got(), "<not-acceptable")
	})
}

func TestAKickedOccupantIsOutAndMayComeBackABannedOneMayNot(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b, c := w.in("bob@example.org/b", "den@"+host+"/bob"), w.in("carol@example.org/c", "den@"+host+"/carol")
		a.Got()
		b.Got()
		a.Send("<iq type='set' id='k' to='den@" + host + "'><query xmlns='" + nsAdmin + "'><item nick='bob' role='none'><reason>enough</reason></item></query></iq>")
		expect(t, "alice", a.Got(), "type='unavailable'", "<status code='307'/>", "id='k' type='result'")
		expect(t, "bob", b.Got(), "type='unavailable'", "<actor nick='alice'/><reason>enough</reason>", "<status code='307'/><status code='110'/>")
		expect(t, "carol", c.Got(), "type='unavailable'", "<status code='307'/>")
		b.Send("<message to='den@" + host + "' type='groupchat'><body>x</body></message>")
		expect(t, "bob", b.Got(), "<not-acceptable")
		b.Send("<presence to='den@" + host + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "<status code='110'/>")
		a.Send("<iq type='set' id='k2' to='den@" + host + "'><query xmlns='" + nsAdmin + "'><item jid='bob@example.org' affiliation='outcast'/></query></iq>")
		expect(t, "alice", a.Got(), "affiliation='outcast' role='none'", "<status code='301'/>", "id='k2' type='result'")
		b.Got()
		b.Send("<presence to='den@" + host + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "<forbidden")
	})
}

func TestARoomThatStaysIsThereAfterARestart(t *testing.T) {
	kv := newLasting()
	runOn(t, kv, func(w *world) {
		a := w.open("persistentroom=1", "publicroom=1", "roomname=Den")
		a.Send("<message to='den@" + host + "' type='groupchat' id='m1'><body>hello</body></message>")
		a.Send("<message to='den@" + host + "' type='groupchat'><subject>tea</subject></message>")
	})
	runOn(t, kv, func(w *world) {
		b := w.Login("bob@example.org/b")
		b.Send("<presence to='den@" + host + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "<body>hello</body>", "from='den@"+host+"/alice'", "<subject>tea</subject>")
	})
}

func TestWhoDoesNotLookIsToldWhatPeopleSayAndNotThatTheyAreTyping(t *testing.T) {
	run(t, func(w *world) {
		w.Host.Hold = func(_ *core.Session, p core.Packet) string {
			if all := bytes.Join(p.Segments, nil); bytes.Contains(all, []byte("<body>")) {
				t.Errorf("asked whether %s can wait", all)
			}
			return "typing"
		}
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		b.Session.SetInactive(true)
		a.Send("<message type='groupchat' to='" + den + "'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
		silent(t, "bob", b.Got())
		a.Send("<message type='groupchat' to='" + den + "'><body>now</body></message>")
		expect(t, "bob", b.Got(), "<composing", "<body>now")
	})
}
