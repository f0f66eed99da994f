package push

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
)

func TestOnlyADeviceThatIsAwayIsWoken(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		w.say(text)
		w.want("connected", 0)
		phone.Session.SetInactive(true)
		w.say(text)
		w.want("connected, nobody looks", 0)
		phone.Session.Acked(99) // all that was written, or more
		phone.Session.Close(nil)
		time.Sleep(time.Minute)
		w.say(text)
		got := w.want("away", 1)
		if !strings.Contains(got[0], "from='bob@example.org' to='app.example.org'") || !strings.Contains(got[0], "<publish node='n1'>") {
			t.Error(got)
		}
	})
}

func TestASleepingSessionIsWokenForWhatWaitsForIt(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		sleep(phone)
		w.say(text)
		w.want("asleep", 1)
		phone = wake(w, phone)
		time.Sleep(time.Minute)
		w.say(text)
		w.want("awake", 0)
		// what the broken connection swallowed
		sleep(phone)
		w.want("unacknowledged", 1)
	})
}

func TestAnotherDeviceThatIsHereDoesNotKeepThePhoneAsleep(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		laptop := w.device("bob@example.org/laptop", "laptop")
		phone.Session.Close(nil)
		w.say(text)
		w.want("the phone is away", 1)
		laptop.Send("<message to='alice@example.org' type='chat'><body>mine</body></message>")
		laptop.Send("<message to='bob@example.org' type='chat'><body>to myself</body></message>")
		time.Sleep(time.Hour)
		w.want("bob wrote himself", 0)
	})
}

func TestCopiesWakeOnlyForWhatWasReceived(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		phone.Session.SetFlag(core.Carbons, true)
		laptop := w.device("bob@example.org/laptop", "laptop")
		sleep(phone)
		laptop.Send("<message to='alice@example.org' type='chat'><body>mine</body></message>")
		w.want("a copy of what bob sent", 0)
		w.alice().Send("<message to='bob@example.org/laptop' type='chat'><body>hers</body></message>")
		w.want("a copy of what bob was sent", 1)
	})
}

func TestWhatIsWorthWakingFor(t *testing.T) {
	for content, want := range map[string]int{
		text: 1,
		"<encrypted xmlns='urn:xmpp:omemo:2'><header/><payload>x</payload></encrypted><store xmlns='urn:xmpp:hints'/>": 1,
		"<encrypted xmlns='urn:xmpp:omemo:2'><header/></encrypted>":                                                    0,
		"<x xmlns='jabber:x:conference' jid='r@rooms.example.org'/>":                                                   1,
		"<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>":                                                          1,
		"<propose xmlns='urn:xmpp:jingle-message:0' id='1'/><no-store xmlns='urn:xmpp:hints'/>":                        1,
		"<accept xmlns='urn:xmpp:jingle-message:0' id='1'/>":                                                           0,
		"<composing xmlns='http://jabber.org/protocol/chatstates'/>":                                                   0,
		"<received xmlns='urn:xmpp:receipts' id='1'/>":                                                                 0,
		"<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>":                                                          0,
		"<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>x</reaction></reactions>":                            0,
		"<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'/></event>":                             0,
	} {
		run(t, func(w *world) {
			sleep(w.phone())
			w.say(content)
			w.want("asleep: "+content, want)
		})
		run(t, func(w *world) {
			w.phone().Session.Close(nil)
			w.say(content)
			w.want("away: "+content, want)
		})
	}
}

func TestGroupChatWakesASleepingOccupant(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		sleep(phone)
		room := func(content string) core.Packet {
			return core.Bytes([]byte("<message xmlns='jabber:client' from='r@rooms.example.org/alice' to='bob@example.org/phone' type='groupchat'>" + content + "</message>"))
		}
		phone.Session.Push(room("<subject>x</subject>"))
		phone.Session.Push(room("<composing xmlns='http://jabber.org/protocol/chatstates'/>"))
		w.want("nothing to read", 0)
		phone.Session.Push(room(text))
		w.want("a text", 1)
	})
}

func TestStrangersDoNotRing(t *testing.T) {
	run(t, func(w *world) {
		w.phone().Session.Close(nil)
		mallory := w.Login("mallory@example.org/m")
		for range 100 {
			mallory.Send("<message to='bob@example.org' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='1'/></message>")
		}
		w.want("a stranger calls", 0)
	})
}

func TestWhetherSomebodyMayRingHoldsNobodyElseUp(t *testing.T) {
	var roster chan struct{} // closed when it was read
	slow := func(c *Config) {
		c.Contact = func(_, peer jid.JID) bool {
			<-roster
			return peer.Local() == "alice"
		}
	}
	runWith(t, slow, func(w *world) {
		roster = make(chan struct{})
		const call = "<message to='bob@example.org' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='1'/></message>"
		phone := w.phone()
		phone.Session.Close(nil)
		tablet := w.device("bob@example.org/tablet", "tablet")
		w.enable(tablet, "app.example.org", "n2", "")
		sleep(tablet)
		carol := w.Login("carol@example.org/c")
		w.Login("mallory@example.org/m").Send(call)
		alice := w.alice()
		alice.Send(call)
		alice.Send("<message to='carol@example.org' type='chat'><body>meanwhile</body></message>")
		if got := carol.Got(); !strings.Contains(got, "meanwhile") {
			t.Errorf("carol waits for bob's roster: %q", got)
		}
		w.want("not decided", 0)
		close(roster)
		w.want("alice rings", 2)
	})
}

func TestWhatIsNotKeptWakesNobodyWhoIsAway(t *testing.T) {
	run(t, func(w *world) {
		w.phone().Session.Close(nil)
		w.device("bob@example.org/laptop", "laptop")
		w.say(text + "<no-store xmlns='urn:xmpp:hints'/>")
		w.want("not kept", 0)
	})
}

func TestPushesAreFurtherAndFurtherApartUntilTheDeviceIsBack(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		sleep(phone)
		since := time.Now()
		var times []int
		said := 0
		for ; time.Since(since) < 9*time.Minute; said++ {
			w.say(text)
			for range w.app.pushes() {
				times = append(times, int(time.Since(since).Seconds()))
			}
			time.Sleep(time.Second)
		}
		if got := fmt.Sprint(times); got != "[0 10 30 70 150 310]" {
			t.Errorf("pushed at %s", got)
		}
		phone = wake(w, phone)
		phone.Session.Acked(uint32(said) + 1) // and the answer to enable
		time.Sleep(time.Second)
		sleep(phone)
		w.want("nothing came", 0)
		time.Sleep(gap)
		w.say(text)
		w.want("at once again", 1)
	})
}

func TestNothingGoesOutForADeviceThatCameBackMeanwhile(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		phone.Session.Close(nil)
		w.say(text)
		w.want("the first", 1)
		w.say(text)
		w.want("too early", 0)
		w.phone()
		time.Sleep(time.Hour)
		w.want("the phone is here", 0)
	})
}

func TestACallDoesNotWaitForItsTurn(t *testing.T) {
	run(t, func(w *world) {
		w.phone().Session.Close(nil)
		for range 4 {
			w.say(text)
			time.Sleep(time.Minute)
		}
		w.app.pushes()
		w.say("<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>")
		w.want("a call", 1)
	})
}

func TestMessagesAreCountedUntilTheDeviceIsBack(t *testing.T) {
	run(t, func(w *world) {
		phone := w.phone()
		phone.Session.Close(nil)
		count := func(n int) {
			t.Helper()
			got := w.want("a push", 1)
			if len(got) == 1 && !strings.Contains(got[0], fmt.Sprintf("<field var='message-count'><value>%d</value></field><field var='pending-subscription-count'><value>2</value></field>", n)) {
				t.Errorf("want %d: %s", n, got[0])
			}
		}
		w.say(text)
		count(1)
		w.say(text)
		w.say(text)
		time.Sleep(20 * time.Second)
		count(3)
		phone = w.phone()
		phone.Session.Close(nil)
		time.Sleep(time.Minute)
		w.say(text)
		count(1)
	})
}

func TestAnAccountHasABudgetWhateverItRegisters(t *testing.T) {
	run(t, func(w *world) {
		laptop := w.device("bob@example.org/laptop", "laptop")
		n := 0
		since := time.Now()
		for time.Since(since) < 2*time.Minute {
			phone := w.device("bob@example.org/phone", "phone")
			for i := range maxRegistrations {
				w.enable(phone, "app.example.org", fmt.Sprint("n", n, i), "")
			}
			phone.Session.Close(nil)
			w.say(text)
			n += len(w.app.pushes())
			laptop.Send("<iq type='set' id='d'><disable xmlns='urn:xmpp:push:0' jid='app.example.org'/></iq>")
			laptop.Got()
			time.Sleep(time.Second)
		}
		if most := budgetMost + int(2*time.Minute/budgetGap) + 1; n > most || n < budgetMost {
			t.Errorf("%d pushes in two minutes, want %d at most", n, most)
		}
	})
}

func TestClientsThatCannotBeToldApartAreKnownByTheirAddress(t *testing.T) {
	run(t, func(w *world) {
		phone := w.device("bob@example.org/phone", "nameless")
		w.enable(phone, "app.example.org", "n1", "")
		w.device("bob@example.org/desk", "nameless")
		w.say(text)
		w.want("connected", 0)
		phone.Session.Acked(1)
		phone.Session.Close(nil)
		w.say(text)
		w.want("the desk is another", 1)
		if !w.push.shared(jid.MustParse("bob@example.org"), "") {
			t.Error("who has no device may be anybody")
		}
	})
}
