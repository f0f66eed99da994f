package caps

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/people"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/xtok"
)

const (
	exodusVer = "QgayPKawpkPSDYmwT/WM94uAlu0="
	exodus    = "<identity category='client' name='Exodus 0.9.1' type='pc'/>" +
		"<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>" +
		"<feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>"
	psiVer = "q07IKJEyjvHSyhy//CH0CxmKi8w="
	psi    = "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>" +
		"<identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>" +
		"<feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>" +
		"<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>" +
		"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>" +
		"<field var='software_version'><value>0.11</value></field><field var='ip_version' type='text-multi'><value>ipv6</value><value>ipv4</value></field>" +
		"<field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field><field var='software'><value>Psi</value></field></x>"
)

func verOf(t *testing.T, inner string) (*info, string) {
	t.Helper()
	e, err := xtok.Parse([]byte("<query xmlns='"+nsDisco+"'>"+inner+"</query>"), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return readFirst(e)
}

func TestTheHashesOfTheSpecificationAreReproduced(t *testing.T) {
	for inner, want := range map[string]string{exodus: exodusVer, psi: psiVer} {
		if _, got := verOf(t, inner); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestWhatMayStandForSomethingElseVerifiesNothing(t *testing.T) {
	form := func(fields string) string { return "<x xmlns='jabber:x:data' type='result'>" + fields + "</x>" }
	typed := "<field var='FORM_TYPE' type='hidden'><value>a</value></field>"
	for name, inner := range map[string]string{
		"identity twice":                  "<identity category='c' type='t'/><identity category='c' type='t'/>",
		"feature twice":                   "<feature var='a'/><feature var='a'/>",
		"form twice":                      form(typed) + form(typed),
		"form of two types":               form("<field var='FORM_TYPE' type='hidden'><value>a</value><value>b</value></field>"),
		"separator in a feature":          "<feature var='a&lt;b'/>",
		"separator in a name":             "<identity category='c' type='t' name='a&lt;b'/>",
		"separator in a form":             form(typed + "<field var='v'><value>a&lt;b</value></field>"),
		"feature posing as an identity":   "<identity category='http:' type='' xml:lang='jabber.org' name='protocol/muc'/>",
		"interest posing as a form":       form("<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mood+notify</value></field>"),
		"interest posing as a form field": form(typed + "<field var='urn:xmpp:mood+notify'/>"),
	} {
		if i, ver := verOf(t, inner); ver != "" || i == nil {
			t.Errorf("%s: verified as %s", name, ver)
		}
	}
	_, plain := verOf(t, "<feature var='a'/>")
	if _, ver := verOf(t, "<feature var='a'/>"+form("<field var='x'><value>1</value></field>")); ver != plain {
		t.Error("a form without a type counts")
	}
}

func TestFeaturesWithoutMeasureAreNotBelieved(t *testing.T) {
	var b strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&b, "<feature var='feature-%d'/>", i)
	}
	if i, ver := verOf(t, b.String()); ver != "" || len(i.features) != 0 {
		t.Errorf("%d features are kept", len(i.features))
	}
}

type known struct {
	who       string
	interests []string
}

func world(t *testing.T, f func(w *coretest.World, c *Caps, heard *[]known)) {
	t.Helper()
	var c *Caps
	var p *people.People
	var heard []known
	coretest.Run(t, func(w *coretest.World) {
		c = New(w.Router)
		c.Register(w.Host)
		c.OnKnown = append(c.OnKnown, func(s *core.Session, interests []string) {
			heard = append(heard, known{s.JID.Resource(), interests})
		})
		p = people.New(w.Router, memory.New(), slog.New(slog.DiscardHandler))
		p.OnPresence = append(p.OnPresence, c.Presence)
		p.Register(w.Host)
	}, func(w *coretest.World) {
		f(w, c, &heard)
		w.Router.Directory().Each(func(s *core.Session) { s.Close(nil) })
		p.Wait()
	})
}

func presence(ver string) string {
	return "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://example.com/c' ver='" + ver + "'/></presence>"
}

// asked returns the id of the question that a client was sent, "" for none.
func asked(c *coretest.Client) string {
	got := c.Got()
	i := strings.Index(got, "type='get'")
	if i < 0 {
		return ""
	}
	iq := got[strings.LastIndex(got[:i], "<iq"):]
	_, rest, _ := strings.Cut(iq, "id='")
	id, _, _ := strings.Cut(rest, "'")
	return id
}

func answer(c *coretest.Client, id, inner string) {
	c.Send("<iq type='result' to='example.org' id='" + id + "'><query xmlns='" + nsDisco + "'>" + inner + "</query></iq>")
}

const (
	tuneInner = "<identity category='client' type='pc'/><feature var='tune+notify'/>"
	muc       = "http://jabber.org/protocol/muc"
)

func TestOneClientIsAskedAndItsVerifiedAnswerServesAll(t *testing.T) {
	world(t, func(w *coretest.World, c *Caps, heard *[]known) {
		_, ver := verOf(t, tuneInner)
		a, b := w.Bind("alice@example.org/a"), w.Bind("bob@example.org/b")
		a.Send(presence(ver))
		b.Send(presence(ver))
		id := asked(a)
		if id == "" || asked(b) != "" {
			t.Fatal("not exactly one was asked")
		}
		if _, ok := c.Features(b.Session); ok {
			t.Error("features are known before anybody answered")
		}
		answer(a, id, tuneInner)
		for _, cl := range []*coretest.Client{a, b} {
			if !c.Notify(cl.Session, "tune") || c.Notify(cl.Session, "mood") {
				t.Errorf("%s: interests are wrong", cl.Session.JID)
			}
		}
		third := w.Bind("carol@example.org/c")
		third.Send(presence(ver))
		if asked(third) != "" || !c.Notify(third.Session, "tune") {
			t.Error("what was verified is asked again")
		}
		if len(*heard) != 3 || !slices.Equal((*heard)[2].interests, []string{"tune"}) {
			t.Errorf("heard %v", *heard)
		}
	})
}

func TestAnAnswerThatDoesNotMatchItsHashCountsForItsSenderOnly(t *testing.T) {
	world(t, func(w *coretest.World, c *Caps, _ *[]known) {
		mallory, b := w.Bind("mallory@example.org/m"), w.Bind("bob@example.org/b")
		mallory.Send(presence(exodusVer))
		b.Send(presence(exodusVer))
		answer(mallory, asked(mallory), "<feature var='poison+notify'/>")
		if !c.Notify(mallory.Session, "poison") || c.Notify(b.Session, "poison") || c.Known() != 0 {
			t.Fatal("the answer got beyond its sender")
		}
		id := asked(b)
		if id == "" {
			t.Fatal("the next client with that hash was not asked")
		}
		answer(b, id, exodus)
		set, _ := c.Features(b.Session)
		if _, ok := set[muc]; !ok || c.Known() != 1 {
			t.Error("the honest answer was not taken")
		}
	})
}

func TestOtherHashesAndNoneAreAskedForEachSession(t *testing.T) {
	for _, hash := range []string{"hash='sha-512' ", ""} {
		world(t, func(w *coretest.World, c *Caps, _ *[]known) {
			for _, who := range []string{"alice@example.org/a", "bob@example.org/b"} {
				cl := w.Bind(who)
				cl.Send(strings.Replace(presence("1.0"), "hash='sha-1' ", hash, 1))
				id := asked(cl)
				if id == "" {
					t.Fatalf("%s was not asked", who)
				}
				answer(cl, id, tuneInner)
				if !c.Notify(cl.Session, "tune") {
					t.Errorf("%s: unknown after the answer", who)
				}
			}
			if c.Known() != 0 {
				t.Error("something that was not verified is shared")
			}
		})
	}
}

func TestWhenTheOneAskedLeavesAnotherIsAsked(t *testing.T) {
	world(t, func(w *coretest.World, c *Caps, _ *[]known) {
		_, ver := verOf(t, tuneInner)
		a, b, d := w.Bind("alice@example.org/a"), w.Bind("bob@example.org/b"), w.Bind("dora@example.org/d")
		for _, cl := range []*coretest.Client{a, b, d} {
			cl.Send(presence(ver))
		}
		a.Session.Close(nil)
		if asked(b) == "" {
			t.Fatal("nobody was asked in place of one who left")
		}
		b.Send(presence(exodusVer))
		id := asked(d)
		if id == "" {
			t.Fatal("nobody was asked in place of one who changed")
		}
		answer(d, id, tuneInner)
		if !c.Notify(d.Session, "tune") || c.Notify(b.Session, "tune") {
			t.Error("wrong interests")
		}
	})
}

func TestInterestsAreToldAgainAfterAnAbsenceAndElseOnlyWhenNew(t *testing.T) {
	world(t, func(w *coretest.World, c *Caps, heard *[]known) {
		both := tuneInner + "<feature var='mood+notify'/>"
		_, one := verOf(t, tuneInner)
		_, two := verOf(t, both)
		a := w.Bind("alice@example.org/a")
		a.Send(presence(one))
		answer(a, asked(a), tuneInner)
		a.Send(presence(one))
		a.Send(presence(two))
		answer(a, asked(a), both)
		a.Send("<presence type='unavailable'/>")
		a.Send(presence(two))
		want := []known{{"a", []string{"tune"}}, {"a", []string{"mood"}}, {"a", []string{"mood", "tune"}}}
		if fmt.Sprint(*heard) != fmt.Sprint(want) {
			t.Errorf("heard %v, want %v", *heard, want)
		}
	})
}

func TestACLientThatDoesNotAnswerIsLeftInPeaceForAWhile(t *testing.T) {
	world(t, func(w *coretest.World, c *Caps, _ *[]known) {
		a := w.Bind("alice@example.org/a")
		a.Send(presence(exodusVer))
		a.Send("<iq type='error' to='example.org' id='" + asked(a) + "'/>")
		c.Notify(a.Session, "tune")
		if asked(a) != "" {
			t.Error("asked again at once")
		}
		a.Send("<presence type='unavailable'/>")
		a.Send(presence(exodusVer))
		if asked(a) == "" {
			t.Error("not asked when it came anew")
		}
	})
}

func TestTheSharedKnowledgeIsBounded(t *testing.T) {
	c := newCache()
	for i := range maxShared + 5 {
		c.put(fmt.Sprint(i), &info{size: 10})
	}
	if c.order.Len() != maxShared || len(c.at) != maxShared || c.get("0") != nil || c.get("7") == nil {
		t.Errorf("%d hashes are kept", c.order.Len())
	}
	c.put("large", &info{size: maxSharedBytes})
	if c.bytes > maxSharedBytes || c.order.Len() != 1 {
		t.Errorf("%d bytes are kept", c.bytes)
	}
}
