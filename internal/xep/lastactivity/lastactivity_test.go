package lastactivity

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/people"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
)

// place is a world in which bob sees alice's presence, and carol does not.
type place struct {
	*coretest.World
	last *Last
	kv   *counted
}

// counted is a store that counts writes, and that several servers open one after
// the other.
type counted struct {
	store.KV
	known  map[string]*store.Bucket
	writes atomic.Int64
}

func newStore() *counted { return &counted{KV: memory.New(), known: map[string]*store.Bucket{}} }

func (c *counted) Declare(s store.Space) *store.Bucket {
	if c.known[s.Name] == nil {
		c.known[s.Name] = c.KV.Declare(s)
	}
	return c.known[s.Name]
}

func (c *counted) Apply(ctx context.Context, owner string, ops ...store.Op) error {
	c.writes.Add(1)
	return c.KV.Apply(ctx, owner, ops...)
}

func world(t *testing.T, f func(p *place)) { worldOn(t, newStore(), f) }

func worldOn(t *testing.T, kv *counted, f func(p *place)) {
	t.Helper()
	p := &place{kv: kv}
	var ppl *people.People
	coretest.Run(t, func(w *coretest.World) {
		p.World = w
		w.Absent = []string{"nobody"}
		ppl = people.New(w.Router, kv, slog.New(slog.DiscardHandler))
		ppl.Register(w.Host)
		p.last = New(w.Router, kv, ppl, slog.New(slog.DiscardHandler))
		p.last.Register(w.Host)
		if err := p.last.Load(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := ppl.Befriend(context.Background(), alice, bob); err != nil {
			t.Fatal(err)
		}
	}, func(w *coretest.World) {
		f(p)
		w.Router.Directory().Each(func(s *core.Session) { s.Close(nil) })
		ppl.Wait()
	})
}

const question = "<query xmlns='jabber:iq:last'/>"

// ask asks at an address and returns the answer's payload.
func ask(c *coretest.Client, to string) string {
	c.Got()
	c.Send("<iq type='get' id='1' to='" + to + "'>" + question + "</iq>")
	_, payload, _ := strings.Cut(c.Got(), ">")
	return strings.TrimSuffix(payload, "</iq>")
}

func choose(t *testing.T, c *coretest.Client, who string) {
	t.Helper()
	c.Got()
	c.Send("<iq type='set' id='1'><privacy xmlns='urn:mirsal:privacy:0'><last-seen>" + who + "</last-seen></privacy></iq>")
	if got := c.Got(); !strings.Contains(got, "type='result'") {
		t.Fatalf("%s: %s", who, got)
	}
}

func is(t *testing.T, what, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func TestTheTimeSinceTheLastDeviceWentIsToldToTheMinute(t *testing.T) {
	world(t, func(p *place) {
		a, a2, b := p.Login("alice@example.org/phone"), p.Login("alice@example.org/laptop"), p.Login("bob@example.org/desk")
		is(t, "here", ask(b, "alice@example.org"), "seconds='0'")
		a.Send("<presence type='unavailable'><status>Off</status></presence>")
		time.Sleep(5 * time.Minute)
		is(t, "with one device", ask(b, "alice@example.org"), "seconds='0'")
		a2.Send("<presence type='unavailable'><status>Heading &lt; home</status></presence>")
		is(t, "just gone", ask(b, "alice@example.org"), "seconds='0'>Heading &lt; home<")
		time.Sleep(150 * time.Second)
		is(t, "a while ago", ask(b, "alice@example.org"), "seconds='120'>Heading &lt; home<")
		is(t, "oneself", ask(a, "alice@example.org"), "seconds='120'>Heading &lt; home<")
		a.Send("<presence/>")
		is(t, "back", ask(b, "alice@example.org"), "seconds='0'></query>")
		is(t, "never seen", ask(p.Login("alice@example.org/watch"), "bob@example.org"), "seconds='0'")
		b.Session.Close(nil)
		is(t, "gone without a word", ask(a, "bob@example.org"), "seconds='0'></query>")
	})
}

func TestAStrangerCannotTellAnAccountFromNone(t *testing.T) {
	world(t, func(p *place) {
		a, c := p.Login("alice@example.org/phone"), p.Login("carol@example.org/desk")
		for _, who := range []string{contacts, nobody} {
			choose(t, a, who)
			for _, to := range []string{"", "/phone", "/gone"} {
				got, want := ask(c, "alice@example.org"+to), ask(c, "nobody@example.org"+to)
				if got != want {
					t.Errorf("%s, %q: %s instead of %s", who, to, got, want)
				}
			}
			if got := a.Got(); got != "" {
				t.Errorf("a stranger's question arrived: %s", got)
			}
		}
	})
}

func TestPeopleChooseWhoMayKnow(t *testing.T) {
	world(t, func(p *place) {
		a, b, c := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk"), p.Login("carol@example.org/desk")
		a.Send("<iq type='get' id='1'><privacy xmlns='urn:mirsal:privacy:0'/></iq>")
		is(t, "by default", a.Got(), "<last-seen>contacts</last-seen>")
		choose(t, a, everyone)
		is(t, "everyone", ask(c, "alice@example.org"), "seconds=")
		is(t, "everyone, a device", ask(c, "alice@example.org/phone"), "<service-unavailable ")
		choose(t, a, nobody)
		is(t, "nobody, here", ask(b, "alice@example.org"), "<forbidden ")
		is(t, "nobody, a device", ask(b, "alice@example.org/phone"), "<forbidden ")
		is(t, "nobody, no device", ask(b, "alice@example.org/gone"), "<forbidden ")
		a.Send("<presence type='unavailable'/>")
		is(t, "nobody, away", ask(b, "alice@example.org"), "<forbidden ")
		for xml, want := range map[string]string{
			"<privacy xmlns='urn:mirsal:privacy:0'/>":                                                                 "<bad-request ",
			"<privacy xmlns='urn:mirsal:privacy:0'><last-seen>some</last-seen></privacy>":                             "<not-acceptable ",
			"<privacy xmlns='urn:mirsal:privacy:0'><last-seen>contacts</last-seen><last-seen/></privacy>":             "<bad-request ",
			"<privacy xmlns='urn:mirsal:privacy:0'><first-seen xmlns='urn:mirsal:privacy:0'>x</first-seen></privacy>": "<bad-request ",
		} {
			a.Got()
			a.Send("<iq type='set' id='1'>" + xml + "</iq>")
			is(t, xml, a.Got(), want)
		}
		b.Send("<iq type='get' id='1' to='alice@example.org'><privacy xmlns='urn:mirsal:privacy:0'/></iq>")
		is(t, "another's choice", b.Got(), "<service-unavailable ")
	})
}

func TestAQuestionToADeviceReachesItFromAContact(t *testing.T) {
	world(t, func(p *place) {
		a, b := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk")
		a.Got()
		b.Send("<iq type='get' id='1' to='alice@example.org/phone'>" + question + "</iq>")
		is(t, "the device", a.Got(), "from='bob@example.org/desk'")
	})
}

func TestPresenceIsWrittenOnceAMinuteAtMost(t *testing.T) {
	world(t, func(p *place) {
		a := p.Login("alice@example.org/phone")
		time.Sleep(90 * time.Second)
		a.Got()
		p.kv.writes.Store(0)
		for range 100 {
			a.Send("<presence type='unavailable'/>")
			a.Send("<presence/>")
		}
		a.Got()
		if p.kv.writes.Load() != 0 {
			t.Errorf("%d writes for presence", p.kv.writes.Load())
		}
		time.Sleep(time.Minute)
		a.Got()
		if p.kv.writes.Load() > 1 {
			t.Errorf("%d writes in the minute after", p.kv.writes.Load())
		}
	})
}

func TestUnderNobodyNothingIsKept(t *testing.T) {
	world(t, func(p *place) {
		a := p.Login("alice@example.org/phone")
		a.Send("<presence type='unavailable'/>")
		time.Sleep(2 * time.Minute)
		a.Send("<presence/>")
		time.Sleep(2 * time.Minute)
		choose(t, a, nobody)
		none := func(when string) {
			t.Helper()
			for _, b := range []*store.Bucket{p.last.seen, p.last.here} {
				if kept, err := b.Scan(context.Background(), alice.String(), store.Range{}); err != nil || len(kept) > 0 {
					t.Errorf("%s: %s holds %v, %v", when, b.Space.Name, kept, err)
				}
			}
		}
		none("when it was chosen")
		a.Send("<presence type='unavailable'/>")
		time.Sleep(2 * time.Minute)
		a.Got()
		none("later")
		is(t, "nothing is known", ask(a, "alice@example.org"), "<item-not-found ")
	})
}

func TestAStopAndACrashAreSurvived(t *testing.T) {
	kv := newStore()
	worldOn(t, kv, func(p *place) {
		a := p.Login("alice@example.org/phone")
		a.Send("<presence type='unavailable'><status>Bye</status></presence>")
		a.Got()
		p.last.Flush()
	})
	worldOn(t, kv, func(p *place) {
		time.Sleep(10 * time.Minute)
		is(t, "after a stop", ask(p.Login("bob@example.org/desk"), "alice@example.org"), "seconds='600'>Bye<")
		p.Login("alice@example.org/phone")
		time.Sleep(31 * time.Minute)
		// what Flush would write at the end is not written: the server is killed
	})
	worldOn(t, kv, func(p *place) {
		time.Sleep(51 * time.Minute) // a bubble's clock begins anew: ten minutes after the kill
		got := ask(p.Login("bob@example.org/desk"), "alice@example.org")
		if !strings.Contains(got, "seconds='600'") && !strings.Contains(got, "seconds='660'") && !strings.Contains(got, "seconds='720'") &&
			!strings.Contains(got, "seconds='780'") && !strings.Contains(got, "seconds='840'") && !strings.Contains(got, "seconds='900'") {
			t.Errorf("after a crash: %s", got)
		}
	})
}

func TestTheServerTellsHowLongItRuns(t *testing.T) {
	world(t, func(p *place) {
		time.Sleep(75 * time.Second)
		is(t, "uptime", ask(p.Login("carol@example.org/desk"), "example.org"), "<query xmlns='jabber:iq:last' seconds='75'></query>")
	})
}

func TestAStatusIsCutBetweenCharacters(t *testing.T) {
	world(t, func(p *place) {
		a := p.Login("alice@example.org/phone")
		a.Send("<presence type='unavailable'><status>x" + strings.Repeat("é", maxStatus) + "</status></presence>")
		is(t, "a long one", ask(a, "alice@example.org"), "'>x"+strings.Repeat("é", maxStatus/2-1)+"</query>")
	})
}

func TestARemovedAccountLeavesNothing(t *testing.T) {
	world(t, func(p *place) {
		a := p.Login("alice@example.org/phone")
		a.Session.Close(nil)
		a.Got()
		p.Absent = append(p.Absent, "alice")
		p.last.forget(alice)
		p.last.Flush()
		if kept, _ := p.last.seen.Scan(context.Background(), alice.String(), store.Range{}); len(kept) > 0 {
			t.Errorf("left: %v", kept)
		}
	})
}
