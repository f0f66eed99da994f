package conn

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestTheServersPingIsAnsweredAndNobodyElses(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		s.say("<iq type='get' from='example.org' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>")
		s.hear("<iq", "type='result'", "id='p1'", "to='example.org'")
		s.say("<iq type='get' from='bob@example.org/x' id='p2'><ping xmlns='urn:xmpp:ping'/></iq>")
		if got := event[*Stanza](w); got.ID != "p2" {
			t.Errorf("given on: %s", got.Raw)
		}
	})
}

func TestAPeerThatIsGoneIsFoundOut(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		began := time.Now()
		for range 3 { // it is asked when it was silent, and heard
			s.hear("<r ")
			s.say("<a xmlns='urn:xmpp:sm:3' h='0'/>")
		}
		if got := time.Since(began); got != 3*time.Minute {
			t.Errorf("asked three times after %v", got)
		}
		if d := event[*Down](w); d.Err.Reason != Unreachable {
			t.Errorf("down: %v", d.Err)
		}
		if got := time.Since(began); got != 3*time.Minute+80*time.Second {
			t.Errorf("given up after %v", got)
		}
	})
}

func TestAnEngineThatIsSlowIsNoDeadPeer(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		go func() {
			for i := range 200 {
				fmt.Fprintf(s.nc, "<message id='m%d'><body/></message>", i)
			}
		}()
		time.Sleep(time.Hour)
		for range 200 {
			event[*Stanza](w)
		}
	})
}

func TestAKickTriesWhatSeemsUpAndHurriesWhatIsDown(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		w.c.Kick()
		s.hear("<r ")
		s.say("<a xmlns='urn:xmpp:sm:3' h='0'/>")
		w.quiet()
		began := time.Now()
		w.c.Kick()
		event[*Down](w)
		if got := time.Since(began); got != kickPatience {
			t.Errorf("given up after %v", got)
		}
		for range 6 { // the pauses grow
			s := w.accept()
			s.nc.Close()
			event[*Down](w)
		}
		began = time.Now()
		w.c.Kick()
		w.accept()
		if got := time.Since(began); got != 0 {
			t.Errorf("tried after %v", got)
		}
	})
}

func TestPausesAreRandomBoundedAndBeginAnew(t *testing.T) {
	b := Backoff{Least: time.Second, Most: time.Minute}
	for range 100 {
		var p pause
		first := p.next(b, Unreachable)
		if first < time.Second || first > 3*time.Second {
			t.Errorf("the first pause is %v", first)
		}
		for range 50 {
			if d := p.next(b, Unreachable); d < time.Second || d > time.Minute {
				t.Errorf("a pause of %v", d)
			}
		}
		if d := new(pause).next(b, Policy); d < 10*time.Second || d > time.Minute {
			t.Errorf("a pause of %v after too much was asked of the server", d)
		}
	}
}

func TestAServerWithoutStreamManagementIsAskedByPing(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.accept()
		s.open(modern)
		_, proof := s.authenticate("SCRAM-SHA-256-PLUS")
		s.success(proof, "alice@example.org/r", "<bound xmlns='urn:xmpp:bind:0'/>")
		event[*Up](w)
		if w.c.Saved(Mark{}) != nil {
			t.Error("there is something to resume")
		}
		w.c.Send(message("m0"), 10)
		s.hearMessage("m0")
		id := s.parse(s.hear("<iq", "urn:xmpp:ping")).Attr("id")
		s.say("<iq type='result' id='%s' from='mallory@example.com'/>", id)
		w.quiet()
		s.say("<iq type='error' id='%s' from='alice@example.org'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", id)
		if h := event[*Handled](w); !slices.Equal(h.Tickets, []uint64{10}) {
			t.Errorf("handled: %v", h.Tickets)
		}
		w.c.Send(message("m1"), 11)
		s.hearMessage("m1")
		s.nc.Close()
		if l := event[*Lost](w); !slices.Equal(l.Tickets, []uint64{11}) {
			t.Errorf("lost: %v", l.Tickets)
		}
		event[*Down](w)
	})
}

func TestAServerThatHasNothingNewIsNotPestered(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		w.c.Send(message("m0"), 10)
		s.hearMessage("m0")
		began := time.Now()
		for range 3 {
			s.hear("<r ")
			s.say("<a xmlns='urn:xmpp:sm:3' h='0'/>")
		}
		s.hear("<r ")
		if got := time.Since(began); got < 3*askAgain {
			t.Errorf("asked four times in %v", got)
		}
	})
}
