package rooms

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

func TestASessionThatEndsOrIsNoLongerAvailableIsOut(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b, c := w.in("bob@example.org/b", den+"/bob"), w.in("carol@example.org/c", den+"/carol")
		a.Got()
		b.Session.Close(nil)
		expect(t, "alice", a.Got(), "from='"+den+"/bob' type='unavailable'")
		c.Got()
		said := stanza.New(stanza.Head{Kind: stanza.Presence, Type: stanza.Unavailable, From: c.Session.JID}, []byte("<status>gone fishing</status>"))
		w.rooms.Unavailable(c.Session, said)
		// what follows at once finds her outside
		c.Send("<message id='m' type='groupchat' to='" + den + "'><body>x</body></message>")
		c.Send("<presence to='" + den + "/carol'>" + enter + "</presence>")
		got := c.Got()
		expect(t, "carol", got, "type='unavailable'", "gone fishing", "from='"+den+"/carol'>", "<status code='110'/>")
		expect(t, "carol", got, "id='m' type='error'", "<not-acceptable")
		expect(t, "alice", a.Got(), "from='"+den+"/carol' type='unavailable'><status>gone fishing", "from='"+den+"/carol'>")
	})
}

func TestEverybodyHearsThatTheServiceEnds(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		w.rooms.Close()
		for who, c := range map[string]*coretest.Client{"alice": a, "bob": b} {
			expect(t, who, c.Got(), "from='"+den+"/"+who+"' type='unavailable'", "<status code='332'/><status code='110'/>")
		}
		b.Send("<presence to='" + den + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "<service-unavailable")
	})
}

func TestARoomForTheOccasionLeavesNothing(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		a.Send("<message type='groupchat' to='" + den + "'><body>secret</body></message>")
		a.Send("<presence type='unavailable' to='" + den + "/alice'/>")
		a.Got()
		if n, err := w.past.Count(t.Context(), store.Query{Owner: den, Limit: 1}); n != 0 || err != nil {
			t.Error(n, "messages are left", err)
		}
		if len(w.rooms.rooms()) != 0 {
			t.Error("the room is left in memory")
		}
		b := w.Login("bob@example.org/b")
		b.Send("<presence to='" + den + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "affiliation='owner'", "<status code='201'/>", "<subject/>")
	})
}

func TestARemovedAccountIsInNoRoomAnyMore(t *testing.T) {
	kv := newLasting()
	runOn(t, kv, func(w *world) {
		a := w.open("persistentroom=1")
		b := w.in("bob@example.org/b", den+"/bob")
		a.Send(admin("1", "<item jid='bob@example.org' affiliation='member'/>"))
		a.Send(admin("2", "<item jid='zed@example.org' affiliation='admin'/>"))
		a.Send(admin("3", "<item jid='yan@example.org' affiliation='admin'/>"))
		expect(t, "alice", a.Got(), "id='3' type='result'")
		w.rooms.accountGone(jid.MustParse("bob@example.org"))
		expect(t, "bob", b.Got(), "type='unavailable'", "affiliation='none'")
		w.rooms.accountGone(jid.MustParse("alice@example.org"))
	})
	runOn(t, kv, func(w *world) {
		c := w.in("yan@example.org/y", den+"/yan")
		for who, there := range map[string]bool{"owner": true, "admin": true, "member": false} {
			c.Send("<iq type='get' id='l' to='" + den + "'><query xmlns='" + nsAdmin + "'><item affiliation='" + who + "'/></query></iq>")
			if got := c.Got(); strings.Contains(got, "<item ") != there || strings.Contains(got, "alice") || strings.Contains(got, "bob") {
				t.Errorf("%s: %s", who, got)
			}
		}
		w.rooms.accountGone(jid.MustParse("yan@example.org"))
		w.rooms.accountGone(jid.MustParse("zed@example.org"))
		expect(t, "yan", c.Got(), "type='unavailable'", "<status code='321'/>")
		if owners, err := w.rooms.store.affs.Owners(t.Context()); len(owners) != 0 || err != nil {
			t.Error("left on disk:", owners, err)
		}
	})
}

func TestWhatComesBackTakesAnOccupantOut(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		b.Send("<message type='error' to='" + den + "'><error type='modify'><not-acceptable xmlns='" + stanza.NSStanzas + "'/></error></message>")
		silent(t, "alice", a.Got())
		b.Send("<message type='error' to='" + den + "'><error type='cancel'><recipient-unavailable xmlns='" + stanza.NSStanzas + "'/></error></message>")
		expect(t, "alice", a.Got(), "from='"+den+"/bob' type='unavailable'", "<status code='307'/><status code='333'/>")

		c := w.in("carol@example.org/c", den+"/carol")
		a.Got()
		c.Send("<presence type='error' to='" + den + "/carol'/>")
		expect(t, "carol", c.Got(), "from='"+den+"/carol' type='unavailable'", "<status code='307'/><status code='333'/>", "<status code='110'/>")
		expect(t, "alice", a.Got(), "from='"+den+"/carol' type='unavailable'", "<status code='307'/><status code='333'/>")
	})
}

func TestTheLastOwnerStaysAndAnAdminDoesNotTouchOwners(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("persistentroom=1")
		a.Send(admin("1", "<item jid='alice@example.org' affiliation='admin'/>"))
		expect(t, "alice", a.Got(), "id='1' type='error'", "<conflict")
		a.Send(admin("2", "<item jid='bob@example.org' affiliation='admin'/>"))
		a.Got()
		b := w.in("bob@example.org/b", den+"/bob")
		for _, item := range []string{"<item jid='alice@example.org' affiliation='none'/>", "<item jid='bob@example.org' affiliation='owner'/>", "<item nick='alice' role='none'/>", "<item jid='alice@example.org' affiliation='outcast'/>"} {
			b.Send(admin("x", item))
			expect(t, "bob", b.Got(), "id='x' type='error'")
		}
		// two owners, of whom both go in one request: one has to stay
		a.Send(admin("3", "<item jid='carol@example.org' affiliation='owner'/>"))
		a.Got()
		a.Send(admin("4", "<item jid='carol@example.org' affiliation='none'/><item jid='alice@example.org' affiliation='none'/>"))
		expect(t, "alice", a.Got(), "id='4' type='error'", "<conflict")
	})
}

func TestACrowdIsToldOfModeratorsOnly(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("presencebroadcast=moderator") // to be quick
		b := w.in("bob@example.org/b", den+"/bob")
		for n := range crowd {
			c := w.Bind(fmt.Sprintf("p%d@example.org/x", n))
			c.Send(fmt.Sprintf("<presence to='%s/%c%c%c'>%s</presence>", den, 'a'+n%26, 'a'+n/26%26, 0x4e00+n, enter))
		}
		w.configure(a, "presencebroadcast=participant")
		b.Got()
		last := w.Login("zz@example.org/z")
		last.Send("<presence to='" + den + "/zz'>" + enter + "</presence>")
		got := last.Got()
		if n := strings.Count(got, "<presence "); n > listMost+2 || !strings.Contains(got, "from='"+den+"/alice'") || !strings.Contains(got, "<status code='110'/>") {
			t.Errorf("%d presences for a newcomer", n)
		}
		expect(t, "alice", a.Got(), "from='"+den+"/zz'>")
		silent(t, "bob", b.Got())
		last.Send("<message type='groupchat' to='" + den + "'><body>x</body></message>")
		expect(t, "bob", b.Got(), "from='"+den+"/zz'", "<body>x")
		last.Session.Close(nil)
		expect(t, "alice", a.Got(), "<body>x", "from='"+den+"/zz' type='unavailable'")
		silent(t, "bob", b.Got())
	})
}

func TestAFullRoomTakesNobodyButItsPeople(t *testing.T) {
	run(t, func(w *world) {
		w.open("maxusers=1")
		b := w.Login("bob@example.org/b")
		b.Send("<presence to='" + den + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "<error type='wait'", "<service-unavailable")
		w.in("alice@example.org/2", den+"/alice")
	})
}
