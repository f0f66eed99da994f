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
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// free makes a world whose groups become durable at once.
func free(t *testing.T, cfg archive.Config, f func(b *bench)) {
	t.Helper()
	b := &bench{store: newStore()}
	var a late
	coretest.RunOn(t, &a, func(w *coretest.World) {
		b.World = w
		a.Archive = open(w.T, b.store, b.store, cfg)
		b.Archive = a.Archive
		a.Register(w.Host, w.Router)
	}, func(*coretest.World) {
		f(b)
		b.Close()
	})
}

func origin(id, origin, body string) string {
	return strings.Replace(chat(id, body), "</message>", "<origin-id xmlns='urn:xmpp:sid:0' id='"+origin+"'/></message>", 1)
}

func TestAResendIsShownOnce(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string
		shown         string
	}{
		"same origin-id":                       {origin("1", "o", "x"), origin("2", "o", "x"), "x"},
		"same id, other origin-id":             {origin("1", "o", "x"), origin("1", "p", "x"), "x x"},
		"same id and content":                  {chat("1", "x"), chat("1", "x"), "x"},
		"same id, other content":               {chat("1", "x"), chat("1", "y"), "x y"},
		"no id":                                {chat("", "x"), chat("", "x"), "x x"},
		"same origin-id to another person":     {origin("1", "o", "x"), strings.Replace(origin("1", "o", "x"), "bob@", "carol@", 1), "x"},
		"an origin-id deeper down is not one":  {nested("1", "o"), nested("2", "o"), "x x"},
		"an id that looks like an origin-id's": {origin("1", "o", "x"), chat("o", "x"), "x x"},
	} {
		t.Run(name, func(t *testing.T) {
			free(t, archive.Config{}, func(b *bench) {
				first, second, bob := b.Login("alice@example.org/a"), b.Login("alice@example.org/b"), b.Login("bob@example.org/b")
				first.Send(c.first)
				second.Send(c.second)
				got(b.T, bob, c.shown)
			})
		})
	}
}

func nested(id, origin string) string {
	return fmt.Sprintf("<message to='bob@example.org' id='%s' type='chat'><body>x</body><x xmlns='urn:x'><origin-id xmlns='urn:xmpp:sid:0' id='%s'/></x></message>", id, origin)
}

func TestAResendByAnotherPersonIsNone(t *testing.T) {
	free(t, archive.Config{}, func(b *bench) {
		alice, carol, bob := b.Login("alice@example.org/a"), b.Login("carol@example.org/b"), b.Login("bob@example.org/b")
		alice.Send(origin("1", "o", "x"))
		carol.Send(origin("1", "o", "x"))
		got(b.T, bob, "x x")
	})
}

func TestAResendIsRecognisedAfterARestart(t *testing.T) {
	var a late
	st := newStore()
	coretest.RunOn(t, &a, func(w *coretest.World) {
		a.Archive = open(w.T, st, st, archive.Config{})
		a.Register(w.Host, w.Router)
	}, func(w *coretest.World) {
		alice, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		alice.Send(origin("1", "o", "x"))
		alice.Send(chat("2", "y"))
		got(w.T, bob, "x y")
		time.Sleep(9 * time.Minute)
		a.Close()
		a.Archive = open(w.T, st, newStore(), archive.Config{}) // what a new process would know
		alice.Send(origin("1", "o", "x"))
		alice.Send(chat("2", "y"))
		alice.Send(chat("3", "new"))
		got(w.T, bob, "new")
		a.Close()
	})
}

func TestAResendIsForgottenWhenNobodyCanResumeAnyMore(t *testing.T) {
	free(t, archive.Config{}, func(b *bench) {
		alice, bob := b.Login("alice@example.org/a"), b.Login("bob@example.org/b")
		alice.Send(chat("1", "x"))
		time.Sleep(11 * time.Minute)
		alice.Send(chat("1", "x"))
		got(b.T, bob, "x x")
	})
}

func TestRepeatsAreBounded(t *testing.T) {
	free(t, archive.Config{Repeats: 100}, func(b *bench) {
		alice, bob := b.Login("alice@example.org/a"), b.Login("bob@example.org/b")
		for n := range 101 {
			alice.Send(chat(fmt.Sprint(n), "x"))
		}
		bob.Got()
		alice.Send(chat("0", "x")) // forgotten
		alice.Send(chat("100", "x"))
		got(b.T, bob, "x")
	})
}

func TestARepeatIsAcknowledgedOnlyWithTheFirst(t *testing.T) {
	stepped(t, func(b *bench) {
		first, second := b.Login("alice@example.org/a"), b.Login("alice@example.org/b")
		second.Session.EnableSM(true, noHello)
		first.Send(chat("1", "x"))
		synctest.Wait()
		second.Send(chat("1", "x"))
		second.Session.AckRequested()
		if s := second.Got(); strings.Contains(s, "<a ") {
			t.Errorf("acknowledged before anything was durable: %q", s)
		}
		b.durable()
		b.durable() // its count
		b.wrote("1+1, 0+0 h1")
		if s := second.Got(); !strings.Contains(s, "h='1'") {
			t.Errorf("second session was told %q, want its ack", s)
		}
	})
}

// What was said in a room is the account's, not the nick's, also after a restart.
func TestAResendToARoomIsRecognisedAfterARestart(t *testing.T) {
	var a late
	st := newStore()
	said := 0
	coretest.RunOn(t, &a, func(w *coretest.World) {
		a.Archive = open(w.T, st, st, archive.Config{})
		room := w.Host.Site(jid.MustParse("conference.example.org"))
		room.Message = func(t *core.Transit) error {
			den, who := t.Head.To.Bare(), t.Session.JID
			t.Head.From, t.Head.To = jid.MustParse(den.String()+"/"+who.Resource()), jid.JID{}
			t.Stanza = stanza.Make(t.Head, t.Elem, t.Edit)
			t.Keep(core.Owner{JID: den, Peer: who.Bare(), Flags: archive.Outgoing})
			w.Router.Enter(t, func(t *core.Transit) {
				if !t.Repeats {
					said++
				}
			})
			return nil
		}
	}, func(w *coretest.World) {
		one, other, bob := w.Login("alice@example.org/a"), w.Login("alice@example.org/b"), w.Login("bob@example.org/a")
		say := "<message type='groupchat' to='den@conference.example.org' id='1'><body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='o'/></message>"
		one.Send(say)
		synctest.Wait()
		a.Close()
		a.Archive = open(w.T, st, newStore(), archive.Config{}) // what a new process would know
		one.Send(say)
		other.Send(say)
		synctest.Wait()
		if said != 1 {
			t.Errorf("said %d times", said)
		}
		bob.Send(say)
		synctest.Wait()
		if said != 2 {
			t.Error("another's message was taken for the first")
		}
		a.Close()
	})
}
