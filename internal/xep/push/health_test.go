package push

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/webpush"
	"mirsal/internal/xmpp/jid"
)

var bob = jid.MustParse("bob@example.org")

func TestAServiceThatIsAwayIsTriedLessAndLessAndPausedAfterADay(t *testing.T) {
	run(t, func(w *world) {
		w.phone().Session.Close(nil)
		w.app.answers(failure("service-unavailable", "wait"))
		w.say(text)
		w.want("the first", 1)
		if got := w.states(); got != "app.example.org failing;" {
			t.Error(got)
		}
		time.Sleep(time.Hour)
		if n := len(w.app.pushes()); n < 4 || n > 8 {
			t.Errorf("%d tries in an hour", n)
		}
		time.Sleep(30 * time.Hour)
		if got := w.states(); got != "app.example.org paused;" {
			t.Error(got)
		}
		w.app.pushes()
		for range 48 {
			w.say(text)
			time.Sleep(time.Hour)
		}
		if n := len(w.app.pushes()); n < 1 || n > 2 {
			t.Errorf("%d tries in two days of a pause", n)
		}
		w.app.answers("")
		time.Sleep(24 * time.Hour)
		w.app.pushes()
		if got := w.states(); got != "app.example.org ok;" {
			t.Error("it works again:", got)
		}
		if n := strings.Count(w.log.String(), "push paused"); n != 1 {
			t.Errorf("the log tells %d times", n)
		}
	})
}

func TestAServiceThatRefusesIsPausedAndNotForgotten(t *testing.T) {
	run(t, func(w *world) {
		w.phone().Session.Close(nil)
		w.app.answers(failure("forbidden", "auth"))
		for range failuresMost + 3 {
			w.say(text)
			time.Sleep(3 * time.Hour)
		}
		w.want("refused", failuresMost)
		if got := w.states(); got != "app.example.org paused;" {
			t.Error(got)
		}
		w.push.sweep(time.Now().Add(stoppedLife - 48*time.Hour))
		if got := w.states(); got != "app.example.org paused;" {
			t.Error("forgotten:", got)
		}
		w.push.sweep(time.Now().Add(stoppedLife + time.Hour))
		if got := w.states(); got != "" {
			t.Error("still there:", got)
		}
	})
}

func TestAServiceThatKnowsNothingOfUsIsNotAskedAgain(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		phone.Session.Close(nil)
		w.app.answers(failure("item-not-found", "cancel"))
		for range 30 {
			w.say(text)
			time.Sleep(time.Hour)
		}
		w.want("once", 1)
		if got := w.states(); got != "app.example.org ended;" {
			t.Error(got)
		}
		w.app.answers("")
		phone = w.phone() // enables again
		if got := w.states(); got != "app.example.org never-used;" {
			t.Error(got)
		}
		phone.Session.Close(nil)
		w.say(text)
		w.want("enabled again", 1)
	})
}

func TestAnAppServerMayEndIt(t *testing.T) {
	run(t, func(w *world) {
		w.phone()
		h := "<pubsub xmlns='http://jabber.org/protocol/pubsub' node='n1'><affiliation jid='bob@example.org' affiliation='none'/></pubsub>"
		from := func(who, to string) {
			w.accept("<message xmlns='jabber:client' from='" + who + "' to='" + to + "'>" + h + "</message>")
		}
		from("x@app.example.org", "bob@example.org")
		w.alice().Send("<message to='bob@example.org'>" + h + "</message>")
		if got := w.states(); got != "app.example.org never-used;" {
			t.Error("somebody else ended it:", got)
		}
		from("app.example.org", "bob@example.org")
		if got := w.states(); got != "app.example.org ended;" {
			t.Error(got)
		}
	})
}

func TestADeviceIsToldOnceThatItIsNotWokenAnyMore(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		phone.Session.Close(nil)
		w.app.answers(failure("item-not-found", "cancel"))
		w.say(text)
		w.app.pushes()
		laptop := w.device("bob@example.org/laptop", "laptop")
		w.push.Available(laptop.Session)
		if got := laptop.Got(); strings.Contains(got, "push") {
			t.Error("another device is told", got)
		}
		phone = w.device("bob@example.org/phone2", "phone")
		w.push.Available(phone.Session)
		got := phone.Got()
		for _, part := range []string{"type='headline'", "from='example.org'", "<push xmlns='urn:mirsal:push:0'>", "state='ended'", "this='true'", "<body>This device is not woken"} {
			if !strings.Contains(got, part) {
				t.Errorf("%s is missing in %s", part, got)
			}
		}
		w.push.Available(phone.Session)
		if got := phone.Got(); got != "" {
			t.Error("told again", got)
		}
	})
}

func TestTheListShowsEveryDeviceAndItsHealth(t *testing.T) {
	run(t, func(w *world) {
		phone, laptop := w.phone(), w.device("bob@example.org/laptop", "laptop")
		w.enable(laptop, "push.example.org", "web", subscribed(t, "https://push.example.net/secret-path"))
		phone.Session.Close(nil)
		w.say(text)
		w.app.pushes()
		laptop.Got()
		laptop.Send("<iq type='get' id='l'><push xmlns='urn:mirsal:push:0'/></iq>")
		got := laptop.Got()
		for _, part := range []string{
			"jid='app.example.org' node='n1' device='phone' state='ok' failures='0' this='false'", "<success time='",
			"jid='push.example.org' node='web' host='push.example.net' device='laptop' state='never-used' failures='0' this='true'",
		} {
			if !strings.Contains(got, part) {
				t.Errorf("%s is missing in %s", part, got)
			}
		}
		if strings.Contains(got, "secret-path") {
			t.Error("the endpoint is shown")
		}
		alice := w.Login("alice@example.org/a")
		alice.Send("<iq type='get' id='l' to='bob@example.org'><push xmlns='urn:mirsal:push:0'/></iq>")
		if got := alice.Got(); !strings.Contains(got, "service-unavailable") {
			t.Error(got)
		}
	})
}

func TestATestTellsWhatBecameOfIt(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		id := w.push.States(bob)[0].ID
		try := func() string {
			t.Helper()
			time.Sleep(time.Minute)
			phone.Send("<iq type='set' id='t'><test xmlns='urn:mirsal:push:0' id='" + id + "'/></iq>")
			return phone.Got()
		}
		if got := try(); !strings.Contains(got, "sent='true'") {
			t.Error(got)
		}
		w.want("though the phone is connected", 1)
		w.app.answers(failure("forbidden", "auth"))
		if got := try(); !strings.Contains(got, "sent='false'>the push service answered forbidden") {
			t.Error(got)
		}
		phone.Send("<iq type='set' id='t'><test xmlns='urn:mirsal:push:0' id='" + id + "'/></iq>")
		if got := phone.Got(); !strings.Contains(got, "resource-constraint") {
			t.Error("one after the other:", got)
		}
		for range failuresMost {
			try()
		}
		if got := w.states(); got != "app.example.org paused;" {
			t.Error(got)
		}
		w.app.answers("")
		if got := try(); !strings.Contains(got, "sent='true'") || w.states() != "app.example.org ok;" {
			t.Error("a test ends a pause:", got, w.states())
		}
		w.app.answers("nothing")
		phone.Send("<iq type='set' id='t'><test xmlns='urn:mirsal:push:0' id='nope'/></iq>")
		if got := phone.Got(); !strings.Contains(got, "item-not-found") {
			t.Error(got)
		}
		try()
		time.Sleep(time.Minute)
		if got := phone.Got(); !strings.Contains(got, "does not answer") {
			t.Error("no answer:", got)
		}
	})
}

func TestHealthOutlivesTheProcess(t *testing.T) {
	run(t, func(w *world) {
		w.phone().Session.Close(nil)
		w.app.answers(failure("item-not-found", "cancel"))
		w.say(text)
		w.app.pushes()
		time.Sleep(2 * flushEvery)
		f := w.restart()
		all := f.States(bob)
		if len(all) != 1 || all[0].State != "ended" || all[0].Failure.IsZero() || all[0].Reason == "" || all[0].Device != "phone" {
			t.Errorf("%+v", all)
		}
		if f.public != w.push.public || len(f.public) != 87 {
			t.Error("the key is another")
		}
		r := f.of[bob].regs[0]
		if opts, err := f.optionsOf(r); err != nil || opts.Of != "" {
			t.Error("the secrets of what ended are kept", opts, err)
		}
	})
}

func TestOneAlarmForAServiceThatDoesNotWork(t *testing.T) {
	run(t, func(w *world) {
		w.app.answers(failure("internal-server-error", "wait"))
		for _, name := range strings.Split("a b c d e f g h i j k l m n", " ") {
			c := w.device(name+"@example.org/phone", "phone")
			w.enable(c, "app.example.org", name, "")
			c.Session.Close(nil)
			w.alice().Send("<message to='" + name + "@example.org' type='chat'><body>x</body></message>")
			w.app.pushes()
		}
		if n := strings.Count(w.log.String(), "push service does not work"); n != 1 {
			t.Errorf("%d alarms", n)
		}
		w.app.answers("")
		time.Sleep(time.Hour)
		if n := strings.Count(w.log.String(), "push service works again"); n != 1 {
			t.Errorf("%d all-clears: %s", n, w.log.String())
		}
	})
}

func TestWebPushIsToldHowManyAndNothingElse(t *testing.T) {
	run(t, func(w *world) { browse(t, w, `{"count":1,"pending":2}`) })
	runWith(t, func(c *Config) { c.Body, c.Sender = true, true }, func(w *world) {
		browse(t, w, `{"count":1,"pending":2,"sender":"alice@example.org/a","body":"secret words"}`)
	})
}

func browse(t *testing.T, w *world, want string) {
	t.Helper()
	laptop := w.device("bob@example.org/laptop", "laptop")
	w.enable(laptop, "push.example.org", "web", subscribed(t, "https://push.example.net/x"))
	laptop.Session.Close(nil)
	w.say(text)
	got := w.web.pushes()
	if len(got) != 1 || string(got[0].Payload) != want || got[0].TTL != lifeOfNote || got[0].Urgency != webpush.Normal {
		t.Errorf("%+v", got)
	}
}

func TestATestDoesNotTakeThePlaceOfMessagesThatWaitAtThePushService(t *testing.T) {
	run(t, func(w *world) {
		browse(t, w, `{"count":1,"pending":2}`)
		time.Sleep(gap)
		bob := jid.MustParse("bob@example.org")
		id := w.push.States(bob)[0].ID
		if err := w.push.Test(bob, id, func(bool, string) {}); err != nil {
			t.Fatal(err)
		}
		if got := w.web.pushes(); len(got) != 1 || got[0].Topic != "test" || string(got[0].Payload) != `{"count":0,"pending":2,"test":true}` {
			t.Errorf("%+v", got)
		}
	})
}

func TestOutcomesOfWebPush(t *testing.T) {
	for _, c := range []struct {
		answer webpush.Result
		state  string
		tries  int // in an hour
	}{
		{webpush.Result{}, "push.example.net ok;", 1},
		{webpush.Result{Outcome: webpush.Gone, Reason: "x"}, "push.example.net ended;", 1},
		{webpush.Result{Outcome: webpush.Refused, Reason: "x"}, "push.example.net failing;", 1},
		{webpush.Result{Outcome: webpush.NotNow, Reason: "x", After: 45 * time.Minute}, "push.example.net failing;", 2},
		{webpush.Result{Outcome: webpush.NotThere, Reason: "x"}, "push.example.net failing;", 7},
	} {
		run(t, func(w *world) {
			w.web.answer = c.answer
			laptop := w.device("bob@example.org/laptop", "laptop")
			w.enable(laptop, "push.example.org", "web", subscribed(t, "https://push.example.net/x"))
			laptop.Session.Close(nil)
			w.say(text)
			time.Sleep(time.Hour)
			synctest.Wait()
			if n, got := len(w.web.pushes()), w.states(); n != c.tries || got != c.state {
				t.Errorf("%+v: %d tries, %s", c.answer, n, got)
			}
		})
	}
}

func TestAppServersAreToldTheSenderAndTheBodyOnlyWhereTheOperatorWantsIt(t *testing.T) {
	run(t, func(w *world) {
		w.phone().Session.Close(nil)
		w.say(text)
		if got := w.want("default", 1); strings.Contains(got[0], "secret") || strings.Contains(got[0], "alice") {
			t.Error(got)
		}
	})
	runWith(t, func(c *Config) { c.Body, c.Sender = true, true }, func(w *world) {
		w.phone().Session.Close(nil)
		w.say(text)
		got := w.want("all", 1)
		if !strings.Contains(got[0], "<field var='last-message-sender'><value>alice@example.org/a</value>") ||
			!strings.Contains(got[0], "<field var='last-message-body'><value>secret words</value>") {
			t.Error(got)
		}
		time.Sleep(time.Minute)
		w.say("<body>fallback</body><encryption xmlns='urn:xmpp:eme:0'/><encrypted xmlns='urn:xmpp:omemo:2'><payload>x</payload></encrypted>")
		if got := w.want("encrypted", 1); strings.Contains(got[0], "fallback") || strings.Contains(got[0], "secret") {
			t.Error(got)
		}
	})
}

func TestLongTextsAreCutBetweenCharacters(t *testing.T) {
	runWith(t, func(c *Config) { c.Body = true }, func(w *world) {
		w.phone().Session.Close(nil)
		w.say("<body>" + strings.Repeat("ü", 1000) + "a</body>")
		got := w.want("long", 1)
		if n := strings.Count(got[0], "ü"); n != bodyMost/2 {
			t.Errorf("%d characters", n)
		}
		time.Sleep(time.Minute)
		w.say("<body>a" + strings.Repeat("ü", 1000) + "</body>")
		if got := w.want("long", 1); !strings.Contains(got[0], "<value>aü") {
			t.Errorf("%s", got)
		}
	})
}
