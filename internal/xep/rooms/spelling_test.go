package rooms

import (
	"strings"
	"testing"
)

// A nick that addresses spell otherwise than its client did is told it by 210, and so
// is nobody else.
func TestANickThatIsSpeltOtherwiseIsToldSo(t *testing.T) {
	const apart, joined = "zoe\u0308", "zo\u00eb"
	run(t, func(w *world) {
		a := w.open()
		b := w.Login("bob@example.org/b")
		b.Send("<presence to='" + den + "/" + apart + "'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "from='"+den+"/"+joined+"'", "<status code='110'/>", "<status code='210'/>")
		b.Send("<presence to='" + den + "/bob'/>")
		if got := a.Got() + b.Got(); strings.Count(got, "<status code='210'/>") != 0 {
			t.Error(got)
		}
		b.Send("<presence to='" + den + "/" + apart + "'/>")
		expect(t, "bob", b.Got(), "<status code='303'/>", "from='"+den+"/"+joined+"'", "<status code='210'/><status code='110'/>")
		if got := a.Got(); strings.Contains(got, "'210'") {
			t.Errorf("alice was sent %s", got)
		}
	})
}

// Who becomes owner because the last one's account is gone is shown as one.
func TestAnHeirIsSeenToBeTheOwner(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("persistentroom=1")
		b, c := w.in("bob@example.org/b", den+"/bob"), w.in("carol@example.org/c", den+"/carol")
		a.Send(admin("x", "<item affiliation='admin' jid='bob@example.org'/>"))
		a.Got()
		b.Got()
		c.Got()
		w.rooms.accountGone(jidOf("alice@example.org"))
		expect(t, "carol", c.Got(), "from='"+den+"/bob'", "<item affiliation='owner' role='moderator'")
		expect(t, "bob", b.Got(), "from='"+den+"/bob'", "<item affiliation='owner' role='moderator'", "<status code='110'/>")
	})
}
