package rooms

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/xmpp/jid"
)

func voiceRequest(more string) string {
	return "<message id='v' to='" + den + "'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + formRequest +
		"</value></field><field var='muc#role'><value>participant</value></field>" + more + "</x></message>"
}

func decision(who, nick, allow string) string {
	return voiceRequest("<field var='muc#jid'><value>" + who + "</value></field><field var='muc#roomnick'><value>" + nick +
		"</value></field><field var='muc#request_allow'><value>" + allow + "</value></field>")
}

func TestAVisitorAsksForVoiceAndAModeratorGivesIt(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("moderatedroom=1")
		b, c := w.in("bob@example.org/b", den+"/bob"), w.in("carol@example.org/c", den+"/carol")
		a.Got()
		b.Got()
		b.Send(voiceRequest(""))
		expect(t, "alice", a.Got(), "<message to='alice@example.org/a'", "from='"+den+"'", "var='FORM_TYPE' type='hidden'><value>"+formRequest,
			"var='muc#jid'", "<value>bob@example.org</value>", "var='muc#roomnick'", "<value>bob</value>", "var='muc#request_allow'")
		silent(t, "carol", c.Got())
		c.Send(decision("bob@example.org/b", "bob", "true"))
		expect(t, "carol", c.Got(), "<forbidden")
		a.Send(decision("bob@example.org/b", "bob", "0"))
		silent(t, "bob", b.Got())
		a.Send(decision("bob@example.org/b", "carol", "1"))
		expect(t, "alice, naming another,", a.Got(), "<item-not-found")
		a.Send(decision("bob@example.org/b", "bob", "true"))
		expect(t, "carol", c.Got(), "from='"+den+"/bob'", "role='participant'")
		expect(t, "bob", b.Got(), "role='participant'", "<actor nick='alice'/>")
		b.Send("<message type='groupchat' to='" + den + "'><body>thanks</body></message>")
		expect(t, "alice", a.Got(), "role='participant'", "<body>thanks</body>")
		a.Send(decision("bob@example.org/b", "bob", "true"))
		silent(t, "alice", a.Got())
	})
}

func TestRequestsForVoiceThatMakeNoSense(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("moderatedroom=1")
		b, c := w.in("bob@example.org/b", den+"/bob"), w.Login("carol@example.org/c")
		a.Got()
		c.Send(voiceRequest(""))
		expect(t, "carol, who is not inside,", c.Got(), "<not-acceptable")
		a.Send(voiceRequest(""))
		expect(t, "alice, who has voice,", a.Got(), "<not-allowed")
		b.Send(strings.Replace(voiceRequest(""), ">participant<", ">moderator<", 1))
		expect(t, "bob", b.Got(), "<bad-request")
		a.Send(decision("bob@example.org/b", "bob", "maybe"))
		expect(t, "alice", a.Got(), "<bad-request")
		for range voiceBurst {
			b.Send(voiceRequest(""))
		}
		silent(t, "bob", b.Got())
		a.Got()
		b.Send(voiceRequest(""))
		expect(t, "bob", b.Got(), "<resource-constraint")
		silent(t, "alice", a.Got())
	})
}

func TestRequestsForVoiceTellNoFreeTextAndReachNobodyWhoBlockedTheAsker(t *testing.T) {
	run(t, func(w *world) {
		carol := jid.MustParse("carol@example.org")
		var blocked jid.JID
		w.Host.Blocked = func(owner, other jid.JID) bool {
			return owner == carol && (other == blocked || other.Bare() == blocked)
		}
		a := w.open("moderatedroom=1")
		a.Send(admin("1", "<item jid='carol@example.org' affiliation='owner'/>"))
		c := w.in("carol@example.org/c", den+"/carol")
		for i, by := range []string{"bob@example.org", den + "/bob1"} {
			b := w.in("bob@example.org/words words", fmt.Sprint(den, "/bob", i))
			a.Got()
			c.Got()
			blocked = jid.MustParse(by)
			b.Send(voiceRequest(""))
			got := a.Got()
			expect(t, "alice", got, "var='muc#jid'", "<value>bob@example.org</value>")
			if strings.Contains(got, "words") {
				t.Error("alice was told", got)
			}
			silent(t, "carol, who blocked "+by+",", c.Got())
			b.Session.Close(nil)
		}
	})
}
