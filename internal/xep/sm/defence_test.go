package sm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xep/sm"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// stream is a connection with nothing bound.
type stream struct {
	core.Stream
	account jid.JID
	session *core.Session
	said    string
	adopted *core.Session
}

func (s *stream) Account() jid.JID       { return s.account }
func (s *stream) Session() *core.Session { return s.session }
func (s *stream) Send(b []byte)          { s.said += string(b) }

func (s *stream) Adopt(old *core.Session, h uint32, _ func(uint32) []byte) error {
	if h > 0 {
		return core.ErrCount
	}
	s.adopted = old
	return nil
}

// resumable makes a world with a session of alice's that can be resumed by id.
// The former process knew every id and had handled 7 stanzas of each.
func resumable(t *testing.T, f func(w *coretest.World, id string)) {
	t.Helper()
	known := func([16]byte) (uint32, bool) { return 7, true }
	coretest.Run(t, func(w *coretest.World) {
		sm.New(w.Router, known, time.Minute).Register(w.Host)
	}, func(w *coretest.World) {
		alice := w.Login("alice@example.org/a")
		id := ""
		alice.Session.EnableSM(true, func(b [16]byte) []byte { id = fmt.Sprintf("%x", b); return nil })
		f(w, id)
	})
}

func say(w *coretest.World, s *stream, text string) error {
	w.T.Helper()
	e, err := xtok.Parse([]byte(text), xtok.Limits{})
	if err != nil {
		w.T.Fatal(err)
	}
	return w.Host.NonzaHandler(e)(s, e)
}

func resume(id string, h int) string {
	return fmt.Sprintf("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>", id, h)
}

func TestOnlyTheOwnAccountResumesASession(t *testing.T) {
	resumable(t, func(w *coretest.World, id string) {
		for _, c := range []struct{ who, id, want string }{
			{"", id, "<unexpected-request "},
			{"mallory@example.org", id, "<item-not-found "},
			{"alice@example.org", strings.Repeat("0", 32), "<item-not-found "},
			{"alice@example.org", "x", "<item-not-found "},
			{"alice@example.org", "", "<item-not-found "},
			{"alice@example.org", id, ""},
		} {
			s := &stream{}
			if c.who != "" {
				s.account = jid.MustParse(c.who)
			}
			if err := say(w, s, resume(c.id, 0)); err != nil {
				t.Errorf("%q resumes %q: %v", c.who, c.id, err)
			}
			if c.want == "" != (s.adopted != nil) || !strings.Contains(s.said, c.want) {
				t.Errorf("%q resumes %q: adopted %v, was told %q", c.who, c.id, s.adopted != nil, s.said)
			}
			if c.who == "mallory@example.org" && strings.Contains(s.said, " h=") {
				t.Errorf("mallory is told how far alice's session got: %s", s.said)
			}
		}
	})
}

func TestAPeerThatCountsMoreThanWasSentLosesItsStream(t *testing.T) {
	resumable(t, func(w *coretest.World, id string) {
		alice := w.Router.Directory().Session(jid.MustParse("alice@example.org/a"))
		for _, c := range []struct {
			s    *stream
			text string
		}{
			{&stream{account: jid.MustParse("alice@example.org")}, resume(id, 1)},
			{&stream{account: alice.JID.Bare(), session: alice}, "<a xmlns='urn:xmpp:sm:3' h='1'/>"},
			{&stream{account: alice.JID.Bare(), session: alice}, "<a xmlns='urn:xmpp:sm:3' h='4294967295'/>"},
			{&stream{account: alice.JID.Bare(), session: alice}, "<a xmlns='urn:xmpp:sm:3' h='4294967296'/>"},
			{&stream{account: alice.JID.Bare(), session: alice}, "<a xmlns='urn:xmpp:sm:3'/>"},
		} {
			if err := say(w, c.s, c.text); err == nil {
				t.Errorf("%s is taken", c.text)
			}
		}
	})
}
