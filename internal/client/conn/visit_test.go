package conn

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// visiting knocks at a server that the test plays.
func visiting(t *testing.T, features string, f func(v *Visit, s *server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &plug{security: bound(), lines: make(chan net.Conn)}
		far := make(chan *server, 1)
		go func() {
			s := &server{t: t, nc: <-p.lines, in: make(chan string, 100), gone: make(chan struct{})}
			go s.pump()
			s.open(features)
			far <- s
		}()
		v, err := Knock(t.Context(), Config{Address: jid.MustParse("alice@example.org"), Dial: p})
		if err != nil {
			t.Fatal(err)
		}
		s := <-far
		f(v, s)
		v.Close()
		<-s.gone
	})
}

func TestAVisitorAsksWithoutSigningIn(t *testing.T) {
	visiting(t, modern, func(v *Visit, s *server) {
		if m := v.TokenMechanism(); m != "HT-SHA-256-EXPR" {
			t.Error(m)
		}
		for _, answer := range []string{"<welcome xmlns='urn:test'>hello</welcome>", "", "error"} {
			go func() {
				id := s.parse(s.hear("<iq ", "<ask xmlns='urn:test'/>")).Attr("id")
				switch answer {
				case "error":
					s.say("<iq type='error' id='%s'><error type='cancel'><conflict xmlns='%s'/><text xmlns='%s'>two</text></error></iq>", id, stanza.NSStanzas, stanza.NSStanzas)
				default:
					s.say("<message from='x@example.org'/><iq type='result' id='%s'>%s</iq>", id, answer)
				}
			}()
			e, err := v.Ask(context.Background(), []byte("<ask xmlns='urn:test'/>"))
			switch {
			case answer == "error":
				if se := stanza.AsError(err); err == nil || se.Condition != stanza.Conflict || se.Text != "two" {
					t.Error(err)
				}
			case err != nil || e.OK() != (answer != "") || e.Text() != strings.TrimSuffix(strings.TrimPrefix(answer, "<welcome xmlns='urn:test'>"), "</welcome>"):
				t.Error(answer, err)
			}
		}
	})
}

func TestAVisitEndsWhenTheServerIsSilentOrGone(t *testing.T) {
	visiting(t, modern, func(v *Visit, s *server) {
		begun := time.Now()
		if _, err := v.Ask(context.Background(), []byte("<ask xmlns='urn:test'/>")); !errors.Is(err, ErrTimeout) || time.Since(begun) != 20*time.Second {
			t.Error(err, time.Since(begun))
		}
	})
	visiting(t, modern, func(v *Visit, s *server) {
		go func() {
			s.hear("<iq ")
			s.nc.Close()
		}()
		if _, err := v.Ask(context.Background(), []byte("<ask xmlns='urn:test'/>")); !errors.Is(err, ErrLost) {
			t.Error(err)
		}
	})
}

func TestAServerThatTakesNoTokensIsNotAskedForOne(t *testing.T) {
	visiting(t, classic, func(v *Visit, _ *server) {
		if m := v.TokenMechanism(); m != "" {
			t.Error(m)
		}
	})
}

func TestNobodyKnocksWhereOthersListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := Security{}
		p := &plug{security: open, lines: make(chan net.Conn)}
		go func() {
			s := &server{t: t, nc: <-p.lines, in: make(chan string, 100), gone: make(chan struct{})}
			go s.pump()
			s.open(modern)
		}()
		_, err := Knock(t.Context(), Config{Address: jid.MustParse("alice@example.org"), Dial: p})
		if reasonOf(err) != Insecure {
			t.Error(err)
		}
	})
}
