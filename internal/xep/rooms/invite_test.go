package rooms

import (
	"strings"
	"testing"
	"time"
)

func invite(to, more string) string {
	return "<message id='i1' to='" + den + "'><x xmlns='" + nsUser + "'><invite to='" + to + "'>" + more + "</invite></x></message>"
}

func TestAnInvitationMakesAMemberAndComesFromTheRoom(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("membersonly=1", "passwordprotectedroom=1", "roomsecret=s3")
		b := w.Login("bob@example.org/b")
		a.Send(invite("bob@example.org/x", "<reason>come &amp; see</reason><continue thread='t1'/>"))
		expect(t, "bob", b.Got(), "from='"+den+"' to='bob@example.org' id='i1'>", "<x xmlns='"+nsUser+"'><invite from='alice@example.org'><reason>come &amp; see</reason><continue thread='t1'/></invite><password>s3</password></x>")
		expect(t, "alice", a.Got(), "affiliation='member' role='none' jid='bob@example.org'")
		b.Send("<presence to='" + den + "/bob'><x xmlns='" + nsMUC + "'><password>s3</password></x></presence>")
		expect(t, "bob", b.Got(), "<status code='110'/>")
	})
}

func TestOnlyThoseInviteWhoMayMakeMembers(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("membersonly=1")
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='member'/>"))
		b, c := w.in("bob@example.org/b", den+"/bob"), w.Login("carol@example.org/c")
		a.Got()
		b.Send(invite("carol@example.org", ""))
		expect(t, "bob", b.Got(), "id='i1' type='error'", "<forbidden")
		c.Send(invite("dave@example.org", ""))
		expect(t, "carol, who is not inside,", c.Got(), "<not-acceptable")
		w.configure(a, "allowinvites=1")
		b.Got()
		b.Send(invite("carol@example.org", ""))
		expect(t, "carol", c.Got(), "<invite from='bob@example.org'>")
		silent(t, "bob", b.Got())
		w.again(c, den+"/carol")
		a.Send(admin("ban", "<item jid='dave@example.org' affiliation='outcast'/>"))
		b.Got()
		b.Send(invite("dave@example.org", ""))
		expect(t, "bob", b.Got(), "<forbidden")
	})
}

func TestAnOpenRoomMakesNoMembersOfInvitees(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		c := w.Login("carol@example.org/c")
		a.Got()
		b.Send(invite("carol@example.org", ""))
		expect(t, "carol", c.Got(), "<invite from='bob@example.org'>")
		silent(t, "alice", a.Got())
		w.again(c, den+"/carol")
		expect(t, "alice", a.Got(), "affiliation='none'")
	})
}

func TestOnlyTheInvitedDeclineAndOnlyOnce(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b, c := w.Login("bob@example.org/b"), w.Login("carol@example.org/c")
		decline := "<message id='d' to='" + den + "'><x xmlns='" + nsUser + "'><decline to='alice@example.org/a'><reason>busy</reason></decline></x></message>"
		a.Send(invite("bob@example.org", ""))
		b.Got()
		c.Send(decline)
		silent(t, "carol", c.Got())
		silent(t, "alice", a.Got())
		b.Send(strings.Replace(decline, "alice@", "carol@", 1))
		silent(t, "carol", c.Got())
		b.Send(decline)
		expect(t, "alice", a.Got(), "from='"+den+"'", "id='d'", "<decline from='bob@example.org'><reason>busy</reason></decline>")
		b.Send(decline)
		silent(t, "alice", a.Got())
		silent(t, "bob", b.Got())
	})
}

func TestTheInviterHearsNothingOfBlocksAndMissingAccounts(t *testing.T) {
	run(t, func(w *world) {
		w.Absent = []string{"nobody"}
		a := w.open()
		a.Send(invite("nobody@example.org", ""))
		silent(t, "alice", a.Got())
		for to, want := range map[string]string{
			"example.org": "<jid-malformed", "@": "<jid-malformed", "x@elsewhere.example": "<remote-server-not-found",
			"bob@example.org'><reason>" + strings.Repeat("x", maxReason+1) + "</reason></invite><invite to='bob@example.org": "<not-acceptable",
		} {
			a.Send(invite(to, ""))
			expect(t, "alice", a.Got(), want)
		}
	})
}

func TestFloodsOfInvitationsArePaced(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.Login("bob@example.org/b")
		for range inviteBurst {
			a.Send(invite("bob@example.org", ""))
		}
		if n := strings.Count(b.Got(), "<invite"); n != inviteBurst {
			t.Errorf("bob was invited %d times", n)
		}
		silent(t, "alice", a.Got())
		a.Send(invite("bob@example.org", ""))
		expect(t, "alice", a.Got(), "<error type='wait'", "<resource-constraint")
		silent(t, "bob", b.Got())
		time.Sleep(invitePause)
		a.Send(invite("bob@example.org", ""))
		expect(t, "bob", b.Got(), "<invite")
		a.Send("<message to='" + den + "'><x xmlns='" + nsUser + "'>" + strings.Repeat("<invite to='bob@example.org'/>", maxInvitees+1) + "</x></message>")
		expect(t, "alice", a.Got(), "<not-acceptable")
	})
}

func TestNobodyOutsideIsToldThePassword(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("passwordprotectedroom=1", "roomsecret=s3")
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='member'/><item jid='carol@example.org' affiliation='admin'/>"))
		b, c, d := w.Login("bob@example.org/b"), w.Login("carol@example.org/c"), w.Login("dave@example.org/d")
		for _, to := range []string{"bob@example.org", "dave@example.org"} {
			b.Send(invite(to, ""))
			expect(t, "bob, a member who is outside,", b.Got(), "id='i1' type='error'", "<not-acceptable")
		}
		silent(t, "dave", d.Got())
		c.Send(invite("carol@example.org", ""))
		got := c.Got()
		expect(t, "carol", got, "<invite from='carol@example.org'>")
		if strings.Contains(got, "s3") {
			t.Error("carol invites herself and learns the password:", got)
		}
		c.Send(invite("dave@example.org", ""))
		expect(t, "dave", d.Got(), "<password>s3</password>")
		a.Send(invite("alice@example.org", ""))
		expect(t, "alice, inside,", a.Got(), "<password>s3</password>")
	})
}
