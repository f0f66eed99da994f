package blocking

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/people"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
)

// place is a world with people and block lists in it.
type place struct {
	*coretest.World
	blocking *Blocking
	people   *people.People
}

func world(t *testing.T, f func(p *place)) { worldOn(t, memory.New(), f) }

func worldOn(t *testing.T, kv store.KV, f func(p *place)) {
	t.Helper()
	p := &place{}
	coretest.Run(t, func(w *coretest.World) {
		p.World = w
		w.Absent = []string{"nobody"}
		p.people = people.New(w.Router, kv, slog.New(slog.DiscardHandler))
		p.people.Register(w.Host)
		p.blocking = New(w.Router, kv, p.people)
		p.blocking.Register(w.Host)
		w.Host.Keep = append(w.Host.Keep, func(t *core.Transit) { t.Keep(core.Owner{JID: t.Head.To.Bare()}) })
		w.Host.IQ(core.Account, "urn:example:card", "card", func(*core.Query) ([]byte, error) { return nil, nil })
		if err := p.blocking.Load(context.Background()); err != nil {
			t.Fatal(err)
		}
	}, func(w *coretest.World) {
		f(p)
		w.Router.Directory().Each(func(s *core.Session) { s.Close(nil) })
		p.people.Wait()
	})
}

func (p *place) befriend() {
	p.T.Helper()
	if err := p.people.Befriend(context.Background(), alice, bob); err != nil {
		p.T.Fatal(err)
	}
}

// online logs in without dropping what comes.
func (p *place) online(full string) *coretest.Client {
	p.T.Helper()
	c := p.Bind(full)
	c.Send("<presence/>")
	return c
}

func block(c *coretest.Client, addresses ...string) string {
	c.Send("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'>" + items(addresses) + "</block></iq>")
	return c.Got()
}

func unblock(c *coretest.Client, addresses ...string) string {
	c.Send("<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'>" + items(addresses) + "</unblock></iq>")
	return c.Got()
}

func items(addresses []string) string {
	var b strings.Builder
	for _, a := range addresses {
		fmt.Fprintf(&b, "<item jid='%s'/>", a)
	}
	return b.String()
}

func has(t *testing.T, what, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("%s: %q is not in %q", what, part, got)
		}
	}
}

func none(t *testing.T, what, got string) {
	t.Helper()
	if got != "" {
		t.Errorf("%s: %s", what, got)
	}
}

func TestAddressesMatchFromTheResourceToTheDomain(t *testing.T) {
	l, _ := list(nil).with([]jid.JID{
		jid.MustParse("a@x.example/r"), jid.MustParse("b@x.example"), jid.MustParse("y.example/r"), jid.MustParse("z.example"),
	})
	for address, want := range map[string]bool{
		"a@x.example/r": true, "a@x.example/s": false, "a@x.example": false,
		"b@x.example": true, "b@x.example/any": true, "c@x.example": false, "x.example": false,
		"y.example/r": true, "y.example": false, "y.example/s": false, "u@y.example/r": false,
		"z.example": true, "u@z.example": true, "u@z.example/r": true, "z.example/r": true, "sub.z.example": false,
	} {
		if got := l.match(jid.MustParse(address)); got != want {
			t.Errorf("%s is blocked: %v", address, got)
		}
	}
	if l.match(jid.JID{}) {
		t.Error("no address is blocked")
	}
}

func TestABlockedSenderHearsWhatOneHearsOfNobody(t *testing.T) {
	world(t, func(p *place) {
		a, b := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk")
		block(a, "bob@example.org")
		for _, stanza := range []string{
			"<message to='%s' type='chat' id='1'><body>hello</body></message>",
			"<message to='%s/phone' type='chat' id='2'><body>hello</body></message>",
			"<message to='%s' id='3'><body>hello</body></message>",
			"<message to='%s' type='groupchat' id='4'><body>hello</body></message>",
			"<message to='%s' type='headline' id='5'><body>hello</body></message>",
			"<message to='%s' type='error' id='6'/>",
			"<iq to='%s' type='get' id='7'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
			"<iq to='%s' type='get' id='7b'><card xmlns='urn:example:card'/></iq>",
			"<iq to='%s/phone' type='get' id='8'><query xmlns='jabber:iq:version'/></iq>",
			"<iq to='%s/gone' type='set' id='9'><query xmlns='jabber:iq:version'/></iq>",
			"<iq to='%s/phone' type='result' id='10'/>",
			"<iq to='%s' type='get' id='11'><blocklist xmlns='urn:xmpp:blocking'/></iq>",
			"<presence to='%s' id='12'/>",
			"<presence to='%s/phone' id='13'/>",
			"<presence to='%s' type='unavailable' id='14'/>",
		} {
			b.Send(fmt.Sprintf(stanza, "nobody@example.org"))
			want := strings.ReplaceAll(b.Got(), "nobody@", "alice@")
			b.Send(fmt.Sprintf(stanza, "alice@example.org"))
			if got := b.Got(); got != want {
				t.Errorf("%s\nblocked: %s\nnobody:  %s", stanza, got, want)
			}
			none(t, "the one who blocked was sent", a.Got())
		}
	})
}

func TestOnesOwnStanzasToABlockedAddressComeBack(t *testing.T) {
	world(t, func(p *place) {
		a, b := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk")
		block(a, "bob@example.org")
		for _, stanza := range []string{
			"<message to='bob@example.org' type='chat'><body>hello</body></message>",
			"<iq to='bob@example.org' type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
			"<iq to='bob@example.org/desk' type='get' id='2'><query xmlns='jabber:iq:version'/></iq>",
			"<presence to='bob@example.org/desk'/>",
			"<presence to='bob@example.org' type='subscribe'/>",
			"<presence to='bob@example.org' type='probe'/>",
		} {
			a.Send(stanza)
			has(t, stanza, a.Got(), "<not-acceptable ", "<blocked xmlns='urn:xmpp:blocking:errors'/>")
			none(t, "the blocked one was sent", b.Got())
		}
	})
}

func TestOnesOwnAccountAndServerAreNeverBlocked(t *testing.T) {
	world(t, func(p *place) {
		a, other := p.Login("alice@example.org/phone"), p.Login("alice@example.org/laptop")
		has(t, "oneself", block(a, "alice@example.org/laptop"), "<not-allowed ")
		a.Send("<presence to='alice@example.org/laptop'/>")
		other.Got()
		has(t, "the domain", block(a, "example.org"), "type='result'")
		none(t, "hidden from oneself", other.Got())
		a.Send("<message to='alice@example.org/laptop' type='chat'><body>hello</body></message>")
		has(t, "between devices", other.Got(), "hello")
		a.Send("<iq to='example.org' type='get' id='1'><query xmlns='urn:example:unknown'/></iq>")
		has(t, "the server", a.Got(), "from='example.org'", "<service-unavailable ")
		if !p.blocking.Blocks(alice, bob) {
			t.Error("others of the domain are not blocked")
		}
	})
}

func TestABlockShowsUnavailableBothWaysAndItsEndShowsAgain(t *testing.T) {
	world(t, func(p *place) {
		p.befriend()
		a, a2, b := p.online("alice@example.org/phone"), p.online("alice@example.org/laptop"), p.online("bob@example.org/desk")
		a.Got()
		a2.Got()
		b.Got()
		has(t, "the one who blocks", block(a, "bob@example.org"), "from='bob@example.org/desk' type='unavailable'")
		got := b.Got()
		has(t, "the blocked", got, "from='alice@example.org/phone' type='unavailable'", "from='alice@example.org/laptop' type='unavailable'")
		if n := strings.Count(got, "<presence"); n != 2 {
			t.Errorf("the blocked was sent %d presences: %s", n, got)
		}
		a2.Got()
		a.Send("<presence><status>here</status></presence>")
		none(t, "a broadcast reached the blocked", b.Got())
		a.Got()
		a2.Got()
		b.Send("<presence><status>there</status></presence>")
		none(t, "a blocked broadcast arrived", a.Got())
		b.Got()

		has(t, "the one who unblocks", unblock(a, "bob@example.org"), "<status>there</status>")
		has(t, "the unblocked", b.Got(), "from='alice@example.org/phone'", "<status>here</status>", "from='alice@example.org/laptop'")
	})
}

func TestDirectedPresenceEndsWithABlock(t *testing.T) {
	world(t, func(p *place) {
		a, b := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk")
		a.Send("<presence to='bob@example.org/desk'/>")
		has(t, "directed", b.Got(), "from='alice@example.org/phone'")
		block(a, "bob@example.org")
		has(t, "the block", b.Got(), "from='alice@example.org/phone' type='unavailable'")
		a.Session.Close(nil)
		none(t, "told twice", b.Got())
	})
}

func TestAProbeByOneWhoIsBlockedFindsNobody(t *testing.T) {
	world(t, func(p *place) {
		p.befriend()
		a, b := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk")
		b.Got()
		a.Send("<presence type='unavailable'/>")
		b.Got()
		b.Send("<presence type='probe' to='alice@example.org'/>")
		offline := b.Got()
		has(t, "offline", offline, "type='unavailable'")
		a.Send("<presence/>")
		block(a, "bob@example.org")
		b.Got()
		b.Send("<presence type='probe' to='alice@example.org'/>")
		if got := b.Got(); got != offline {
			t.Errorf("blocked: %s\noffline: %s", got, offline)
		}
		// not even when he is removed meanwhile
		a.Send("<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='bob@example.org' subscription='remove'/></query></iq>")
		none(t, "removed", b.Got())
		b.Send("<presence type='probe' to='alice@example.org'/>")
		if got := b.Got(); got != offline {
			t.Errorf("removed: %s\noffline: %s", got, offline)
		}
	})
}

func TestOneWhoIsBlockedComesOnlineToNobody(t *testing.T) {
	world(t, func(p *place) {
		p.befriend()
		a := p.Login("alice@example.org/phone")
		block(a, "bob@example.org")
		b := p.online("bob@example.org/desk")
		if got := b.Got(); strings.Contains(got, "alice@") {
			t.Errorf("at login the blocked sees %s", got)
		}
		none(t, "his coming was shown", a.Got())
		b.Session.Close(nil)
		none(t, "his going was shown", a.Got())
	})
}

func TestABlockedRequestForASubscriptionIsNeitherShownNorAnswered(t *testing.T) {
	world(t, func(p *place) {
		a, b := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk")
		block(a, "bob@example.org")
		b.Send("<presence type='subscribe' to='alice@example.org'/>")
		none(t, "shown", a.Got())
		none(t, "answered", b.Got())
		b.Send("<presence type='subscribe' to='nobody@example.org'/>")
		none(t, "nobody's", b.Got())
		a.Send("<presence type='unavailable'/><presence/>")
		if got := p.online("alice@example.org/laptop").Got(); strings.Contains(got, "subscribe") {
			t.Errorf("shown later: %s", got)
		}
	})
}

func TestARequestFromBeforeTheBlockIsNotShownAgain(t *testing.T) {
	world(t, func(p *place) {
		a, b := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk")
		b.Send("<presence type='subscribe' to='alice@example.org'/>")
		has(t, "before", a.Got(), "type='subscribe'")
		block(a, "bob@example.org")
		if got := p.online("alice@example.org/laptop").Got(); strings.Contains(got, "subscribe") {
			t.Errorf("shown: %s", got)
		}
		unblock(a)
		has(t, "after", p.online("alice@example.org/watch").Got(), "type='subscribe'")
	})
}

func TestASubscriptionEndedDuringABlockEndsForBothWithIt(t *testing.T) {
	for _, who := range []string{"the one who blocked", "the blocked"} {
		world(t, func(p *place) {
			p.befriend()
			a, b := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk")
			block(a, "bob@example.org")
			b.Got()
			remove := "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='%s' subscription='remove'/></query></iq>"
			if who == "the blocked" {
				b.Send(fmt.Sprintf(remove, "alice@example.org"))
				none(t, "the one who blocked was told", a.Got())
			} else {
				a.Send(fmt.Sprintf(remove, "bob@example.org"))
				none(t, "the blocked was told", b.Got())
			}
			unblock(a, "bob@example.org")
			if p.people.Subscribed(alice, bob) || p.people.Subscribed(bob, alice) {
				t.Errorf("%s ended it, and it goes on", who)
			}
			for _, side := range [][2]jid.JID{{alice, bob}, {bob, alice}} {
				if i, ok := p.people.Contact(side[0], side[1]); ok && i.State != people.None {
					t.Errorf("%s ended it, and %s still has %v", who, side[0], i.State)
				}
			}
		})
	}
}

func TestABlockOfOneDeviceLeavesTheOthers(t *testing.T) {
	world(t, func(p *place) {
		p.befriend()
		a, desk, phone := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk"), p.Login("bob@example.org/phone")
		a.Got()
		desk.Got()
		block(a, "bob@example.org/desk")
		has(t, "the device", desk.Got(), "from='alice@example.org/phone' type='unavailable'")
		none(t, "the other device", phone.Got())
		desk.Send("<message to='alice@example.org' type='chat'><body>no</body></message>")
		has(t, "the device", desk.Got(), "<service-unavailable ")
		phone.Send("<message to='alice@example.org' type='chat'><body>yes</body></message>")
		has(t, "the other device's", a.Got(), "<body>yes</body>")
	})
}

func TestPushesGoToTheDevicesThatAskedForTheList(t *testing.T) {
	world(t, func(p *place) {
		asked, other := p.Login("alice@example.org/phone"), p.Login("alice@example.org/laptop")
		asked.Got()
		asked.Send("<iq type='get' id='g'><blocklist xmlns='urn:xmpp:blocking'/></iq>")
		has(t, "an empty list", asked.Got(), "<blocklist xmlns='urn:xmpp:blocking'></blocklist>")
		block(other, "z@example.net", "a@example.net/&lt;x>")
		has(t, "a push", asked.Got(), "<iq xmlns='jabber:client' to='alice@example.org/phone'", "type='set'",
			"<block xmlns='urn:xmpp:blocking'><item jid='z@example.net'/><item jid='a@example.net/&lt;x&gt;'/></block>")
		asked.Send("<iq type='get' id='g'><blocklist xmlns='urn:xmpp:blocking'/></iq>")
		has(t, "the list", asked.Got(), "<item jid='a@example.net/&lt;x&gt;'/><item jid='z@example.net'/>")
		has(t, "one who did not ask", unblock(other), "type='result'")
		has(t, "a push", asked.Got(), "<unblock xmlns='urn:xmpp:blocking'></unblock>")
		if p.blocking.of(alice) != nil {
			t.Error("the list is not empty")
		}
	})
}

func TestCommandsThatMakeNoSenseAreRefused(t *testing.T) {
	world(t, func(p *place) {
		a := p.Login("alice@example.org/phone")
		has(t, "nobody", block(a), "<bad-request ")
		has(t, "no address", block(a, ""), "<jid-malformed ")
		has(t, "a wrong address", block(a, "a@"), "<jid-malformed ")
		a.Send("<iq type='get' id='1'><block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block></iq>")
		has(t, "a get", a.Got(), "<bad-request ")
		a.Send("<iq type='set' id='1' to='bob@example.org'><block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block></iq>")
		has(t, "another's list", a.Got(), "<service-unavailable ")
		var got string
		p.blocking.OnReport = func(_ context.Context, owner, about jid.JID, report xtok.Elem) {
			got = owner.String() + " " + about.String() + " " + report.Attr("reason") + fmt.Sprint(p.blocking.Blocks(owner, about))
		}
		// XEP-0377#blocking
		a.Send("<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'><item jid='bob@example.org'>" +
			"<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'/></item></block></iq>")
		has(t, "a report", a.Got(), "type='result'")
		if !p.blocking.Blocks(alice, bob) || got != "alice@example.org bob@example.org urn:xmpp:reporting:spamtrue" {
			t.Error("a block with a report did nothing, or the report came to nobody:", got)
		}
	})
}

func TestAListIsBounded(t *testing.T) {
	world(t, func(p *place) {
		a := p.Login("alice@example.org/phone")
		many := make([]string, maxItems)
		for i := range many {
			many[i] = fmt.Sprintf("u%d@example.net", i)
		}
		has(t, "a full list", block(a, many...), "type='result'")
		has(t, "one more", block(a, "more@example.net"), "<resource-constraint ")
		has(t, "one again", block(a, many[0]), "type='result'")
		unblock(a)
		long := strings.Repeat("x", 1000)
		for i := range many[:2000] {
			many[i] = fmt.Sprintf("u%d@example.net/%s", i, long)
		}
		has(t, "long addresses", block(a, many[:2000]...), "<resource-constraint ")
	})
}

func TestABlockIsInForceAfterARestart(t *testing.T) {
	kv := again{memory.New(), map[string]*store.Bucket{}}
	worldOn(t, kv, func(p *place) { block(p.Login("alice@example.org/phone"), "bob@example.org", "x.example") })
	worldOn(t, kv, func(p *place) {
		b := p.Login("bob@example.org/desk")
		b.Send("<message to='alice@example.org' type='chat'><body>hello</body></message>")
		has(t, "after a restart", b.Got(), "<service-unavailable ")
		has(t, "the end", unblock(p.Login("alice@example.org/phone"), "bob@example.org"), "type='result'")
	})
	worldOn(t, kv, func(p *place) {
		if p.blocking.Blocks(alice, bob) || !p.blocking.Blocks(alice, jid.MustParse("u@x.example")) {
			t.Error("an end of a block did not outlive a restart, or ended too much")
		}
	})
}

// again is a store that several servers open, one after the other: what was
// declared may be declared once more.
type again struct {
	store.KV
	known map[string]*store.Bucket
}

func (a again) Declare(s store.Space) *store.Bucket {
	if a.known[s.Name] == nil {
		a.known[s.Name] = a.KV.Declare(s)
	}
	return a.known[s.Name]
}

// broken is a store on which nothing can be written.
type broken struct{ store.KV }

func (broken) Apply(context.Context, string, ...store.Op) error { return errors.New("disk full") }

func TestABlockThatCannotBeKeptIsNotAcknowledged(t *testing.T) {
	worldOn(t, broken{memory.New()}, func(p *place) {
		has(t, "a full disk", block(p.Login("alice@example.org/phone"), "bob@example.org"), "<internal-server-error ")
		if p.blocking.Blocks(alice, bob) {
			t.Error("in force, and gone after a restart")
		}
	})
}

func TestInvitationsByTheBlockedOrIntoBlockedRoomsGoNowhere(t *testing.T) {
	mediated := "<message to='alice@example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='%s'/></x></message>"
	direct := "<message to='alice@example.org'><x xmlns='jabber:x:conference' jid='%s'/></message>"
	world(t, func(p *place) {
		a, c := p.Login("alice@example.org/phone"), p.Login("carol@example.org/desk")
		block(a, "bob@example.org", "room@rooms.example", "other@rooms.example/nick")
		for _, stanza := range []string{
			fmt.Sprintf(mediated, "bob@example.org/desk"), fmt.Sprintf(mediated, "other@rooms.example/nick"),
			fmt.Sprintf(direct, "room@rooms.example"),
		} {
			c.Send(stanza)
			none(t, "invited", a.Got())
			none(t, "the messenger was told", c.Got())
		}
		for _, stanza := range []string{
			fmt.Sprintf(mediated, "dave@example.org"), fmt.Sprintf(mediated, "other@rooms.example/nicky"), fmt.Sprintf(direct, "other@rooms.example"),
		} {
			c.Send(stanza)
			has(t, stanza, a.Got(), "<x ")
		}
	})
}

func TestARequestByABlockedDeviceGoesNowhere(t *testing.T) {
	world(t, func(p *place) {
		a, b := p.Login("alice@example.org/phone"), p.Login("bob@example.org/desk")
		block(a, "bob@example.org/desk")
		b.Send("<presence type='subscribe' to='alice@example.org'/>")
		none(t, "shown", a.Got())
	})
}

func TestSessionsKnowWhetherTheirAccountHasBlockedAnybody(t *testing.T) {
	world(t, func(p *place) {
		first := p.Login("alice@example.org/a")
		want := func(when string, is bool, all ...*coretest.Client) {
			t.Helper()
			for _, c := range all {
				if c.Session.Flag(core.Blocks) != is {
					t.Errorf("%s: %s believes %v", when, c.Session.JID, !is)
				}
			}
		}
		want("before", false, first)
		block(first, "den@conference.example.org/mallory")
		second, other := p.Login("alice@example.org/b"), p.Login("bob@example.org/b")
		want("blocked", true, first, second)
		want("somebody else", false, other)
		unblock(second, "den@conference.example.org/mallory")
		want("after", false, first, second)
	})
}

func TestOneCanLeaveARoomThatOneHasBlocked(t *testing.T) {
	world(t, func(p *place) {
		left := 0
		p.Host.Site(jid.MustParse("conference.example.org")).Presence = func(*core.Transit) error { left++; return nil }
		a := p.Login("alice@example.org/a")
		block(a, "den@conference.example.org")
		a.Send("<presence to='den@conference.example.org/alice'/>")
		if got := a.Got(); left != 0 || !strings.Contains(got, "<not-acceptable") {
			t.Errorf("entered %d times, and was sent %s", left, got)
		}
		a.Send("<presence type='unavailable' to='den@conference.example.org/alice'/>")
		if got := a.Got(); left != 1 || got != "" {
			t.Errorf("left %d times, and was sent %s", left, got)
		}
	})
}
