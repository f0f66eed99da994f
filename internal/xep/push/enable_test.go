package push

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirsal/internal/xmpp/xtok"
)

func (w *world) accept(xml string) {
	w.T.Helper()
	e, err := xtok.Parse([]byte(xml), xtok.Limits{})
	if err != nil {
		w.T.Fatal(err)
	}
	if refused := w.Router.Accept(w.site, e); refused != nil {
		w.T.Fatal(refused)
	}
}

func TestOptionsArePassedOn(t *testing.T) {
	run(t, func(w *world) {
		phone := w.device("bob@example.org/phone", "phone")
		w.enable(phone, "app.example.org", "n&amp;1", options("secret", "it&apos;s"))
		phone.Session.Close(nil)
		w.say(text)
		got := w.want("a push", 1)
		if !strings.Contains(got[0], "<publish node='n&amp;1'>") || !strings.Contains(got[0], "</publish><publish-options><x xmlns='jabber:x:data' type='submit'>") ||
			!strings.Contains(got[0], "<field var='secret'><value>it") {
			t.Error(got[0])
		}
		if _, err := xtok.Parse([]byte(got[0]), xtok.Limits{}); err != nil {
			t.Error(err)
		}
	})
}

func TestOnlyServicesThatCanBeReachedAreEnabled(t *testing.T) {
	run(t, func(w *world) {
		phone := w.device("bob@example.org/phone", "phone")
		web := subscribed(t, "https://push.example.net/x")
		for _, c := range []struct{ attrs, content, want string }{
			{"", "", "bad-request"},
			{"jid='@'", "", "jid-malformed"},
			{"jid='app.example.org' node='" + strings.Repeat("x", maxNode+1) + "'", "", "not-acceptable"},
			{"jid='push.elsewhere.example' node='n'", "", "remote-server-not-found"},
			{"jid='example.org' node='n'", "", "item-not-found"},
			{"jid='alice@example.org/a' node='n'", "", "item-not-found"},
			{"jid='rooms.example.org' node='n'", "", "item-not-found"},
			{"jid='x@push.example.org' node='n'", web, "item-not-found"},
			{"jid='push.example.org' node='n'", "", "not-acceptable"},
			{"jid='push.example.org' node='n'", strings.Replace(web, "https:", "http:", 1), "not-acceptable"},
			{"jid='app.example.org' node='n'", options("a", strings.Repeat("x", maxOptions)), "not-acceptable"},
			{"jid='app.example.org' node='n'", "<x xmlns='jabber:x:data' type='submit'/>", "bad-request"},
			{"jid='app.example.org' node='n'", "<x xmlns='jabber:x:data' type='cancel'/>", "bad-request"},
			{"jid='push.example.org' node='n'", web, "type='result'"},
			{"jid='x@app.example.org'", "", "type='result'"},
		} {
			phone.Send("<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' " + c.attrs + ">" + c.content + "</enable></iq>")
			if got := phone.Got(); !strings.Contains(got, c.want) {
				t.Errorf("%.80s %.80s: %s", c.attrs, c.content, got)
			}
		}
		for _, iq := range []string{
			"<iq type='set' id='e' to='alice@example.org'><enable xmlns='urn:xmpp:push:0' jid='app.example.org' node='n'/></iq>",
			"<iq type='set' id='e' to='alice@example.org'><disable xmlns='urn:xmpp:push:0' jid='app.example.org'/></iq>",
			"<iq type='set' id='e' to='alice@example.org'><test xmlns='urn:mirsal:push:0' id='x'/></iq>",
			"<iq type='set' id='e' to='example.org'><enable xmlns='urn:xmpp:push:0' jid='app.example.org' node='n'/></iq>",
		} {
			phone.Send(iq)
			if got := phone.Got(); !strings.Contains(got, "service-unavailable") {
				t.Errorf("%s: %s", iq, got)
			}
		}
		phone.Send("<iq type='get' id='e'><enable xmlns='urn:xmpp:push:0' jid='app.example.org' node='n'/></iq>")
		if got := phone.Got(); !strings.Contains(got, "bad-request") {
			t.Error(got)
		}
	})
}

func TestDisablingEndsOneOrAllOfAService(t *testing.T) {
	run(t, func(w *world) {
		phone := w.device("bob@example.org/phone", "phone")
		for _, node := range []string{"a", "b", "c"} {
			w.enable(phone, "app.example.org", node, "")
		}
		w.enable(phone, "x@app.example.org", "a", "")
		off := func(attrs string, want int) {
			t.Helper()
			phone.Send("<iq type='set' id='d'><disable xmlns='urn:xmpp:push:0' " + attrs + "/></iq>")
			if got := phone.Got(); !strings.Contains(got, "type='result'") || len(w.push.States(bob)) != want {
				t.Errorf("%s: %s, %s", attrs, got, w.states())
			}
		}
		off("jid='app.example.org' node='b'", 3)
		off("jid='app.example.org' node='b'", 3)
		off("jid='app.example.org'", 1)
		off("jid='x@app.example.org'", 0)
		if n := len(w.restart().States(bob)); n != 0 {
			t.Errorf("%d are still kept", n)
		}
	})
}

func TestTheSameNodeIsOneRegistrationOfTheLastDevice(t *testing.T) {
	run(t, func(w *world) {
		old := w.phone()
		renewed := w.device("bob@example.org/new", "new")
		w.enable(renewed, "app.example.org", "n1", options("secret", "2"))
		old.Session.Close(nil)
		w.say(text)
		w.want("the device that has it now is here", 0)
		renewed.Session.Close(nil)
		w.say(text)
		if got := w.want("and now it is not", 1); !strings.Contains(got[0], "<value>2</value>") {
			t.Error(got)
		}
	})
}

func TestTheEleventhTakesThePlaceOfOneThatDoesNotWorkOrElseOfTheOldest(t *testing.T) {
	run(t, func(w *world) {
		phone := w.device("bob@example.org/phone", "phone")
		has := func(id string) bool {
			w.push.mu.Lock()
			defer w.push.mu.Unlock()
			for _, r := range w.push.of[bob].regs {
				if r.node == id {
					return true
				}
			}
			return false
		}
		for i := range maxRegistrations + 1 {
			w.enable(phone, "app.example.org", fmt.Sprint(i), "")
			time.Sleep(time.Second)
		}
		if len(w.push.States(bob)) != maxRegistrations || has("0") || !has("1") {
			t.Error("the oldest stays")
		}
		w.accept("<message xmlns='jabber:client' from='app.example.org' to='bob@example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub' node='5'><affiliation jid='bob@example.org' affiliation='none'/></pubsub></message>")
		w.enable(phone, "app.example.org", "new", "")
		if has("5") || !has("1") || !has("new") {
			t.Error("what does not work stays")
		}
		if n := len(w.restart().States(bob)); n != maxRegistrations {
			t.Errorf("%d are kept", n)
		}
	})
}

func TestARevokedDeviceIsNotWoken(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		laptop := w.device("bob@example.org/laptop", "laptop")
		w.enable(laptop, "app.example.org", "n2", "")
		phone.Session.Close(nil)
		w.dying[0](bob, "phone")
		w.say(text)
		w.want("revoked", 0)
		if n := len(w.restart().States(bob)); n != 1 {
			t.Errorf("%d are kept", n)
		}
		w.pass[0](bob, laptop.Session)
		if len(w.push.States(bob)) != 1 {
			t.Error("who changed the password lost push")
		}
		w.pass[0](bob, nil)
		if len(w.push.States(bob)) != 0 {
			t.Error("somebody keeps push with an old password")
		}
	})
}

func TestASessionThatEndedMeanwhileEnablesNothing(t *testing.T) {
	run(t, func(w *world) {
		phone := w.device("bob@example.org/phone", "phone")
		// its device was revoked before there was anything to remove
		w.dying[0](bob, "phone")
		w.meanwhile = func() { phone.Session.Close(nil) }
		phone.Send("<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='app.example.org' node='n'/></iq>")
		if len(w.push.States(bob)) != 0 {
			t.Error(w.states())
		}
	})
}

func TestARemovedAccountHasNoPush(t *testing.T) {
	run(t, func(w *world) {
		w.phone().Session.Close(nil)
		w.say(text)
		if err := w.kv.RemoveOwner(t.Context(), bob.String()); err != nil {
			t.Fatal(err)
		}
		w.Absent = append(w.Absent, "bob")
		for _, f := range w.Host.AccountGone {
			f(bob)
		}
		time.Sleep(time.Hour)
		if owners, err := w.push.healths.Owners(t.Context()); len(owners) > 0 || err != nil {
			t.Error("health of a removed account is kept", owners, err)
		}
		if len(w.push.States(bob)) != 0 {
			t.Error(w.states())
		}
	})
}

func TestTheSiteTellsItsKey(t *testing.T) {
	run(t, func(w *world) {
		forms := w.Host.DiscoAt(w.Router.Site(w.push.site).Host).Forms
		if got := string(forms[0](nil)); !strings.Contains(got, "<value>urn:mirsal:webpush:0</value>") || !strings.Contains(got, w.push.public) {
			t.Error(got)
		}
	})
}
