package people

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
	carol = jid.MustParse("carol@example.org")
)

// world runs f in a world with people in it.
func world(t *testing.T, f func(w *coretest.World, p *People)) {
	t.Helper()
	worldOn(t, memory.New(), f)
}

func worldOn(t *testing.T, kv store.KV, f func(w *coretest.World, p *People)) {
	t.Helper()
	var p *People
	coretest.Run(t, func(w *coretest.World) {
		p = New(w.Router, kv, slog.New(slog.DiscardHandler))
		p.Register(w.Host)
	}, func(w *coretest.World) {
		f(w, p)
		w.Router.Directory().Each(func(s *core.Session) { s.Close(nil) })
		p.Wait()
	})
}

// online logs in and asks for the roster.
func online(w *coretest.World, full string) *coretest.Client {
	c := w.Bind(full)
	c.Send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
	c.Send("<presence/>")
	c.Got()
	return c
}

func befriend(t *testing.T, p *People, a, b jid.JID) {
	t.Helper()
	if err := p.Befriend(context.Background(), a, b); err != nil {
		t.Fatal(err)
	}
}

// expect checks that a client was sent each of the parts, in this order.
func expect(t *testing.T, who string, got string, parts ...string) {
	t.Helper()
	rest := got
	for _, part := range parts {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Errorf("%s was not sent %q, in its place, in:\n%.3000s", who, part, got)
			return
		}
		rest = after
	}
}

func silent(t *testing.T, who, got string) {
	t.Helper()
	if got != "" {
		t.Errorf("%s was sent %s", who, got)
	}
}

func TestASubscriptionIsAskedApprovedAndSeenByBoth(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a, b := online(w, "alice@example.org/phone"), online(w, "bob@example.org/desk")
		a.Send("<presence to='bob@example.org/x' type='subscribe' id='s1'><status>hi</status></presence>")
		expect(t, "alice", a.Got(), "<item jid='bob@example.org' ask='subscribe' subscription='none'/>")
		expect(t, "bob", b.Got(), "<presence xmlns='jabber:client' from='alice@example.org' to='bob@example.org' id='s1' type='subscribe'>", "hi")
		b.Send("<presence to='alice@example.org' type='subscribed'/>")
		expect(t, "bob", b.Got(), "<item jid='alice@example.org' subscription='from'/>")
		expect(t, "alice", a.Got(), "type='subscribed'", "<item jid='bob@example.org' subscription='to'/>",
			"to='alice@example.org' xmlns='jabber:client' from='bob@example.org/desk'>")
		if !p.Subscribed(bob, alice) || p.Subscribed(alice, bob) {
			t.Error("the subscription goes the wrong way")
		}
		b.Send("<presence to='alice@example.org' type='unsubscribed'/>")
		expect(t, "alice", a.Got(), "type='unsubscribed'", "subscription='none'", "from='bob@example.org/desk' type='unavailable'")
	})
}

func TestARequestIsShownAgainWithAllItCarriedUntilItIsAnswered(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a := online(w, "alice@example.org/phone")
		a.Send("<presence to='bob@example.org' type='subscribe'><preauth xmlns='urn:xmpp:pars:0' token='1tMFqYDdKhfe2pwp'/></presence>")
		for range 2 {
			b := w.Bind("bob@example.org/desk")
			b.Send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
			if got := b.Got(); strings.Contains(got, "alice") {
				t.Errorf("a stranger is in the roster: %s", got)
			}
			b.Send("<presence/>")
			expect(t, "bob", b.Got(), "type='subscribe'>", "1tMFqYDdKhfe2pwp")
			b.Session.Close(nil)
		}
		b := online(w, "bob@example.org/desk")
		b.Send("<presence to='alice@example.org' type='unsubscribed'/>")
		expect(t, "alice", a.Got(), "type='unsubscribed'")
		b.Session.Close(nil)
		b = w.Bind("bob@example.org/desk")
		b.Send("<presence/>")
		if got := b.Got(); strings.Contains(got, "subscribe") {
			t.Errorf("an answered request is shown again: %s", got)
		}
	})
}

func TestAnApprovalBeforehandAnswersTheRequest(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a, b := online(w, "alice@example.org/phone"), online(w, "bob@example.org/desk")
		a.Send("<presence to='bob@example.org' type='subscribed'/>")
		expect(t, "alice", a.Got(), "<item jid='bob@example.org' approved='true' subscription='none'/>")
		silent(t, "bob", b.Got())
		b.Send("<presence to='alice@example.org' type='subscribe'/>")
		expect(t, "bob", b.Got(), "ask='subscribe'", "type='subscribed'", "subscription='to'", "from='alice@example.org/phone'")
		got := a.Got()
		expect(t, "alice", got, "<item jid='bob@example.org' subscription='from'/>")
		if strings.Contains(got, "type='subscribe'") {
			t.Errorf("alice was asked although she had approved: %s", got)
		}
	})
}

func TestPresenceGoesToSubscribersAndOwnSessionsOnly(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		befriend(t, p, alice, bob)
		b, c := online(w, "bob@example.org/desk"), online(w, "carol@example.org/x")
		tablet := online(w, "alice@example.org/tablet")
		b.Got()
		a := w.Bind("alice@example.org/phone")
		a.Send("<presence><show>away</show><priority>-3</priority></presence>")
		expect(t, "alice", a.Got(), "from='alice@example.org/phone'", "from='alice@example.org/tablet'", "from='bob@example.org/desk'")
		expect(t, "tablet", tablet.Got(), "from='alice@example.org/phone'", "away")
		expect(t, "bob", b.Got(), "<presence to='bob@example.org'", "from='alice@example.org/phone'", "away")
		silent(t, "carol", c.Got())
		if pr := a.Session.Presence(); pr == nil || pr.Priority != -3 {
			t.Errorf("presence %+v", pr)
		}
		a.Session.Close(nil)
		expect(t, "bob", b.Got(), "from='alice@example.org/phone' type='unavailable'")
		expect(t, "tablet", tablet.Got(), "type='unavailable'")
		silent(t, "carol", c.Got())
	})
}

func TestUnavailableIsToldOnceAndTheSessionMayComeBack(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		befriend(t, p, alice, bob)
		a, b := online(w, "alice@example.org/phone"), online(w, "bob@example.org/desk")
		a.Send("<presence type='unavailable'><status>bye</status></presence>")
		expect(t, "bob", b.Got(), "type='unavailable'", "bye")
		a.Send("<presence/>")
		expect(t, "bob", b.Got(), "from='alice@example.org/phone'")
		a.Send("<presence type='unavailable'/>")
		b.Got()
		a.Session.Close(nil)
		silent(t, "bob", b.Got())
	})
}

func TestDirectedPresenceEndsWithTheSession(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a, c := online(w, "alice@example.org/phone"), online(w, "carol@example.org/x")
		a.Send("<presence to='carol@example.org'><status>only you</status></presence>")
		expect(t, "carol", c.Got(), "to='carol@example.org'", "only you")
		a.Send("<presence><show>dnd</show></presence>")
		silent(t, "carol", c.Got())
		a.Session.Close(nil)
		expect(t, "carol", c.Got(), "type='unavailable'")
	})
}

func TestDirectedPresenceIsBounded(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a := online(w, "alice@example.org/phone")
		for i := range maxDirected {
			a.Send(fmt.Sprintf("<presence to='u%d@example.org'/>", i))
		}
		silent(t, "alice", a.Got())
		a.Send("<presence to='more@example.org'/>")
		expect(t, "alice", a.Got(), "resource-constraint")
		a.Send("<presence to='u1@example.org' type='unavailable'/>")
		a.Send("<presence to='more@example.org'/>")
		silent(t, "alice", a.Got())
	})
}

func TestAReplacedSessionDoesNotTakeItsSuccessorOffline(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		befriend(t, p, alice, bob)
		b := online(w, "bob@example.org/desk")
		online(w, "alice@example.org/phone")
		b.Got()
		again := w.Bind("alice@example.org/phone")
		again.Send("<presence/>")
		got := b.Got()
		if i := strings.LastIndex(got, "type='unavailable'"); i > strings.LastIndex(got, "from='alice@example.org/phone'>") {
			t.Errorf("bob was told last that alice is gone: %s", got)
		}
	})
}

func TestPresenceOfASessionThatHasEndedIsNotTold(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		befriend(t, p, alice, bob)
		b := online(w, "bob@example.org/desk")
		a := w.Bind("alice@example.org/phone")
		a.Session.Close(nil)
		for _, to := range []string{"", "carol@example.org"} {
			h := stanza.Head{Kind: stanza.Presence, From: a.Session.JID}
			e, err := stanza.New(h, nil).Elem()
			if err != nil {
				t.Fatal(err)
			}
			if to != "" {
				h.To = jid.MustParse(to)
			}
			if err := p.presence(&core.Transit{Head: h, Elem: e, Session: a.Session}); err != nil {
				t.Error(err)
			}
		}
		if a.Session.Presence() != nil || p.hasDirected(a.Session) {
			t.Error("something is remembered of it")
		}
		silent(t, "bob", b.Got())
	})
}

func TestProbesTellStrangersNothing(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		w.Absent = []string{"nobody"}
		befriend(t, p, alice, bob)
		online(w, "alice@example.org/phone")
		b, c := online(w, "bob@example.org/desk"), online(w, "carol@example.org/x")
		b.Send("<presence type='probe' to='alice@example.org'/>")
		expect(t, "bob", b.Got(), "from='alice@example.org/phone'")
		b.Send("<presence type='probe' to='alice@example.org/gone'/>")
		expect(t, "bob", b.Got(), "from='alice@example.org/gone' to='bob@example.org' type='unavailable'")
		for _, to := range []string{"alice@example.org", "alice@example.org/phone", "nobody@example.org"} {
			c.Send("<presence type='probe' to='" + to + "'/>")
			silent(t, "carol", c.Got())
			c.Send("<presence to='" + to + "' type='unsubscribed'/>")
			silent(t, "carol", c.Got())
		}
	})
}

func TestAProbeMendsARosterThatShowsASubscriptionThatIsNone(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		befriend(t, p, alice, bob)
		if _, err := p.edit(context.Background(), alice, bob, func(i *Item) ([]store.Op, error) {
			i.State = None
			return nil, nil
		}); err != nil {
			t.Fatal(err)
		}
		b := online(w, "bob@example.org/desk")
		b.Send("<presence type='probe' to='alice@example.org'/>")
		expect(t, "bob", b.Got(), "type='unsubscribed'", "subscription='from'")
	})
}

func TestAskingOneWhoDoesNotExistLooksLikeAskingOneWhoIsSilent(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		w.Absent = []string{"nobody"}
		a := online(w, "alice@example.org/phone")
		var got [2]string
		for i, name := range []string{"nobody", "silent"} {
			a.Send("<presence to='" + name + "@example.org' type='subscribe'/>")
			s := a.Got()
			s = s[strings.Index(s, "<item"):]
			got[i] = strings.ReplaceAll(s, name, "X")
		}
		if got[0] != got[1] {
			t.Errorf("nobody: %s\nsilent: %s", got[0], got[1])
		}
	})
}

func TestPresenceThatCannotBeIsRefused(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a := online(w, "alice@example.org/phone")
		for sent, want := range map[string]string{
			"<presence><priority>128</priority></presence>":         "bad-request",
			"<presence><priority>one</priority></presence>":         "bad-request",
			"<presence to='x@elsewhere.example'/>":                  "remote-server-not-found",
			"<presence to='x@elsewhere.example' type='subscribe'/>": "remote-server-not-found",
			"<presence to='alice@example.org' type='subscribe'/>":   "not-allowed",
			"<presence type='subscribe'/>":                          "bad-request",
			"<presence type='probe'/>":                              "bad-request",
			"<presence to='bob@example.org' type='subscribe'><x xmlns='urn:x'>" + strings.Repeat("x", maxRequest) + "</x></presence>": "not-acceptable",
		} {
			a.Send(sent)
			expect(t, "alice", a.Got(), "type='error'", want)
		}
		if p.Contacts(alice) != nil && len(p.Contacts(alice)) > 0 {
			t.Errorf("something refused left contacts: %v", p.Contacts(alice))
		}
	})
}

func TestARemovedAccountLeavesEveryRoster(t *testing.T) {
	kv := memory.New()
	worldOn(t, kv, func(w *coretest.World, p *People) {
		befriend(t, p, alice, bob)
		a, c := online(w, "alice@example.org/phone"), online(w, "carol@example.org/x")
		c.Send("<presence to='bob@example.org' type='subscribed'/>")
		c.Got()
		if err := kv.RemoveOwner(context.Background(), bob.String()); err != nil {
			t.Fatal(err)
		}
		p.accountGone(bob)
		expect(t, "alice", a.Got(), "type='unsubscribe'", "type='unsubscribed'", "<item jid='bob@example.org' subscription='remove'/>", "from='bob@example.org' to='alice@example.org' type='unavailable'")
		expect(t, "carol", c.Got(), "<item jid='bob@example.org' subscription='remove'/>")
		for _, one := range []*coretest.Client{a, c} {
			one.Send("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")
			if got := one.Got(); strings.Contains(got, "bob@") || !strings.Contains(got, "type='result'") {
				t.Error("a ghost:", got)
			}
		}
		if p.Subscribed(bob, alice) || p.Subscribed(alice, bob) {
			t.Error("a subscription outlived the account")
		}
	})
}

func TestManyContactsAndRequestsAllArriveAtOneWhoComesOnline(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		const many = 2*arrivalStep + 5
		for i := range many {
			friend := jid.MustParse(fmt.Sprintf("friend%d@example.org", i))
			befriend(t, p, alice, friend)
			w.Bind(friend.String() + "/x").Send("<presence/>")
			w.Bind(fmt.Sprintf("stranger%d@example.org/x", i)).Send("<presence to='alice@example.org' type='subscribe'/>")
		}
		a := w.Bind("alice@example.org/phone")
		a.Send("<presence/>")
		got := a.Got()
		if n := strings.Count(got, "from='friend"); n != many {
			t.Errorf("%d of %d contacts", n, many)
		}
		if n := strings.Count(got, "type='subscribe'"); n != many {
			t.Errorf("%d of %d requests", n, many)
		}
	})
}

func TestTextOfOthersStaysText(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a, b := online(w, "alice@example.org/phone"), online(w, "bob@example.org/'>")
		evil := "&apos;&gt;&lt;/item&gt;&lt;/query&gt;&lt;/iq&gt;&lt;message&gt;"
		a.Send(set("1", "<item jid='bob@example.org' name='"+evil+"'><group>"+evil+"</group></item>"))
		a.Send("<presence to='bob@example.org' type='subscribe'><status>" + evil + "</status></presence>")
		b.Send("<presence to='alice@example.org' type='subscribed' id='" + evil + "'><nick xmlns='http://jabber.org/protocol/nick'>" + evil + "</nick></presence>")
		for _, c := range []*coretest.Client{a, b} {
			got := c.Got()
			e, err := xtok.Parse([]byte("<all xmlns:stream='x'>"+got+"</all>"), xtok.Limits{})
			if err != nil || strings.Contains(got, "<message") || e.First().Local() == "" {
				t.Errorf("%v in %s", err, got)
			}
		}
	})
}

func TestAHookHearsOfTheFirstAvailablePresenceAndOfEachOne(t *testing.T) {
	var first, each int
	var p *People
	coretest.Run(t, func(w *coretest.World) {
		p = New(w.Router, memory.New(), slog.New(slog.DiscardHandler))
		p.Register(w.Host)
		p.OnAvailable = append(p.OnAvailable, func(*core.Session) { first++ })
		p.OnPresence = append(p.OnPresence, func(*core.Session, xtok.Elem, bool) { each++ })
	}, func(w *coretest.World) {
		a := w.Bind("alice@example.org/phone")
		a.Send("<presence/>")
		a.Send("<presence><show>away</show></presence>")
		a.Send("<presence to='bob@example.org'/>")
		a.Send("<presence type='unavailable'/>")
		a.Send("<presence/>")
		if first != 2 || each != 3 {
			t.Errorf("heard of %d beginnings and %d presences, want 2 and 3", first, each)
		}
	})
}
