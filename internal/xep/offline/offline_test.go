package offline

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

var bobJID = jid.MustParse("bob@example.org")

type late struct{ *archive.Archive }

type world struct {
	*coretest.World
	archive *archive.Archive
	alice   *coretest.Client
	// between runs after a presence is set and before the feature hears of it
	between func()
	// stall, when not nil, holds releases back
	stall chan bool
}

func run(t *testing.T, f func(w *world)) {
	t.Helper()
	var a late
	w := &world{between: func() {}}
	coretest.RunOn(t, &a, func(cw *coretest.World) {
		st := memory.New()
		var err error
		if a.Archive, err = archive.New(t.Context(), st, st, archive.Config{}); err != nil {
			t.Fatal(err)
		}
		w.World, w.archive = cw, a.Archive
		a.Register(cw.Host, cw.Router)
		cw.Host.Deliver = append(cw.Host.Deliver, func(*core.Session, *core.Transit) core.Verdict {
			if w.stall != nil {
				<-w.stall
			}
			return core.Pass
		})
		o := New(cw.Router, a.Archive, st, slog.New(slog.DiscardHandler))
		o.Register(cw.Host)
		cw.Host.Presence(func(t *core.Transit) error {
			w.presence(o, t)
			return nil
		})
	}, func(*coretest.World) {
		w.alice = w.Login("alice@example.org/a")
		f(w)
		a.Close()
	})
}

// presence stands in for people.
func (w *world) presence(o *Offline, t *core.Transit) {
	s := t.Session
	if t.Head.Type == stanza.Unavailable {
		s.SetPresence(nil)
		return
	}
	initial := s.Presence() == nil
	priority, _ := strconv.Atoi(t.Elem.Child(stanza.NSClient, "priority").Text())
	s.SetPresence(&core.Presence{Stanza: stanza.New(t.Head, nil), Priority: int8(priority)})
	w.between()
	o.Presence(s, t.Elem, initial)
}

func (w *world) say(bodies ...string) {
	for _, b := range bodies {
		w.sayTo("bob@example.org", b)
	}
}

func (w *world) sayTo(to, body string) {
	w.alice.Send("<message to='" + to + "' type='chat'><body>" + body + "</body></message>")
	synctest.Wait()
}

func bodies(xml string) string {
	var out []string
	for _, part := range strings.Split(xml, "<body>")[1:] {
		body, _, _ := strings.Cut(part, "</body>")
		out = append(out, body)
	}
	return strings.Join(out, " ")
}

func want(t *testing.T, c *coretest.Client, want string) {
	t.Helper()
	if got := bodies(c.Got()); got != want {
		t.Errorf("%s got %q, want %q", c.Session.JID, got, want)
	}
}

const here = "<presence/>"

func TestWhoWasAwayGetsWhatHeMissedOnce(t *testing.T) {
	run(t, func(w *world) {
		w.say("1", "2")
		bob := w.Bind("bob@example.org/b")
		bob.Send(here)
		got := bob.Got()
		if bodies(got) != "1 2" {
			t.Errorf("bob got %s", got)
		}
		id := w.Router.StanzaID(1)
		first := "<body>1</body><delay xmlns='urn:xmpp:delay' from='example.org' stamp='2000-01-01T00:00:00.000Z'/>" +
			"<stanza-id xmlns='urn:xmpp:sid:0' id='" + id + "' by='bob@example.org'/></message>"
		if !strings.Contains(got, first) {
			t.Errorf("bob got %s, want %s", got, first)
		}
		bob.Session.Close(nil)
		bob = w.Bind("bob@example.org/b")
		bob.Send(here)
		want(t, bob, "")
	})
}

func TestWhatWasDeliveredLiveIsNotFedLater(t *testing.T) {
	run(t, func(w *world) {
		bob := w.Bind("bob@example.org/b")
		bob.Send(here)
		w.say("1")
		want(t, bob, "1")
		bob.Session.Close(nil)
		w.say("2")
		bob = w.Bind("bob@example.org/c")
		bob.Send(here)
		want(t, bob, "2")
		bob.Send("<presence><show>away</show></presence>")
		want(t, bob, "")
	})
}

func TestWhatWasNotAcknowledgedIsFedAgain(t *testing.T) {
	run(t, func(w *world) {
		bob := w.Bind("bob@example.org/b")
		bob.Session.EnableSM(false, func([16]byte) []byte { return nil })
		bob.Send(here)
		w.say("1", "2", "3")
		want(t, bob, "1 2 3")
		if !bob.Session.Acked(2) {
			t.Fatal("ack refused")
		}
		bob.Session.Close(nil)
		bob = w.Bind("bob@example.org/b")
		bob.Send(here)
		want(t, bob, "3")
	})
}

func TestNothingNewOvertakesWhatIsFed(t *testing.T) {
	run(t, func(w *world) {
		const missed = 3*portion + 7
		var all []string
		for n := range missed {
			all = append(all, fmt.Sprint(n))
			w.say(all[n])
		}
		bob := w.Bind("bob@example.org/b")
		w.between = func() { w.say("live") }
		bob.Send(here)
		w.between = func() {}
		want(t, bob, strings.Join(all, " ")+" live")
		w.say("after")
		want(t, bob, "after")
	})
}

func TestALiveMessageDuringTheFeedComesOnce(t *testing.T) {
	run(t, func(w *world) {
		for range portion + 1 {
			w.say("old")
		}
		bob := w.Bind("bob@example.org/b")
		bob.Send(here) // the feed runs on the writer
		w.alice.Send("<message to='bob@example.org' type='chat'><body>new</body></message>")
		w.alice.Send("<message to='bob@example.org' type='chat'><body>newer</body></message>")
		got := bodies(bob.Got())
		if !strings.HasSuffix(got, "old new newer") || strings.Count(got, "new") != 2 {
			t.Errorf("got %q", got)
		}
	})
}

func TestWhatTheFeedFindsBeforeItIsReleasedComesOnce(t *testing.T) {
	run(t, func(w *world) {
		bob := w.Bind("bob@example.org/b")
		w.stall = make(chan bool)
		w.sayTo("bob@example.org/b", "1") // durable, on its way to bob
		bob.Send(here)
		want(t, bob, "1")
		close(w.stall)
		want(t, bob, "")
	})
}

func TestAMessageDuringAChangeOfStatusIsNotLost(t *testing.T) {
	run(t, func(w *world) {
		bob := w.Bind("bob@example.org/b")
		bob.Send(here)
		w.between = func() { w.say("meanwhile") }
		bob.Send("<presence><show>away</show></presence>")
		w.between = func() {}
		want(t, bob, "meanwhile")
		w.say("later")
		want(t, bob, "later")
	})
}

func TestADeviceThatReadsTheArchiveIsNotFed(t *testing.T) {
	for _, flag := range []core.Flag{core.ArchiveRead, core.Modern} {
		run(t, func(w *world) {
			w.say("1")
			bob := w.Bind("bob@example.org/b")
			bob.Session.SetFlag(flag, true)
			w.between = func() { w.say("2") }
			bob.Send(here)
			w.between = func() {}
			w.say("3")
			want(t, bob, "2 3")
		})
	}
}

func TestANegativePriorityWaits(t *testing.T) {
	run(t, func(w *world) {
		w.say("1")
		bob := w.Bind("bob@example.org/b")
		bob.Send("<presence><priority>-1</priority></presence>")
		w.sayTo("bob@example.org/b", "direct")
		w.say("2")
		want(t, bob, "direct")
		bob.Send("<presence><priority>0</priority></presence>")
		want(t, bob, "1 2")
		w.say("3")
		want(t, bob, "3")
	})
}

func TestWhatCameBeforeTheFirstPresenceComesOnce(t *testing.T) {
	run(t, func(w *world) {
		w.say("1")
		bob := w.Bind("bob@example.org/b")
		w.sayTo("bob@example.org/b", "early")
		w.say("2")
		want(t, bob, "early")
		if at := w.archive.Cursors().At(bobJID); at != 0 {
			t.Errorf("the cursor is at %d before anything missed was given", at)
		}
		bob.Send(here)
		want(t, bob, "1 2")
		bob.Session.Close(nil)
		bob = w.Bind("bob@example.org/b")
		bob.Send(here)
		want(t, bob, "")
	})
}

func TestOnceAwayAndBackMissesNothing(t *testing.T) {
	run(t, func(w *world) {
		bob := w.Bind("bob@example.org/b")
		bob.Send(here)
		w.say("1")
		want(t, bob, "1")
		bob.Send("<presence type='unavailable'/>")
		w.say("2")
		want(t, bob, "")
		w.between = func() { w.say("3") }
		bob.Send(here)
		want(t, bob, "2 3")
	})
}

func TestTheSecondDeviceIsNotFedWhatTheFirstHas(t *testing.T) {
	run(t, func(w *world) {
		w.say("1")
		first := w.Bind("bob@example.org/1")
		first.Send(here)
		want(t, first, "1")
		second := w.Bind("bob@example.org/2")
		second.Send(here)
		want(t, second, "")
	})
}

func TestOnesOwnMessagesAreNotFed(t *testing.T) {
	run(t, func(w *world) {
		bob := w.Bind("bob@example.org/b")
		for range 2*portion + 1 {
			bob.Send("<message to='alice@example.org' type='chat'><body>mine</body></message>")
			synctest.Wait()
		}
		bob.Send(here)
		want(t, bob, "")
		n, err := w.archive.Count(t.Context(), store.Query{Owner: "bob@example.org", After: w.archive.Cursors().At(bobJID)})
		if n != 0 || err != nil {
			t.Errorf("%d places would be looked at again, %v", n, err)
		}
	})
}

func TestTheCursorOutlivesTheProcess(t *testing.T) {
	run(t, func(w *world) {
		bob := w.Bind("bob@example.org/b")
		bob.Send(here)
		w.say("1")
		want(t, bob, "1")
		time.Sleep(2 * time.Second)
		if at := w.archive.Cursors().At(bobJID); at != 1 {
			t.Errorf("the cursor is at %d", at)
		}
	})
}
