package people

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

func set(id, item string) string {
	return "<iq type='set' id='" + id + "'><query xmlns='jabber:iq:roster'>" + item + "</query></iq>"
}

func TestARosterIsKeptAndPushedToInterestedSessions(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a, b := online(w, "alice@example.org/phone"), online(w, "alice@example.org/tablet")
		lurker := w.Login("alice@example.org/lurker")
		a.Got()
		b.Got()
		a.Send(set("1", "<item jid='bob@example.org' name='B &amp; b' subscription='both' ask='subscribe'><group>Friends</group><group>Work</group></item>"))
		want := "<item jid='bob@example.org' name='B &amp; b' subscription='none'><group>Friends</group><group>Work</group></item>"
		expect(t, "phone", a.Got(), want, "type='result'")
		expect(t, "tablet", b.Got(), want)
		silent(t, "lurker", lurker.Got())
		a.Send("<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>")
		expect(t, "phone", a.Got(), "id='2'", want)
		if g := p.Groups(alice, bob); len(g) != 2 {
			t.Errorf("groups %q", g)
		}
		a.Send(set("3", "<item jid='bob@example.org' subscription='remove'/>"))
		expect(t, "tablet", b.Got(), "<item jid='bob@example.org' subscription='remove'/>")
		expect(t, "phone", a.Got(), "remove", "id='3' type='result'")
		a.Send(set("4", "<item jid='bob@example.org' subscription='remove'/>"))
		expect(t, "phone", a.Got(), "item-not-found")
	})
}

func TestARosterIsSentOnlyWhenItsVersionChanged(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a := online(w, "alice@example.org/phone")
		a.Send(set("1", "<item jid='bob@example.org'/>"))
		_, rest, _ := strings.Cut(a.Got(), "ver='")
		ver, _, _ := strings.Cut(rest, "'")
		a.Send("<iq type='get' id='2'><query xmlns='jabber:iq:roster' ver='" + ver + "'/></iq>")
		if got := a.Got(); strings.Contains(got, "query") || !strings.Contains(got, "result") {
			t.Errorf("known version %q: %s", ver, got)
		}
		a.Send(set("3", "<item jid='carol@example.org'/>"))
		a.Got()
		a.Send("<iq type='get' id='4'><query xmlns='jabber:iq:roster' ver='" + ver + "'/></iq>")
		expect(t, "alice", a.Got(), "bob@example.org", "carol@example.org")
		a.Send("<iq type='get' id='5'><query xmlns='jabber:iq:roster' ver=''/></iq>")
		expect(t, "alice", a.Got(), "id='5'", "<query", "bob@example.org")
	})
}

func TestRosterSetsOverTheLimitsAreRefusedAndChangeNothing(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	var many strings.Builder
	for i := range maxGroups + 1 {
		fmt.Fprintf(&many, "<group>g%d</group>", i)
	}
	world(t, func(w *coretest.World, p *People) {
		a := online(w, "alice@example.org/phone")
		for item, want := range map[string]string{
			"": "bad-request",
			"<item jid='a@example.org'/><item jid='b@example.org'/>": "bad-request",
			"<item/>":                                                           "bad-request",
			"<item jid='@'/>":                                                   "bad-request",
			"<item jid='b@example.org/full'/>":                                  "bad-request",
			"<item jid='alice@example.org'/>":                                   "not-allowed",
			"<item jid='b@example.org' name='" + long + "'/>":                   "not-acceptable",
			"<item jid='b@example.org'><group/></item>":                         "not-acceptable",
			"<item jid='b@example.org'>" + many.String() + "</item>":            "not-acceptable",
			"<item jid='b@example.org'><group>" + long + "</group></item>":      "not-acceptable",
			"<item jid='b@example.org'><group>a</group><group>a</group></item>": "bad-request",
			"<item jid='b@example.org' subscription='remove'/>":                 "item-not-found",
		} {
			a.Send(set("x", item))
			expect(t, "alice", a.Got(), "type='error'", want)
		}
		if got := p.Contacts(alice); len(got) != 0 {
			t.Errorf("refused sets left %v", got)
		}
	})
}

func TestTheRosterOfAnotherIsAsIfHeWereNotThere(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		w.Absent = []string{"nobody"}
		befriend(t, p, alice, bob)
		a := online(w, "alice@example.org/phone")
		var got []string
		for _, who := range []string{"bob", "nobody"} {
			for _, kind := range []string{"get", "set"} {
				a.Send("<iq type='" + kind + "' id='1' to='" + who + "@example.org'><query xmlns='jabber:iq:roster'><item jid='x@example.org'/></query></iq>")
				got = append(got, strings.ReplaceAll(a.Got(), who, "X"))
			}
		}
		for _, g := range got {
			if g != got[0] || !strings.Contains(g, "service-unavailable") {
				t.Errorf("answers differ: %q", got)
			}
		}
	})
}

func TestRemovingAContactEndsWhatThereWasBothWays(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		befriend(t, p, alice, bob)
		a, b := online(w, "alice@example.org/phone"), online(w, "bob@example.org/desk")
		a.Got()
		a.Send(set("1", "<item jid='bob@example.org' subscription='remove'/>"))
		expect(t, "bob", b.Got(), "type='unsubscribe'", "subscription='to'", "type='unsubscribed'", "subscription='none'", "from='alice@example.org/phone' type='unavailable'")
		expect(t, "alice", a.Got(), "subscription='remove'", "from='bob@example.org/desk' type='unavailable'")
		if p.Subscribed(alice, bob) || p.Subscribed(bob, alice) {
			t.Error("still subscribed")
		}
	})
}

func TestARosterSurvivesTheServer(t *testing.T) {
	kv := memory.New()
	worldOn(t, kv, func(w *coretest.World, p *People) {
		befriend(t, p, alice, bob)
		// what the store holds is all that a new server has
		r, err := p.read(context.Background(), alice)
		if err != nil {
			t.Fatal(err)
		}
		if i := r.get(bob); i.State != Both || !i.Listed {
			t.Errorf("kept %+v", i)
		}
		cached, _ := p.load(context.Background(), alice)
		if r.ver != cached.ver || r.revision != cached.revision || r.size != cached.size {
			t.Error("memory and store differ")
		}
	})
}

func TestConcurrentEditsOfOneRosterAllStay(t *testing.T) {
	kv := memory.New()
	worldOn(t, kv, func(w *coretest.World, p *People) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := range 20 {
					if _, err := p.join(context.Background(), alice, jid.MustParse(fmt.Sprintf("c%d-%d@example.org", i, n)), ""); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		r, err := p.read(context.Background(), alice)
		if err != nil || len(r.items) != 160 {
			t.Errorf("%d items, %v", len(r.items), err)
		}
	})
}

func TestAnEditOnAStaleRosterIsDoneAgainOnTheFreshOne(t *testing.T) {
	kv := memory.New()
	worldOn(t, kv, func(w *coretest.World, p *People) {
		befriend(t, p, alice, bob)
		// another node changed the roster behind the cache's back
		fresh := &Item{JID: carol, State: To, Listed: true}
		value, _ := fresh.encode()
		if err := kv.Apply(context.Background(), alice.String(), p.roster.Set(carol.String(), value), p.state.Set(verKey, []byte("other x"))); err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.leave(context.Background(), alice, carol, subscribe); err != nil {
			t.Fatal(err)
		}
		if i := p.item(alice, carol); i.State != To {
			t.Errorf("built on the stale item: %+v", i)
		}
	})
}

func TestARosterIsFullAtItsLimitAndRequestsBeyondTheirsAreIgnored(t *testing.T) {
	kv := memory.New()
	worldOn(t, kv, func(w *coretest.World, p *People) {
		r, err := p.load(context.Background(), alice)
		if err != nil {
			t.Fatal(err)
		}
		for i := range maxItems {
			r.set(Item{JID: jid.MustParse(fmt.Sprintf("c%d@example.org", i)), Listed: true})
		}
		for i := range maxRequests {
			r.set(Item{JID: jid.MustParse(fmt.Sprintf("s%d@example.org", i)), State: NoneIn})
		}
		a, b := online(w, "alice@example.org/phone"), online(w, "bob@example.org/desk")
		b.Send("<presence to='alice@example.org' type='subscribe'/>")
		silent(t, "alice", a.Got())
		expect(t, "bob", b.Got(), "ask='subscribe'")
		a.Send(set("1", "<item jid='one-more@example.org'/>"))
		expect(t, "alice", a.Got(), "resource-constraint")
		a.Send(set("2", "<item jid='c7@example.org' name='Seven'/>"))
		expect(t, "alice", a.Got(), "Seven", "id='2' type='result'")
	})
}

func TestALargeRosterArrivesWholeAndPushesComeBehindIt(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		r, err := p.load(context.Background(), alice)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2000 {
			r.set(Item{JID: jid.MustParse(fmt.Sprintf("c%04d@example.org", i)), Listed: true})
		}
		a := w.Bind("alice@example.org/phone")
		a.Send("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")
		a.Send(set("2", "<item jid='c0000@example.org' name='Zero'/>"))
		got := a.Got()
		if n := strings.Count(got, "<item "); n < 2000 {
			t.Errorf("%d items", n)
		}
		expect(t, "alice", got, "id='1' type='result'", "c1999@example.org")
		// the set came before the roster was written or was pushed behind it
		if last := got[strings.LastIndex(got, "c0000@example.org"):]; !strings.HasPrefix(last, "c0000@example.org' name='Zero'") {
			t.Errorf("the last word on the item is %.60s", last)
		}
	})
}

func TestWhatChangesWhileALargeRosterIsWrittenIsPushedBehindIt(t *testing.T) {
	world(t, func(w *coretest.World, p *People) {
		a := online(w, "alice@example.org/phone")
		for _, c := range []jid.JID{bob, carol} {
			befriend(t, p, alice, c)
		}
		a.Got()
		r, _ := p.load(context.Background(), alice)
		old := Item{JID: jid.MustParse("old@example.org"), Listed: true}
		same, _ := p.Contact(alice, bob)
		p.pushChanges(a.Session, r, map[jid.JID]Item{bob: same, old.JID: old})
		got := a.Got()
		expect(t, "alice", got, "carol@example.org' subscription='both'", "old@example.org' subscription='remove'")
		if strings.Contains(got, "bob@") {
			t.Errorf("an item that did not change was pushed: %s", got)
		}
	})
}

func TestTheCacheForgetsRostersLongestUnused(t *testing.T) {
	c := newCache(1000)
	for i := range 10 {
		c.put(jid.MustParse(fmt.Sprintf("u%d@example.org", i)), &roster{size: 100})
	}
	if c.rosters.Len() != 2 || c.get(jid.MustParse("u9@example.org")) == nil {
		t.Errorf("%d rosters are held", c.rosters.Len())
	}
	c.put(alice, &roster{size: 5000})
	if c.get(alice) == nil || c.rosters.Len() != 1 {
		t.Error("a roster over the budget is not held alone")
	}
	c.drop(alice)
	if c.rosters.Len() != 0 || c.get(alice) != nil {
		t.Error("dropped and still held")
	}
}

func TestAWriteThatFailsIsSeenByNobody(t *testing.T) {
	kv := &failing{Store: memory.New()}
	worldOn(t, kv, func(w *coretest.World, p *People) {
		a := online(w, "alice@example.org/phone")
		kv.fail = true
		a.Send(set("1", "<item jid='bob@example.org'/>"))
		got := a.Got()
		expect(t, "alice", got, "internal-server-error")
		if strings.Contains(got, "<query") || len(p.Contacts(alice)) > 0 {
			t.Errorf("a change that was not kept was shown: %s", got)
		}
	})
}

type failing struct {
	store.Store
	fail bool
}

func (f *failing) Declare(s store.Space) *store.Bucket { return f.Store.Declare(s) }

func (f *failing) Apply(ctx context.Context, owner string, ops ...store.Op) error {
	if f.fail {
		return fmt.Errorf("disk full")
	}
	return f.Store.Apply(ctx, owner, ops...)
}
