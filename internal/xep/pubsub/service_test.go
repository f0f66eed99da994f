package pubsub

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xep/disco"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const site = "pubsub.example.org"

// withService is a world with the service for all, and a component that hears all it is sent.
func withService(t *testing.T, f func(w *parts, bot *component)) { withServiceOn(t, memory.New(), f) }

func withServiceOn(t *testing.T, kv store.KV, f func(w *parts, bot *component)) {
	t.Helper()
	bot := &component{}
	worldWith(t, kv, func(p *parts) {
		p.pep.Serve(p.Host, General{Name: jid.MustParse(site), Create: func(_ context.Context, bare jid.JID) (bool, error) {
			return bare.Local() != "guest", nil
		}})
		disco.New(p.Router, "urn:x").Register(p.Host)
		bot.site = p.Host.Site(jid.MustParse("bot.example.org"))
		bot.site.Any = bot.take
	}, func(w *parts) {
		bot.w = w
		f(w, bot)
		w.pep.Wait()
	})
}

type component struct {
	w    *parts
	site *core.Site
	got  []string
}

func (c *component) take(t *core.Transit) error {
	if t.Stanza == nil {
		t.Stanza = stanza.Make(t.Head, t.Elem, t.Edit)
	}
	c.got = append(c.got, string(t.Stanza.Raw))
	return nil
}

func (c *component) ask(t *testing.T, xml string) string {
	t.Helper()
	c.got = nil
	e, err := xtok.Parse([]byte(xml), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.w.Router.Accept(c.site, e); err != nil {
		t.Fatal(err)
	}
	return strings.Join(c.got, "")
}

func at(kind, payload string) string { return iq(kind, site, payload) }

func ps(inner string) string { return "<pubsub xmlns='" + nsPubsub + "'>" + inner + "</pubsub>" }

func create(node string, options ...string) string {
	return at("set", ps("<create node='"+node+"'/><configure>"+submit(nsConfig, options...)+"</configure>"))
}

func put(node, id string) string {
	return at("set", ps("<publish node='"+node+"'><item id='"+id+"'>"+tune+"</item></publish>"))
}

func subscribeTo(node, who string) string {
	return at("set", ps("<subscribe node='"+node+"' jid='"+who+"'/>"))
}

func TestAnAccountMakesOnlySoManyNodesAtTheService(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		for i := range serviceOwned {
			expect(t, "node", ask(a, create(fmt.Sprint("n", i))), "type='result'")
		}
		expect(t, "one more", ask(a, create("more")), "<resource-constraint ", "<max-nodes-exceeded ")
		expect(t, "by a publication", ask(a, put("more", "i")), "<resource-constraint ")
		// to give them away makes no room
		give := owner("<affiliations node='n0'><affiliation jid='bob@example.org' affiliation='owner'/><affiliation jid='alice@example.org' affiliation='none'/></affiliations>")
		expect(t, "give away", ask(a, at("set", give)), "type='result'")
		expect(t, "still one more", ask(a, create("more")), "<resource-constraint ")
		expect(t, "bob's own", ask(b, create("bobs")), "type='result'")
		// what items cost counts for who made the node
		acct := w.pep.cache.get(jid.MustParse(site))
		acct.nodes["n1"].cost += maxTotal
		acct.total += maxTotal
		expect(t, "bytes", ask(a, put("n2", "i")), "<resource-constraint ")
		expect(t, "bob has room", ask(b, put("bobs", "i")), "type='result'")
		acct.total += serviceTotal
		expect(t, "the service is full", ask(b, put("bobs", "j")), "<resource-constraint ")
	})
}

func TestSubscriptionsAtTheServiceAreBounded(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		ask(a, create("n"))
		ask(a, create("m"))
		acct := w.pep.cache.get(jid.MustParse(site))
		n := acct.nodes["n"]
		fill := func(name string, count int) {
			for i := range count {
				who := jid.MustParse(fmt.Sprintf(name, i))
				n.setSub(who, subscribed)
				acct.tie(who.Bare(), n, 1)
			}
		}
		fill("bob@example.org/r%d", maxSubscribes)
		expect(t, "of one account", ask(b, subscribeTo("m", "bob@example.org")), "<too-many-subscriptions ")
		fill("u%d@example.org", maxSubscribed-maxSubscribes)
		expect(t, "of one node", ask(a, subscribeTo("n", "alice@example.org")), "<too-many-subscriptions ")
		expect(t, "of another", ask(a, subscribeTo("m", "alice@example.org")), "subscription='subscribed'")
	})
}

func TestManySubscribersDoNotHoldThePublisherUpAndHearInOrder(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a := w.online("alice@example.org/a", "")
		ask(a, create("n", "send_last_published_item", "on_sub"))
		var subs []*coretest.Client
		for i := range 2 * outboxDirect {
			full := fmt.Sprintf("u%d@example.org/x", i)
			subs = append(subs, w.online(full, ""))
			ask(subs[i], subscribeTo("n", full))
		}
		// the goroutine waits for the test
		stop := make(chan struct{})
		w.pep.outbox.put(func() { <-stop }, outboxDirect+1)
		for i := range 10 {
			a.Send(put("n", fmt.Sprint("i", i)))
		}
		if got := a.Got(); strings.Count(got, "type='result'") != 10 {
			t.Errorf("the publisher waits: %s", got)
		}
		subs[0].Send(subscribeTo("n", "u0@example.org/x"))
		close(stop)
		for i, s := range subs {
			got := s.Got()
			rest := got
			for k := range 10 {
				_, after, ok := strings.Cut(rest, fmt.Sprintf("<item id='i%d'", k))
				if !ok {
					t.Fatalf("subscriber %d: no item %d, in its place, in %s", i, k, got)
				}
				rest = after
			}
			if i == 0 {
				expect(t, "the last one, asked for meanwhile", rest, "<item id='i9'")
			}
		}
	})
}

func TestOneWhoseQueueIsFullWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{slots: make(chan struct{}, outboxJobs)}
		stop, done := make(chan struct{}), 0
		for range outboxJobs {
			o.put(func() { <-stop; done++ }, outboxDirect+1)
		}
		waited := false
		go func() {
			o.put(func() { done++ }, 1)
			waited = true
		}()
		if synctest.Wait(); waited {
			t.Error("there is no bound")
		}
		close(stop)
		if synctest.Wait(); !waited || done != outboxJobs+1 {
			t.Errorf("%d jobs were done", done)
		}
		o.run.Wait()
	})
}

func TestForeignersSubscribeWhereTheyAreLetIn(t *testing.T) {
	withService(t, func(w *parts, bot *component) {
		a := w.online("alice@example.org/a", "")
		ask(a, create("open", "send_last_published_item", "on_sub"))
		ask(a, create("closed", "access_model", "whitelist"))
		ask(a, put("open", "one"))
		sub := func(node string) string {
			return "<iq xmlns='jabber:component:accept' type='set' id='s' from='bot.example.org' to='" + site + "'>" + ps("<subscribe node='"+node+"' jid='bot.example.org'/>") + "</iq>"
		}
		if w.Router == nil {
			t.Fatal("no router")
		}
		plain := func(s string) string { return strings.Replace(s, "jabber:component:accept", "jabber:client", 1) }
		expect(t, "subscribed", bot.ask(t, plain(sub("open"))), "subscription='subscribed'", "<item id='one'")
		expect(t, "refused", bot.ask(t, plain(sub("closed"))), "<closed-node ")
		expect(t, "makes no nodes", bot.ask(t, plain("<iq xmlns='jabber:component:accept' type='set' id='s' from='alice@bot.example.org' to='"+site+"'>"+ps("<create node='bots'/>")+"</iq>")), "<forbidden ")
		bot.got = nil
		ask(a, put("open", "two"))
		expect(t, "event", strings.Join(bot.got, ""), "to='bot.example.org'", "<item id='two'")
		big := "<x xmlns='urn:x'>" + strings.Repeat("x", 60<<10) + "</x>"
		ask(a, at("set", ps("<publish node='open'><item id='big'>"+big+"</item></publish>")))
		expect(t, "large answer", bot.ask(t, plain("<iq xmlns='jabber:component:accept' type='get' id='g' from='bot.example.org' to='"+site+"'>"+ps("<items node='open'/>")+"</iq>")), "<item id='big'", "</iq>")
		// an account's open node as well
		ask(a, publish("blog", "p", tune, "access_model", "open"))
		expect(t, "account", bot.ask(t, plain("<iq xmlns='jabber:component:accept' type='set' id='s' from='bot.example.org' to='alice@example.org'>"+ps("<subscribe node='blog' jid='bot.example.org'/>")+"</iq>")), "subscription='subscribed'", "<item id='p'")
		bot.got = nil
		ask(a, publish("blog", "q", tune))
		expect(t, "account's event", strings.Join(bot.got, ""), "from='alice@example.org'", "<item id='q'")
	})
}

func TestItemsExpire(t *testing.T) {
	for _, where := range []string{"", site} {
		withService(t, func(w *parts, _ *component) {
			a := w.online("alice@example.org/a", "")
			say := func(kind, payload string) string { return ask(a, iq(kind, where, payload)) }
			say("set", ps("<create node='log'/><configure>"+submit(nsConfig, "item_expire", "3600", "max_items", "max", "deliver_notifications", "0")+"</configure>"))
			one := func(id string) { say("set", ps("<publish node='log'><item id='"+id+"'>"+tune+"</item></publish>")) }
			one("a")
			time.Sleep(30 * time.Minute)
			one("b")
			time.Sleep(31 * time.Minute)
			if got := say("get", get("log", "")); strings.Contains(got, "id='a'") || !strings.Contains(got, "id='b'") {
				t.Errorf("an hour later: %s", got)
			}
			time.Sleep(time.Hour) // nobody asks
			owner := alice
			if where != "" {
				owner = jid.MustParse(site)
			}
			kept, err := w.kv.ReadRange(t.Context(), owner.String(), "pubsub-items", store.Range{Prefix: "log"})
			if len(kept) != 0 || err != nil {
				t.Errorf("expired, and kept: %d items, %v", len(kept), err)
			}
			say("set", owner2("log", "item_expire", "max"))
			time.Sleep(expireEvery)
			if left, _ := w.kv.ReadRange(t.Context(), "", "pubsub-expiring", store.Range{}); len(left) != 0 {
				t.Errorf("still looked at: %v", left)
			}
		})
	}
}

func owner2(node string, options ...string) string {
	return owner("<configure node='" + node + "'>" + submit(nsConfig, options...) + "</configure>")
}

func TestARemovedAccountLeavesTheNodesOfAllOthers(t *testing.T) {
	kv := memory.New()
	withServiceOn(t, kv, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		ask(b, create("bobs"))
		ask(b, create("both"))
		ask(b, at("set", owner("<affiliations node='both'><affiliation jid='alice@example.org' affiliation='owner'/></affiliations>")))
		ask(a, at("set", owner("<purge node='both'/>")))
		ask(a, create("alices", "access_model", "whitelist"))
		ask(a, at("set", owner("<affiliations node='alices'><affiliation jid='bob@example.org' affiliation='publisher'/></affiliations>")))
		ask(b, subscribeTo("alices", "bob@example.org/b"))
		ask(a, publish("diary", "1", tune, "access_model", "whitelist"))
		ask(a, iq("set", "", owner("<affiliations node='diary'><affiliation jid='bob@example.org' affiliation='member'/></affiliations>")))
		ask(b, iq("set", "alice@example.org", ps("<subscribe node='diary' jid='bob@example.org'/>")))
		if err := kv.RemoveOwner(t.Context(), bob.String()); err != nil {
			t.Fatal(err)
		}
		for _, f := range w.Host.AccountGone {
			f(bob)
		}
		// the next bob
		for _, from := range []string{site, "alice@example.org"} {
			for _, what := range []string{"<subscriptions/>", "<affiliations/>"} {
				if got := ask(b, iq("get", from, ps(what))); strings.Contains(got, "node=") {
					t.Errorf("%s at %s: %s", what, from, got)
				}
			}
		}
		expect(t, "his nodes", ask(a, at("get", get("bobs", ""))), "<item-not-found ")
		expect(t, "shared", ask(a, at("get", owner("<affiliations node='both'/>"))), "<affiliations node='both'><affiliation jid='alice@example.org' affiliation='owner'/></affiliations>")
	})
	for _, space := range []string{"pubsub-nodes", "pubsub-subscriptions"} {
		for _, owner := range []string{site, alice.String()} {
			left, err := kv.ReadRange(t.Context(), owner, space, store.Range{})
			for _, i := range left {
				if strings.Contains(i.Key+string(i.Value), bob.String()) {
					t.Errorf("%s of %s: %q %s", space, owner, i.Key, i.Value)
				}
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func TestTheServiceIsAsItWasAfterARestart(t *testing.T) {
	kv := memory.New()
	var was *account
	withServiceOn(t, kv, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		ask(a, create("n", "access_model", "authorize", "publish_model", "subscribers", "item_expire", "100"))
		ask(a, put("n", "a b@c"))
		ask(b, subscribeTo("n", "bob@example.org"))
		ask(a, subscribeTo("n", "alice@example.org/a"))
		ask(a, at("set", owner("<affiliations node='n'><affiliation jid='carol@example.org' affiliation='publish-only'/></affiliations>")))
		was = w.pep.cache.get(jid.MustParse(site))
		w.pep.cache.drop(jid.MustParse(site))
		expect(t, "read anew", ask(a, at("get", get("n", ""))), "<item id='a b@c' publisher='alice@example.org'>")
		now := w.pep.cache.get(jid.MustParse(site))
		n, o := now.nodes["n"], was.nodes["n"]
		if fmt.Sprint(n.record, n.entries, n.subs, n.cost, now.total, now.seq) != fmt.Sprint(o.record, o.entries, o.subs, o.cost, was.total, was.seq) {
			t.Errorf("was %+v, is %+v", o, n)
		}
		for who, ties := range was.ties {
			if len(now.ties[who]) != len(ties) || now.subscriptionsOf(who) != was.subscriptionsOf(who) {
				t.Errorf("%s was tied to %d nodes, is to %d", who, len(ties), len(now.ties[who]))
			}
		}
	})
}

func TestAServiceNodeOfAnyNameIsNoMirror(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		w.pep.Mirror(Mirror{Node: oldNode, Of: newNode})
		a := w.online("alice@example.org/a", "")
		var told []string
		w.pep.OnChange = append(w.pep.OnChange, func(owner jid.JID, node string) { told = append(told, owner.String()) })
		ask(a, create(oldNode))
		expect(t, "published", ask(a, put(oldNode, "x")), "<item id='x'/>")
		ask(a, create(newNode))
		expect(t, "published", ask(a, put(newNode, "x")), "<item id='x'/>")
		expect(t, "read", ask(a, at("get", get(oldNode, ""))), "<item id='x' ")
		if len(told) != 0 {
			t.Errorf("hooks for accounts were told of %v", told)
		}
	})
}

func TestABlockedServiceSendsNothing(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		ask(a, create("n"))
		ask(b, subscribeTo("n", "bob@example.org"))
		ask(b, subscribeTo("n", "bob@example.org/b"))
		w.Host.Blocked = func(owner, other jid.JID) bool { return owner == bob && other.Domain() == site }
		ask(a, put("n", "i"))
		silent(t, "bob", b.Got())
	})
}

func TestNobodyIsFloodedWithQuestions(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		ask(a, create("n", "access_model", "authorize"))
		expect(t, "first", ask(b, subscribeTo("n", "bob@example.org")), "subscription='pending'")
		for i := range 3 {
			expect(t, "again", ask(b, subscribeTo("n", fmt.Sprint("bob@example.org/r", i))), "<pending-subscription ")
		}
		if got := a.Got(); strings.Count(got, "subscribe_authorization") != 1 {
			t.Errorf("alice was asked: %s", got)
		}
	})
}

func TestAListOfNodesHasRoomInTheQueueOfWhoAsks(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		for i := range serviceOwned {
			ask(a, create(fmt.Sprint(i, strings.Repeat("n", 1000)), "title", strings.Repeat("&apos;", 4000)))
		}
		got := ask(b, at("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>"))
		if n := strings.Count(got, "<item "); n == 0 || n == serviceOwned || len(got) > 1<<20 || b.Ended != "" {
			t.Errorf("%d nodes in %d bytes, ended %q", n, len(got), b.Ended)
		}
	})
}

func TestPagesThatAreTooLargeLeaveNothingOut(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a := w.online("alice@example.org/a", "")
		ask(a, create("log", "max_items", "max"))
		big := "<x xmlns='urn:x'>" + strings.Repeat("x", 120<<10) + "</x>"
		for i := range 20 {
			ask(a, at("set", ps(fmt.Sprintf("<publish node='log'><item id='i%02d'>%s</item></publish>", i, big))))
		}
		var seen []string
		for after := ""; len(seen) < 20; {
			got := ask(a, at("get", ps("<items node='log'/><set xmlns='http://jabber.org/protocol/rsm'><max>50</max><after>"+after+"</after></set>")))
			items := strings.Split(got, "<item id='")[1:]
			if len(items) == 0 {
				t.Fatalf("after %q: %.300s", after, got)
			}
			for _, i := range items {
				after, _, _ = strings.Cut(i, "'")
				seen = append(seen, after)
			}
		}
		for i, id := range seen {
			if id != fmt.Sprintf("i%02d", i) {
				t.Fatalf("the pages held %v", seen)
			}
		}
	})
}
