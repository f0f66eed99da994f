package archive_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
)

func TestNobodySeesAMessageBeforeItIsDurable(t *testing.T) {
	stepped(t, func(b *bench) {
		alice, bob := b.Login("alice@example.org/a"), b.Login("bob@example.org/b")
		alice.Send(chat("1", "one"))
		got(t, bob, "")
		b.durable()
		got(t, bob, "one")
		b.wrote("1+1")
	})
}

func TestTheNextGroupFillsWhileOneIsWritten(t *testing.T) {
	stepped(t, func(b *bench) {
		alice, carol, bob := b.Login("alice@example.org/a"), b.Login("carol@example.org/c"), b.Login("bob@example.org/b")
		alice.Send(chat("1", "one"))
		synctest.Wait() // the first group is on its way
		alice.Send(chat("2", "two"))
		carol.Send(chat("1", "three"))
		alice.Send(chat("3", "four"))
		b.durable()
		got(t, bob, "one")
		b.durable()
		got(t, bob, "two three four")
		b.wrote("1+1, 2+3")
	})
}

func TestAGroupIsBounded(t *testing.T) {
	stepped(t, func(b *bench) {
		bob := b.Login("bob@example.org/b")
		var senders []*coretest.Client
		for i := range 6 {
			senders = append(senders, b.Bind(fmt.Sprintf("alice@example.org/%d", i)))
		}
		senders[0].Send(chat("first", "x"))
		synctest.Wait()
		for i, s := range senders {
			for n := range 200 {
				s.Send(chat(fmt.Sprint(i, "-", n), "x"))
			}
		}
		b.durable()
		for range 3 {
			b.durable()
		}
		b.wrote("1+1, 2+512, 514+512, 1026+176")
		if n := strings.Count(bob.Got(), "<body>"); n != 1201 {
			t.Errorf("bob got %d messages of 1201", n)
		}
	})
}

func TestWhatIsNotKeptTakesItsPlaceBehindWhatIs(t *testing.T) {
	stepped(t, func(b *bench) {
		alice, bob := b.Login("alice@example.org/a"), b.Login("bob@example.org/b")
		secret := "<message to='bob@example.org' type='chat'><body>secret</body><no-store xmlns='urn:xmpp:hints'/></message>"
		alice.Send(secret)
		got(t, bob, "secret") // nothing before it waits
		alice.Send(chat("1", "one"))
		alice.Send(secret)
		got(t, bob, "")
		b.durable()
		got(t, bob, "one secret")
		b.wrote("1+1")
	})
}

func TestAFullDiskHoldsEverybodyAndHealsByItself(t *testing.T) {
	stepped(t, func(b *bench) {
		alice, bob := b.Login("alice@example.org/a"), b.Login("bob@example.org/b")
		alice.Session.EnableSM(false, noHello)
		alice.Got()
		alice.Send(chat("1", "one"))
		alice.Session.AckRequested()
		for range 7 {
			b.refuse(errFull)
			if err := b.Healthy(); err == nil || !strings.Contains(err.Error(), "no space left") {
				t.Fatalf("healthy with a full disk: %v", err)
			}
			time.Sleep(5 * time.Second)
		}
		alice.Send(chat("2", "two"))
		got(t, bob, "")
		if s := alice.Got(); s != "" {
			t.Errorf("alice was told %q while nothing could be stored", s)
		}
		b.durable()
		got(t, bob, "one")
		if s := alice.Got(); !strings.Contains(s, "h='1'") {
			t.Errorf("alice was told %q, want her ack", s)
		}
		b.durable()
		got(t, bob, "two")
		if err := b.Healthy(); err != nil {
			t.Error(err)
		}
		b.wrote("1+1, 2+1")
	})
}

func TestAnUnknownStateOnDiskStopsTheServer(t *testing.T) {
	var a late
	var fatal error
	coretest.RunOn(t, &a, func(w *coretest.World) {
		st := newStore()
		log := &steppedLog{Log: st, step: make(chan error, 1)}
		log.step <- fmt.Errorf("disk: %w", store.ErrFatal)
		a.Archive = open(t, log, st, archive.Config{Fatal: func(err error) { fatal = err }})
		a.Register(w.Host, w.Router)
	}, func(w *coretest.World) {
		alice, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		alice.Send(chat("1", "one"))
		alice.Send(chat("2", "two"))
		got(t, bob, "")
		if fatal == nil || a.Healthy() == nil {
			t.Error("the server was not told")
		}
		a.Close()
		got(t, bob, "")
	})
}

func TestCloseCommitsWhatWaitsAndNoMore(t *testing.T) {
	stepped(t, func(b *bench) {
		alice, bob := b.Login("alice@example.org/a"), b.Login("bob@example.org/b")
		alice.Send(chat("1", "one"))
		synctest.Wait()
		alice.Send(chat("2", "two"))
		done := make(chan bool)
		go func() { b.Close(); close(done) }()
		synctest.Wait()
		alice.Send(chat("3", "too late"))
		b.durable()
		b.durable()
		<-done
		got(t, bob, "one two")
		b.wrote("1+1, 2+1")
	})
}

func TestTheHighestCountOfASessionIsDurableWithItsGroup(t *testing.T) {
	stepped(t, func(b *bench) {
		alice := b.Login("alice@example.org/a")
		var id [16]byte
		alice.Session.EnableSM(true, func(i [16]byte) []byte { id = i; return nil })
		alice.Send(chat("1", "one"))
		synctest.Wait()
		alice.Send(chat("2", "two"))
		alice.Send(chat("3", "three"))
		b.durable()
		alice.Session.AckRequested()
		b.durable()
		b.wrote("1+1 h1, 2+2 h3")
		if s := alice.Got(); !strings.Contains(s, "h='3'") {
			t.Errorf("alice was told %q, want h='3'", s)
		}
		again := reopen(t, b)
		if h, ok := again.RecoveredH(id); !ok || h != 3 {
			t.Errorf("after a restart h is %d, %v; want 3", h, ok)
		}
		if _, ok := again.RecoveredH([16]byte{1}); ok {
			t.Error("a count for a session that never was")
		}
	})
}

func TestALateCountDoesNotLowerAHigherOne(t *testing.T) {
	stepped(t, func(b *bench) {
		mark := [16]byte{7}
		b.Append(&core.Transit{Mark: [16]byte{1}, H: 1, Time: time.Now()})
		synctest.Wait()
		for _, h := range []uint32{12, 10} {
			b.Append(&core.Transit{Mark: mark, H: h, Time: time.Now()})
		}
		for range 2 {
			b.log.step <- nil
		}
		synctest.Wait()
		if h, _ := reopen(t, b).RecoveredH(mark); h != 12 {
			t.Errorf("recovered %d, want 12", h)
		}
	})
}

func TestAClockThatJumpsBackDoesNotReorderCounts(t *testing.T) {
	st := newStore()
	mark := [16]byte{7}
	synctest.Test(t, func(t *testing.T) {
		future := time.Now().Add(24 * time.Hour).UnixMilli()
		if err := st.Append(&store.Group{Time: future, Marks: []store.Mark{{Session: mark, H: 5}}}); err != nil {
			t.Fatal(err)
		}
		a := open(t, st, st, archive.Config{})
		a.Append(&core.Transit{Mark: mark, H: 9, Time: time.Now()})
		a.Close()
		time.Sleep(11 * time.Minute) // the lower count is young still, by its own clock
		again := open(t, st, newStore(), archive.Config{})
		if h, _ := again.RecoveredH(mark); h != 9 {
			t.Errorf("recovered %d, want 9", h)
		}
		again.Close()
	})
}

func TestSendersWaitWhenTooMuchWaitsForTheDisk(t *testing.T) {
	stepped(t, func(b *bench) {
		alice := b.Login("alice@example.org/a")
		alice.Send(chat("1", "first"))
		synctest.Wait()
		const size, messages = 16 << 10, 80
		sent := 0
		done := make(chan bool)
		go func() {
			for sent < messages {
				alice.Send(chat(fmt.Sprint("big", sent), strings.Repeat("x", size)))
				sent++
			}
			close(done)
		}()
		synctest.Wait()
		if waiting := b.Waiting(); sent > 65 || waiting > 1<<20+size+1024 {
			t.Errorf("%d of 80 were taken, %d bytes wait", sent, waiting)
		}
		for b.Waiting() > 0 {
			b.durable()
		}
		<-done
		if n := b.count("bob@example.org"); n != messages+1 {
			t.Errorf("%d are archived", n)
		}
	})
}
