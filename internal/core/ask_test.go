package core_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

func TestAComponentAnswersAQuestionAskedForAnAccount(t *testing.T) {
	var bot *core.Site
	var asked []stanza.Head
	away := false
	coretest.Run(t, func(w *coretest.World) {
		bot = w.Host.Site(jid.MustParse("bot.example.org"))
		bot.Any = func(t *core.Transit) error {
			if away {
				return stanza.Errorf(stanza.RemoteServerTimeout, "away")
			}
			asked = append(asked, t.Head)
			return nil
		}
	}, func(w *coretest.World) {
		alice, name := jid.MustParse("alice@example.org"), jid.MustParse("bot.example.org")
		told := ""
		ask := func(to jid.JID) {
			told = ""
			w.Router.AskFrom(stanza.Head{Type: stanza.Set, From: alice, To: to}, []byte("<q xmlns='urn:x'/>"), func(e xtok.Elem, err error) {
				told += "result"
				if err != nil {
					told = err.Error()
				}
			})
		}
		answer := func(from, kind, content string) {
			h := asked[len(asked)-1]
			e, err := xtok.Parse([]byte("<iq xmlns='jabber:client' from='"+from+"' to='alice@example.org' id='"+h.ID+"' type='"+kind+"'>"+content+"</iq>"), xtok.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			w.Router.Accept(bot, e)
		}
		ask(name)
		if h := asked[0]; h.From != alice || h.Type != stanza.Set {
			t.Errorf("asked by %+v", h)
		}
		answer("x@bot.example.org", "result", "")
		if told != "" {
			t.Errorf("somebody else answered: %s", told)
		}
		answer("bot.example.org", "result", "")
		answer("bot.example.org", "result", "")
		if told != "result" {
			t.Errorf("told %q", told)
		}
		ask(name)
		answer("bot.example.org", "error", "<error type='evil&apos;'><item-not-found xmlns='"+stanza.NSStanzas+"'/><text xmlns='"+stanza.NSStanzas+"'>no such node</text></error>")
		if told != "item-not-found: no such node" {
			t.Errorf("told %q", told)
		}
		ask(name)
		time.Sleep(time.Minute)
		synctest.Wait()
		if told != core.ErrNoAnswer.Error() {
			t.Errorf("told %q", told)
		}
		away = true
		ask(name)
		if !strings.HasPrefix(told, "remote-server-timeout") {
			t.Errorf("told %q", told)
		}
		ask(jid.MustParse("bob@example.org/gone"))
		if told != core.ErrNoAnswer.Error() {
			t.Errorf("told %q", told)
		}
	})
}

func TestAnErrorThatIsReadCarriesNothingUnchecked(t *testing.T) {
	e, err := xtok.Parse([]byte("<iq xmlns='jabber:client' type='error'><error type='a&apos;b'><made-up xmlns='"+stanza.NSStanzas+"'/></error></iq>"), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var se *stanza.StanzaError
	if !errors.As(stanza.ReadError(e), &se) || se.Condition != stanza.UndefinedCondition || se.Kind != "" {
		t.Errorf("%+v", se)
	}
}

func TestWhatWasNotAcknowledgedWhenTheConnectionWasLostIsHeardOf(t *testing.T) {
	heard := ""
	coretest.Run(t, func(w *coretest.World) {
		keepBoth(w)
		w.Host.Asleep = append(w.Host.Asleep, func(_ *core.Session, p core.Packet) {
			st, _, err := stanza.Parse(join(p))
			if err != nil {
				t.Error(err)
			} else {
				heard += st.ID
			}
		})
	}, func(w *coretest.World) {
		bob, _ := resumable(w, "bob@example.org/b")
		a := w.Login("alice@example.org/a")
		a.Send("<message to='bob@example.org' type='chat' id='1'><body>x</body></message>")
		bob.Got()
		bob.Session.Acked(1)
		a.Send("<message to='bob@example.org' type='chat' id='2'><body>x</body></message>")
		bob.Got()
		if heard != "" {
			t.Fatal("heard while connected:", heard)
		}
		lose(bob)
		a.Send("<message to='bob@example.org' type='chat' id='3'><body>x</body></message>")
		if heard != "23" {
			t.Errorf("heard %q", heard)
		}
	})
}

func join(p core.Packet) (b []byte) {
	for _, s := range p.Segments {
		b = append(b, s...)
	}
	return b
}
