package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
)

func silent([16]byte) []byte { return nil }

func said(handled uint32) []byte { return fmt.Appendf(nil, "<resumed h='%d'/>", handled) }

// resumable logs bob in with resumption on and returns how to find the session.
func resumable(w *coretest.World, full string) (c *coretest.Client, id [16]byte) {
	c = w.Login(full)
	c.Session.EnableSM(true, func(i [16]byte) []byte { id = i; return nil })
	c.Got()
	return c, id
}

// lose takes the connection away without a word.
func lose(c *coretest.Client) {
	c.Abort(nil)
	c.Session.Detach(c)
}

func chat(body string) string {
	return "<message to='bob@example.org' type='chat'><body>" + body + "</body></message>"
}

func TestResumedSessionGetsWhatItMissedOnceAndInOrder(t *testing.T) {
	coretest.Run(t, keepBoth, func(w *coretest.World) {
		alice := w.Login("alice@example.org/a")
		bob, id := resumable(w, "bob@example.org/b")
		alice.Send(chat("1"))
		alice.Send(chat("2"))
		bob.Got()
		bob.Session.Acked(1)
		lose(bob)
		alice.Send(chat("3"))
		s := w.Router.Resumable(id)
		if s == nil {
			t.Fatal("the session is gone")
		}
		again := w.Connection()
		if err := s.TakeOver(); err != nil {
			t.Fatal(err)
		}
		if err := s.Attach(again, 1, "", said); err != nil {
			t.Fatal(err)
		}
		got := again.Got()
		if !strings.HasPrefix(got, "<resumed h='0'/>") || strings.Contains(got, "<body>1<") {
			t.Error(got)
		}
		if i, j := strings.Index(got, "<body>2<"), strings.Index(got, "<body>3<"); i < 0 || j < i {
			t.Error(got)
		}
	})
}

func TestResumptionTakesALivingConnectionOver(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob, id := resumable(w, "bob@example.org/b")
		if err := w.Router.Resumable(id).TakeOver(); err != nil {
			t.Fatal(err)
		}
		if bob.Ended != "conflict" {
			t.Errorf("old connection: %q", bob.Ended)
		}
	})
}

func TestImpossibleCountIsRefusedAtResumption(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob, id := resumable(w, "bob@example.org/b")
		lose(bob)
		s := w.Router.Resumable(id)
		if err := s.Attach(w.Connection(), 1, "", said); err != core.ErrCount {
			t.Error(err)
		}
	})
}

func TestHibernationEnds(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob, id := resumable(w, "bob@example.org/b")
		lose(bob)
		time.Sleep(9 * time.Minute) // the bubble's time
		if w.Router.Resumable(id) == nil {
			t.Fatal("too early")
		}
		time.Sleep(2 * time.Minute)
		if w.Router.Resumable(id) != nil || w.Router.Directory().Count() != 0 {
			t.Error("it never ends")
		}
	})
}

func TestAnAccountKeepsItsYoungestHibernatingSessions(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		var ids [][16]byte
		for i := range 12 {
			c, id := resumable(w, fmt.Sprintf("bob@example.org/%d", i))
			ids = append(ids, id)
			lose(c)
			time.Sleep(time.Second)
		}
		for i, id := range ids {
			if alive := w.Router.Resumable(id) != nil; alive != (i >= 2) {
				t.Errorf("session %d alive: %v", i, alive)
			}
		}
	})
}

func TestASessionWithoutResumptionEndsWithItsConnection(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		lose(w.Login("bob@example.org/b"))
		if n := w.Router.Directory().Count(); n != 0 {
			t.Errorf("%d sessions left", n)
		}
	})
}

func TestFrozenSessionResumesInAnotherProcess(t *testing.T) {
	var f core.Frozen
	coretest.Run(t, keepBoth, func(w *coretest.World) {
		alice := w.Login("alice@example.org/a")
		bob, _ := resumable(w, "bob@example.org/b")
		bob.Session.SetFlag(core.Carbons, true)
		bob.Send("<iq type='result' id='1'/>")
		alice.Send(chat("1"))
		bob.Got()
		lose(bob)
		alice.Send(chat("2"))
		var ok bool
		if f, ok = bob.Session.Freeze(); !ok {
			t.Fatal("not frozen")
		}
	})
	coretest.Run(t, keepBoth, func(w *coretest.World) {
		if err := w.Router.Thaw(f); err != nil {
			t.Fatal(err)
		}
		w.Login("alice@example.org/a").Send(chat("3"))
		s := w.Router.Resumable(f.ID)
		c := w.Connection()
		if err := s.TakeOver(); err != nil {
			t.Fatal(err)
		}
		if err := s.Attach(c, 1, "", said); err != nil {
			t.Fatal(err)
		}
		got := c.Got()
		if !strings.HasPrefix(got, "<resumed h='1'/>") || strings.Contains(got, "<body>1<") || !strings.Contains(got, "<body>2<") || !strings.Contains(got, "<body>3<") {
			t.Error(got)
		}
		if !s.Flag(core.Carbons) || s.Presence() == nil {
			t.Error("flags or presence were lost")
		}
	})
}

// A kill after a graceful restart must not find an older count than the one
// that was told in between.
func TestCountOfAThawedSessionIsMarkedBeforeItIsTold(t *testing.T) {
	arch := &held{}
	coretest.RunOn(t, arch, nil, func(w *coretest.World) {
		f := core.Frozen{JID: "bob@example.org/b", ID: [16]byte{1}, H: 7}
		if err := w.Router.Thaw(f); err != nil {
			t.Fatal(err)
		}
		s, c := w.Router.Resumable(f.ID), w.Connection()
		go func() {
			if s.TakeOver() == nil {
				s.Attach(c, 0, "", said)
			}
		}()
		if got := c.Got(); got != "" || len(arch.waiting) != 1 || arch.waiting[0].H != 7 {
			t.Fatalf("told %q, marks %d", got, len(arch.waiting))
		}
		arch.releaseAll()
		if got := c.Got(); got != "<resumed h='7'/>" {
			t.Error(got)
		}
	})
}

// What the peer is told it need not send again is on disk, also at resumption.
// idle is a source that was not drained.
type idle struct{}

func (idle) Next() []core.Packet { return nil }

func TestASessionThatIsOwedMoreIsNotFrozen(t *testing.T) {
	coretest.Run(t, keepBoth, func(w *coretest.World) {
		bob, _ := resumable(w, "bob@example.org/b")
		lose(bob)
		bob.Session.Feed(idle{})
		if _, ok := bob.Session.Freeze(); ok {
			t.Error("resuming it would miss what the source has")
		}
	})
}

func TestResumptionWaitsForWhatIsOnItsWayToDisk(t *testing.T) {
	arch := &held{}
	coretest.RunOn(t, arch, keepBoth, func(w *coretest.World) {
		bob, id := resumable(w, "bob@example.org/b")
		bob.Send(chat("to myself"))
		lose(bob)
		s, c := w.Router.Resumable(id), w.Connection()
		done := false
		go func() {
			if s.TakeOver() == nil && s.Attach(c, 0, "", said) == nil {
				done = true
			}
		}()
		if c.Got(); done {
			t.Fatal("resumed before the message was on disk")
		}
		arch.releaseAll()
		if got := c.Got(); !strings.HasPrefix(got, "<resumed h='1'/>") {
			t.Error(got)
		}
	})
}

func TestStanzasFromBeforeEnableAreNotCounted(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob := w.Login("bob@example.org/b")
		bob.Send("<iq type='result' id='1'/>")
		bob.Session.EnableSM(false, silent)
		bob.Send("<iq type='result' id='2'/>")
		bob.Session.AckRequested()
		if got := bob.Got(); got != "<a xmlns='urn:xmpp:sm:3' h='1'/>" {
			t.Error(got)
		}
		if bob.Session.EnableSM(false, silent) {
			t.Error("enabled twice")
		}
	})
}
