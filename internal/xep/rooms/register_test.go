package rooms

import (
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

func register(id, content string) string {
	kind := "set"
	if content == "" {
		kind = "get"
	}
	return "<iq type='" + kind + "' id='" + id + "' to='" + den + "'><query xmlns='jabber:iq:register'>" + content + "</query></iq>"
}

func nickForm(nick string) string {
	return "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + formRegister + "</value></field>" +
		"<field var='muc#register_roomnick'><value>" + nick + "</value></field></x>"
}

func TestWhoRegistersIsAMemberAndHasHisNickForHimself(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b, c := w.in("bob@example.org/b", den+"/bob"), w.Login("carol@example.org/c")
		a.Got()
		b.Send(register("r1", ""))
		expect(t, "bob", b.Got(), "id='r1' type='result'", "var='muc#register_roomnick'", "<required/>")
		b.Send(register("r2", nickForm("robert")))
		expect(t, "bob", b.Got(), "<item affiliation='member' role='participant'", "id='r2' type='result'")
		expect(t, "alice", a.Got(), "from='"+den+"/bob'", "<item affiliation='member' role='participant'")
		b.Send(register("r3", ""))
		expect(t, "bob", b.Got(), "<registered/><username>robert</username>")
		c.Send(register("r4", nickForm("R0bert")))
		expect(t, "carol", c.Got(), "<conflict")
		c.Send("<presence to='" + den + "/robert'>" + enter + "</presence>")
		expect(t, "carol", c.Got(), "<conflict")
		b.Send(register("r5", "<remove/>"))
		expect(t, "bob", b.Got(), "<item affiliation='none' role='participant'", "id='r5' type='result'")
		b.Send(register("r6", "<remove/>"))
		expect(t, "bob", b.Got(), "<registration-required")
		c.Send(register("r7", nickForm("robert")))
		expect(t, "carol", c.Got(), "id='r7' type='result'")
	})
}

func TestAMemberWhoDeregistersLeavesARoomForMembersAndStaysOut(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("membersonly=1")
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='member'/>"))
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		b.Send(register("r1", nickForm("bobby")))
		expect(t, "bob", b.Got(), "id='r1' type='result'")
		b.Send(register("r2", "<remove/>"))
		expect(t, "bob", b.Got(), "type='unavailable'", "affiliation='none'", "<status code='321'/>", "id='r2' type='result'")
		b.Send("<presence to='" + den + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "<registration-required")
		b.Send(register("r3", nickForm("bobby")))
		expect(t, "bob", b.Got(), "<not-allowed")
		a.Got()
		a.Send(register("r4", nickForm("boss")))
		expect(t, "alice", a.Got(), "id='r4' type='result'")
		a.Send(register("r5", "<remove/>"))
		expect(t, "alice", a.Got(), "id='r5' type='result'")
		a.Send("<iq type='get' id='o' to='" + den + "'><query xmlns='" + nsOwner + "'/></iq>")
		expect(t, "alice, still an owner,", a.Got(), "muc#roomconfig_roomname")
	})
}

func TestRegistrationGivesNobodyWhatAdminsDecide(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("moderatedroom=1")
		b := w.in("bob@example.org/b", den+"/bob")
		for _, content := range []string{"", nickForm("bobby")} {
			b.Send(register("r", content))
			expect(t, "bob, a visitor,", b.Got(), "<not-allowed")
		}
		a.Send(admin("ban", "<item jid='bob@example.org' affiliation='outcast'/>"))
		a.Got()
		b.Got()
		b.Send(register("r", "<remove/>"))
		expect(t, "bob, banned,", b.Got(), "<registration-required")
		w.configure(a, "moderatedroom=0")
		b.Send(register("r", nickForm("bobby")))
		expect(t, "bob, banned,", b.Got(), "<not-allowed")
	})
}

func TestFormsThatAreNoneAreRefused(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		for content, want := range map[string]string{
			"<username>x</username>":                                  "<bad-request",
			strings.Replace(nickForm("x"), formRegister, "urn:x", 1):  "<bad-request",
			strings.Replace(nickForm("x"), "'submit'", "'cancel'", 1): "<bad-request",
			nickForm(""):                        "<not-acceptable",
			nickForm("\u200b"):                  "<not-acceptable",
			nickForm(strings.Repeat("x", 1024)): "<not-acceptable",
		} {
			a.Send(register("r", content))
			expect(t, "alice", a.Got(), want)
		}
	})
}

func TestAReservedNickIsFoundAlsoAfterARestart(t *testing.T) {
	kv := newLasting()
	runOn(t, kv, func(w *world) {
		a := w.open("persistentroom=1")
		a.Send(register("r", nickForm("boss")))
		expect(t, "alice", a.Got(), "id='r' type='result'")
	})
	runOn(t, kv, func(w *world) {
		for who, want := range map[string]string{
			"alice": "<identity category='conference' type='text' name='boss'/>", "bob": "",
		} {
			q := &core.Query{Head: stanza.Head{From: jid.MustParse(who + "@example.org/x"), To: jid.MustParse(den)}}
			got, ok, err := w.rooms.reserved(q, nodeReserved)
			if string(got) != want || !ok || err != nil {
				t.Errorf("%s: %s, %v, %v", who, got, ok, err)
			}
		}
		if _, ok, _ := w.rooms.reserved(&core.Query{}, "else"); ok {
			t.Error("another node was answered for")
		}
	})
}

// Registration makes a member, who reads the archive: where a password guards it,
// only those inside register.
func TestNobodyRegistersPastAPassword(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("passwordprotectedroom=1", "roomsecret=s3")
		b := w.Login("bob@example.org/b")
		for _, content := range []string{"", nickForm("bobby")} {
			b.Send(register("r", content))
			expect(t, "bob, outside,", b.Got(), "<not-allowed")
		}
		if got := w.reads(b); got != "" {
			t.Errorf("bob reads %q", got)
		}
		b.Send("<presence to='" + den + "/bob'><x xmlns='" + nsMUC + "'><password>s3</password></x></presence>")
		b.Got()
		b.Send(register("r", nickForm("bobby")))
		expect(t, "bob, inside,", b.Got(), "id='r' type='result'")
		b.Send("<presence type='unavailable' to='" + den + "/bob'/>")
		b.Got()
		b.Send(register("r", nickForm("robert")))
		expect(t, "bob, a member,", b.Got(), "id='r' type='result'")
		a.Got()
	})
}
