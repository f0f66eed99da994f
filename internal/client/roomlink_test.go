package client

import (
	"strings"
	"testing"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/stanza"
)

// door has a room answer who shows a token, and its admins.
func (d *desk) door(waits bool, asking ...string) {
	former := d.lie
	d.lie = func(q conn.Request) (string, bool) {
		e := parse(d.t, string(q.Payload))
		switch {
		case e.Is("jabber:iq:register", "query") && q.Type == stanza.Set && strings.Contains(string(q.Payload), "wrong"):
			return "error item-not-found", true
		case e.Is("jabber:iq:register", "query") && q.Type == stanza.Set && waits:
			return "<query xmlns='jabber:iq:register'><waits xmlns='" + nsRooms + "'/></query>", true
		case e.Is(nsRooms, "access"):
			list := ""
			for _, a := range asking {
				list += "<request jid='" + a + "' at='2026-11-22T20:00:00Z'/>"
			}
			return "<access xmlns='" + nsRooms + "' approve='1'><link url='https://example.org/invite/tok' uri='xmpp:x' account='1' expires='2030-01-02T03:04:05Z'/>" + list + "</access>", true
		}
		if former != nil {
			return former(q)
		}
		return "", false
	}
	d.wire.lie = d.lie
}

func answerFrom(room, is string) string {
	return "<message xmlns='jabber:client' from='" + room + "' id='a'><answer xmlns='" + nsRooms + "' is='" + is + "'/><x xmlns='" + nsMUCUser + "'><invite from='" + bob + "'/></x></message>"
}

func TestWhoComesByALinkWaitsAndEntersWhenLetIn(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.door(true)
		a := d.must(&port.JoinByLink{Room: tea, Token: "tok", Name: "Tea"}).(*port.Done)
		if c := d.chat(tea); !a.Waiting || a.Chat != tea || c.Name != "Tea" || c.Joined {
			t.Fatalf("%+v, the chat is %+v", a, c)
		}
		same(t, "waiting", d.lines(tea), "!asked-in")
		d.take("")
		d.gets(answerFrom(tea, "accepted"))
		if got := d.take("to='" + tea + "/me'"); len(got) != 1 {
			t.Fatal("it does not enter")
		}
		d.gets(here(tea, "me", me, "110"))
		same(t, "let in", d.lines(tea), "!asked-in", "!let-in")
		if c := d.chat(tea); !c.Joined {
			t.Errorf("the chat is %+v", c)
		}
		d.gets(answerFrom(tea, "declined")) // too late: nothing
		same(t, "in", d.lines(tea), "!asked-in", "!let-in")
	})
}

func TestWhoIsDeclinedIsToldAndEntersNoMore(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.door(true)
		d.must(&port.JoinByLink{Room: tea, Token: "tok", Name: "Tea"})
		d.gets(answerFrom(tea, "declined"))
		same(t, "declined", d.lines(tea), "!asked-in", "!declined")
		d.take("")
		d.down()
		d.up(false)
		if len(d.take("to='"+tea+"/me'")) > 0 {
			t.Error("it knocks again")
		}
	})
}

func TestALinkThatLeadsNowhereLeavesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.door(true)
		f := port.FailureOf(d.do(&port.JoinByLink{Room: tea, Token: "wrong"})[0])
		if f == nil || f.Code != port.Missing || d.engine.rooms[tea] != nil {
			t.Errorf("%+v", f)
		}
	})
}

func TestAnAnswerThatNobodyAskedForIsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.enter(tea)
		d.take("")
		d.gets(answerFrom(tea, "declined"))
		if !d.engine.rooms[tea].joined || len(d.lines(tea)) != 0 {
			t.Error("it believes anybody:", d.lines(tea))
		}
	})
}

func TestTheLinkIsReadAndPeopleAreLetIn(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.door(false, bob)
		d.enter(tea)
		a := d.must(&port.RoomAccess{Room: tea, Link: "new"}).(*port.RoomDoor)
		if a.Link != "https://example.org/invite/tok" || !a.Account || !a.Approve || a.Until.IsZero() || len(a.Asking) != 1 || a.Asking[0].Address != bob {
			t.Errorf("%+v", a)
		}
		d.questions("")
		d.must(&port.Admit{Room: tea, Address: bob, Accept: true})
		if q := d.questions("<accept jid='" + bob + "'/>"); len(q) != 1 {
			t.Error("asked:", q)
		}
	})
}

func TestWhoLooksAtWhoIsHereIsToldOnceOfAChange(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.enter(tea)
		count := func() (n int) {
			for _, ev := range d.told {
				if _, ok := ev.(*port.MembersChanged); ok {
					n++
				}
			}
			return n
		}
		d.gets(here(tea, "bob", bob))
		if count() != 0 {
			t.Error("told although nobody looks")
		}
		d.must(&port.ListMembers{Room: tea})
		d.gets(here(tea, "carol", "carol@example.org"), gone(tea, "bob", "<item affiliation='member'/>"))
		if n := count(); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

func TestTheLockOfAGroupThatOneIsNotInIsNotKnown(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.door(true)
		d.must(&port.JoinByLink{Room: tea, Token: "tok", Name: "Tea"})
		if c := d.chat(tea); c.Lock.State != port.Broken || c.Lock.Why != whyOutside || !c.Lock.Unready() {
			t.Errorf("while one waits it is %+v", c.Lock)
		}
		d.gets(answerFrom(tea, "declined"))
		if c := d.chat(tea); c.Lock.Why != whyOutside {
			t.Errorf("when one was declined it is %+v", c.Lock)
		}
	})
	bubble(t, func(t *testing.T, d *desk) {
		d.roomInfo()
		d.enter(tea)
		if l := d.engine.lockOf(tea); l.State != port.Open {
			t.Errorf("in a room that anybody may enter it is %+v", l)
		}
	})
}

func TestWhatIsWrittenWhereOneIsAloneSaysSoAndGoesByRetryWhenSomebodyHasCome(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.roomInfo(me)
		d.enter(tea)
		if l := d.engine.lockOf(tea); l.Why != whyAlone || len(l.Missing) > 0 || !l.Unready() {
			t.Errorf("the lock is %+v", l)
		}
		a := d.must(&port.Send{Chat: tea, Text: "anybody?"}).(*port.Done)
		same(t, "alone", d.delivery(tea), "anybody? failed")
		if m, _, _ := d.engine.lines.Message(a.Message); m.Failure != whyAlone || m.Lock.Why != whyAlone {
			t.Errorf("it says %q, %+v", m.Failure, m.Lock)
		}
		d.peer(bob)
		d.gets(here(tea, "bob", bob))
		same(t, "it does not go by itself", d.delivery(tea)[:1], "anybody? failed")
		d.must(&port.Retry{Chat: tea, Message: a.Message})
		out := d.take("type='groupchat'")
		if len(out) != 1 || strings.Contains(out[0], "anybody?") {
			t.Fatalf("sent: %q", out)
		}
	})
}
