package client

import (
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/stanza"
)

const token = "JBSWY3DPEHPK3PXPJBSWY3DPEH"

// linkServer has our server keep call links: those that it names are open, the last to end first.
func (d *desk) linkServer(ids ...string) {
	d.lie = func(q conn.Request) (string, bool) {
		p := parse(d.t, string(q.Payload))
		switch {
		case !q.To.IsZero() || p.NS() != nsCalls:
			return "", false
		case p.Is(nsCalls, "links") && q.Type == stanza.Get:
			list := ""
			for i, id := range ids {
				list += "<link id='" + id + "' expires='" + time.Now().Add(-time.Duration(i)*time.Hour).UTC().Format(time.RFC3339) + "'/>"
			}
			return "<links xmlns='" + nsCalls + "'>" + list + "<link id='x' expires='soon'/></links>", true
		case p.Is(nsCalls, "link") && q.Type == stanza.Set:
			return "<link xmlns='" + nsCalls + "' id='" + ids[0] + "' expires='2026-11-23T10:00:00Z' token='" + token + "' uri='xmpp:" + me + "?call;link=" + token + "'/>", true
		case p.Is(nsCalls, "revoke") && p.AttrIs("id", "gone"):
			return "error item-not-found", true
		}
		return "", false
	}
	d.wire.lie = d.lie
}

func TestLinksAreMadeListedAndRevoked(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.linkServer("0f3a9c51d2e7", "aaaaaaaaaaaa")
		d.questions("")
		list := d.must(&port.CallLinks{Lasts: 3600}).(*port.CallLinkList).Links
		if len(list) != 2 || list[0].ID != "aaaaaaaaaaaa" || list[0].URI != "" || list[1].URI != "xmpp:"+me+"?call;link="+token || !list[0].Until.Before(list[1].Until) {
			t.Errorf("%+v", list)
		}
		if q := d.questions("<link "); len(q) != 1 || q[0].Type != stanza.Set || !strings.Contains(string(q[0].Payload), "lasts='3600'") {
			t.Errorf("asked %+v", q)
		}
		for _, l := range d.must(&port.CallLinks{Revoke: "aaaaaaaaaaaa"}).(*port.CallLinkList).Links {
			if l.URI != "" {
				t.Errorf("%+v can be told again", l)
			}
		}
		if q := d.questions("<revoke "); len(q) != 1 || !strings.Contains(string(q[0].Payload), "id='aaaaaaaaaaaa'") {
			t.Errorf("asked %+v", q)
		}
		if f := port.FailureOf(d.do(&port.CallLinks{Revoke: "gone"})[0]); f == nil || f.Code != port.Missing {
			t.Errorf("one that is not there: %+v", f)
		}
		for _, c := range []*port.CallLinks{{Lasts: -1}, {Lasts: longestLink + 1}, {Lasts: 1, Revoke: "x"}} {
			if f := port.FailureOf(d.do(c)[0]); f == nil || f.Code != port.BadCommand {
				t.Errorf("%+v: %+v", c, f)
			}
		}
	})
}

// rung is a propose as our server hands it on: by the link that it names, "" for none.
func rung(id, link string) string {
	return strings.Replace(invites(eve+"/x", "propose", id, audio), store, "<link xmlns='"+nsCalls+"' id='"+link+"'/>"+store, 1)
}

func TestAStrangerRingsByALinkOfOurs(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.linkServer()
		d.up(false)
		d.take("")
		d.told = nil
		d.gets(rung("c1", "0f3a9c51d2e7"))
		same(t, "told", d.ofCalls(), "incoming")
		same(t, "said", d.take("")) // that we are here is told by accepting
		call := d.callLog()[0]
		if !call.Link || call.Chat != eve || call.State != "incoming" {
			t.Errorf("it rings as %+v", call)
		}
		d.must(&port.AnswerCall{Call: call.ID, Seat: "tab"})
		d.gets(asks(eve+"/x", offers("session-initiate", "c1")))
		for _, ev := range d.told {
			if m, ok := ev.(*port.CallMedia); ok && m.Do == "create" && !m.RelayOnly {
				t.Error("a stranger learns our address")
			}
		}
		if got := d.ofCalls(); !strings.Contains(strings.Join(got, ", "), "seat: create") {
			t.Errorf("told %q", got)
		}
		d.must(&port.HangUpCall{Call: call.ID})
		if log := d.callLog(); len(log) != 1 || !log[0].Link || log[0].State != "ended" {
			t.Errorf("the log is %+v", log)
		}
	})
}

func TestOnlyAServerThatHasLinksIsBelieved(t *testing.T) {
	for name, c := range map[string]struct {
		has  bool
		said string
	}{
		"a server without links": {false, rung("c1", "0f3a9c51d2e7")},
		"a link without a name":  {true, rung("c1", "")},
		"a token":                {true, strings.Replace(rung("c1", "x"), " id='x'/>", " token='"+token+"'/>", 1)},
	} {
		bubble(t, func(t *testing.T, d *desk) {
			if c.has {
				d.linkServer()
			}
			d.up(false)
			d.take("")
			d.told = nil
			d.gets(c.said)
			if log := d.callLog(); len(log) != 1 || log[0].Silent != "stranger" || log[0].Link {
				t.Errorf("%s: %+v", name, log)
			}
			same(t, name, d.take(""))
		})
	}
}

func TestAContactWhoHasALinkCallsAsAContact(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.linkServer()
		d.up(false)
		d.befriend(eve)
		d.gets(rung("c1", "0f3a9c51d2e7"))
		if log := d.callLog(); len(log) != 1 || log[0].Link || log[0].State != "incoming" {
			t.Errorf("%+v", log)
		}
	})
}

func TestTheTraceTellsOfAStrangerWhoRangByALink(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		at := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
		d.lie = func(q conn.Request) (string, bool) {
			return "<attempts xmlns='" + nsCalls + "' complete='true'><attempt by='" + eve + "' id='c1' at='" + at + "' media='audio' link='0f3a9c51d2e7' end='missed'/></attempts>",
				strings.Contains(string(q.Payload), "<attempts ")
		}
		d.wire.lie = d.lie
		d.gets("<message from='" + me + "' type='headline'><event xmlns='" + nsEvent + "'><items node='" + nsCalls + "'/></event></message>")
		if log := d.callLog(); len(log) != 1 || !log[0].Link || log[0].Silent != "" || log[0].Why != "missed" {
			t.Errorf("%+v", log)
		}
	})
}

func TestTheTokenStandsBesideTheProposeAndNowhereElse(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.take("")
		for _, no := range []string{strings.ToLower(token), token + "A", token[1:], token[:25] + "'", token[:25] + "1"} {
			if f := port.FailureOf(d.do(&port.PlaceCall{Chat: eve, Link: no})[0]); f == nil || f.Code != port.BadCommand {
				t.Errorf("%q: %+v", no, f)
			}
		}
		same(t, "said", d.take(""))
		call := d.must(&port.PlaceCall{Chat: eve, Link: token}).(*port.Done).Call
		if said := d.take(nsCalls); len(said) != 1 || !strings.Contains(said[0], "</propose><link xmlns='"+nsCalls+"' token='"+token+"'/>") || !strings.Contains(said[0], " to='"+eve+"' ") {
			t.Errorf("said %q", said)
		}
		d.must(&port.HangUpCall{Call: call})
		if said := d.take(""); len(said) != 1 || strings.Contains(said[0], token) {
			t.Errorf("said %q", said)
		}
	})
}
