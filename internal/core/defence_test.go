package core_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// What the disk has not taken must not pile up in memory: a reader whose
// window is full waits, and TCP pushes the sender back.
func TestAReaderWaitsWhileItsWindowIsFull(t *testing.T) {
	arch := &held{}
	coretest.RunOn(t, arch, keepBoth, func(w *coretest.World) {
		alice := w.Login("alice@example.org/a")
		sent := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range core.Window + 10 {
				alice.Send("<message to='bob@example.org' type='chat'><body>x</body></message>")
				sent++
			}
		}()
		synctest.Wait()
		if sent != core.Window {
			t.Errorf("%d messages are in flight, want %d", sent, core.Window)
		}
		for range core.Window + 10 {
			if len(arch.waiting) > 0 {
				next := arch.waiting[0]
				arch.waiting = arch.waiting[1:]
				next.Release()
			}
			synctest.Wait()
		}
		<-done
	})
}

func TestAFloodOfAckRequestsOwesABoundedNumberOfAnswers(t *testing.T) {
	arch := &held{}
	coretest.RunOn(t, arch, keepBoth, func(w *coretest.World) {
		alice := w.Login("alice@example.org/a")
		alice.Session.EnableSM(false, func([16]byte) []byte { return nil })
		alice.Send("<message to='bob@example.org' type='chat'><body>x</body></message>")
		for range 10 * core.Window {
			alice.Session.AckRequested()
		}
		arch.releaseAll()
		if n := strings.Count(alice.Got(), "<a "); n != core.Window {
			t.Errorf("%d answers, want %d", n, core.Window)
		}
	})
}

func TestSessionsOfOneAccountAreBounded(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		for i := range 20 {
			w.Bind(fmt.Sprintf("alice@example.org/%d", i))
		}
		_, err := w.Router.Bind(core.Binding{JID: jid.MustParse("alice@example.org/more")})
		if err == nil || !strings.Contains(err.Error(), "resource-constraint") {
			t.Errorf("one session more: %v", err)
		}
		w.Bind("bob@example.org/b") // another account is not touched
	})
}

func TestOnlyWhoWasAskedAnswers(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob, mallory := w.Login("bob@example.org/b"), w.Login("mallory@example.org/m")
		var answers []string
		w.Router.Ask(bob.Session.JID, []byte("<q xmlns='urn:test'/>"), func(e xtok.Elem, err error) {
			answers = append(answers, e.First().Attr("by"))
		})
		_, id, _ := strings.Cut(bob.Got(), " id='")
		id, _, _ = strings.Cut(id, "'")
		for _, c := range []*coretest.Client{mallory, bob, bob} {
			by := c.Session.JID.Local()
			c.Send("<iq type='result' id='" + id + "' to='example.org'><q xmlns='urn:test' by='" + by + "'/></iq>")
		}
		if len(answers) != 1 || answers[0] != "bob" {
			t.Errorf("answers by %q", answers)
		}
	})
}
