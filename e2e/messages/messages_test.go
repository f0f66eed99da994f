package messages

import (
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

func server(t *testing.T) *mirsal.Server {
	t.Helper()
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t)})
	s.Accounts(password, "alice", "bob")
	return s
}

// Everything goes to one of bob's devices: the others of both are sent copies,
// and the archives have what the table says.
func TestToOneWhoIsThere(t *testing.T) {
	s, rows := server(t), table(t)
	phone := online(t, s, "alice", "phone")
	tablet, laptop, other := online(t, s, "alice", "tablet").copies(), online(t, s, "bob", "laptop").copies(), online(t, s, "bob", "other").copies()
	for _, d := range []*device{tablet, laptop, other} {
		d.handled()
	}
	for _, r := range rows {
		phone.say(r.to(laptop.JID, "there"))
	}
	itself := ids(laptop.from(phone), false)
	sent, received := ids(tablet.from(phone), true), ids(other.from(phone), true)
	hers, his := phone.archived(), laptop.archived()
	for _, r := range rows {
		id := "there" + r.place
		if itself[id] == nil {
			t.Errorf("%s did not arrive", r.xml)
			continue
		}
		r.check(t, "archive (alice's)", r.archive, hers[id] != nil, "both")
		r.check(t, "archive (bob's)", r.archive, his[id] != nil, "both")
		r.check(t, "archive (the id on the message)", r.archive, itself[id].Child("urn:xmpp:sid:0", "stanza-id") != nil, "both")
		r.check(t, "copies (alice's)", r.copies, sent[id] != nil, "yes")
		r.check(t, "copies (bob's)", r.copies, received[id] != nil, "yes")
	}
}

func TestToOneWhoIsAway(t *testing.T) {
	s, rows := server(t), table(t)
	phone := online(t, s, "alice", "phone").copies()
	phone.handled()
	for _, r := range rows {
		phone.say(r.to(bob, "away"))
	}
	refused := map[string]bool{}
	for _, n := range phone.from(phone) { // a ping to a device overtakes no message
		refused[n.Attr("id")] = n.Child(xmppclient.NSClient, "error") != nil
	}
	laptop := online(t, s, "bob", "laptop").copies()
	later := map[string]*xmppclient.Node{}
	until := func(there func(n *xmppclient.Node) bool) {
		for {
			n := laptop.next()
			if n.Name.Local == "message" {
				later[n.Attr("id")] = n
			}
			if there(n) {
				return
			}
		}
	}
	// its own presence: before that, what comes for it is a copy (XEP-0280) and not fed
	until(func(n *xmppclient.Node) bool { return n.Name.Local == "presence" })
	phone.say("<message to='" + bob + "' type='chat' id='last'><body>nothing overtakes what waited</body></message>")
	until(func(n *xmppclient.Node) bool { return n.Attr("id") == "last" })
	for _, r := range rows {
		id := "away" + r.place
		r.check(t, "away (given later)", r.away, later[id] != nil, "later")
		r.check(t, "away (refused)", r.away, refused[id], "refused")
	}
}

// Everything is sent twice: of what may wait, the second makes the first obsolete.
func TestToOneWhoDoesNotLook(t *testing.T) {
	s, rows := server(t), table(t)
	phone, laptop := online(t, s, "alice", "phone"), online(t, s, "bob", "laptop").copies()
	laptop.handled()
	laptop.say("<inactive xmlns='urn:xmpp:csi:0'/>")
	laptop.handled()
	for _, r := range rows {
		phone.say(r.to(laptop.JID, "first") + r.to(laptop.JID, "second"))
		got := ids(laptop.from(phone), false)
		if got["second"+r.place] == nil {
			t.Errorf("%s did not arrive", r.xml)
		}
		r.check(t, "inactive", r.inactive, got["first"+r.place] == nil, "may wait")
	}
}
