package rooms

import (
	"strings"
	"testing"
)

func moderate(id, what, reason string) string {
	return "<iq type='set' id='" + id + "' to='" + den + "'><moderate xmlns='" + nsModerate + "' id='" + what + "'><retract xmlns='" + nsRetract + "'/>" + reason + "</moderate></iq>"
}

func say(id, content string) string {
	return "<message type='groupchat' id='" + id + "' to='" + den + "'>" + content + "</message>"
}

func (w *world) archived(seq uint64) string {
	w.T.Helper()
	rows, err := w.past.Find(w.T.Context(), den, []uint64{seq})
	if err != nil || len(rows) != 1 {
		w.T.Fatal(rows, err)
	}
	return string(rows[0].Body)
}

func TestAModeratedTextIsGoneFromArchiveAndHistoryAndEverybodyHears(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		b.Send(say("m1", "<body>free potions</body>"))
		b.Got()
		a.Got()
		a.Send(moderate("x", "id1", "<reason>spam</reason>"))
		mark := "<moderated xmlns='" + nsModerate + "' by='" + den + "/alice'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='"
		told := []string{"from='" + den + "'", "type='groupchat'", "<retract xmlns='" + nsRetract + "' id='id1'>" + mark, "</moderated><reason>spam</reason></retract>", "id='id2' by='" + den + "'"}
		expect(t, "bob", b.Got(), told...)
		expect(t, "alice", a.Got(), append(told, "id='x' type='result'")...)
		tomb := w.archived(1)
		expect(t, "an archive reader", tomb, "from='"+den+"/bob'", "id='m1'", "<occupant-id", "<retracted xmlns='"+nsRetract+"' id='", "stamp='", mark, "<reason>spam</reason></retracted>")
		if strings.Contains(tomb, "potions") {
			t.Error(tomb)
		}
		expect(t, "an archive reader", w.archived(2), "<retract ", "id1")
		c := w.Login("carol@example.org/c")
		c.Send("<presence to='" + den + "/carol'>" + enter + "</presence>")
		got := c.Got()
		expect(t, "carol", got, "<status code='110'/>", "<retract ", "<delay")
		if strings.Contains(got, "potions") {
			t.Error("a newcomer is shown", got)
		}
		a.Got()
		a.Send(moderate("again", "id1", ""))
		expect(t, "alice, who asks again,", a.Got(), "<retract ", "id='again' type='result'")
	})
}

func TestOnlyModeratorsModerate(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b, c := w.in("bob@example.org/b", den+"/bob"), w.Login("carol@example.org/c")
		a.Got()
		a.Send(say("m1", "<body>mine</body>"))
		a.Send(say("m2", "<subject>tea</subject>"))
		a.Got()
		b.Got()
		for _, x := range []string{"id1", "id99", ""} {
			b.Send(moderate("x", x, ""))
			if got := b.Got(); !strings.Contains(got, "<forbidden") && x != "" {
				t.Errorf("bob, of %q: %s", x, got)
			}
		}
		c.Send(moderate("x", "id1", ""))
		expect(t, "carol", c.Got(), "<forbidden")
		for x, want := range map[string]string{"id99": "<item-not-found", "": "<bad-request", "?": "<item-not-found", "id2": "<not-allowed"} {
			a.Send(moderate("x", x, ""))
			expect(t, "alice", a.Got(), want)
		}
		a.Send(moderate("x", "id1", "<reason>"+strings.Repeat("x", maxReason+1)+"</reason>"))
		expect(t, "alice", a.Got(), "<not-acceptable")
		a.Send(strings.Replace(moderate("x", "id1", ""), "<retract xmlns='"+nsRetract+"'/>", "", 1))
		expect(t, "alice", a.Got(), "<bad-request")
		silent(t, "bob", b.Got())
		expect(t, "an archive reader", w.archived(1), "<body>mine</body>")
	})
}

func TestAMessageIsRetractedByItsAuthorAndNobodyElse(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		b.Send(say("m1", "<body>oops</body>"))
		b.Got()
		a.Got()
		retract := "<retract xmlns='" + nsRetract + "' id='id1'/><body>/me retracted</body>"
		a.Send(say("r0", retract))
		expect(t, "alice", a.Got(), "type='error'", "<forbidden")
		silent(t, "bob", b.Got())
		b.Send(say("r0", retract+"<no-store xmlns='urn:xmpp:hints'/>"))
		expect(t, "bob", b.Got(), "<not-acceptable")
		b.Send(say("r1", retract))
		expect(t, "alice", a.Got(), "<retract xmlns='"+nsRetract+"' id='id1'/>")
		expect(t, "an archive reader", w.archived(1), "<occupant-id", "<retracted xmlns='"+nsRetract+"' id='r1' stamp='")
		if strings.Contains(w.archived(1), "oops") {
			t.Error(w.archived(1))
		}
		b.Got()
		b.Send(say("r2", "<retract xmlns='"+nsRetract+"' id='m1'/>"))
		expect(t, "bob, with an id of his own,", b.Got(), "<retract ")
	})
}

func TestNobodySpeaksAsModeration(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		for _, forged := range []string{
			"<retract xmlns='" + nsRetract + "' id='id1'><moderated xmlns='" + nsModerate + "' by='" + den + "/alice'/></retract>",
			"<retracted xmlns='" + nsRetract + "' id='id1'/>",
			"<body>x</body><retract xmlns='" + nsRetract + "' id='none'/><retract xmlns='" + nsRetract + "' id='id1'><moderated xmlns='" + nsModerate + "' by='" + den + "/alice'/></retract>",
			"<apply-to xmlns='urn:xmpp:fasten:0' id='id1'><moderated xmlns='urn:xmpp:message-moderate:0' by='" + den + "/alice'><retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to>",
			"<x xmlns='urn:x'><y><retracted xmlns='" + nsRetract + "' id='id1'/></y></x>",
		} {
			b.Send(say("f", forged))
			expect(t, "bob", b.Got(), "<forbidden")
			silent(t, "alice", a.Got())
		}
	})
}

func TestTextsAreTakenBackAtAPace(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		for range eraseBurst {
			if err := w.rooms.with(jidOf(den), none, func(r *room) error { return r.mayErase(jidOf("alice@example.org")) }); err != nil {
				t.Fatal(err)
			}
		}
		a.Send(say("m1", "<body>mine</body>"))
		a.Got()
		a.Send(moderate("x", "id1", ""))
		expect(t, "alice", a.Got(), "<resource-constraint")
		expect(t, "an archive reader", w.archived(1), "<body>mine</body>")
	})
}

func TestOneMessageTakesBackOneMessage(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		a.Send(say("m1", "<body>mine</body>"))
		a.Got()
		b.Got()
		const one, two = "<retract xmlns='" + nsRetract + "' id='none'/>", "<retract xmlns='" + nsRetract + "' id='id1'/>"
		for _, content := range []string{one + two, one + "<x xmlns='urn:x'>" + two + "</x>"} {
			b.Send(say("r", content))
			expect(t, "bob", b.Got(), "<bad-request")
			silent(t, "alice", a.Got())
		}
		a.Send(say("r", "<subject>tea</subject>"+two))
		expect(t, "alice", a.Got(), "<bad-request")
		a.Send(say("f", "<subject>tea</subject><x xmlns='urn:x'><moderated xmlns='"+nsModerate+"'/></x>"))
		expect(t, "alice", a.Got(), "<forbidden")
		silent(t, "bob", b.Got())
	})
}
