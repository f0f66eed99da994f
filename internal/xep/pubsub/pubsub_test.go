package pubsub

import (
	"context"
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
)

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
)

// wants is which nodes each resource is interested in; "*" for all.
type wants map[string]string

// Notify satisfies Interests.
func (w wants) Notify(s *core.Session, node string) bool {
	return w[s.JID.Resource()] == "*" || w[s.JID.Resource()] == node
}

type parts struct {
	*coretest.World
	pep    *Service
	people *people.People
	wants  wants
	kv     store.KV
}

func world(t *testing.T, f func(w *parts)) {
	t.Helper()
	worldOn(t, memory.New(), f)
}

func worldOn(t *testing.T, kv store.KV, f func(w *parts)) {
	t.Helper()
	worldWith(t, kv, func(*parts) {}, f)
}

func worldWith(t *testing.T, kv store.KV, more func(w *parts), f func(w *parts)) {
	t.Helper()
	p := &parts{wants: wants{}, kv: kv}
	coretest.Run(t, func(w *coretest.World) {
		log := slog.New(slog.DiscardHandler)
		p.World = w
		p.people = people.New(w.Router, kv, log)
		p.people.Register(w.Host)
		p.pep = New(w.Router, kv, p.people, p.wants, log)
		p.pep.Register(w.Host)
		more(p)
	}, func(w *coretest.World) {
		f(p)
		w.Router.Directory().Each(func(s *core.Session) { s.Close(nil) })
		p.people.Wait()
	})
}

// online logs a client in that is interested in a node, "*" for all.
func (w *parts) online(full, interest string) *coretest.Client {
	w.wants[jid.MustParse(full).Resource()] = interest
	c := w.Login(full)
	c.Got()
	return c
}

func (w *parts) befriend(a, b jid.JID) {
	w.T.Helper()
	if err := w.people.Befriend(context.Background(), a, b); err != nil {
		w.T.Fatal(err)
	}
}

func iq(kind, to, payload string) string {
	if to != "" {
		to = " to='" + to + "'"
	}
	return "<iq id='q' type='" + kind + "'" + to + ">" + payload + "</iq>"
}

func publish(node, id, payload string, options ...string) string {
	item := "<item id='" + id + "'>"
	if id == "" {
		item = "<item>"
	}
	return iq("set", "", "<pubsub xmlns='"+nsPubsub+"'><publish node='"+node+"'>"+item+payload+"</item></publish>"+optionsForm(options)+"</pubsub>")
}

// optionsForm makes <publish-options/> of names and values.
func optionsForm(pairs []string) string {
	if len(pairs) == 0 {
		return ""
	}
	return "<publish-options>" + submit(nsOptions, pairs...) + "</publish-options>"
}

func submit(of string, pairs ...string) string {
	b := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>" + of + "</value></field>"
	for i := 0; i < len(pairs); i += 2 {
		b += "<field var='pubsub#" + pairs[i] + "'><value>" + pairs[i+1] + "</value></field>"
	}
	return b + "</x>"
}

func get(node, inner string) string {
	return "<pubsub xmlns='" + nsPubsub + "'><items node='" + node + "'>" + inner + "</items></pubsub>"
}

func owner(inner string) string { return "<pubsub xmlns='" + nsOwner + "'>" + inner + "</pubsub>" }

// ask sends a request and returns everything that the client is sent.
func ask(c *coretest.Client, request string) string {
	c.Got()
	c.Send(request)
	return c.Got()
}

func expect(t *testing.T, what, got string, parts ...string) {
	t.Helper()
	rest := got
	for _, part := range parts {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Errorf("%s: no %q, in its place, in:\n%.2500s", what, part, got)
			return
		}
		rest = after
	}
}

func silent(t *testing.T, who, got string) {
	t.Helper()
	if got != "" {
		t.Errorf("%s was sent %.1000s", who, got)
	}
}

const tune = "<tune xmlns='http://jabber.org/protocol/tune'><title>x</title></tune>"

func TestAnEventGoesToOwnSessionsAndInterestedSubscribersOnly(t *testing.T) {
	world(t, func(w *parts) {
		w.befriend(alice, bob)
		phone, tablet := w.online("alice@example.org/phone", "tune"), w.online("alice@example.org/tablet", "tune")
		b, deaf, c := w.online("bob@example.org/b", "tune"), w.online("bob@example.org/deaf", "mood"), w.online("carol@example.org/c", "*")
		for _, cl := range []*coretest.Client{phone, tablet, b, deaf, c} {
			cl.Got()
		}
		got := ask(phone, publish("tune", "current", tune))
		event := "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='tune'><item id='current'>" + tune + "</item></items></event>"
		expect(t, "phone", got, "<message xmlns='jabber:client' from='alice@example.org' to='alice@example.org/phone'", "type='headline'", event,
			"type='result'", "<publish node='tune'><item id='current'/></publish>")
		expect(t, "tablet", tablet.Got(), event)
		expect(t, "bob", b.Got(), "from='alice@example.org' to='bob@example.org/b'", event)
		silent(t, "bob without an interest", deaf.Got())
		silent(t, "carol", c.Got())
	})
}

func TestTheLastItemComesWithAnInterestAndWithASubscription(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "tune")
		ask(a, publish("tune", "current", tune))
		b := w.online("bob@example.org/b", "tune")
		w.pep.Known(b.Session, []string{"tune"})
		silent(t, "bob, a stranger", b.Got())
		w.befriend(alice, bob)
		expect(t, "bob, subscribed", b.Got(), "from='alice@example.org' to='bob@example.org/b'", tune)
		w.pep.Known(b.Session, []string{"tune", "mood"})
		expect(t, "bob, interested", b.Got(), tune)
		w.pep.Known(a.Session, []string{"tune"})
		expect(t, "alice", a.Got(), tune)
		ask(a, iq("set", "", owner("<configure node='tune'>"+submit(nsConfig, "send_last_published_item", "never")+"</configure>")))
		w.pep.Known(b.Session, []string{"tune"})
		silent(t, "bob, never", b.Got())
	})
}

func TestPublishOptionsConfigureANewNodeAndAreConditionsOnAnOldOne(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "")
		node := "urn:xmpp:omemo:2:bundles"
		options := []string{"access_model", "open", "max_items", "max", "persist_items", "true", "send_last_published_item", "never"}
		for i := range 3 {
			expect(t, "publish", ask(a, publish(node, fmt.Sprint(i), "<bundle xmlns='urn:xmpp:omemo:2'/>", options...)), "type='result'")
		}
		expect(t, "conflict", ask(a, publish(node, "4", "<bundle xmlns='urn:xmpp:omemo:2'/>", "access_model", "presence")),
			"type='error'", "code='409'", "<conflict", "<precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/>")
		expect(t, "unknown", ask(a, publish(node, "4", "<bundle xmlns='urn:xmpp:omemo:2'/>", "colour", "blue")), "precondition-not-met")
		expect(t, "unknown, new", ask(a, publish("new", "4", "<bundle xmlns='urn:xmpp:omemo:2'/>", "colour", "blue")), "precondition-not-met")
		expect(t, "impossible, new", ask(a, publish("new", "4", "<bundle xmlns='urn:xmpp:omemo:2'/>", "access_model", "blue")), "not-acceptable")
		expect(t, "nothing was made", ask(a, iq("get", "", get("new", ""))), "item-not-found")
		expect(t, "all three", ask(a, iq("get", "", get(node, ""))), "<item id='0'>", "<item id='1'>", "<item id='2'>", "</items></pubsub>")
		expect(t, "config", ask(a, iq("get", "", owner("<configure node='"+node+"'/>"))),
			"pubsub#access_model", "<value>open</value>", "pubsub#max_items", "<value>max</value>", "<value>never</value>")
	})
}

func TestADeviceListCanBeFetchedByStrangersWhereItIsOpenAndIsNotFoundWhereItIsNot(t *testing.T) {
	world(t, func(w *parts) {
		node := "eu.siacs.conversations.axolotl.devicelist"
		a, c := w.online("alice@example.org/phone", node), w.online("carol@example.org/c", "")
		expect(t, "own missing list", ask(a, iq("get", "alice@example.org", get(node, ""))), "code='404'", "item-not-found")
		list := "<list xmlns='eu.siacs.conversations.axolotl'><device id='1'/></list>"
		expect(t, "alice", ask(a, publish(node, "current", list, "access_model", "open")), list, "type='result'")
		expect(t, "carol", ask(c, iq("get", "alice@example.org", get(node, ""))), "type='result'", list)
		many := "<list xmlns='eu.siacs.conversations.axolotl'>" + strings.Repeat("<device id='1'/>", maxDevices+1) + "</list>"
		expect(t, "too many", ask(a, publish(node, "current", many)), "payload-too-big")
	})
}

func TestStrangersCannotTellAClosedNodeFromAMissingAccount(t *testing.T) {
	world(t, func(w *parts) {
		w.Absent = []string{"nobody"}
		a, c := w.online("alice@example.org/phone", ""), w.online("carol@example.org/c", "")
		ask(a, publish("tune", "current", tune))
		requests := []string{
			iq("get", "@", get("tune", "")), iq("get", "@", get("missing", "")), iq("get", "@", "<pubsub xmlns='"+nsPubsub+"'/>"),
			iq("get", "@", "<pubsub xmlns='"+nsPubsub+"'><subscriptions/></pubsub>"), iq("get", "@", owner("<configure node='tune'/>")),
			iq("set", "@", "<pubsub xmlns='"+nsPubsub+"'><publish node='tune'><item>"+tune+"</item></publish></pubsub>"),
			iq("set", "@", "<pubsub xmlns='"+nsPubsub+"'><subscribe node='tune' jid='carol@example.org'/></pubsub>"),
		}
		for _, r := range requests {
			there := ask(c, strings.Replace(r, "@", "alice@example.org", 1))
			gone := ask(c, strings.Replace(r, "@", "nobody@example.org", 1))
			if strings.ReplaceAll(there, "alice", "nobody") != gone || !strings.Contains(gone, "service-unavailable") {
				t.Errorf("%s:\n%s\n%s", r, there, gone)
			}
		}
	})
}

func TestAccessModelsLetInWhomTheyNameAndSayWhyToThoseWhoAreKnown(t *testing.T) {
	world(t, func(w *parts) {
		w.befriend(alice, bob)
		a, b := w.online("alice@example.org/phone", ""), w.online("bob@example.org/b", "")
		a.Send("<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='carol@example.org'/></query></iq>")
		c := w.online("carol@example.org/c", "")
		for _, m := range []struct{ model, bob, carol string }{
			{open, "type='result'", "type='result'"},
			{presence, "type='result'", "<presence-subscription-required xmlns='http://jabber.org/protocol/pubsub#errors'/>"},
			{rosterAcc, "<not-in-roster-group", "<not-in-roster-group"},
			{whitelist, "<closed-node", "<closed-node"},
		} {
			expect(t, m.model, ask(a, publish(m.model, "current", tune, "access_model", m.model)), "type='result'")
			expect(t, "bob "+m.model, ask(b, iq("get", "alice@example.org", get(m.model, ""))), m.bob)
			expect(t, "carol "+m.model, ask(c, iq("get", "alice@example.org", get(m.model, ""))), m.carol)
		}
		ask(a, iq("set", "", owner("<configure node='roster'>"+submit(nsConfig, "roster_groups_allowed", "Friends")+"</configure>")))
		a.Send("<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='bob@example.org'><group>Friends</group></item></query></iq>")
		expect(t, "bob in the group", ask(b, iq("get", "alice@example.org", get("roster", ""))), "type='result'", tune)
		set := func(aff string) string {
			return iq("set", "", owner("<affiliations node='whitelist'><affiliation jid='bob@example.org' affiliation='"+aff+"'/></affiliations>"))
		}
		expect(t, "member", ask(a, set("member")), "type='result'")
		expect(t, "bob, a member", ask(b, iq("get", "alice@example.org", get("whitelist", ""))), "type='result'", tune)
		ask(a, set("outcast"))
		expect(t, "bob, an outcast", ask(b, iq("get", "alice@example.org", get("whitelist", ""))), "forbidden")
		expect(t, "list", ask(a, iq("get", "", owner("<affiliations node='whitelist'/>"))), "alice@example.org' affiliation='owner'", "bob@example.org' affiliation='outcast'")
		expect(t, "not owner", ask(a, set("owner")), "not-acceptable")
		expect(t, "bob publishes", ask(b, iq("set", "alice@example.org", "<pubsub xmlns='"+nsPubsub+"'><publish node='open'><item>"+tune+"</item></publish></pubsub>")), "forbidden")
	})
}

func TestANodeKeepsItsNewestItemsInTheOrderOfPublication(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "")
		for i := range 5 {
			ask(a, publish("log", fmt.Sprint("i", i), tune, "max_items", "3"))
		}
		ask(a, publish("log", "i3", "<again xmlns='urn:x'/>"))
		got := ask(a, iq("get", "", get("log", "")))
		expect(t, "all", got, "'i2'", "'i4'", "'i3'><again")
		if strings.Contains(got, "'i1'") || strings.Count(got, "<item ") != 3 {
			t.Errorf("kept %s", got)
		}
		items, err := w.pep.items.Scan(context.Background(), alice.String(), store.Range{})
		if err != nil || len(items) != 3 {
			t.Errorf("%d items in the store, %v", len(items), err)
		}
		got = ask(a, iq("get", "", "<pubsub xmlns='"+nsPubsub+"'><items node='log' max_items='1'/></pubsub>"))
		if strings.Count(got, "<item ") != 1 || !strings.Contains(got, "'i3'") {
			t.Errorf("the most recent one is %s", got)
		}
		expect(t, "two by id", ask(a, iq("get", "", get("log", "<item id='i4'/><item id='none'/><item id='i2'/>"))), "'i4'", "'i2'", "</items>")
		expect(t, "none by id", ask(a, iq("get", "", get("log", "<item id='none'/>"))), "<items node='log'></items>")
	})
}

func TestPagesOfItemsFollowOneAnother(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "")
		for i := range 20 {
			ask(a, publish("log", fmt.Sprintf("i%02d", i), tune, "max_items", "max"))
		}
		page := func(set string) string {
			return ask(a, iq("get", "", "<pubsub xmlns='"+nsPubsub+"'><items node='log'/><set xmlns='http://jabber.org/protocol/rsm'>"+set+"</set></pubsub>"))
		}
		expect(t, "first", page("<max>2</max>"), "'i00'", "'i01'", "</items>", "<first>i00</first><last>i01</last><count>20</count>")
		expect(t, "after", page("<max>2</max><after>i01</after>"), "'i02'", "'i03'", "</items>")
		expect(t, "last", page("<max>2</max><before/>"), "'i18'", "'i19'", "</items>")
		expect(t, "before", page("<max>17</max><before>i18</before>"), "'i01'", "'i17'", "</items>")
		expect(t, "count", page("<max>0</max>"), "<items node='log'></items>", "<count>20</count>")
		expect(t, "nowhere", page("<after>zz</after>"), "item-not-found")
		expect(t, "a word", page("<max>-1</max>"), "bad-request")
	})
}

func TestPublicationsThatCannotBeAreRefused(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "*")
		pub := func(inner string) string { return iq("set", "", "<pubsub xmlns='"+nsPubsub+"'>"+inner+"</pubsub>") }
		for request, want := range map[string]string{
			pub("<publish node='n'/>"):                                                            "item-required",
			pub("<publish node='n'><item/></publish>"):                                            "payload-required",
			pub("<publish node='n'><item>" + tune + tune + "</item></publish>"):                   "invalid-payload",
			pub("<publish node='n'><item>" + tune + "</item><item>" + tune + "</item></publish>"): "bad-request",
			pub("<publish><item>" + tune + "</item></publish>"):                                   "nodeid-required",
			publish("n", strings.Repeat("i", maxID+1), tune):                                      "not-acceptable",
			publish(strings.Repeat("n", maxID+1), "i", tune):                                      "not-acceptable",
			publish("n", "i", "<x xmlns='urn:x'>"+strings.Repeat("x", maxPayload)+"</x>"):         "payload-too-big",
			pub("<publish node='n'><item>" + tune + "</item></publish><publish-options/>"):        "bad-request",
			pub("<retract node='n'/>"):                                                            "item-not-found",
			pub("<options node='n'/>"):                                                            "<unsupported xmlns='http://jabber.org/protocol/pubsub#errors' feature='subscription-options'/>",
			iq("get", "", "<pubsub xmlns='"+nsPubsub+"'><publish node='n'/></pubsub>"):            "feature-not-implemented",
			iq("set", "", "<pubsub xmlns='"+nsPubsub+"'/>"):                                       "bad-request",
			iq("set", "", owner("<delete/>")):                                                     "nodeid-required",
			iq("set", "", owner("<purge node='n'/>")):                                             "item-not-found",
		} {
			got := ask(a, request)
			expect(t, fmt.Sprintf("%.150s", request), got, "type='error'", want)
			if strings.Contains(got, "<event") {
				t.Errorf("something refused was notified: %s", got)
			}
		}
		if items, _ := w.pep.items.Scan(context.Background(), alice.String(), store.Range{}); len(items) > 0 {
			t.Errorf("something refused was kept: %v", items)
		}
	})
}

func TestRetractionPurgeAndDeletionAreNotified(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "log")
		for i := range 3 {
			ask(a, publish("log", fmt.Sprint("i", i), tune, "max_items", "max"))
		}
		retract := func(id string) string {
			return iq("set", "", "<pubsub xmlns='"+nsPubsub+"'><retract node='log' notify='true'><item id='"+id+"'/></retract></pubsub>")
		}
		expect(t, "retract", ask(a, retract("i1")), "<items node='log'><retract id='i1'/></items>", "type='result'")
		expect(t, "again", ask(a, retract("i1")), "item-not-found")
		expect(t, "left", ask(a, iq("get", "", get("log", ""))), "'i0'", "'i2'")
		expect(t, "purge", ask(a, iq("set", "", owner("<purge node='log'/>"))), "<purge node='log'/>", "type='result'")
		expect(t, "empty", ask(a, iq("get", "", get("log", ""))), "<items node='log'></items>")
		expect(t, "delete", ask(a, iq("set", "", owner("<delete node='log'/>"))), "<delete node='log'/>", "type='result'")
		expect(t, "gone", ask(a, iq("get", "", get("log", ""))), "item-not-found")
		for _, b := range []*store.Bucket{w.pep.nodes, w.pep.order, w.pep.items} {
			if left, _ := b.Scan(context.Background(), alice.String(), store.Range{}); len(left) > 0 {
				t.Errorf("%s keeps %v", b.Space.Name, left)
			}
		}
	})
}

func TestNodesAreCreatedAndConfiguredByTheirOwner(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "")
		create := func(node, form string) string {
			return iq("set", "", "<pubsub xmlns='"+nsPubsub+"'><create"+node+"/><configure>"+form+"</configure></pubsub>")
		}
		expect(t, "create", ask(a, create(" node='n'", submit(nsConfig, "title", "Tunes", "max_items", "2"))), "type='result'")
		expect(t, "again", ask(a, create(" node='n'", "")), "code='409'", "conflict")
		expect(t, "instant", ask(a, create("", "")), "<create node='")
		form := ask(a, iq("get", "", owner("<configure node='n'/>")))
		expect(t, "form", form, "type='form'", "<value>Tunes</value>", "<value>2</value>")
		for i := range 2 {
			ask(a, publish("n", fmt.Sprint(i), tune))
		}
		expect(t, "bad value", ask(a, iq("set", "", owner("<configure node='n'>"+submit(nsConfig, "max_items", "0")+"</configure>"))), "not-acceptable")
		expect(t, "cancel", ask(a, iq("set", "", owner("<configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure>"))), "type='result'")
		expect(t, "shrink", ask(a, iq("set", "", owner("<configure node='n'>"+submit(nsConfig, "max_items", "1", "unknown", "x")+"</configure>"))), "type='result'")
		got := ask(a, iq("get", "", get("n", "")))
		if strings.Count(got, "<item ") != 1 || !strings.Contains(got, "id='1'") {
			t.Errorf("after shrinking: %s", got)
		}
		expect(t, "default", ask(a, iq("get", "", owner("<default/>"))), "<value>presence</value>")
		// the form that we show can be sent back as it is
		back := form[strings.Index(form, "<x "):strings.Index(form, "</configure>")]
		back = strings.Replace(back, "type='form'", "type='submit'", 1)
		expect(t, "sent back", ask(a, iq("set", "", owner("<configure node='n'>"+back+"</configure>"))), "type='result'")
	})
}

func TestWhatIsPrivateIsSoWithoutOptions(t *testing.T) {
	world(t, func(w *parts) {
		w.befriend(alice, bob)
		a, b := w.online("alice@example.org/phone", "*"), w.online("bob@example.org/b", "*")
		for _, node := range []string{"urn:xmpp:bookmarks:1", "storage:bookmarks", "urn:xmpp:mds:displayed:0"} {
			b.Got()
			ask(a, publish(node, "x", "<conference xmlns='urn:xmpp:bookmarks:1'/>"))
			silent(t, "bob", b.Got())
			expect(t, node, ask(b, iq("get", "alice@example.org", get(node, ""))), "closed-node")
		}
		for i := range 4 {
			ask(a, publish("urn:xmpp:bookmarks:1", fmt.Sprintf("r%d@conference.example.org", i), "<conference xmlns='urn:xmpp:bookmarks:1'/>"))
		}
		if got := ask(a, iq("get", "", get("urn:xmpp:bookmarks:1", ""))); strings.Count(got, "<item ") != 5 {
			t.Errorf("bookmarks were lost: %s", got)
		}
	})
}

func TestAnExplicitSubscriptionIsNotifiedUntilItEnds(t *testing.T) {
	world(t, func(w *parts) {
		a, c := w.online("alice@example.org/phone", ""), w.online("carol@example.org/c", "")
		ask(a, publish("blog", "one", tune, "access_model", "open"))
		sub := func(what, who string) string {
			return iq("set", "alice@example.org", "<pubsub xmlns='"+nsPubsub+"'><"+what+" node='blog' jid='"+who+"'/></pubsub>")
		}
		expect(t, "for another", ask(c, sub("subscribe", "bob@example.org")), "invalid-jid")
		expect(t, "subscribe", ask(c, sub("subscribe", "carol@example.org")), "<subscription node='blog' jid='carol@example.org' subscription='subscribed'/>", tune)
		expect(t, "mine", ask(c, iq("get", "alice@example.org", "<pubsub xmlns='"+nsPubsub+"'><subscriptions/></pubsub>")), "node='blog'")
		ask(a, publish("blog", "two", "<two xmlns='urn:x'/>"))
		expect(t, "event", c.Got(), "<two xmlns='urn:x'/>")
		expect(t, "unsubscribe", ask(c, sub("unsubscribe", "carol@example.org")), "type='result'")
		expect(t, "again", ask(c, sub("unsubscribe", "carol@example.org")), "not-subscribed")
		ask(a, publish("blog", "three", tune))
		silent(t, "carol", c.Got())
		ask(c, sub("subscribe", "carol@example.org/c"))
		ask(a, iq("set", "", owner("<configure node='blog'>"+submit(nsConfig, "access_model", "whitelist")+"</configure>")))
		ask(a, publish("blog", "four", tune))
		silent(t, "carol, shut out", c.Got())
	})
}

func TestTwoDevicesThatPublishAtOnceAreNotifiedInTheOrderOfTheStore(t *testing.T) {
	world(t, func(w *parts) {
		a, b := w.online("alice@example.org/a", ""), w.online("alice@example.org/b", "")
		watch := w.online("alice@example.org/watch", "list")
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 30 {
				b.Send(publish("list", "current", fmt.Sprintf("<b%d xmlns='urn:x'/>", i)))
			}
		}()
		for i := range 30 {
			a.Send(publish("list", "current", fmt.Sprintf("<a%d xmlns='urn:x'/>", i)))
		}
		<-done
		events := strings.Split(watch.Got(), "</message>")
		if len(events) != 61 {
			t.Fatalf("%d events", len(events)-1)
		}
		got := ask(a, iq("get", "", get("list", "")))
		_, last, _ := strings.Cut(events[59], "<item id='current'>")
		last, _, _ = strings.Cut(last, "</item>")
		expect(t, "the last event is what is kept", got, last)
	})
}

func TestWhatIsPublishedOutlivesTheServer(t *testing.T) {
	world(t, func(w *parts) {
		a := w.online("alice@example.org/phone", "")
		for i := range 3 {
			ask(a, publish("log", fmt.Sprint(i), tune, "max_items", "max", "itemreply", "publisher"))
		}
		before := ask(a, iq("get", "", get("log", "")))
		was := w.pep.cache.get(alice)
		w.pep.cache.drop(alice)
		if after := ask(a, iq("get", "", get("log", ""))); after != before || !strings.Contains(after, "publisher='alice@example.org'") {
			t.Errorf("before %s\nafter %s", before, after)
		}
		now := w.pep.cache.get(alice)
		if now.total != was.total || now.seq != was.seq || now.memory() > was.memory() {
			t.Errorf("before %+v, after %+v", was, now)
		}
	})
}

func TestAWriteThatFailsIsNotifiedToNobody(t *testing.T) {
	kv := &failing{Store: memory.New()}
	worldOn(t, kv, func(w *parts) {
		a := w.online("alice@example.org/phone", "*")
		ask(a, publish("tune", "current", tune))
		kv.fail = true
		for _, r := range []string{
			publish("tune", "current", "<other xmlns='urn:x'/>"), publish("new", "current", tune),
			iq("set", "", owner("<delete node='tune'/>")), iq("set", "", owner("<purge node='tune'/>")),
			iq("set", "", owner("<configure node='tune'>"+submit(nsConfig, "access_model", "open")+"</configure>")),
		} {
			got := ask(a, r)
			if !strings.Contains(got, "internal-server-error") || strings.Contains(got, "<event") {
				t.Errorf("%s: %s", r, got)
			}
		}
		kv.fail = false
		expect(t, "as before", ask(a, iq("get", "", get("tune", ""))), tune)
		expect(t, "not made", ask(a, iq("get", "", get("new", ""))), "item-not-found")
	})
}

type failing struct {
	store.Store
	fail bool
}

func (f *failing) Apply(ctx context.Context, owner string, ops ...store.Op) error {
	if f.fail {
		return fmt.Errorf("disk full")
	}
	return f.Store.Apply(ctx, owner, ops...)
}
