package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

const (
	kim = "kim@example.org" // no contact any more
	lee = "lee@example.org" // a contact with whom nobody has spoken
)

// attic is an archive that was filled long before this device: what bob, eve and kim said once is
// older than a talk of hundreds of lines with ann. Bob and ann are contacts.
type attic struct {
	*archive
	asked []string // with whom, in order
	fail  string   // what those questions are answered
}

func (d *desk) attic() *attic {
	a := &attic{archive: &archive{t: d.t, d: d}}
	said := func(who, id, text string) {
		a.said = append(a.said, fmt.Sprintf("<message xmlns='jabber:client' type='chat' from='%s/x' to='%s' id='%s'>%s</message>", who, me, id, text))
	}
	said(bob, "b", "<body>of bob</body>")
	said(eve, "e", "<body>of a stranger</body>")
	said(kim, "k", "<body>of kim</body>")
	said(bob, "r", "<received xmlns='"+nsReceipts+"' id='none'/>")
	for i := range 700 {
		said("ann@example.org", fmt.Sprint("a", i), fmt.Sprint("<body>line ", i, "</body>"))
	}
	d.lie = a.answer
	return a
}

func (a *attic) answer(q conn.Request) (string, bool) {
	text := string(q.Payload)
	switch {
	case strings.Contains(text, "jabber:iq:roster"):
		return "<query xmlns='jabber:iq:roster'><item jid='" + bob + "' subscription='both'/><item jid='" + lee + "' subscription='to'/><item jid='ann@example.org' subscription='both'/></query>", true
	case strings.Contains(text, "<items node='"+nsDisplayed):
		read := func(who, id string) string {
			return "<item id='" + who + "'><displayed xmlns='" + nsDisplayed + "'><stanza-id xmlns='urn:xmpp:sid:0' by='" + me + "' id='" + id + "'/></displayed></item>"
		}
		return "<pubsub xmlns='" + nsPubsub + "'><items node='" + nsDisplayed + "'>" + read(kim, "r2") + read("ann@example.org", "r700") + "</items></pubsub>", true
	case strings.Contains(text, "var='with'"):
		return a.with(q)
	}
	return a.lie(q)
}

// with answers for one chat, a message a page.
func (a *attic) with(q conn.Request) (string, bool) {
	e := parse(a.t, string(q.Payload))
	who := e.Child("jabber:x:data", "x").Child("jabber:x:data", "field").Next().Child("jabber:x:data", "value").Text()
	a.asked = append(a.asked, who)
	if a.fail != "" {
		return a.fail, true
	}
	before := len(a.said)
	fmt.Sscanf(e.Child("http://jabber.org/protocol/rsm", "set").Child("http://jabber.org/protocol/rsm", "before").Text(), "r%d", &before)
	for i := before - 1; i >= 0; i-- {
		if strings.Contains(a.said[i], "from='"+who+"/") {
			a.d.happens(stanzaOf(a.t, fmt.Sprintf("<message xmlns='jabber:client'><result xmlns='%s' queryid='%s' id='r%d'><forwarded xmlns='%s'><delay xmlns='%s' stamp='%s'/>%s</forwarded></result></message>",
				nsMAM, e.Attr("queryid"), i, nsForward, nsDelay, a.stamp(i), a.said[i])))
			return fmt.Sprintf("<fin xmlns='%s'><set xmlns='http://jabber.org/protocol/rsm'><first>r%d</first><last>r%d</last></set></fin>", nsMAM, i, i), true
		}
	}
	return "<fin xmlns='" + nsMAM + "' complete='true'><set xmlns='http://jabber.org/protocol/rsm'/></fin>", true
}

// rows are the chats on the list, with what is unread and said last.
func (d *desk) rows() (out []string) {
	d.t.Helper()
	for _, c := range d.must(&port.ListChats{}).(*port.ChatList).Chats {
		last := ""
		if c.Last != nil {
			last = c.Last.Text
		}
		out = append(out, fmt.Sprintf("%s %d %s", c.Address, c.Unread, last))
	}
	return out
}

// told that older chats are being looked for, in the order of telling.
func (d *desk) gatherings() (out []bool) {
	for _, ev := range d.told {
		if s, ok := ev.(*port.Status); ok && (len(out) == 0 || out[len(out)-1] != s.Gathering) {
			out = append(out, s.Gathering)
		}
	}
	return out
}

func TestANewDeviceHasARowForEachChatHoweverOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		a := d.attic()
		d.signIn()
		want := []string{"ann@example.org 3 line 699", "bob@example.org 1 of bob", "kim@example.org 0 of kim"}
		got := d.rows()
		slices.Sort(got)
		same(t, "the list", got, want...)
		if got := d.gatherings(); !slices.Equal(got, []bool{false, true, false}) {
			t.Errorf("told of it: %v", got)
		}
		if got := d.take("<received"); len(got) > 0 {
			t.Errorf("receipts for history: %q", got)
		}
		a.asked = nil
		d.stop()
		d.start()
		d.up(false)
		if len(a.asked) > 0 {
			t.Errorf("the next session asks again: %v", a.asked)
		}
		d.stop()
	})
}

func TestChatsThatWereNotFoundWhenTheConnectionWasLostAreLookedForByTheNextSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		a := d.attic()
		a.fail = "lost connection"
		d.signIn()
		if len(a.asked) != 1 || d.status().Gathering {
			t.Errorf("after the loss: asked %v, %+v", a.asked, d.status())
		}
		a.fail = "silence"
		d.down()
		d.up(false)
		a.fail = ""
		d.down()
		d.up(false)
		if got := d.rows(); len(got) != 3 {
			t.Errorf("the list is %q", got)
		}
		d.stop()
	})
}

func TestWhatTheArchiveRefusesOfOneChatKeepsNoOtherFromTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		a := d.attic()
		former := d.lie
		d.lie = func(q conn.Request) (string, bool) {
			if strings.Contains(string(q.Payload), "<value>"+bob) {
				return "error forbidden", true
			}
			return former(q)
		}
		d.signIn()
		if got := d.rows(); len(got) != 2 || !slices.Contains(a.asked, kim) {
			t.Errorf("the list is %q, asked with %v", got, a.asked)
		}
		d.stop()
	})
}

func TestWhatWasReadElsewhereWhileThisDeviceWasAwayIsReadHere(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		a := d.archive()
		d.befriend(bob)
		d.gets("<message type='chat' from='" + bob + "/x' id='0'><body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='" + me + "' id='r0'/></message>")
		a.said = []string{"<message xmlns='jabber:client' type='chat' from='" + bob + "/x' id='0'><body>x</body></message>"}
		same(t, "before", d.rows(), bob+" 1 x")
		read := "r0"
		d.lie = func(q conn.Request) (string, bool) {
			if strings.Contains(string(q.Payload), "<items node='"+nsDisplayed) {
				return "<pubsub xmlns='" + nsPubsub + "'><items node='" + nsDisplayed + "'><item id='" + bob + "'><displayed xmlns='" + nsDisplayed + "'><stanza-id xmlns='urn:xmpp:sid:0' by='" + me + "' id='" + read + "'/></displayed></item></items></pubsub>", true
			}
			return a.lie(q)
		}
		d.away(a, "<message xmlns='jabber:client' type='chat' from='"+bob+"/x' id='1'><body>y</body></message>")
		same(t, "what came after it is not", d.rows(), bob+" 1 y")
		read = "r1"
		d.down()
		d.up(false)
		same(t, "after", d.rows(), bob+" 0 y")
		before := len(d.told)
		d.down()
		d.up(false)
		time.Sleep(time.Second)
		d.wait()
		for _, ev := range d.told[before:] {
			if c, ok := ev.(*port.ChatChanged); ok {
				t.Errorf("told again of what was known: %+v", c.Chat)
			}
		}
	})
}
