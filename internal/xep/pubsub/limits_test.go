package pubsub

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

func (w *parts) query(from, to jid.JID) *core.Query {
	full, err := from.WithResource("r")
	if err != nil {
		w.T.Fatal(err)
	}
	return &core.Query{Ctx: context.Background(), Head: stanza.Head{Kind: stanza.IQ, Type: stanza.Get, ID: "d", From: full, To: to}}
}

func TestDiscoveryShowsTheNodesThatTheAskerMayRead(t *testing.T) {
	world(t, func(w *parts) {
		w.befriend(alice, bob)
		a := w.online("alice@example.org/phone", "")
		ask(a, publish("open", "one", tune, "access_model", "open", "title", "Open to all"))
		ask(a, publish("tune", "current", tune))
		ask(a, publish("secret", "x", tune, "access_model", "whitelist"))
		carol := jid.MustParse("carol@example.org")
		for asker, want := range map[jid.JID]string{alice: "open secret tune", bob: "open tune", carol: "open"} {
			items, err := w.pep.discoItems(w.query(asker, alice), "")
			var names []string
			for _, i := range items {
				names = append(names, i.Node)
			}
			if got := strings.Join(names, " "); got != want || err != nil || items[0].Name != "Open to all" {
				t.Errorf("%s sees %s, want %s; %v", asker, got, want, err)
			}
		}
		items, _ := w.pep.discoItems(w.query(bob, alice), "tune")
		if len(items) != 1 || items[0].Name != "current" || items[0].Node != "" {
			t.Errorf("items of a node: %+v", items)
		}
		info, ok, _ := w.pep.discoNode(w.query(bob, alice), "tune")
		x, err := xtok.Parse([]byte("<query>"+string(info)+"</query>"), xtok.Limits{})
		if !ok || err != nil || !strings.Contains(string(x.Raw()), "pubsub#meta-data") {
			t.Errorf("info of a node: %s %v %v", info, ok, err)
		}
		if info, ok, _ := w.pep.discoNode(w.query(bob, alice), "secret"); ok {
			t.Errorf("a closed node is described: %s", info)
		}
	})
}

func TestTheAccountAdvertisesWhatClientsLookForBeforeTheyPublish(t *testing.T) {
	world(t, func(w *parts) {
		all := strings.Join(w.Host.DiscoAt(core.Account).Features, " ") + " "
		for _, f := range []string{"publish-options", "config-node-max", "persistent-items", "auto-create", "filtered-notifications", "multi-items", "retract-items", "access-open"} {
			if !strings.Contains(all, nsPubsub+"#"+f+" ") {
				t.Errorf("%s is not advertised", f)
			}
		}
	})
}

func TestAnAccountHoldsOnlySoMuch(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "")
		ask(a, publish("log", "one", tune, "max_items", "max"))
		acct := w.pep.cache.get(alice)
		acct.total += maxTotal
		expect(t, "bytes", ask(a, publish("log", "two", tune)), "resource-constraint")
		acct.total -= maxTotal
		for i := range maxNodes {
			acct.nodes[fmt.Sprint(i)] = &node{name: fmt.Sprint(i)}
		}
		expect(t, "nodes", ask(a, publish("one-more", "one", tune)), "resource-constraint", "max-nodes-exceeded")
		expect(t, "an old node", ask(a, publish("log", "two", tune)), "type='result'")
		log := acct.nodes["log"]
		for i := range maxAffiliate {
			log.setSub(jid.MustParse(fmt.Sprint("u", i, "@example.org")), subscribed)
		}
		expect(t, "subscribers", ask(a, iq("set", "", "<pubsub xmlns='"+nsPubsub+"'><subscribe node='log' jid='alice@example.org'/></pubsub>")), "too-many-subscriptions")
	})
}

func TestALargeAnswerHoldsTheNewestItemsAndTellsThatThereAreMore(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "")
		big := "<x xmlns='urn:x'>" + strings.Repeat("x", 100<<10) + "</x>"
		for i := range 12 {
			ask(a, publish("log", fmt.Sprintf("i%02d", i), big, "max_items", "max", "deliver_payloads", "0"))
		}
		got := ask(a, iq("get", "", get("log", "")))
		if n := strings.Count(got, "<item "); n != 10 || !strings.Contains(got, "<first>i02</first><last>i11</last><count>12</count>") {
			t.Errorf("%d items, then %s", n, got[max(0, len(got)-300):])
		}
	})
}

func TestAnEventWithoutPayloadIsConfiguredSo(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "*")
		expect(t, "no payload", ask(a, publish("n", "i", tune, "deliver_payloads", "0", "notification_type", "normal")), "<items node='n'><item id='i'></item></items>")
		if got := ask(a, publish("n", "i", tune)); strings.Contains(got, "headline") {
			t.Errorf("the type is not as configured: %s", got)
		}
		if got := ask(a, publish("quiet", "i", tune, "deliver_notifications", "false")); strings.Contains(got, "<event") {
			t.Errorf("notified against the configuration: %s", got)
		}
		got := ask(a, publish("passing", "i", tune, "persist_items", "false"))
		expect(t, "not persistent", got, "<event", "type='result'")
		expect(t, "and not kept", ask(a, iq("get", "", get("passing", ""))), "feature='persistent-items'")
	})
}

func TestARemovedAccountLeavesNothingInMemory(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "")
		ask(a, publish("urn:xmpp:bookmarks:1", "x", tune))
		if err := w.kv.RemoveOwner(context.Background(), alice.String()); err != nil {
			t.Fatal(err)
		}
		for _, f := range w.Host.AccountGone {
			f(alice)
		}
		expect(t, "the next of that name", ask(a, iq("get", "", get("urn:xmpp:bookmarks:1", ""))), "item-not-found")
	})
}

func TestTheCacheForgetsAccountsLongestUnused(t *testing.T) {
	c := newCache(1000)
	for i := range 10 {
		c.put(jid.MustParse(fmt.Sprintf("u%d@example.org", i)), &account{nodes: map[string]*node{"n": {}}})
	}
	if c.accounts.Len() == 10 || c.get(jid.MustParse("u0@example.org")) != nil || c.get(jid.MustParse("u9@example.org")) == nil {
		t.Errorf("%d accounts are held", c.accounts.Len())
	}
}

func TestHostileTextStaysText(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "*")
		evil := "&apos;/&gt;&lt;/event&gt;&lt;body&gt;"
		for _, got := range []string{
			ask(a, iq("set", "", "<pubsub xmlns='"+nsPubsub+"'><publish node='"+evil+"'><item id='"+evil+"'>"+tune+"</item></publish></pubsub>")),
			ask(a, iq("get", "", get(evil, ""))),
			ask(a, iq("get", "", owner("<configure node='"+evil+"'/>"))),
			ask(a, iq("set", "", "<pubsub xmlns='"+nsPubsub+"'><"+"frob"+" node='"+evil+"'/></pubsub>")),
			ask(a, iq("set", "", owner("<delete node='"+evil+"'/>"))),
		} {
			if _, err := xtok.Parse([]byte("<all>"+got+"</all>"), xtok.Limits{}); err != nil || strings.Contains(got, "<body") {
				t.Errorf("%v in %s", err, got)
			}
		}
	})
}
