package rooms

import (
	"strings"
	"sync/atomic"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
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

// What is whispered reaches every device that is in the room, whether it wants copies
// or not, each under its own address, and is in both archives.
func TestAWhisperReachesAllDevicesInTheRoomAndBothArchives(t *testing.T) {
	runDurable(t, func(w *world, _ *atomic.Bool) {
		w.open()
		b, c := w.in("bob@example.org/b", den+"/bob"), w.in("carol@example.org/c", den+"/carol")
		tablet, home := w.in("carol@example.org/tablet", den+"/carol"), w.Login("carol@example.org/home")
		tablet.Session.SetFlag(core.Carbons, true)
		home.Session.SetFlag(core.Carbons, true)
		b.Got()
		c.Got()
		b.Send(whisper("1", "carol", "psst"))
		for _, d := range []*coretest.Client{c, tablet} {
			got := d.Got()
			expect(t, "carol", got, "<message ", "from='"+den+"/bob' to='"+d.Session.JID.String()+"'", "psst", "by='carol@example.org'")
			if strings.Count(got, "psst") != 1 {
				t.Error("carol was sent", got)
			}
		}
		silent(t, "carol's device outside", home.Got())
		for owner, from := range map[string]string{"bob@example.org": "from='bob@example.org/b' to='" + den + "/carol'", "carol@example.org": "from='" + den + "/bob'"} {
			rows, _, err := w.rooms.past.Page(t.Context(), store.Query{Owner: owner, Peer: den, Limit: 10})
			if err != nil || len(rows) != 1 {
				t.Error(owner, rows, err)
				continue
			}
			expect(t, owner+"'s archive", string(rows[0].Body), from, "psst", mark)
		}
	})
}

func TestAWhisperThatIsSentAgainIsDeliveredOnce(t *testing.T) {
	for name, content := range map[string]string{
		"by origin-id": "<body>psst</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>",
		"by content":   "<body>psst</body>",
	} {
		t.Run(name, func(t *testing.T) {
			runDurable(t, func(w *world, _ *atomic.Bool) {
				w.open()
				b, c := w.in("bob@example.org/b", den+"/bob"), w.in("carol@example.org/c", den+"/carol")
				m := w.in("mallory@example.org/m", den+"/mallory")
				b.Got()
				c.Got()
				send := func(by *coretest.Client) {
					by.Send("<message id='1' type='chat' to='" + den + "/carol'>" + content + "</message>")
				}
				send(b)
				w.in("carol@example.org/other", den+"/carol").Send("<presence to='" + den + "/carol'><show>away</show></presence>")
				send(b) // to another device that is shown now
				if got := c.Got(); strings.Count(got, "psst") != 1 {
					t.Error("carol was sent", got)
				}
				send(m)
				expect(t, "carol, by another,", c.Got(), "from='"+den+"/mallory'", "psst")
			})
		})
	}
}

func TestWhatIsSentAgainUnderAnotherNickIsSaidOnce(t *testing.T) {
	runDurable(t, func(w *world, _ *atomic.Bool) {
		w.open()
		b, c := w.in("bob@example.org/b", den+"/bob"), w.in("carol@example.org/c", den+"/carol")
		say := "<message type='groupchat' id='1' to='" + den + "'><body>once</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>"
		c.Send(say)
		w.in("carol@example.org/again", den+"/carol2").Send(say)
		if got := b.Got(); strings.Count(got, "<body>once") != 1 {
			t.Error("bob was sent", got)
		}
		w.in("dora@example.org/d", den+"/dora").Send(say)
		expect(t, "bob, by another,", b.Got(), "from='"+den+"/dora'", "<body>once")
	})
}
