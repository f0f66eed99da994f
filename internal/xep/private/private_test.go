package private

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/xtok"
)

func world(t *testing.T, f func(w *coretest.World, p *Private)) {
	t.Helper()
	var p *Private
	coretest.Run(t, func(w *coretest.World) {
		w.Absent = []string{"nobody"}
		p = New(memory.New())
		p.Register(w.Host)
	}, func(w *coretest.World) { f(w, p) })
}

func ask(c *coretest.Client, kind, to, inner string) string {
	c.Got()
	if to != "" {
		to = " to='" + to + "'"
	}
	c.Send("<iq type='" + kind + "' id='q'" + to + "><query xmlns='jabber:iq:private'>" + inner + "</query></iq>")
	return c.Got()
}

const prefs = "<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus>"

func expect(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%s\nis not in %s", w, got)
		}
	}
}

func TestWhatOneDeviceKeepsTheOthersRead(t *testing.T) {
	world(t, func(w *coretest.World, _ *Private) {
		a, b := w.Login("alice@example.org/a"), w.Login("alice@example.org/b")
		expect(t, ask(a, "get", "", "<exodus xmlns='exodus:prefs'/>"), "type='result'", "<exodus xmlns='exodus:prefs'/>")
		expect(t, ask(a, "set", "", prefs+"<two xmlns='exodus:prefs'>2</two>"), "type='result'")
		expect(t, ask(b, "get", "alice@example.org", "<exodus xmlns='exodus:prefs'/>"), prefs)
		expect(t, ask(b, "get", "", "<two xmlns='exodus:prefs'/>"), "<two xmlns='exodus:prefs'>2</two>")
		expect(t, ask(b, "get", "", "<exodus xmlns='other'/>"), "<query xmlns='jabber:iq:private'><exodus xmlns='other'/></query>")
	})
}

func TestOthersHearWhatTheyHearOfNobody(t *testing.T) {
	world(t, func(w *coretest.World, _ *Private) {
		a, m := w.Login("alice@example.org/a"), w.Login("mallory@example.org/m")
		ask(a, "set", "", prefs)
		for _, kind := range []string{"get", "set"} {
			for _, inner := range []string{prefs, "", "<x xmlns='jabber:client'/>"} {
				got := strings.ReplaceAll(ask(m, kind, "alice@example.org", inner), "alice", "nobody")
				if want := ask(m, kind, "nobody@example.org", inner); got != want || !strings.Contains(got, "service-unavailable") {
					t.Errorf("%s, not %s", got, want)
				}
			}
		}
		expect(t, ask(a, "get", "", "<exodus xmlns='exodus:prefs'/>"), prefs)
	})
}

func TestRequestsOutOfShapeAreRefused(t *testing.T) {
	world(t, func(w *coretest.World, _ *Private) {
		a := w.Login("alice@example.org/a")
		for _, kind := range []string{"get", "set"} {
			for _, inner := range []string{"", "<x/>", "<x xmlns=''/>", "<vCard xmlns='vcard-temp'/>", "<x xmlns='jabber:iq:roster'/>", "<x xmlns='http://jabber.org/x'/>"} {
				expect(t, ask(a, kind, "", inner), "type='error'", "<not-acceptable ")
			}
		}
		expect(t, ask(a, "get", "", "<x xmlns='urn:x'/><y xmlns='urn:y'/>"), "<bad-request ")
		expect(t, ask(a, "set", "", "<x xmlns='urn:x'>"+strings.Repeat("x", maxSize)+"</x>"), "<not-acceptable ")
		expect(t, ask(a, "set", "", "<x xmlns='urn:"+strings.Repeat("x", maxName)+"'/>"), "<not-acceptable ")
	})
}

func TestAnAccountKeepsSoMuchAndNoMore(t *testing.T) {
	world(t, func(w *coretest.World, _ *Private) {
		a := w.Login("alice@example.org/a")
		big := strings.Repeat("x", maxSize-100)
		for i := range maxTotal / maxSize {
			expect(t, ask(a, "set", "", fmt.Sprintf("<x xmlns='urn:%d'>%s</x>", i, big)), "type='result'")
		}
		expect(t, ask(a, "set", "", "<y xmlns='urn:y'>"+big+"</y>"), "<resource-constraint ")
		expect(t, ask(a, "set", "", "<x xmlns='urn:3'>"+big+"</x>"), "type='result'")
		got := ask(a, "get", "", "<x xmlns='urn:3'/>")
		expect(t, got, big)
		many := ""
		for i := range maxCount {
			many += fmt.Sprintf("<z xmlns='urn:z%d'/>", i)
		}
		expect(t, ask(a, "set", "", many), "<resource-constraint ")
		expect(t, ask(a, "get", "", "<z xmlns='urn:z0'/>"), "<z xmlns='urn:z0'/>")
	})
}

func TestElementsWithAHomeAreKeptThere(t *testing.T) {
	var kept string
	home := Home{
		Get: func(_ context.Context, by *core.Session) ([]byte, error) {
			return []byte("<s xmlns='urn:s'>" + by.JID.Bare().String() + kept + "</s>"), nil
		},
		Set: func(_ context.Context, _ *core.Session, e xtok.Elem) error { kept = e.Text(); return nil },
	}
	world(t, func(w *coretest.World, p *Private) {
		p.Home("urn:s", "s", home)
		a := w.Login("alice@example.org/a")
		expect(t, ask(a, "set", "", "<s xmlns='urn:s'>1</s>"), "type='result'")
		expect(t, ask(a, "get", "", "<s xmlns='urn:s'/>"), "<s xmlns='urn:s'>alice@example.org1</s>")
		expect(t, ask(a, "set", "", "<s xmlns='urn:s'>2</s><t xmlns='urn:t'/>"), "<bad-request ")
		expect(t, ask(a, "set", "", "<t xmlns='urn:t'/><s xmlns='urn:s'>2</s>"), "<bad-request ")
		if kept != "1" {
			t.Error(kept)
		}
	})
}
