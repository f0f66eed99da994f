package conn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/xmpp/jid"
)

func TestATicketIsToldOfWhenTheServerHasIt(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		for i := range 3 {
			if err := w.c.Send(message(fmt.Sprint("m", i)), uint64(10+i)); err != nil {
				w.t.Fatal(err)
			}
		}
		for i := range 3 {
			s.hearMessage(fmt.Sprint("m", i))
		}
		s.say("<a xmlns='urn:xmpp:sm:3' h='2'/>")
		if h := event[*Handled](w); !slices.Equal(h.Tickets, []uint64{10, 11}) {
			t.Errorf("handled: %v", h.Tickets)
		}
		s.say("<a xmlns='urn:xmpp:sm:3' h='3'/>")
		if h := event[*Handled](w); !slices.Equal(h.Tickets, []uint64{12}) {
			t.Errorf("handled: %v", h.Tickets)
		}
	})
}

// hearMessage skips what is no message, and expects this one.
func (s *server) hearMessage(id string) {
	s.t.Helper()
	for {
		if got := s.hear(); strings.HasPrefix(got, "<message") {
			if !strings.Contains(got, "id='"+id+"'") {
				s.t.Fatalf("the client says %s, not %s", got, id)
			}
			return
		}
	}
}

func TestWhatTheServerHasIsNotSentAgainAndTheRestIsOnce(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		for i := range 4 {
			w.c.Send(message(fmt.Sprint("m", i)), uint64(10+i))
		}
		for i := range 4 {
			s.hearMessage(fmt.Sprint("m", i))
		}
		w.lose(s)
		if err := w.c.Send(message("x"), 99); !errors.Is(err, ErrDown) {
			t.Errorf("while down: %v", err)
		}
		s = w.resumed(3, 0)
		if h := event[*Handled](w); !slices.Equal(h.Tickets, []uint64{10, 11, 12}) {
			t.Errorf("handled: %v", h.Tickets)
		}
		if up := event[*Up](w); !up.Resumed {
			t.Error("not resumed")
		}
		s.hearMessage("m3")
		s.say("<a xmlns='urn:xmpp:sm:3' h='4'/>")
		if h := event[*Handled](w); !slices.Equal(h.Tickets, []uint64{13}) {
			t.Errorf("handled: %v", h.Tickets)
		}
	})
}

func TestWhenTheSessionIsGoneItsTicketsAreLostBeforeTheNewOneBegins(t *testing.T) {
	for failed, want := range map[string][]uint64{
		"<failed xmlns='urn:xmpp:sm:3'/>":       {10, 11},
		"<failed xmlns='urn:xmpp:sm:3' h='1'/>": {11},
		"<failed xmlns='urn:xmpp:sm:3' h='9'/>": {10, 11},
	} {
		inBubble(t, nil, nil, func(w *world) {
			s := w.signIn()
			w.c.Send(message("m0"), 10)
			w.c.Send(message("m1"), 11)
			s.hearMessage("m0")
			w.lose(s)
			s = w.accept()
			s.open(modern)
			_, proof := s.authenticate("SCRAM-SHA-256-PLUS")
			s.success(proof, "alice@example.org/r", failed+enabled)
			if len(want) == 1 {
				event[*Handled](w)
			}
			if l := event[*Lost](w); !slices.Equal(l.Tickets, want) {
				t.Errorf("after %s lost: %v", failed, l.Tickets)
			}
			if up := event[*Up](w); up.Resumed {
				t.Error("resumed")
			}
			w.c.Send(message("m2"), 12)
			s.hearMessage("m2")
			s.say("<a xmlns='urn:xmpp:sm:3' h='1'/>")
			if h := event[*Handled](w); !slices.Equal(h.Tickets, []uint64{12}) {
				t.Errorf("handled: %v", h.Tickets)
			}
		})
	}
}

func TestOnlyWhatIsSettledIsAcknowledged(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		for i := range 3 {
			s.say("<message from='bob@example.org' id='m%d'><body/></message>", i)
		}
		var marks []Mark
		for range 3 {
			marks = append(marks, event[*Stanza](w).Mark)
		}
		s.say("<r xmlns='urn:xmpp:sm:3'/>")
		s.hear("<a ", "h='0'")
		w.c.Settle(marks[1])
		w.c.Settle(marks[0]) // said late: changes nothing
		s.say("<r xmlns='urn:xmpp:sm:3'/>")
		s.hear("<a ", "h='2'")
		w.c.Settle(marks[2]) // the server has asked: it is told without asking again
		s.hear("<a ", "h='3'")
		w.c.Settle(Mark{session: marks[0].session + 1, n: 9})
		s.say("<r xmlns='urn:xmpp:sm:3'/>")
		s.hear("<a ", "h='3'")
	})
}

func TestWhatIsRepeatedIsGivenOnOnce(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		for i := range 3 {
			s.say("<message from='bob@example.org' id='m%d'><body/></message>", i)
		}
		var marks []Mark
		for range 3 {
			marks = append(marks, event[*Stanza](w).Mark)
		}
		w.c.Settle(marks[0])
		w.lose(s)
		s = w.resumed(0, 1)
		event[*Up](w)
		w.c.Settle(marks[2]) // before the server has repeated it
		s.say("<r xmlns='urn:xmpp:sm:3'/>")
		s.hear("<a ", "h='1'") // never more than it has sent on this stream
		s.say("<message from='bob@example.org' id='m1'><body/><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/></message>")
		s.say("<message from='bob@example.org' id='m2'><body/></message><message from='bob@example.org' id='m3'><body/></message>")
		got := event[*Stanza](w)
		if got.ID != "m3" {
			t.Errorf("given on: %s", got.ID)
		}
		s.say("<r xmlns='urn:xmpp:sm:3'/>")
		s.hear("<a ", "h='3'")
		w.c.Settle(got.Mark)
		s.hear("<a ", "h='4'")
	})
}

func TestAServerThatRepeatsSomethingElseIsNotResumed(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		s.say("<message from='bob@example.org' id='m0'><body/></message>")
		event[*Stanza](w)
		w.lose(s)
		s = w.resumed(0, 0)
		event[*Up](w)
		s.say("<message from='bob@example.org' id='other'><body/></message>")
		event[*Down](w)
		s = w.accept()
		s.open(modern)
		if request, _ := s.authenticate("SCRAM-SHA-256-PLUS"); request.Child(nsSM, "resume").OK() {
			t.Error("the client resumes once more")
		}
	})
}

func TestASessionGoesOnInAnotherRunOfTheProgram(t *testing.T) {
	var stored []byte
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		s.say("<message from='bob@example.org' id='in'><body/></message>")
		m := event[*Stanza](w)
		w.c.Send(message("m0"), 10)
		w.c.Send(message("m1"), 11)
		s.hearMessage("m0")
		if v := w.c.Saved(Mark{}); v.In != 0 {
			t.Errorf("nothing is settled, and saved is %+v", v)
		}
		v := w.c.Saved(m.Mark)
		if v.In != 1 || len(v.Unacked) != 2 {
			t.Errorf("saved: %+v", v)
		}
		stored, _ = json.Marshal(v)
	})
	saved := new(Saved)
	if err := json.Unmarshal(stored, saved); err != nil {
		t.Fatal(err)
	}
	inBubble(t, nil, saved, func(w *world) {
		s := w.resumed(1, 1)
		if h := event[*Handled](w); !slices.Equal(h.Tickets, []uint64{10}) {
			t.Errorf("handled: %v", h.Tickets)
		}
		if up := event[*Up](w); !up.Resumed || up.JID != jid.MustParse("alice@example.org/r") {
			t.Errorf("up: %+v", up)
		}
		s.hearMessage("m1")
	})
	inBubble(t, nil, saved, func(w *world) { // killed after it had sent more than it saved
		s := w.resumed(5, 1)
		if h := event[*Handled](w); !slices.Equal(h.Tickets, []uint64{10, 11}) {
			t.Errorf("handled: %v", h.Tickets)
		}
		event[*Up](w)
		w.c.Send(message("m2"), 12)
		s.hearMessage("m2")
		s.say("<a xmlns='urn:xmpp:sm:3' h='6'/>")
		event[*Handled](w)
	})
}

func TestAServerThatCountsWhatWasNotSentIsLeft(t *testing.T) {
	for _, h := range []string{"1", "4294967295", "4294967296", "-1", "x", ""} {
		inBubble(t, nil, nil, func(w *world) {
			s := w.signIn()
			s.say("<a xmlns='urn:xmpp:sm:3' h='%s'/>", h)
			if d := event[*Down](w); d.Err.Reason != Misbehaved {
				t.Errorf("h=%q: %v", h, d.Err)
			}
		})
	}
}

func TestLookingAwayIsToldNowAndOnLaterStreams(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		w.c.Attend(true)
		w.c.Attend(false)
		s.hear("<inactive ")
		w.lose(s)
		s = w.resumed(0, 0)
		event[*Up](w)
		s.hear("<inactive ")
		w.c.Attend(true)
		s.hear("<active ")
		w.c.Attend(false)
		s.hear("<inactive ")
		w.lose(s)
		s = w.accept()
		s.open(modern)
		request, proof := s.authenticate("SCRAM-SHA-256-PLUS")
		if !request.Child(nsBind2, "bind").Child(nsCSI, "inactive").OK() {
			t.Error("not told while binding")
		}
		s.success(proof, "alice@example.org/r", enabled)
		event[*Up](w)
	})
}

func TestLeavingSaysWhatWasSentAndEndsTheSession(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		w.c.Send(message("m0"), 10)
		w.c.Leave(context.Background())
		if err := w.c.Send(message("m1"), 11); !errors.Is(err, ErrDown) {
			t.Errorf("after leaving: %v", err)
		}
		s.hearMessage("m0")
		bye := s.hear()
		for strings.HasPrefix(bye, "<r ") || strings.HasPrefix(bye, "<a ") { // how far we are is told before what was not written yet
			bye = s.hear()
		}
		if !strings.HasPrefix(bye, "<presence") || !strings.Contains(bye, "type='unavailable'") {
			t.Errorf("the client says %s", bye)
		}
		s.say("<a xmlns='urn:xmpp:sm:3' h='2'/>")
		event[*Handled](w)
		for s.hear() != "close" {
		}
		s.say("</stream:stream>")
		if err := <-w.err; err != nil || w.c.Saved(Mark{}) != nil {
			t.Errorf("Run returns %v", err)
		}
	})
	inBubble(t, nil, nil, func(w *world) { // a server that says nothing
		s := w.signIn()
		w.c.Send(message("m0"), 10)
		s.hearMessage("m0")
		began := time.Now()
		w.c.Leave(context.Background())
		if l := event[*Lost](w); !slices.Equal(l.Tickets, []uint64{10}) {
			t.Errorf("lost: %v", l.Tickets)
		}
		if err := <-w.err; err != nil || time.Since(began) != partingTime {
			t.Errorf("Run returns %v after %v", err, time.Since(began))
		}
	})
}

func TestClosingTheProgramLeavesTheSessionToBeResumed(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		w.c.Send(message("m0"), 10)
		s.hearMessage("m0")
		w.end()
		if err := <-w.err; err != nil {
			t.Errorf("Run returns %v", err)
		}
		<-s.gone
		for len(s.in) > 0 {
			if got := <-s.in; got == "close" {
				t.Error("the stream was ended")
			}
		}
		if v := w.c.Saved(Mark{}); v == nil || len(v.Unacked) != 1 {
			t.Errorf("saved: %+v", v)
		}
		if e, open := <-w.c.Events(); open {
			t.Errorf("an event: %T", e)
		}
	})
}

func TestWhatWaitsToBeSentIsBounded(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		w.signIn()
		var err error
		n := 0
		for ; err == nil && n <= mostUnacked; n++ {
			err = w.c.Send(message("m"), 0)
		}
		if !errors.Is(err, ErrBusy) {
			t.Errorf("after %d: %v", n, err)
		}
	})
}

func TestWhatCannotBeReadIsCountedAndNotGivenOn(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		s.say("<message from='@@@' id='m0'><body/></message><presence type='nonsense'/><iq id='stray' type='result'/><unknown xmlns='x'/>")
		w.quiet()
		s.say("<r xmlns='urn:xmpp:sm:3'/>")
		s.hear("<a ", "h='3'")
		go s.nc.Write([]byte("<message><body>" + strings.Repeat("x", 2<<20)))
		if d := event[*Down](w); d.Err.Reason != Misbehaved {
			t.Errorf("down: %v", d.Err)
		}
	})
}

func TestEveryEventIsOne(t *testing.T) {
	for _, e := range []Event{&Up{}, &Down{}, &Stanza{}, &Answer{}, &Handled{}, &Lost{}, &TokenRefused{}, &Refused{}} {
		e.event()
		if reflect.TypeOf(e).Kind() != reflect.Pointer {
			t.Errorf("%T", e)
		}
	}
}
