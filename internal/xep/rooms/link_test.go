package rooms

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
)

// links makes tokens that are easy to read: t1, t2, …
type links struct {
	mu   sync.Mutex
	made int
	good map[string]jid.JID
}

func (l *links) Make(_ context.Context, _, room jid.JID) (Link, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made++
	token := fmt.Sprint("t", l.made)
	l.good[token] = room
	return Link{Token: token, URL: "https://example.org/invite/" + token, Expires: time.Now().Add(720 * time.Hour)}, nil
}

func (l *links) Good(_ context.Context, token string, room jid.JID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.good[token] == room
}

func (l *links) End(_ context.Context, token string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.good, token)
	return nil
}

// runLinked is run where rooms have links.
func runLinked(t *testing.T, kv lastingStore, f func(w *world, l *links)) {
	t.Helper()
	runOn(t, kv, func(w *world) {
		l := &links{good: map[string]jid.JID{}}
		w.rooms.set.Links = l
		f(w, l)
	})
}

const memberRoom = "membersonly=1 persistentroom=1 whois=anyone"

// secret makes the room "den" for members, with a link, and returns its owner.
func (w *world) secret() *coretest.Client {
	w.T.Helper()
	a := w.open(strings.Fields(memberRoom)...)
	a.Send(access("set", "<make/>"))
	expect(w.T, "alice", a.Got(), "id='acc' type='result'", "<link url='https://example.org/invite/t1'")
	return a
}

// nobodyAsks fails if an admin is told of a request.
func nobodyAsks(t *testing.T, admin *coretest.Client) {
	t.Helper()
	admin.Send(access("get", ""))
	if got := admin.Got(); strings.Contains(got, "<request") {
		t.Error("somebody asks to be let in:", got)
	}
}

func access(kind, content string) string {
	return "<iq type='" + kind + "' id='acc' to='" + den + "'><access xmlns='" + nsRooms + "'>" + content + "</access></iq>"
}

func (w *world) shows(c *coretest.Client, token string) string {
	w.T.Helper()
	c.Send(register("reg", "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"+formRegister+"</value></field>"+
		"<field var='"+fieldToken+"'><value>"+token+"</value></field></x>"))
	return c.Got()
}

const approveNot = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
	"<field var='{urn:mirsal:rooms:0}approve'><value>0</value></field></x>"

func TestWhoComesByTheLinkWaitsForAnAdminAndIsToldOfTheAnswerAlsoLater(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, _ *links) {
		a := w.secret()
		b := w.Login("bob@example.org/b")
		b.Send("<presence/>")
		b.Got()
		expect(t, "bob", w.shows(b, "t1"), "<waits xmlns='"+nsRooms+"'/>")
		expect(t, "alice", a.Got(), "from='"+den+"'", "muc#register_jid", "bob@example.org", "muc#register_allow")
		expect(t, "bob, again,", w.shows(b, "t1"), "<waits")
		silent(t, "alice", a.Got())
		b.Send("<presence to='" + den + "/bob'>" + enter + "</presence>")
		expect(t, "bob, too early,", b.Got(), "<registration-required")
		a.Send(access("get", ""))
		expect(t, "alice", a.Got(), "approve='1'", "<request jid='bob@example.org'")
		a.Send(access("set", "<accept jid='bob@example.org'/>"))
		expect(t, "alice", a.Got(), "affiliation='member'", "type='result'")
		expect(t, "bob", b.Got(), "<answer xmlns='"+nsRooms+"' is='accepted'/>", "<invite from='alice@example.org'")
		w.again(b, den+"/bob")
		nobodyAsks(t, a)
	})
}

func TestOtherProgramsAnswerByTheForm(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, _ *links) {
		a := w.secret()
		b, c := w.Login("bob@example.org/b"), w.Login("carol@example.org/c")
		for _, p := range []*coretest.Client{b, c} {
			p.Send("<presence/>")
			p.Got()
			expect(t, "who asks", w.shows(p, "t1"), "<waits")
		}
		a.Got()
		form := func(who, allow string) string {
			return "<message to='" + den + "'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + formRegister + "</value></field>" +
				"<field var='muc#register_jid'><value>" + who + "</value></field><field var='muc#register_allow'><value>" + allow + "</value></field></x></message>"
		}
		c.Send(form("carol@example.org", "1"))
		expect(t, "carol", c.Got(), "<forbidden")
		a.Send(form("bob@example.org", "1"))
		expect(t, "bob", b.Got(), "is='accepted'")
		a.Send(form("carol@example.org", "0"))
		expect(t, "carol", c.Got(), "is='declined'")
		expect(t, "carol, once more,", w.shows(c, "t1"), "<not-allowed")
		a.Send(form("dave@example.org", "1"))
		expect(t, "alice", a.Got(), "<item-not-found")
	})
}

func TestWithoutApprovalTheLinkMakesAMemberAtOnce(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, _ *links) {
		a := w.secret()
		a.Send("<iq type='set' id='conf' to='" + den + "'><query xmlns='" + nsOwner + "'>" + approveNot + "</query></iq>")
		a.Got()
		b := w.Login("bob@example.org/b")
		expect(t, "bob", w.shows(b, "t1"), "id='reg' type='result'")
		w.again(b, den+"/bob")
		expect(t, "alice", a.Got(), "affiliation='member'", "jid='bob@example.org'")
	})
}

func TestAWrongTokenLetsNobodyInAndCostsTheGuesser(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, l *links) {
		w.secret()
		l.good["other"] = jid.MustParse("hall@" + host)
		b := w.Login("bob@example.org/b")
		for i := range tokenBurst {
			expect(t, "bob", w.shows(b, []string{"x", "other"}[i%2]), "<item-not-found")
		}
		expect(t, "bob, who guesses,", w.shows(b, "t1"), "<resource-constraint")
		time.Sleep(tokenPause)
		expect(t, "bob", w.shows(b, "t1"), "<waits")
	})
}

func TestALinkThatWasRevokedOrRenewedLetsNobodyIn(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, l *links) {
		a := w.secret()
		b := w.Login("bob@example.org/b")
		a.Send(access("set", "<make/>"))
		expect(t, "alice", a.Got(), "/invite/t2'")
		expect(t, "bob, by the old one,", w.shows(b, "t1"), "<item-not-found")
		expect(t, "bob", w.shows(b, "t2"), "<waits")
		a.Got()
		a.Send(access("set", "<revoke/>"))
		if got := a.Got(); strings.Contains(got, "<link") || len(l.good) != 0 {
			t.Error("a link that is left:", got, l.good)
		}
		c := w.Login("carol@example.org/c")
		expect(t, "carol", w.shows(c, "t2"), "<item-not-found")
		if _, ok := w.rooms.Linked(jid.MustParse(den), "t2"); ok {
			t.Error("its page still tells of the room")
		}
	})
}

func TestTheLinkEndsWithTheRoomAndTellsNothingOfItsPeople(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, l *links) {
		a := w.secret()
		w.configure(a, append(strings.Fields(memberRoom), "roomname=The den")...)
		if is, ok := w.rooms.Linked(jid.MustParse(den), "t1"); !ok || is.Name != "The den" || !is.Asks {
			t.Errorf("%+v %v", is, ok)
		}
		if _, ok := w.rooms.Linked(jid.MustParse(den), "t9"); ok {
			t.Error("a guessed link tells of the room")
		}
		a.Send("<iq type='set' id='d' to='" + den + "'><query xmlns='" + nsOwner + "'><destroy/></query></iq>")
		expect(t, "alice", a.Got(), "id='d' type='result'")
		if len(l.good) != 0 {
			t.Error("the link lives on:", l.good)
		}
	})
}

func TestWhoIsBannedDoesNotComeByTheLink(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, _ *links) {
		a := w.secret()
		b := w.Login("bob@example.org/b")
		w.shows(b, "t1")
		a.Got()
		a.Send(admin("ban", "<item jid='bob@example.org' affiliation='outcast'/>"))
		a.Got()
		expect(t, "bob, banned,", w.shows(b, "t1"), "<forbidden")
		a.Send(access("set", "<accept jid='bob@example.org'/>"))
		expect(t, "alice", a.Got(), "<item-not-found")
		nobodyAsks(t, a)
	})
}

func TestOnlyAdminsSeeTheLinkAndWhoAsks(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, _ *links) {
		a := w.secret()
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='member'/>"))
		a.Got()
		b := w.in("bob@example.org/b", den+"/bob")
		for _, q := range []string{access("get", ""), access("set", "<make/>"), access("set", "<revoke/>"), access("set", "<accept jid='carol@example.org'/>")} {
			b.Send(q)
			expect(t, "bob", b.Got(), "<forbidden")
		}
	})
}

func TestRequestsAreKeptBoundedAndRunOut(t *testing.T) {
	kv := newLasting()
	runLinked(t, kv, func(w *world, _ *links) {
		a := w.secret()
		b := w.Login("bob@example.org/b")
		expect(t, "bob", w.shows(b, "t1"), "<waits")
		a.Got()
		_ = w.rooms.with(jid.MustParse(den), jid.JID{}, func(r *room) error {
			for i := range mostRequests - 1 {
				r.requests[jid.MustParse(fmt.Sprintf("p%d@example.org", i))] = request{At: time.Now().Unix()}
			}
			return nil
		})
		c := w.Login("carol@example.org/c")
		expect(t, "carol", w.shows(c, "t1"), "<resource-constraint")
		_ = w.rooms.with(jid.MustParse(den), jid.JID{}, func(r *room) error {
			r.requests[jid.MustParse("p7@example.org")] = request{At: time.Now().Unix() - 60, Declined: true}
			return nil
		})
		expect(t, "carol, in place of one who was declined,", w.shows(c, "t1"), "<waits")
	})
	runLinked(t, kv, func(w *world, _ *links) {
		a := w.in("alice@example.org/a", den+"/alice")
		a.Send(access("get", ""))
		expect(t, "alice, after a restart,", a.Got(), "<request jid='bob@example.org'", "<request jid='carol@example.org'")
		time.Sleep(requestLife + time.Hour)
		nobodyAsks(t, a)
		w.rooms.expireRequests(time.Now())
		if owners, err := w.rooms.store.requests.Owners(t.Context()); err != nil || len(owners) != 0 {
			t.Error("kept for ever:", owners, err)
		}
	})
}

func TestOneAccountDoesNotAskAtEveryRoomAtOnce(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, _ *links) {
		w.secret()
		who := jid.MustParse("bob@example.org")
		for range askBurst {
			w.rooms.extras.requests.take(who, 1)
		}
		b := w.Login("bob@example.org/b")
		expect(t, "bob", w.shows(b, "t1"), "<resource-constraint")
	})
}

func TestWhoAskedCanTakeThatBack(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, _ *links) {
		a := w.secret()
		b := w.Login("bob@example.org/b")
		w.shows(b, "t1")
		a.Got()
		b.Send(register("un", "<remove/>"))
		expect(t, "bob", b.Got(), "id='un' type='result'")
		nobodyAsks(t, a)
	})
}

func TestWhoAskedIsForgottenWithTheAccount(t *testing.T) {
	runLinked(t, newLasting(), func(w *world, _ *links) {
		w.secret()
		b := w.Login("bob@example.org/b")
		expect(t, "bob", w.shows(b, "t1"), "<waits")
		w.rooms.accountGone(jid.MustParse("bob@example.org"))
		if owners, err := w.rooms.store.requests.Owners(t.Context()); err != nil || len(owners) != 0 {
			t.Error("kept:", owners, err)
		}
	})
}
