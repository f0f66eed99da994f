package rooms

import (
	"regexp"
	"strings"
	"testing"

	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
)

var occupantIDs = regexp.MustCompile(`<occupant-id xmlns='urn:xmpp:occupant-id:0' id='([^']*)'/>`)

// said has a client say something, and returns the occupant id that it was given.
func (w *world) said(c *coretest.Client, id string) string {
	w.T.Helper()
	c.Got()
	c.Send("<message type='groupchat' id='" + id + "' to='" + den + "'><body>" + id + "</body></message>")
	m := occupantIDs.FindStringSubmatch(c.Got())
	if m == nil {
		w.T.Fatal("not reflected")
	}
	return m[1]
}

func TestWhoTakesANameAgainIsSomebodyElse(t *testing.T) {
	kv := newLasting()
	var first, second string
	runOn(t, kv, func(w *world) {
		w.open("persistentroom=1")
		bob := w.in("bob@example.org/b", den+"/bob")
		first = w.said(bob, "one")
		if again := w.said(bob, "two"); again != first {
			t.Errorf("one person, two ids: %s, %s", first, again)
		}
		bob.Session.Close(nil)
		w.rooms.accountGone(jid.MustParse("bob@example.org"))
		bob = w.in("bob@example.org/b", den+"/bob")
		if second = w.said(bob, "three"); second == first {
			t.Error("the new bob is taken for the former one")
		}
		bob.Send("<message type='groupchat' to='" + den + "'><retract xmlns='urn:xmpp:message-retract:1' id='id1'/><store xmlns='urn:xmpp:hints'/></message>")
		if got := bob.Got(); !strings.Contains(got, "<forbidden ") {
			t.Errorf("the new bob takes back what the former one said: %s", got)
		}
	})
	runOn(t, kv, func(w *world) {
		bob := w.in("bob@example.org/b", den+"/bob")
		if third := w.said(bob, "four"); third != second {
			t.Error("a restart makes somebody else of him")
		}
	})
}
