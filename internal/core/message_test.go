package core_test

import (
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/stanza"
)

// keepBoth keeps every message for sender and recipient.
func keepBoth(w *coretest.World) {
	w.Host.Keep = append(w.Host.Keep, func(t *core.Transit) {
		a, b := t.Head.From.Bare(), t.Head.To.Bare()
		t.Keep(core.Owner{JID: a, Peer: b})
		t.Keep(core.Owner{JID: b, Peer: a})
	})
}

func TestMessageReachesRecipientWithItsStanzaID(t *testing.T) {
	coretest.Run(t, keepBoth, func(w *coretest.World) {
		alice, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		alice.Send("<message to='bob@example.org' type='chat' id='1' xml:lang='ar'><body>marhaba &amp; &lt;</body></message>")
		want := "<message xmlns='jabber:client' from='alice@example.org/a' to='bob@example.org' id='1' type='chat' xml:lang='ar'>" +
			"<body>marhaba &amp; &lt;</body><stanza-id xmlns='urn:xmpp:sid:0' id='id1' by='bob@example.org'/></message>"
		if got := bob.Got(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := alice.Got(); got != "" {
			t.Errorf("alice got %s", got)
		}
	})
}

// RFC 6121 §8.5.4, table 1: who gets a message.
func TestDeliveryTable(t *testing.T) {
	const toBare, toA, toGone, toNobody = "bob@example.org", "bob@example.org/a", "bob@example.org/gone", "nobody@example.org"
	for _, c := range []struct{ to, kind, want string }{
		{toBare, "chat", "a b"}, {toBare, "normal", "a b"}, {toBare, "headline", "a b"}, {toBare, "groupchat", "error"}, {toBare, "error", ""},
		{toA, "chat", "a"}, {toA, "normal", "a"}, {toA, "headline", "a"}, {toA, "groupchat", "a"}, {toA, "error", "a"},
		{toGone, "chat", "a b"}, {toGone, "normal", "error"}, {toGone, "headline", ""}, {toGone, "groupchat", "error"}, {toGone, "error", ""},
		{toNobody, "chat", "error"}, {toNobody, "normal", "error"}, {toNobody, "headline", ""}, {toNobody, "groupchat", "error"}, {toNobody, "error", ""},
		{"someone@elsewhere.example", "chat", "error"},
	} {
		t.Run(c.kind+" to "+c.to, func(t *testing.T) {
			coretest.Run(t, nil, func(w *coretest.World) {
				w.Absent = []string{"nobody"}
				alice := w.Login("alice@example.org/x")
				a, b := w.Login("bob@example.org/a"), w.Login("bob@example.org/b")
				shy, quiet := w.Login("bob@example.org/shy"), w.Bind("bob@example.org/quiet")
				shy.Session.SetPresence(&core.Presence{Stanza: shy.Session.Presence().Stanza, Priority: -1})
				alice.Send("<message to='" + c.to + "' type='" + c.kind + "'><body>x</body></message>")
				var got []string
				for name, client := range map[string]*coretest.Client{"shy": shy, "quiet": quiet} {
					if client.Got() != "" {
						got = append(got, name)
					}
				}
				for name, client := range map[string]*coretest.Client{"a": a} {
					if client.Got() != "" {
						got = append(got, name)
					}
				}
				if b.Got() != "" {
					got = append(got, "b")
				}
				if strings.Contains(alice.Got(), "type='error'") {
					got = append(got, "error")
				}
				if s := strings.Join(got, " "); s != c.want {
					t.Errorf("got %q, want %q", s, c.want)
				}
			})
		})
	}
}

func TestForgedFromEndsTheStream(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		mallory, bob := w.Login("mallory@example.org/m"), w.Login("bob@example.org/b")
		mallory.Send("<message from='alice@example.org' to='bob@example.org'><body>x</body></message>")
		if mallory.Ended != "invalid-from" || bob.Got() != "" {
			t.Errorf("ended %q", mallory.Ended)
		}
	})
}

// held is an archive that releases when the test says so.
type held struct{ waiting []*core.Transit }

func (a *held) Append(t *core.Transit) {
	if len(t.Owners) > 0 {
		t.Seq = uint64(len(a.waiting) + 1)
	}
	a.waiting = append(a.waiting, t)
}

func (a *held) StanzaID(uint64) string { return "x" }

func (a *held) releaseAll() {
	for len(a.waiting) > 0 {
		t := a.waiting[0]
		a.waiting = a.waiting[1:]
		t.Release()
	}
}

func TestAckWaitsUntilTheMessageIsDurable(t *testing.T) {
	arch := &held{}
	coretest.RunOn(t, arch, keepBoth, func(w *coretest.World) {
		alice, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		alice.Session.EnableSM(false, func([16]byte) []byte { return nil })
		alice.Send("<message to='bob@example.org' type='chat'><body>1</body></message>")
		alice.Session.AckRequested()
		if got := alice.Got() + bob.Got(); got != "" {
			t.Fatalf("before the disk has it: %s", got)
		}
		arch.releaseAll()
		if got := alice.Got(); got != "<a xmlns='urn:xmpp:sm:3' h='1'/>" {
			t.Errorf("alice got %s", got)
		}
		if !strings.Contains(bob.Got(), "<body>1</body>") {
			t.Error("bob got nothing")
		}
	})
}

func TestCountOfAResumableSessionIsDurableBeforeItIsTold(t *testing.T) {
	arch := &held{}
	coretest.RunOn(t, arch, nil, func(w *coretest.World) {
		alice := w.Login("alice@example.org/a")
		alice.Session.EnableSM(true, func([16]byte) []byte { return nil })
		alice.Send("<presence/>")
		alice.Session.AckRequested()
		if got := alice.Got(); got != "" {
			t.Fatalf("told before the mark is on disk: %s", got)
		}
		if len(arch.waiting) != 1 || arch.waiting[0].H != 1 || arch.waiting[0].Mark == [16]byte{} {
			t.Fatalf("no mark: %+v", arch.waiting)
		}
		arch.releaseAll()
		if got := alice.Got(); got != "<a xmlns='urn:xmpp:sm:3' h='1'/>" {
			t.Errorf("alice got %s", got)
		}
	})
}

func TestNothingOvertakesFromOneSenderToOneRecipient(t *testing.T) {
	arch := &held{}
	keepFirst := func(w *coretest.World) {
		w.Host.Keep = append(w.Host.Keep, func(t *core.Transit) {
			if t.Head.Facts.Has(stanza.HasBody) {
				t.Keep(core.Owner{JID: t.Head.To.Bare()})
			}
		})
	}
	coretest.RunOn(t, arch, keepFirst, func(w *coretest.World) {
		alice, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		alice.Send("<message to='bob@example.org' type='chat'><body>1</body></message>")
		alice.Send("<message to='bob@example.org' type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/></message>")
		if got := bob.Got(); got != "" {
			t.Fatalf("overtaken: %s", got)
		}
		arch.releaseAll()
		got := bob.Got()
		if i, j := strings.Index(got, "<body>1"), strings.Index(got, "<active"); i < 0 || j < i {
			t.Errorf("order: %s", got)
		}
	})
}

func TestOneSlowReaderIsClosedAndHarmsNobodyElse(t *testing.T) {
	coretest.Run(t, keepBoth, func(w *coretest.World) {
		alice, slow, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/slow"), w.Login("bob@example.org/b")
		slow.Session.EnableSM(false, func([16]byte) []byte { return nil }) // never acknowledges
		body := strings.Repeat("x", 100_000)
		n := 0
		for range 60 {
			alice.Send("<message to='bob@example.org' type='chat'><body>" + body + "</body></message>")
			n += strings.Count(bob.Got(), "<body>") // bob reads in time
		}
		if slow.Ended != "resource-constraint" {
			t.Errorf("slow reader: %q", slow.Ended)
		}
		if n != 60 {
			t.Errorf("bob got %d of 60", n)
		}
		if alice.Ended != "" || bob.Ended != "" {
			t.Error("others were harmed")
		}
	})
}

func TestANewSessionWithTheSameResourceReplacesTheOld(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		old := w.Login("alice@example.org/a")
		w.Login("alice@example.org/a")
		if old.Ended != "conflict" {
			t.Errorf("old session: %q", old.Ended)
		}
		if n := w.Router.Directory().Count(); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestRequestToAnUnknownAccountLooksLikeAnUnknownRequest(t *testing.T) {
	coretest.Run(t, func(w *coretest.World) {
		w.Host.IQ(core.Account, "urn:test", "q", func(*core.Query) ([]byte, error) { return nil, stanza.Errorf(stanza.ServiceUnavailable, "") })
	}, func(w *coretest.World) {
		w.Absent = []string{"nobody"}
		alice := w.Login("alice@example.org/a")
		answers := map[string]bool{}
		for _, to := range []string{"nobody@example.org", "bob@example.org"} {
			alice.Send("<iq type='get' id='1' to='" + to + "'><q xmlns='urn:test'/></iq>")
			answers[strings.ReplaceAll(alice.Got(), to, "")] = true
		}
		if len(answers) != 1 {
			t.Errorf("%v", answers)
		}
	})
}
