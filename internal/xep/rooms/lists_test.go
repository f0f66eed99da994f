package rooms

import "testing"

// XEP-0045#modifyowner, XEP-0045#modifyadmin
func TestAdminsDoNotReadWhoOwnsARoomThatHidesAddresses(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='admin'/>"))
		b := w.Login("bob@example.org/b")
		reads := func(list, want string) {
			t.Helper()
			b.Send("<iq type='get' id='l' to='" + den + "'><query xmlns='" + nsAdmin + "'><item affiliation='" + list + "'/></query></iq>")
			expect(t, "bob, of "+list, b.Got(), want)
		}
		for list, want := range map[string]string{"owner": "<forbidden", "admin": "<forbidden", "member": "type='result'", "outcast": "type='result'"} {
			reads(list, want)
		}
		w.configure(a, "whois=anyone")
		reads("owner", "jid='alice@example.org'")
		reads("admin", "jid='bob@example.org'")
	})
}

// A domain is nobody: all people here are of the same one.
func TestADomainHasNoAffiliation(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		for _, affiliation := range []string{"outcast", "member", "admin", "owner"} {
			a.Send(admin("d", "<item jid='example.org' affiliation='"+affiliation+"'/>"))
			expect(t, "alice", a.Got(), "<not-acceptable", "<text")
		}
		a.Send(admin("d", "<item jid='example.org' affiliation='none'/>"))
		expect(t, "alice", a.Got(), "id='d' type='result'")
	})
}
