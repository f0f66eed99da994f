package rooms

import (
	"strings"
	"testing"
)

func TestInARoomThatShowsNobodyOnlyModeratorsSeeWhoIsThere(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("presencebroadcast=none")
		b := w.in("bob@example.org/b", den+"/bob")
		expect(t, "alice, a moderator,", a.Got(), "from='"+den+"/bob'")
		c := w.Login("carol@example.org/c")
		c.Send("<presence to='" + den + "/carol'>" + enter + "</presence>")
		if got := c.Got(); strings.Contains(got, "/bob'") || strings.Contains(got, "<presence to='carol@example.org/c' xmlns='jabber:client' from='"+den+"/alice'") {
			t.Errorf("carol is shown %s", got)
		}
		silent(t, "bob", b.Got())
	})
}

func TestWhosePresenceIsShownAlsoHoldsForThoseInside(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		c := w.in("carol@example.org/c", den+"/carol")
		a.Got()
		b.Got()
		w.configure(a, "presencebroadcast=none")
		got := b.Got()
		expect(t, "bob", got, "<status code='104'/>", "from='"+den+"/alice' type='unavailable'", "from='"+den+"/carol' type='unavailable'")
		if strings.Contains(got, "/bob'") {
			t.Errorf("bob's own presence went: %s", got)
		}
		c.Got()
		c.Send("<presence to='" + den + "/carol'><show>away</show></presence>")
		silent(t, "bob", b.Got())
		expect(t, "carol", c.Got(), "<show>away</show>", "<status code='110'/>")
		expect(t, "alice", a.Got(), "<show>away</show>")
		w.configure(a, "presencebroadcast=participant")
		got = b.Got()
		expect(t, "bob", got, "from='"+den+"/carol'><show>away</show>")
		if strings.Contains(got, "/alice'") || strings.Contains(got, "unavailable") {
			t.Errorf("bob is shown %s", got)
		}
	})
}
