package rooms

import (
	"regexp"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// In a room that hides addresses, nothing that bob can do brings him carol's: not
// errors, answers, private messages, changes of her rank.
func TestNothingTellsARealAddressWhereTheyAreHidden(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b, c := w.in("bob@example.org/b", den+"/bob"), w.in("carol@example.org/secret", den+"/cara")
		a.Got()
		seen := b.Got()
		b.Send("<iq type='get' id='1' to='" + den + "/cara'><query xmlns='jabber:iq:version'/></iq>")
		id := regexp.MustCompile(` id='([^']+)'`).FindStringSubmatch(c.Got())[1]
		c.Send("<iq type='error' id='" + id + "' to='" + den + "/bob'><error type='cancel'><feature-not-implemented xmlns='" + stanza.NSStanzas + "'/></error></iq>")
		seen += b.Got()
		expect(t, "bob", seen, "from='"+den+"/cara' to='bob@example.org/b' id='1' type='error'", "<feature-not-implemented")
		c.Send("<message type='chat' to='" + den + "/bob'><body>psst</body></message>")
		c.Send("<message type='groupchat' to='" + den + "'><body>hi</body></message>")
		c.Send("<presence to='" + den + "/cara'><show>away</show></presence>")
		c.Send("<presence to='" + den + "/caro'/>")
		a.Send(admin("1", "<item jid='carol@example.org' affiliation='member'><reason>x</reason></item>"))
		c.Session.Close(nil)
		a.Got()
		a.Send(admin("2", "<item jid='carol@example.org' affiliation='none'/>"))
		a.Send(admin("3", "<item jid='carol@example.org' affiliation='outcast'/>"))
		a.Got()
		for _, list := range []string{"affiliation='member'", "affiliation='outcast'", "affiliation='owner'", "role='participant'"} {
			b.Send("<iq type='get' id='l' to='" + den + "'><query xmlns='" + nsAdmin + "'><item " + list + "/></query></iq>")
		}
		seen += b.Got()
		expect(t, "bob", seen, "psst", "hi", "away", "from='"+den+"/caro'", "affiliation='member'", "type='unavailable'")
		if strings.Contains(seen, "carol") || strings.Contains(seen, "secret") || strings.Contains(seen, "alice@") {
			t.Error("bob was told:", seen)
		}
	})
}

func TestAnAnswerCountsOnceAndFromWhomWasAsked(t *testing.T) {
	run(t, func(w *world) {
		w.open()
		b, c := w.in("bob@example.org/b", den+"/bob"), w.in("carol@example.org/c", den+"/carol")
		d := w.in("dora@example.org/d", den+"/dora")
		b.Got()
		c.Got()
		b.Send("<iq type='get' id='1' to='" + den + "/carol'><query xmlns='jabber:iq:version'/></iq>")
		id := regexp.MustCompile(` id='([^']+)'`).FindStringSubmatch(c.Got())[1]
		answer := "<iq type='result' id='" + id + "' to='" + den + "/bob'><query xmlns='jabber:iq:version'><name>"
		d.Send(answer + "forged</name></query></iq>")
		silent(t, "bob", b.Got())
		c.Send(answer + "true</name></query></iq>")
		expect(t, "bob", b.Got(), "id='1' type='result'", "true")
		c.Send(answer + "twice</name></query></iq>")
		silent(t, "bob", b.Got())
	})
}

func TestWhoIsBlockedFindsNobodyThere(t *testing.T) {
	run(t, func(w *world) {
		carol := jid.MustParse("carol@example.org")
		w.Host.Blocked = func(owner, other jid.JID) bool {
			return owner == carol && other.Bare() == jid.MustParse("bob@example.org")
		}
		w.open()
		b, c := w.in("bob@example.org/b", den+"/bob"), w.in("carol@example.org/c", den+"/carol")
		b.Got()
		c.Got()
		b.Send("<message id='1' type='chat' to='" + den + "/carol'><body>x</body></message>")
		expect(t, "bob", b.Got(), "id='1' type='error'", "<service-unavailable")
		b.Send("<iq id='2' type='get' to='" + den + "/carol'><query xmlns='jabber:iq:version'/></iq>")
		expect(t, "bob", b.Got(), "id='2' type='error'", "<service-unavailable")
		silent(t, "carol", c.Got())
	})
}

func TestAVisitingCardIsAskedOfTheAccount(t *testing.T) {
	run(t, func(w *world) {
		w.Host.IQ(core.Account, "vcard-temp", "vCard", func(q *core.Query) ([]byte, error) {
			if q.Head.To != jid.MustParse("alice@example.org") || q.Head.From.String() != den+"/bob" {
				t.Error("asked as", q.Head.From, "of", q.Head.To)
			}
			return []byte("<vCard xmlns='vcard-temp'><NICKNAME>Al</NICKNAME></vCard>"), nil
		})
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		b.Send("<iq type='get' id='v' to='" + den + "/alice'><vCard xmlns='vcard-temp'/></iq>")
		got := b.Got()
		expect(t, "bob", got, "from='"+den+"/alice' to='bob@example.org/b' id='v' type='result'", "<NICKNAME>Al")
		silent(t, "alice", a.Got())
	})
}

func TestSkinsThatLookAlikeAreRefused(t *testing.T) {
	run(t, func(w *world) {
		w.open()
		b := w.Login("bob@example.org/b")
		for nick, want := range map[string]string{
			"Alice": "<conflict", "ALICE": "<conflict", "аlice": "<conflict", "a1ice": "<conflict", "ＡLICE": "<conflict", "a lice": "<conflict",
			"al ice ": "<not-acceptable", "b  b": "<not-acceptable", " b": "<not-acceptable", "\u2800": "<not-acceptable",
		} {
			b.Send("<presence to='" + den + "/" + nick + "'>" + enter + "</presence>")
			if got := b.Got(); !strings.Contains(got, want) {
				t.Errorf("%q: %s", nick, got)
			}
		}
		w.again(b, den+"/🐱")
		w.in("carol@example.org/c", den+"/🐶")
	})
}

func TestWhoDoesNotEnterProperlyIsToldThatHeIsOutside(t *testing.T) {
	run(t, func(w *world) {
		w.open()
		b := w.Login("bob@example.org/b")
		b.Send("<presence to='" + den + "/bob'><show>away</show><c xmlns='http://jabber.org/protocol/caps' node='x' ver='y' hash='sha-1'/></presence>")
		expect(t, "bob", b.Got(), "from='"+den+"/bob'", "type='unavailable'", "<status code='110'/><status code='307'/><status code='333'/>")
		b.Send("<presence to='attic@" + host + "/bob'><show>away</show></presence>")
		expect(t, "bob", b.Got(), "type='unavailable'", "<status code='333'/>")
		// COMPAT: a program from before XEP-0045
		b.Send("<presence to='" + den + "/bob'/>")
		expect(t, "bob", b.Got(), "from='"+den+"/bob'", "<status code='110'/>", "<subject/>")
	})
}

func TestALookIsGuardedUntilTheLastWhoHasItLeaves(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		second := w.in("alice@example.org/b", den+"/Alice")
		second.Send("<presence type='unavailable' to='" + den + "'/>")
		second.Got()
		m := w.Login("mallory@example.org/m")
		m.Send("<presence to='" + den + "/ALICE'>" + enter + "</presence>")
		expect(t, "mallory", m.Got(), "<conflict")
		a.Got()
		a.Send("<presence type='unavailable' to='" + den + "'/>")
		a.Got()
	})
}
