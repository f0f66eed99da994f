package pubsub

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

// makes is a request that makes somebody something.
func makes(node string, pairs ...string) string {
	b := "<affiliations node='" + node + "'>"
	for i := 0; i < len(pairs); i += 2 {
		b += "<affiliation jid='" + pairs[i] + "' affiliation='" + pairs[i+1] + "'/>"
	}
	return at("set", owner(b+"</affiliations>"))
}

func TestWhoWasMadeAnOwnerIsAskedNothingUntilHeTakesItUp(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, m := w.online("alice@example.org/a", ""), w.online("mallory@example.org/m", "")
		ask(m, create("You cannot block me", "access_model", "authorize"))
		expect(t, "made", ask(m, makes("You cannot block me", "alice@example.org", "owner")), "type='result'")
		expect(t, "nothing of hers is named", ask(m, at("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='You cannot block me'/>")), "<field var='pubsub#owner' type='jid-multi'><value>mallory@example.org</value></field>")
		expect(t, "given up", ask(m, makes("You cannot block me", "mallory@example.org", "none")), "type='result'")
		expect(t, "asked", ask(m, subscribeTo("You cannot block me", "mallory@example.org")), "subscription='pending'")
		silent(t, "alice", a.Got())
		a.Session.Close(nil)
		again := w.online("alice@example.org/again", "")
		w.pep.arrived(again.Session)
		silent(t, "alice, who comes again", again.Got())
		// she takes it up
		ask(again, at("set", owner("<configure node='You cannot block me'>"+submit(nsConfig, "title", "mine")+"</configure>")))
		w.pep.arrived(again.Session)
		expect(t, "she decides", again.Got(), "subscribe_authorization", "<value>mallory@example.org</value>")
	})
}

func TestQuestionsDoNotPassABlock(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, b, m := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", ""), w.online("mallory@example.org/m", "")
		ask(a, create("alices", "access_model", "authorize"))
		ask(m, create("mallorys", "access_model", "authorize"))
		ask(m, makes("mallorys", "alice@example.org", "owner"))
		ask(a, at("set", owner("<configure node='mallorys'>"+submit(nsConfig, "title", "ours")+"</configure>")))
		w.Host.Blocked = func(owner, other jid.JID) bool { return owner == alice && other.Local() == "mallory" }
		expect(t, "from whom she blocked", ask(m, subscribeTo("alices", "mallory@example.org/m")), "subscription='pending'")
		expect(t, "at his node", ask(b, subscribeTo("mallorys", "bob@example.org")), "subscription='pending'")
		silent(t, "alice", a.Got())
		w.pep.arrived(a.Session)
		silent(t, "alice, on her arrival", a.Got())
		w.Host.Blocked = nil
		w.pep.arrived(a.Session)
		if got := a.Got(); strings.Count(got, "subscribe_authorization") != 2 {
			t.Errorf("without a block: %s", got)
		}
	})
}

func TestAQuestionHoldsNothingThatWhoAsksChose(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/call 555", "")
		ask(a, create("n", "access_model", "authorize"))
		full := "bob@example.org/call 555"
		expect(t, "pending", ask(b, subscribeTo("n", full)), "subscription='pending'")
		got := a.Got()
		expect(t, "asked", got, "<value>bob@example.org</value>")
		w.pep.arrived(a.Session)
		later := a.Got()
		expect(t, "asked on her arrival", later, "<value>bob@example.org</value>")
		got += later
		if strings.Contains(got, "call 555") {
			t.Errorf("alice reads %s", got)
		}
		answer := submit(nsAuthorization, "node", "n", "subscriber_jid", "bob@example.org", "allow", "1")
		a.Send("<message to='" + site + "'>" + answer + "</message>")
		expect(t, "let in", b.Got(), "jid='"+full+"' subscription='subscribed'")
	})
}

func TestAskingAgainAndAgainIsOneQuestion(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		ask(a, create("n", "access_model", "authorize"))
		for i := range 3 {
			who := fmt.Sprint("bob@example.org/", i)
			expect(t, "asks", ask(b, subscribeTo("n", who)), "subscription='pending'")
			expect(t, "thinks again", ask(b, at("set", ps("<unsubscribe node='n' jid='"+who+"'/>"))), "subscription='none'")
		}
		if got := a.Got(); strings.Count(got, "subscribe_authorization") != 1 {
			t.Errorf("alice was asked: %s", got)
		}
		// who was answered may ask once more
		ask(b, subscribeTo("n", "bob@example.org"))
		a.Send("<message to='" + site + "'>" + submit(nsAuthorization, "node", "n", "subscriber_jid", "bob@example.org", "allow", "0") + "</message>")
		a.Got()
		b.Got()
		ask(b, subscribeTo("n", "bob@example.org"))
		expect(t, "asked again", a.Got(), "subscribe_authorization")
	})
}

func TestMakingSomebodyAnOwnerTellsNothingOfHim(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		m, b := w.online("mallory@example.org/m", ""), w.online("bob@example.org/b", "")
		w.Absent = append(w.Absent, "nobody123")
		ask(m, create("n"))
		there, missing := ask(m, makes("n", "alice@example.org", "owner")), ask(m, makes("n", "nobody123@example.org", "owner"))
		if there != missing {
			t.Errorf("an account: %s\nnone: %s", there, missing)
		}
		// nor are those asked who did not choose the model
		carol := jid.MustParse("carol@example.org")
		if err := w.people.BefriendIn(t.Context(), carol, bob, "Annoying people"); err != nil {
			t.Fatal(err)
		}
		for _, model := range []string{presence, rosterAcc} {
			ask(m, create(model, "access_model", model, "roster_groups_allowed", "Annoying people"))
			expect(t, "made", ask(m, makes(model, "carol@example.org", "owner")), "type='result'")
			expect(t, model, ask(b, at("get", get(model, ""))), "<not-authorized ")
		}
	})
}

func TestOnlyTheRosterOfWhoChoseTheModelIsRead(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, m, b := w.online("alice@example.org/a", ""), w.online("mallory@example.org/m", ""), w.online("bob@example.org/b", "")
		if err := w.people.BefriendIn(t.Context(), alice, bob, "Family"); err != nil {
			t.Fatal(err)
		}
		ask(a, create("n", "access_model", rosterAcc, "roster_groups_allowed", "Family"))
		ask(a, put("n", "i"))
		ask(a, makes("n", "mallory@example.org", "owner"))
		reads := func() string { return ask(b, at("get", get("n", ""))) }
		expect(t, "alice's family", reads(), "<item id='i'")
		ask(m, owner2At("n", "title", "x", "access_model", rosterAcc, "roster_groups_allowed", "Family"))
		expect(t, "nothing was chosen anew", reads(), "<item id='i'")
		for _, choice := range [][]string{
			{"access_model", presence},
			{"access_model", rosterAcc, "roster_groups_allowed", "Friends"},
			{"access_model", rosterAcc, "roster_groups_allowed", "Family"},
		} {
			ask(m, owner2At("n", choice...))
			expect(t, fmt.Sprint(choice), reads(), "<not-authorized ")
		}
		ask(a, owner2At("n", "access_model", presence))
		expect(t, "hers again", reads(), "<item id='i'")
		ask(m, makes("n", "alice@example.org", "none"))
		expect(t, "she is no owner any more", reads(), "<not-authorized ")
	})
}

func owner2At(node string, options ...string) string { return at("set", owner2(node, options...)) }

func TestTheNextHolderOfANameHasPublishedNothing(t *testing.T) {
	kv := memory.New()
	withServiceOn(t, kv, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		ask(a, create("n", "publish_model", "open"))
		ask(b, put("n", "old"))
		ask(a, put("n", "hers"))
		for range 2 { // it may be told twice
			for _, f := range w.Host.AccountGone {
				f(bob)
			}
		}
		expect(t, "the next bob", ask(b, at("set", ps("<retract node='n'><item id='old'/></retract>"))), "<forbidden ")
		expect(t, "writes over it", ask(b, put("n", "old")), "<forbidden ")
		if got := ask(a, at("get", get("n", ""))); strings.Contains(got, "bob") || strings.Contains(got, "publisher='"+site) {
			t.Errorf("who published it: %s", got)
		}
		expect(t, "alice's own", ask(a, at("get", get("n", ""))), "<item id='hers' publisher='alice@example.org'>")
		w.pep.cache.drop(jid.MustParse(site))
		expect(t, "after a restart", ask(b, at("set", ps("<retract node='n'><item id='old'/></retract>"))), "<forbidden ")
	})
	left, err := kv.ReadRange(t.Context(), site, "pubsub-order", store.Range{})
	for _, i := range left {
		if strings.Contains(string(i.Value), bob.String()) {
			t.Errorf("%q %s", i.Key, i.Value)
		}
	}
	if err != nil || len(left) != 2 {
		t.Errorf("%d items, %v", len(left), err)
	}
}

func TestANodeThatNobodyTookUpGoesWithWhoMadeIt(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, m := w.online("alice@example.org/a", ""), w.online("mallory@example.org/m", "")
		for _, n := range []string{"left", "taken"} {
			ask(m, create(n))
			ask(m, makes(n, "alice@example.org", "owner"))
		}
		ask(a, at("set", owner("<purge node='taken'/>")))
		for _, f := range w.Host.AccountGone {
			f(jid.MustParse("mallory@example.org"))
		}
		expect(t, "left", ask(a, at("get", get("left", ""))), "<item-not-found ")
		expect(t, "taken", ask(a, at("get", get("taken", ""))), "<items node='taken'")
		acct := w.pep.cache.get(jid.MustParse(site))
		if held, _ := acct.heldBy(alice.String()); held != 1 {
			t.Errorf("alice is counted %d nodes", held)
		}
	})
}

// Of several changes those that can be are made, and the error names the others as they
// are and stay.
func TestSeveralChangesAtOnceAndWhatCannotBeOfThem(t *testing.T) {
	withService(t, func(w *parts, _ *component) {
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "")
		ask(a, create("n", "access_model", "authorize"))
		got := ask(a, makes("n", "alice@example.org", "none", "bob@example.org", "publisher", "carol@example.org", "member", "dave@example.org", "king"))
		expect(t, "of affiliations", got, "type='error'", "<pubsub xmlns='"+nsOwner+"'><affiliations node='n'>"+
			"<affiliation jid='dave@example.org' affiliation='none'/><affiliation jid='alice@example.org' affiliation='owner'/></affiliations></pubsub><error type='modify'", "<not-acceptable ")
		expect(t, "what is", ask(a, at("get", owner("<affiliations node='n'/>"))),
			"<affiliations node='n'><affiliation jid='alice@example.org' affiliation='owner'/><affiliation jid='bob@example.org' affiliation='publisher'/><affiliation jid='carol@example.org' affiliation='member'/></affiliations>")
		expect(t, "a single one", ask(a, makes("n", "dave@example.org", "king")), "<affiliation jid='dave@example.org' affiliation='none'/>", "<bad-request ")
		expect(t, "one address twice", ask(a, makes("n", "dave@example.org", "member", "dave@example.org", "outcast")), "type='error'><error", "<bad-request ")
		expect(t, "handed over", ask(a, makes("n", "alice@example.org", "none", "bob@example.org", "owner")), "type='result'")

		ask(b, makes("n", "alice@example.org", "member"))
		ask(a, subscribeTo("n", "alice@example.org"))
		got = ask(b, at("set", owner("<subscriptions node='n'><subscription jid='alice@example.org' subscription='none'/>"+
			"<subscription jid='carol@example.org' subscription='subscribed'/></subscriptions>")))
		expect(t, "of subscriptions", got, "type='error'", "<pubsub xmlns='"+nsOwner+"'><subscriptions node='n'>"+
			"<subscription jid='carol@example.org' subscription='none'/></subscriptions></pubsub><error type='modify'", "<not-acceptable ")
		if got := ask(b, at("get", owner("<subscriptions node='n'/>"))); strings.Contains(got, "<subscription ") {
			t.Errorf("subscribed are %s", got)
		}
	})
}
