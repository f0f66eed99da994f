package rooms

import (
	"strings"
	"testing"
)

func TestTheFirstConfigurationIsToldToThoseInside(t *testing.T) {
	run(t, func(w *world) {
		a := w.in("alice@example.org/a", den+"/alice")
		a.Send("<iq type='set' id='conf' to='" + den + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'>" +
			"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
			"<field var='muc#roomconfig_membersonly'><value>1</value></field>" +
			"<field var='muc#roomconfig_whois'><value>anyone</value></field></x></query></iq>")
		expect(t, "alice", a.Got(), "<message", "from='"+den+"'", "<status code='104'/><status code='172'/>", "id='conf' type='result'")
	})
}

func TestAnInstantRoomHasNothingToTell(t *testing.T) {
	run(t, func(w *world) {
		a := w.in("alice@example.org/a", den+"/alice")
		a.Send("<iq type='set' id='conf' to='" + den + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
		if got := a.Got(); strings.Contains(got, "<message") || !strings.Contains(got, "id='conf' type='result'") {
			t.Error(got)
		}
	})
}

func TestWhoIsInsideSeesTheOthersAddressesOnceTheyAreForAll(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		c := w.in("carol@example.org/c", den+"/carol")
		a.Got()
		if got := b.Got(); strings.Contains(got, "carol@example.org") {
			t.Fatal(got)
		}
		w.configure(a, "whois=anyone")
		got := b.Got()
		for _, who := range []string{"alice@example.org/a", "carol@example.org/c"} {
			expect(t, "bob", got, "<status code='172'/>", "jid='"+who+"'")
		}
		expect(t, "carol", c.Got(), "<status code='172'/>", "from='"+den+"/", "jid='")
		silent(t, "alice, who saw them before,", a.Got())
	})
}
