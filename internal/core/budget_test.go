package core_test

import (
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
)

const asking = "<r xmlns='urn:xmpp:sm:3'/>"

// One who reads and answers every <r/> is not closed, however large the
// messages are that others send.
func TestOneWhoAcknowledgesIsNotClosed(t *testing.T) {
	coretest.Run(t, keepBoth, func(w *coretest.World) {
		alice, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		bob.Session.EnableSM(false, silent)
		body := strings.Repeat("x", 200_000)
		got := 0
		for range 100 {
			alice.Send(chat(body))
			text := bob.Got()
			got += strings.Count(text, "<body>")
			if strings.Contains(text, asking) && !bob.Session.Acked(uint32(got)) {
				t.Fatal("ack refused")
			}
		}
		if got != 100 || bob.Ended != "" {
			t.Errorf("got %d of 100, ended %q", got, bob.Ended)
		}
	})
}

// huge is a source whose portions are larger than the budget.
type huge struct{ left int }

func (h *huge) Next() (packets []core.Packet) {
	if h.left == 0 {
		return nil
	}
	h.left--
	for range 60 {
		packets = append(packets, core.Bytes([]byte("<f>"+strings.Repeat("x", 100_000)+"</f>")))
	}
	return packets
}

func TestALongAnswerIsNotChargedToTheOneWhoReadsIt(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob := w.Login("bob@example.org/b")
		bob.Session.EnableSM(false, silent)
		bob.Session.Feed(&huge{3})
		got := 0
		for range 40 {
			text := bob.Got()
			got += strings.Count(text, "<f>")
			bob.Session.Push(core.Bytes([]byte("<f>live</f>"))) // before he acknowledges
			if strings.Contains(text, asking) {
				bob.Session.Acked(uint32(got))
			}
		}
		got += strings.Count(bob.Got(), "<f>")
		if got != 220 || bob.Ended != "" {
			t.Errorf("got %d of 220, ended %q", got, bob.Ended)
		}
	})
}

// never is a source that has nothing to give and does not end.
type never chan struct{}

func (n never) Next() []core.Packet { <-n; return nil }

func TestLongAnswersThatNobodyReadsAreBounded(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob := w.Login("bob@example.org/b")
		stuck := make(never)
		for range 100 {
			bob.Session.Feed(stuck)
		}
		if bob.Ended != "policy-violation" {
			t.Errorf("ended %q", bob.Ended)
		}
		close(stuck)
	})
}

// Of several connections that resume a session at once the last has it, and
// none is left waiting.
func TestResumptionsAtOnceLeaveNobodyWaiting(t *testing.T) {
	arch := &held{}
	coretest.RunOn(t, arch, keepBoth, func(w *coretest.World) {
		bob, id := resumable(w, "bob@example.org/b")
		bob.Send(chat("to myself"))
		lose(bob)
		s := w.Router.Resumable(id)
		var conns [3]*coretest.Client
		var ended atomic.Int32
		for i := range conns {
			conns[i] = w.Connection()
			go func() {
				s.Resume(conns[i], 0, "", said)
				ended.Add(1)
			}()
		}
		conns[0].Got()
		arch.releaseAll()
		alive, told := 0, 0
		for _, c := range conns {
			told += strings.Count(c.Got(), "<resumed")
			if c.Ended == "" {
				alive++
			}
		}
		if ended.Load() != 3 || alive != 1 || told < 1 {
			t.Errorf("%d of 3 returned, %d alive, %d told", ended.Load(), alive, told)
		}
	})
}

func TestAnEndedSessionCannotBeMadeResumable(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob := w.Login("bob@example.org/b")
		bob.Session.Close(nil)
		var id [16]byte
		if bob.Session.EnableSM(true, func(i [16]byte) []byte { id = i; return nil }) || w.Router.Resumable(id) != nil {
			t.Error("enabled")
		}
	})
}

// XEP-0198 §4: h wraps at 2^32, and 2^31 is no limit.
func TestTheCountGoesBeyondTwoToThe31(t *testing.T) {
	for _, h := range []uint32{1<<31 - 1, 1 << 31, math.MaxUint32} {
		coretest.Run(t, nil, func(w *coretest.World) {
			f := core.Frozen{JID: "bob@example.org/b", ID: [16]byte{1}, H: h, Since: time.Now().Unix()}
			if err := w.Router.Thaw(f); err != nil {
				t.Fatal(err)
			}
			c := w.Connection()
			s := w.Router.Resumable(f.ID)
			if err := s.Resume(c, 0, "", func(handled uint32) []byte {
				if handled != h {
					t.Errorf("handled %d of %d", handled, h)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			c.Got()
		})
	}
}
