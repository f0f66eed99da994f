package rooms

import (
	"strings"
	"testing"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

func whisper(id, to, body string) string {
	return "<message id='" + id + "' type='chat' to='" + den + "/" + to + "'><body>" + body + "</body></message>"
}

func sentBack(id, to string) string {
	return "<message id='" + id + "' type='error' to='" + den + "/" + to + "'><body>words</body><error type='cancel'>" +
		"<not-acceptable xmlns='" + stanza.NSStanzas + "'/><text xmlns='" + stanza.NSStanzas + "'>words</text><words xmlns='urn:words'/></error></message>"
}

func TestAnErrorReachesWhoWroteOnceAndCarriesNoWords(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		other := w.in("alice@example.org/other", den+"/alice")
		b := w.in("bob@example.org/b", den+"/bob")
		other.Got()
		a.Got()
		other.Send(whisper("1", "bob", "psst"))
		expect(t, "bob", b.Got(), "from='"+den+"/alice'", "id='1'", "psst")
		b.Send(sentBack("1", "alice"))
		got := other.Got()
		expect(t, "alice", got, "from='"+den+"/bob' to='alice@example.org/other' id='1' type='error'", "<not-acceptable")
		if strings.Contains(got, "words") {
			t.Error("alice was told", got)
		}
		b.Send(sentBack("1", "alice"))
		silent(t, "alice, of the same again,", other.Got())
		silent(t, "alice's first device", a.Got())
	})
}

func TestAnErrorThatAnswersNothingGoesNowhere(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("allowpm=moderators")
		v := w.in("mallory@example.org/m", den+"/mallory")
		a.Got()
		v.Send(sentBack("1", "alice"))
		silent(t, "alice", a.Got())
		silent(t, "mallory", v.Got())
	})
}

func TestAnErrorOfOneWhoIsBlockedGoesNowhere(t *testing.T) {
	for _, blocked := range []string{"mallory@example.org", den + "/mallory"} {
		run(t, func(w *world) {
			a := w.open()
			v := w.in("mallory@example.org/m", den+"/mallory")
			a.Got()
			a.Send(whisper("1", "mallory", "psst"))
			expect(t, "mallory", v.Got(), "psst")
			w.Host.Blocked = func(owner, other jid.JID) bool {
				return owner == jid.MustParse("alice@example.org") && other == jid.MustParse(blocked)
			}
			v.Send(sentBack("1", "alice"))
			silent(t, "alice", a.Got())
		})
	}
}
