package conn

import (
	"errors"
	"testing"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

func TestAnAnswerFromSomebodyElseIsNone(t *testing.T) {
	account, server, bob := jid.MustParse("alice@example.org"), jid.MustParse("example.org"), jid.MustParse("bob@example.org/x")
	for _, c := range []struct {
		to   jid.JID
		from string
		ok   bool
	}{
		{jid.JID{}, "", true}, {jid.JID{}, "alice@example.org", true}, {jid.JID{}, "alice@example.org/r", true},
		{jid.JID{}, "alice@example.org/other", false}, {jid.JID{}, "bob@example.org", false}, {jid.JID{}, "example.org", false},
		{account, "", true}, {account, "alice@example.org", true}, {account, "mallory@example.com", false},
		{server, "example.org", true}, {server, "", false}, {server, "alice@example.org", false}, {server, "example.com", false},
		{bob, "bob@example.org/x", true}, {bob, "bob@example.org", false}, {bob, "", false}, {bob, "bob@example.org/y", false},
	} {
		inBubble(t, nil, nil, func(w *world) {
			s := w.signIn()
			got := make(chan error, 1)
			go func() {
				_, err := w.c.Ask(w.t.Context(), Request{To: c.to, Type: stanza.Get, Payload: []byte("<q xmlns='x'/>")})
				got <- err
			}()
			id := s.parse(s.hear("<iq", "<q xmlns='x'/>")).Attr("id")
			from := ""
			if c.from != "" {
				from = "from='" + c.from + "'"
			}
			s.say("<iq type='result' id='%s' %s/>", id, from)
			if err := <-got; (err == nil) != c.ok || err != nil && !errors.Is(err, ErrTimeout) {
				t.Errorf("asked %q, answered from %q: %v", c.to, c.from, err)
			}
			w.quiet()
		})
	}
}

func TestAnAnswerComesInItsOrderAmongTheStanzas(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		if err := w.c.Inquire(Request{Type: stanza.Set, Payload: []byte("<q xmlns='x'/>")}, 7); err != nil {
			w.t.Fatal(err)
		}
		id := s.parse(s.hear("<iq", "<q xmlns='x'/>")).Attr("id")
		s.say("<message from='alice@example.org' id='r1'><body/></message><iq type='result' id='%s'><fin xmlns='x'/></iq><message id='r2'><body/></message>", id)
		first := event[*Stanza](w)
		a := event[*Answer](w)
		if a.Tag != 7 || a.Err != nil || !a.Stanza.Elem.Child("x", "fin").OK() {
			t.Errorf("the answer: %+v", a)
		}
		second := event[*Stanza](w)
		w.c.Settle(first.Mark)
		s.say("<r xmlns='urn:xmpp:sm:3'/>")
		s.hear("<a ", "h='2'") // the answer settles itself
		w.c.Settle(second.Mark)
		s.hear("<a ", "h='3'")
		w.c.Inquire(Request{Type: stanza.Get, Payload: []byte("<q xmlns='x'/>")}, 8)
		id = s.parse(s.hear("<iq", "<q xmlns='x'/>")).Attr("id")
		s.say("<iq type='error' id='%s'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", id)
		var refused *stanza.StanzaError
		if a := event[*Answer](w); a.Tag != 8 || !errors.As(a.Err, &refused) || refused.Condition != stanza.ItemNotFound {
			t.Errorf("the answer: %+v", a)
		}
		w.c.Inquire(Request{Type: stanza.Get, Payload: []byte("<q xmlns='x'/>")}, 9)
		if a := event[*Answer](w); a.Tag != 9 || !errors.Is(a.Err, ErrTimeout) {
			t.Errorf("the answer: %+v", a)
		}
	})
}

func TestAQuestionLivesThroughAResumptionAndNotLonger(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		w.c.Inquire(Request{Type: stanza.Get, Payload: []byte("<q xmlns='x'/>"), Patience: time.Hour}, 1)
		s.hear("<iq", "<q xmlns='x'/>")
		w.lose(s)
		s = w.resumed(0, 0)
		event[*Up](w)
		id := s.parse(s.hear("<iq", "<q xmlns='x'/>")).Attr("id")
		s.say("<iq type='result' id='%s'/>", id)
		if a := event[*Answer](w); a.Err != nil {
			t.Errorf("the answer: %v", a.Err)
		}
		w.c.Inquire(Request{Type: stanza.Get, Payload: []byte("<q xmlns='x'/>"), Patience: time.Hour}, 2)
		s.hear("<iq", "<q xmlns='x'/>")
		w.lose(s)
		w.signInAfter(func() {
			if a := event[*Answer](w); a.Tag != 2 || !errors.Is(a.Err, ErrLost) {
				t.Errorf("the answer: %+v", a)
			}
		})
	})
}

// signInAfter is signIn where events come before Up.
func (w *world) signInAfter(f func()) {
	s := w.accept()
	s.open(modern)
	_, proof := s.authenticate("SCRAM-SHA-256-PLUS")
	s.success(proof, "alice@example.org/r", enabled)
	f()
	event[*Up](w)
}
