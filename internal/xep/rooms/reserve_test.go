package rooms

import "testing"

func TestANickThatAnAdminGivesAMemberIsTheMembers(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		c := w.in("carol@example.org/c", den+"/Bob")
		a.Got()
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='member' nick='b0b'/>"))
		expect(t, "carol, who sits under his name,", c.Got(), "from='"+den+"/Bob'", "type='unavailable'", "<reason>this name belongs to somebody else</reason>", "<status code='307'/>")
		expect(t, "alice", a.Got(), "type='unavailable'", "<status code='307'/>", "id='m' type='result'")
		c.Send("<presence to='" + den + "/bob'>" + enter + "</presence>")
		expect(t, "carol", c.Got(), "<conflict")
		a.Send("<iq type='get' id='l' to='" + den + "'><query xmlns='" + nsAdmin + "'><item affiliation='member'/></query></iq>")
		expect(t, "alice", a.Got(), "jid='bob@example.org' nick='b0b'")
		w.in("bob@example.org/b", den+"/b0b")
	})
}

func TestAMembersNickIsTakenAwayByAnEmptyOneAndKeptWhereNoneIsNamed(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		list := "<iq type='get' id='l' to='" + den + "'><query xmlns='" + nsAdmin + "'><item affiliation='admin'/></query></iq>"
		a.Send(admin("m1", "<item jid='bob@example.org' affiliation='member' nick='bob'/>"))
		a.Send(admin("m2", "<item jid='bob@example.org' affiliation='admin'/>"))
		expect(t, "alice", a.Got(), "id='m2' type='result'")
		a.Send(list)
		expect(t, "alice", a.Got(), "jid='bob@example.org' nick='bob'")
		a.Send(admin("m3", "<item jid='bob@example.org' affiliation='admin' nick=''/>"))
		expect(t, "alice", a.Got(), "id='m3' type='result'")
		a.Send(list)
		expect(t, "alice", a.Got(), "jid='bob@example.org'/>")
	})
}

func TestANickThatCannotBeGivenIsRefusedAndNothingChanges(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='member' nick='bob'/>"))
		a.Send(admin("m", "<item jid='dave@example.org' affiliation='admin'/>"))
		w.in("dave@example.org/d", den+"/dave")
		a.Got()
		for nick, want := range map[string]string{
			"bob":      "<conflict",       // is registered
			"B0B":      "<conflict",       // looks like it
			"alice":    "<conflict",       // the asker's own
			"a&#10;b":  "<not-acceptable", // no nick
			"&#x200b;": "<not-acceptable",
		} {
			a.Send(admin("n", "<item jid='carol@example.org' affiliation='member' nick='"+nick+"'/>"))
			expect(t, "alice for "+nick, a.Got(), "id='n' type='error'", want)
		}
		a.Send(admin("two", "<item jid='carol@example.org' affiliation='member' nick='lol'/><item jid='erin@example.org' affiliation='member' nick='l0l'/>"))
		expect(t, "alice", a.Got(), "id='two' type='error'", "<conflict")
		a.Send("<iq type='get' id='l' to='" + den + "'><query xmlns='" + nsAdmin + "'><item affiliation='member'/></query></iq>")
		expect(t, "alice", a.Got(), "<query xmlns='"+nsAdmin+"'><item affiliation='member' jid='bob@example.org' nick='bob'/></query>")
		// one request moves a nick from one to another
		a.Send(admin("move", "<item jid='bob@example.org' affiliation='member' nick=''/><item jid='carol@example.org' affiliation='member' nick='bob'/>"))
		expect(t, "alice", a.Got(), "id='move' type='result'")
		w.in("carol@example.org/c", den+"/bob")
	})
}

func TestNobodyOfTheSameRankLosesHisPlaceForANick(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='admin'/><item jid='dave@example.org' affiliation='admin'/>"))
		b := w.in("bob@example.org/b", den+"/bob")
		d := w.in("dave@example.org/d", den+"/dave")
		b.Got()
		b.Send(admin("n", "<item jid='carol@example.org' affiliation='member' nick='dave'/>"))
		expect(t, "bob", b.Got(), "id='n' type='error'", "<conflict")
		silent(t, "dave", d.Got())
	})
}

func TestAProbeForAMemberWhoIsAwayTellsWhatHeIs(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='member' nick='Bob'/>"))
		c := w.in("carol@example.org/c", den+"/carol")
		a.Got()
		probe := "<presence type='probe' to='" + den + "/Bob'/>"
		a.Send(probe)
		expect(t, "alice", a.Got(), "from='"+den+"/Bob'", "type='unavailable'", "<item affiliation='member' role='none' jid='bob@example.org'/>")
		c.Send(probe)
		expect(t, "carol, who sees no lists,", c.Got(), "type='unavailable'", "<item affiliation='none' role='none'/>")
		w.configure(a, "membersonly=1", "whois=anyone")
		a.Got()
		a.Send(admin("m", "<item jid='dave@example.org' affiliation='member'/>"))
		d := w.in("dave@example.org/d", den+"/dave")
		d.Send(probe)
		expect(t, "dave, a member among members,", d.Got(), "type='unavailable'", "<item affiliation='member' role='none' jid='bob@example.org'/>")
	})
}
