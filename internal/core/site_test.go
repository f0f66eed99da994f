package core_test

import (
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// place adds a site that notes what it is given.
func place(w *coretest.World, name string) (*core.Site, *[]string) {
	got := &[]string{}
	s := w.Host.Site(jid.MustParse(name))
	note := func(t *core.Transit) error {
		*got = append(*got, t.Head.Kind.String()+" "+t.Head.To.String())
		return nil
	}
	s.Message, s.Presence, s.IQ = note, note, note
	w.Host.IQ(s.Host, "urn:x", "host", func(*core.Query) ([]byte, error) { return []byte("<host xmlns='urn:x'/>"), nil })
	w.Host.IQ(s.Node, "urn:x", "node", func(*core.Query) ([]byte, error) { return []byte("<node xmlns='urn:x'/>"), nil })
	return s, got
}

func TestASiteTakesWhatIsForItsAddresses(t *testing.T) {
	var got *[]string
	coretest.Run(t, func(w *coretest.World) { _, got = place(w, "rooms.example.org") }, func(w *coretest.World) {
		a := w.Login("alice@example.org/a")
		a.Send("<message to='r@rooms.example.org' type='groupchat'><body>x</body></message>")
		a.Send("<presence to='r@rooms.example.org/nick'/>")
		a.Send("<iq type='get' id='1' to='r@rooms.example.org/nick'><q xmlns='urn:x'/></iq>")
		a.Send("<iq type='get' id='2' to='rooms.example.org'><host xmlns='urn:x'/></iq>")
		a.Send("<iq type='get' id='3' to='r@rooms.example.org'><node xmlns='urn:x'/></iq>")
		a.Send("<iq type='get' id='4' to='r@rooms.example.org'><host xmlns='urn:x'/></iq>")
		a.Send("<message to='r@other.example.org'><body>x</body></message>")
		want := "message r@rooms.example.org, presence r@rooms.example.org/nick, iq r@rooms.example.org/nick"
		if s := strings.Join(*got, ", "); s != want {
			t.Errorf("the site was given %s", s)
		}
		told := a.Got()
		for _, part := range []string{"<host xmlns='urn:x'/>", "<node xmlns='urn:x'/>", "<service-unavailable", "<remote-server-not-found"} {
			if !strings.Contains(told, part) {
				t.Errorf("%s is missing in %s", part, told)
			}
		}
	})
}

// TestAtASiteNobodyCanBeSubscribedTo: not where nobody takes presence, nor at a
// component, whose answer could change no roster; a site with presence of its own
// answers for itself.
func TestAtASiteNobodyCanBeSubscribedTo(t *testing.T) {
	var taken []string
	take := func(t *core.Transit) error {
		taken = append(taken, t.Head.To.Domain()+" "+t.Head.Type)
		return nil
	}
	var bot *core.Site
	coretest.Run(t, func(w *coretest.World) {
		w.Host.Site(jid.MustParse("files.example.org"))
		w.Host.Site(jid.MustParse("rooms.example.org")).Presence = take
		bot = w.Host.Site(jid.MustParse("bot.example.org"))
		bot.Any = take
	}, func(w *coretest.World) {
		a := w.Login("alice@example.org/a")
		for _, to := range []string{"files.example.org", "x@files.example.org", "bot.example.org", "x@bot.example.org"} {
			for kind, refused := range map[string]bool{"subscribe": true, "subscribed": true, "unsubscribe": false, "unsubscribed": false} {
				a.Send("<presence id='1' type='" + kind + "' to='" + to + "'/>")
				got := a.Got()
				if said := strings.Contains(got, "type='error'") && strings.Contains(got, "<feature-not-implemented") && strings.Contains(got, "subscriptions"); said != refused {
					t.Errorf("%s to %s: %q", kind, to, got)
				}
			}
		}
		a.Send("<presence type='subscribe' to='r@rooms.example.org'/>")
		if got := strings.Join(taken, ", "); strings.Contains(got, "bot.example.org subscribe,") || !strings.HasSuffix(got, "rooms.example.org subscribe") {
			t.Error(got)
		}
		e, err := xtok.Parse([]byte("<presence xmlns='jabber:client' type='subscribe' from='x@bot.example.org' to='alice@example.org'/>"), xtok.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		taken = nil
		if refused := w.Router.Accept(bot, e); refused != nil || len(taken) != 1 || taken[0] != "bot.example.org error" || a.Got() != "" {
			t.Error("asked by a component:", refused, taken)
		}
	})
}

func TestARefusalOfASiteReachesTheSender(t *testing.T) {
	coretest.Run(t, func(w *coretest.World) {
		s := w.Host.Site(jid.MustParse("rooms.example.org"))
		s.Message = func(t *core.Transit) error {
			t.Head.From = jid.MustParse("r@rooms.example.org/x")
			return stanza.Errorf(stanza.Forbidden, "no")
		}
	}, func(w *coretest.World) {
		a := w.Login("alice@example.org/a")
		a.Send("<message id='1' to='r@rooms.example.org'/>")
		got := a.Got()
		if !strings.Contains(got, "<forbidden") || !strings.Contains(got, "to='alice@example.org/a'") {
			t.Error(got)
		}
	})
}

func TestWhatASiteEntersIsReleasedInOrderAndThenAcknowledged(t *testing.T) {
	arch := &held{}
	order := ""
	coretest.RunOn(t, arch, func(w *coretest.World) {
		s := w.Host.Site(jid.MustParse("rooms.example.org"))
		s.Message = func(t *core.Transit) error {
			t.Stanza = stanza.Make(t.Head, t.Elem, t.Edit)
			t.Keep(core.Owner{JID: t.Head.To})
			w.Router.Enter(t, func(t *core.Transit) { order += t.Head.ID })
			return nil
		}
		s.Presence = func(t *core.Transit) error {
			w.Router.Enter(t, func(t *core.Transit) { order += "p" })
			return nil
		}
	}, func(w *coretest.World) {
		a := w.Login("alice@example.org/a")
		a.Session.EnableSM(false, silent)
		a.Send("<message id='1' to='r@rooms.example.org'/>")
		a.Send("<message id='2' to='r@rooms.example.org'/>")
		a.Session.AckRequested()
		if got := a.Got(); got != "" || order != "" {
			t.Fatalf("told %q before anything was durable, released %q", got, order)
		}
		arch.releaseAll()
		if got := a.Got(); got != "<a xmlns='urn:xmpp:sm:3' h='2'/>" || order != "12" {
			t.Errorf("told %q, released %q", got, order)
		}
	})
}

func TestAComponentSpeaksForItsOwnNameOnly(t *testing.T) {
	var s *core.Site
	coretest.Run(t, func(w *coretest.World) {
		s = w.Host.Site(jid.MustParse("bot.example.org"))
		s.Any = func(*core.Transit) error { return nil }
	}, func(w *coretest.World) {
		a := w.Login("alice@example.org/a")
		for xml, want := range map[string]string{
			"<message from='x@bot.example.org' to='alice@example.org'><body>hi</body></message>": "",
			"<message from='alice@example.org' to='alice@example.org'/>":                         "invalid-from",
			"<message to='alice@example.org'/>":                                                  "invalid-from",
			"<message from='bot.example.org'/>":                                                  "improper-addressing",
			"<other/>":                                                                           "unsupported-stanza-type",
		} {
			e, err := xtok.Parse([]byte(strings.Replace(xml, " ", " xmlns='jabber:client' ", 1)), xtok.Limits{})
			if err != nil {
				e, err = xtok.Parse([]byte("<other xmlns='jabber:client'/>"), xtok.Limits{})
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if refused := w.Router.Accept(s, e); refused != nil {
				got = refused.Condition
			}
			if got != want {
				t.Errorf("%s: %q", xml, got)
			}
		}
		if got := a.Got(); strings.Count(got, "<body>hi</body>") != 1 {
			t.Error(got)
		}
	})
}

func TestPostTakesTheWalkOfEveryMessage(t *testing.T) {
	coretest.Run(t, keepBoth, func(w *coretest.World) {
		bob := w.Login("bob@example.org/b")
		h := stanza.Head{From: w.Router.Domain, To: jid.MustParse("bob@example.org")}
		if err := w.Router.Post(h, []byte("<body>news</body>")); err != nil {
			t.Fatal(err)
		}
		if got := bob.Got(); !strings.Contains(got, "<body>news</body>") || !strings.Contains(got, "<stanza-id ") {
			t.Error(got)
		}
		w.Absent = append(w.Absent, "carol")
		h.To = jid.MustParse("carol@example.org")
		if err := w.Router.Post(h, []byte("<body>news</body>")); err == nil {
			t.Error("there is no carol")
		}
	})
}

func TestASessionIsDrainedOfWhatIsOnItsWay(t *testing.T) {
	coretest.Run(t, keepBoth, func(w *coretest.World) {
		bob, _ := resumable(w, "bob@example.org/b")
		lose(bob)
		bob.Session.Feed(idle{})
		bob.Session.Drain()
		if _, ok := bob.Session.Freeze(); !ok {
			t.Error("nothing is owed any more, and the session is lost")
		}
	})
}
