package client

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// archive has a wire serve pages of an archive, 100 at most each, oldest first.
type archive struct {
	t    testing.TB
	d    *desk
	said []string // stanzas; the id of one is its place
	from int      // what is asked for from here on is answered by fail
	fail string
	days bool // each is a day later than the one before
}

func (a *archive) lie(q conn.Request) (string, bool) {
	e := parse(a.t, string(q.Payload))
	if !e.Is(nsMAM, "query") {
		return "", false
	}
	set := e.Child("http://jabber.org/protocol/rsm", "set")
	after, first := set.Child("http://jabber.org/protocol/rsm", "after").Text(), 0
	if after != "" {
		fmt.Sscanf(after, "r%d", &first)
		first++
	}
	last := min(first+100, len(a.said))
	if before := set.Child("http://jabber.org/protocol/rsm", "before"); before.OK() {
		last = len(a.said)
		fmt.Sscanf(before.Text(), "r%d", &last)
		first = max(0, last-100)
	}
	from := ""
	if !q.To.IsZero() {
		from = " from='" + q.To.String() + "'"
	}
	for i := first; i < last; i++ {
		if a.fail != "" && i >= a.from {
			break
		}
		a.d.happens(stanzaOf(a.t, fmt.Sprintf("<message xmlns='jabber:client'%s><result xmlns='%s' queryid='%s' id='r%d'><forwarded xmlns='%s'><delay xmlns='%s' stamp='%s'/>%s</forwarded></result></message>",
			from, nsMAM, e.Attr("queryid"), i, nsForward, nsDelay, a.stamp(i), a.said[i])))
	}
	if a.fail != "" && last > a.from {
		return a.fail, true
	}
	fin := "<fin xmlns='" + nsMAM + "'"
	if back := set.Child("http://jabber.org/protocol/rsm", "before").OK(); back && first == 0 || !back && last == len(a.said) {
		fin += " complete='true'"
	}
	fin += "><set xmlns='http://jabber.org/protocol/rsm'>"
	if last > first {
		fin += fmt.Sprintf("<first>r%d</first><last>r%d</last>", first, last-1)
	}
	return fin + "</set></fin>", true
}

func (a *archive) stamp(i int) string {
	at := time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)
	if a.days {
		at = at.AddDate(0, 0, i-len(a.said))
	}
	return at.Format(time.RFC3339)
}

func (d *desk) archive() *archive {
	a := &archive{t: d.t, d: d}
	d.lie = a.lie
	return a
}

// talk is n messages of a peer's, encrypted one after the other.
func talk(p *peer, from, n int) (out []string, texts []string) {
	for i := from; i < from+n; i++ {
		text := fmt.Sprintf("message %d", i)
		out = append(out, p.says(text, fmt.Sprintf("type='chat' from='%s/x' to='%s' id='i%d'", p.who, me, i), fmt.Sprintf("<request xmlns='%s'/>", nsReceipts)))
		texts = append(texts, text)
	}
	return out, texts
}

// away has the desk be away while things are said, and come back on a new session.
func (d *desk) away(a *archive, said ...string) {
	d.down()
	a.said = append(a.said, said...)
	d.up(false)
}

func TestAPageThatBreaksOffHasUsedUpNothing(t *testing.T) {
	for _, fail := range []string{"lost timeout", "lost connection", "error internal-server-error", "<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><first>r0</first><last>r99</last></set></fin>"} {
		bubble(t, func(t *testing.T, d *desk) {
			p, a := d.peer(bob), d.archive()
			d.befriend(bob)
			said, texts := talk(p, 0, 30)
			a.fail, a.from = fail, 20
			d.away(a, said...)
			if d.engine.synced {
				t.Errorf("%s: it calls itself synced", fail)
			}
			live := p.says("live", "type='chat' from='"+bob+"/x' to='"+me+"' id='live'", "<stanza-id xmlns='urn:xmpp:sid:0' by='"+me+"' id='r30'/>")
			a.said = append(a.said, live)
			d.gets(live)
			a.fail = ""
			d.gets()
			d.gets()
			time.Sleep(time.Minute) // it is asked again
			d.wait()
			same(t, fail, d.lines(bob), append(texts, "live")...)
			if !d.engine.synced {
				t.Errorf("%s: it is not synced", fail)
			}
		})
	}
}

func TestSyncedIsSaidInTimeAndPreKeysAreKeptUntilAllIsThere(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		a := d.archive()
		a.fail = "lost timeout"
		d.away(a, "<message xmlns='jabber:client' type='chat' from='"+bob+"/x' id='1'><body>x</body></message>")
		d.gets()
		time.Sleep(syncTime + time.Second)
		d.wait()
		if !d.engine.synced || len(d.engine.awaited) == 0 {
			t.Errorf("synced: %v, waits for %v", d.engine.synced, d.engine.awaited)
		}
		d.gets()
		time.Sleep(time.Hour)
		d.wait()
		if len(d.engine.awaited) != 0 || d.engine.broken != nil {
			t.Error("it asks for ever")
		}
	})
}

func TestWhatTheArchiveDoesNotHaveAnyMoreIsAskedForByItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		a := d.archive()
		d.gets("<message type='chat' from='" + bob + "/x' id='0'><body>before</body><stanza-id xmlns='urn:xmpp:sid:0' by='" + me + "' id='old'/></message>")
		former := a.lie
		d.lie = func(q conn.Request) (string, bool) {
			if strings.Contains(string(q.Payload), ">old<") {
				return "error item-not-found", true
			}
			return former(q)
		}
		d.away(a, "<message xmlns='jabber:client' type='chat' from='"+bob+"/x' id='1'><body>after</body></message>")
		same(t, "bob", d.lines(bob), "before", "after")
	})
}

func TestContactsHearOfWhatArrivedWhileWeWereAway(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p, a := d.peer(bob), d.archive()
		q := d.peer(eve)
		d.befriend(bob)
		d.gets("<message type='chat' from='" + bob + "/x' id='0'><body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='" + me + "' id='r0'/></message>")
		a.said = []string{"<message xmlns='jabber:client' type='chat' from='" + bob + "/x' id='0'><body>x</body></message>"}
		said, _ := talk(p, 1, 3)
		strange, _ := talk(q, 4, 2)
		d.take("")
		d.lie = func(q conn.Request) (string, bool) {
			if strings.Contains(string(q.Payload), "jabber:iq:roster") {
				return "<query xmlns='jabber:iq:roster'><item jid='" + bob + "' subscription='both'/></query>", true
			}
			return a.lie(q)
		}
		d.away(a, append(said, strange...)...)
		got := d.take("<received xmlns='" + nsReceipts)
		if len(got) != 3 {
			t.Errorf("%d receipts: %q", len(got), got)
		}
	})
}

// contact has the roster name bob on each new session, as a server does.
func (a *archive) contact() {
	a.d.lie = func(q conn.Request) (string, bool) {
		if strings.Contains(string(q.Payload), "jabber:iq:roster") {
			return "<query xmlns='jabber:iq:roster'><item jid='" + bob + "' subscription='both'/></query>", true
		}
		return a.lie(q)
	}
}

func TestWhoWritesFirstToANewAccountThatIsAwayHearsThatItArrived(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p, a := d.peer(bob), d.archive()
		a.contact()
		d.befriend(bob)
		d.down()
		d.up(false) // an empty archive stays what it is, however often it is asked
		said, texts := talk(p, 0, 150)
		d.take("")
		d.away(a, said...)
		same(t, "bob", d.lines(bob), texts...)
		if got := d.take("<received xmlns='" + nsReceipts); len(got) != len(said) {
			t.Errorf("%d receipts for %d messages", len(got), len(said))
		}
	})
}

func TestANewDeviceSendsNoReceiptsForWhatWasSaidBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		a := d.archive()
		a.contact()
		for i := range 3 {
			a.said = append(a.said, fmt.Sprintf("<message xmlns='jabber:client' type='chat' from='%s/x' to='%s' id='i%d'><body>old</body><request xmlns='%s'/></message>", bob, me, i, nsReceipts))
		}
		d.signIn()
		same(t, "bob", d.lines(bob), "old", "old", "old")
		if got := d.take("<received xmlns='" + nsReceipts); len(got) != 0 {
			t.Errorf("%d receipts: %q", len(got), got)
		}
		d.stop()
	})
}

func TestAnArchiveWithoutEndIsNotFollowed(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		n := 0
		d.lie = func(q conn.Request) (string, bool) {
			e := parse(t, string(q.Payload))
			if !e.Is(nsMAM, "query") {
				return "", false
			}
			n++
			d.happens(stanzaOf(t, fmt.Sprintf("<message xmlns='jabber:client'><result xmlns='%s' queryid='%s' id='e%d'><forwarded xmlns='%s'><message xmlns='jabber:client' from='%s' type='chat' id='e%d'/></forwarded></result></message>", nsMAM, e.Attr("queryid"), n, nsForward, eve, n)))
			return fmt.Sprintf("<fin xmlns='%s'><set xmlns='http://jabber.org/protocol/rsm'><first>e%d</first><last>e%d</last></set></fin>", nsMAM, n, n), true
		}
		d.down()
		d.up(false)
		d.gets("<message type='chat' from='" + bob + "/x' id='0'><body>x</body></message>")
		n = 0
		d.must(&port.History{Chat: bob, Limit: 50})
		if n > mostPages {
			t.Errorf("%d pages were asked for", n)
		}
	})
}

func TestAPageLargerThanAskedForIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.lie = func(q conn.Request) (string, bool) {
			e := parse(t, string(q.Payload))
			if !e.Is(nsMAM, "query") {
				return "", false
			}
			for i := range 1000 {
				d.happens(stanzaOf(t, fmt.Sprintf("<message xmlns='jabber:client'><result xmlns='%s' queryid='%s' id='e%d'><forwarded xmlns='%s'><message xmlns='jabber:client' from='%s' type='chat' id='e%d'><body>x</body></message></forwarded></result></message>", nsMAM, e.Attr("queryid"), i, nsForward, eve, i)))
			}
			return "<fin xmlns='" + nsMAM + "' complete='true'/>", true
		}
		d.down()
		d.up(false)
		if _, there := d.engine.lines.Chat(eve); there {
			t.Error("the flood was kept")
		}
	})
}

func TestAfterARestartNothingIsLostOrDoubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		d.signIn()
		p, a := d.peer(bob), d.archive()
		said, texts := talk(p, 0, 250)
		a.fail, a.from = "lost connection", 150
		d.away(a, said...)
		d.stop()
		a.fail = ""
		d.start()
		d.up(false)
		same(t, "bob", d.lines(bob), texts[len(texts)-200:]...)
		d.stop()
	})
}

func TestADayIsFoundAlsoWhereTheArchiveWasNotReadYet(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		a := d.archiveOf(tea)
		a.days = true
		for i := range 3100 {
			a.said = append(a.said, inTea(i))
		}
		d.roomInfo(me)
		d.enter(tea)
		want := time.Date(1999, 12, 31, 12, 0, 0, 0, time.UTC).AddDate(0, 0, 100-3100)
		asked := &port.History{Chat: tea, At: want, Limit: 5}
		page := d.must(asked).(*port.Page)
		if page.Back.IsZero() || !page.Back.After(want) {
			t.Fatalf("after so many pages: %+v", page)
		}
		for before := page.Back; !page.Back.IsZero(); before = page.Back {
			page = d.must(&port.History{Chat: tea, At: want, Limit: 5}).(*port.Page)
			if !page.Back.IsZero() && !page.Back.Before(before) {
				t.Fatal("it gets no further than", before)
			}
		}
		for _, m := range page.Messages {
			if m.ID == page.Around && m.Text == "line 101" {
				return
			}
		}
		t.Errorf("found %s in %v", page.Around, page.Messages)
	})
}
