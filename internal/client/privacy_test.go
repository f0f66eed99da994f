package client

import (
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
)

func TestWhatIsSwitchedOffIsNotToldAndStaysSo(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		ask := "<request xmlns='" + nsReceipts + "'/><markable xmlns='" + nsMarkers + "'/>"
		hear := func(id string) (told int) {
			d.take("")
			d.gets("<message from='" + bob + "/phone' type='chat' id='" + id + "'><body>hello</body>" + ask + "</message>")
			d.must(&port.Typing{Chat: bob, State: "composing"})
			d.must(&port.MarkRead{Chat: bob, Message: d.chat(bob).Last.ID})
			return len(d.take("<message"))
		}
		if got := *d.must(&port.GetSettings{}).(*port.Settings); got.Privacy != (port.Privacy{Receipts: true, ReadMarkers: true, Typing: true}) {
			t.Errorf("at first: %+v", got)
		}
		if n := hear("1"); n != 3 {
			t.Errorf("%d things are told", n)
		}
		d.must(&port.SetSettings{})
		if n := hear("2"); n != 0 {
			t.Errorf("%d things are told", n)
		}
		d.stop()
		d.start()
		if got := *d.must(&port.GetSettings{}).(*port.Settings); got.Privacy != (port.Privacy{}) {
			t.Errorf("after a restart: %+v", got)
		}
	})
}

func TestWhenOneWasHereIsToldAsTheAccountHasIt(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		who, refuse := "contacts", false
		d.wire.lie = func(q conn.Request) (string, bool) {
			e := parse(t, string(q.Payload))
			if !e.Is(nsPrivacy, "privacy") {
				return "", false
			}
			if said := e.First().Text(); said != "" && refuse {
				return "error forbidden", true
			} else if said != "" {
				who = said
			}
			return "<privacy xmlns='" + nsPrivacy + "'><last-seen>" + who + "</last-seen></privacy>", true
		}
		told := func() bool { return *d.must(&port.GetSettings{}).(*port.Settings).LastSeen }
		if !told() {
			t.Error("at first it is told")
		}
		no := false
		d.must(&port.SetSettings{Privacy: port.Privacy{Typing: true, LastSeen: &no}})
		if told() || who != "nobody" {
			t.Error("it is told still:", who)
		}
		d.must(&port.SetSettings{Privacy: port.Privacy{Typing: true}})
		if who != "nobody" {
			t.Error("what was not given was changed")
		}
		refuse = true
		if port.FailureOf(d.do(&port.SetSettings{Privacy: port.Privacy{LastSeen: &no}})[0]) == nil {
			t.Error("what the server refused was done")
		}
		if !d.must(&port.GetSettings{}).(*port.Settings).Typing {
			t.Error("and what came with it was kept")
		}
	})
}

func TestAReportBlocksAndSaysWhy(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.must(&port.Report{Address: eve, Reason: "spam", Text: "<buy>"})
		q := d.questions("urn:xmpp:reporting:1")
		if len(q) != 1 || !strings.Contains(string(q[0].Payload), "reason='urn:xmpp:reporting:spam'") || !strings.Contains(string(q[0].Payload), "&lt;buy>") && !strings.Contains(string(q[0].Payload), "&lt;buy&gt;") {
			t.Errorf("asked: %v", q)
		}
		if port.FailureOf(d.do(&port.Report{Address: eve, Reason: "boredom"})[0]) == nil {
			t.Error("a reason that is none was taken")
		}
	})
}

func TestWhatIsSaidWithATimerGoesAlsoWithoutAConnection(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(bob)
		d.befriend(bob)
		d.gets(p.says("hello", "from='"+bob+"/phone' type='chat' id='1'", ""))
		d.must(&port.SetTimer{Chat: bob, Seconds: 60})
		d.must(&port.Send{Chat: bob, Text: "secret-12"})
		tickets := append([]uint64{}, d.tickets...)
		sent := d.take("timer='60'")
		if len(sent) != 2 || strings.Contains(sent[0], "<encrypted") || !strings.Contains(sent[1], "<encrypted") {
			t.Fatalf("sent: %q", sent)
		}
		d.happens(&conn.Handled{Tickets: tickets})
		d.wait()
		d.gets(p.says("secret-34", "from='"+bob+"/phone' type='chat' id='2'", "<ephemeral xmlns='urn:xmpp:ephemeral:0' timer='60'/>"))
		last := d.chat(bob)
		d.must(&port.MarkRead{Chat: bob, Message: last.Last.ID})
		if last.Timer != 60 || last.Last.Timer != 60 || d.chat(bob).Last.Expires.IsZero() {
			t.Errorf("the chat is %+v", last)
		}
		d.down()
		time.Sleep(2 * time.Minute)
		d.wait()
		if found := append(d.find("secret-12"), d.find("secret-34")...); len(found) > 0 {
			t.Errorf("still in %v", found)
		}
		same(t, "the chat", d.lines(bob), "hello", "!timer")
	})
}
