package rooms

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
)

func TestARoomNobodyUsesIsReadAgainWhenSomebodyComes(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("persistentroom=1", "membersonly=0", "roomname=Den")
		a.Send(admin("1", "<item jid='eve@example.org' affiliation='outcast'><reason>spam</reason></item>"))
		a.Send("<message type='groupchat' id='m' to='" + den + "'><body>hello</body></message>")
		a.Send("<presence type='unavailable' to='" + den + "/alice'/>")
		id := strings.Split(a.Got(), "occupant-id:0' id='")[1][:24]
		time.Sleep(idle + 3*sweepEvery)
		if len(w.rooms.rooms()) != 0 {
			t.Fatal("it is still in memory")
		}
		eve := w.Login("eve@example.org/e")
		eve.Send("<presence to='" + den + "/eve'>" + enter + "</presence>")
		expect(t, "eve", eve.Got(), "<forbidden")
		b := w.Login("bob@example.org/b")
		b.Send("<presence to='" + den + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "<body>hello</body>", "id='"+id, "<subject/>")
	})
}

func TestARoomThatStopsToStayIsNotOnDisk(t *testing.T) {
	kv := newLasting()
	runOn(t, kv, func(w *world) {
		a := w.open("persistentroom=1")
		w.configure(a, "persistentroom=0")
		if l, err := w.rooms.store.rooms.Owners(t.Context()); len(l) != 0 || err != nil {
			t.Error(l, err)
		}
	})
	runOn(t, kv, func(w *world) {
		b := w.Login("bob@example.org/b")
		b.Send("<presence to='" + den + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "<status code='201'/>")
	})
}

func TestOnlySomeMakeRoomsAndOnlySoMany(t *testing.T) {
	run(t, func(w *world) {
		root := jid.MustParse("root@example.org")
		w.rooms.set.Admin = func(j jid.JID) bool { return j == root }
		make := func(c interface{ Send(string) }, n int) {
			c.Send(fmt.Sprintf("<presence to='r%d@%s/x'>%s</presence>", n, host, enter))
		}
		b, r := w.Login("bob@example.org/b"), w.Login("root@example.org/r")
		for n := range 5 {
			make(b, n)
			expect(t, "bob", b.Got(), "<status code='201'/>")
		}
		make(b, 5)
		expect(t, "bob", b.Got(), "<resource-constraint")
		b.Send("<presence type='unavailable' to='r0@" + host + "/x'/>")
		b.Got()
		make(b, 5)
		expect(t, "bob", b.Got(), "<status code='201'/>")
		for n := range 7 {
			make(r, 100+n)
			expect(t, "root", r.Got(), "<status code='201'/>")
		}
		w.rooms.set.AdminsOnly = true
		make(r, 200)
		expect(t, "root", r.Got(), "<status code='201'/>")
		make(b, 300)
		expect(t, "bob", b.Got(), "<not-allowed")
	})
}

func TestARoomThatIsNeverOpenedIsTakenBack(t *testing.T) {
	run(t, func(w *world) {
		a := w.in("alice@example.org/a", den+"/alice")
		a.Send("<iq type='set' id='1' to='" + den + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='cancel'/></query></iq>")
		expect(t, "alice", a.Got(), "from='"+den+"/alice' type='unavailable'", "<destroy>")
		if len(w.rooms.rooms()) != 0 {
			t.Error("it is still there")
		}
		// nor does one stay that nobody could enter
		a.Send("<presence to='" + den + "/ alice'>" + enter + "</presence>")
		expect(t, "alice", a.Got(), "<not-acceptable")
		if len(w.rooms.rooms()) != 0 {
			t.Error("a room without anybody")
		}
	})
}

func TestAPresenceIsShownWithWhatTheServerAddsToIt(t *testing.T) {
	run(t, func(w *world) {
		w.rooms.set.Decorate = func(t *core.Transit) {
			t.Edit.Cut = append(t.Edit.Cut, t.Elem.Child("urn:x", "old"))
			t.Edit.Append = []byte("<new xmlns='urn:x'/>")
		}
		a := w.open()
		a.Send("<presence to='" + den + "/alice'><show>away</show><old xmlns='urn:x'/><show xmlns='urn:y'/></presence>")
		expect(t, "alice", a.Got(), "<show>away</show><show xmlns='urn:y'/><new xmlns='urn:x'/><occupant-id")
	})
}
