package rooms

import (
	"testing"

	"mirsal/internal/xmpp/jid"
)

var none jid.JID

func jidOf(s string) jid.JID { return jid.MustParse(s) }

const (
	oldDevices = "eu.siacs.conversations.axolotl.devicelist"
	oldBundle  = "eu.siacs.conversations.axolotl.bundles:7"
)

// opened checks whether one may read another's keys, and hears of them.
func (w *world) opened(owner, asker string, want bool) {
	w.T.Helper()
	o, a := jidOf(owner+"@example.org"), jidOf(asker+"@example.org")
	for _, node := range []string{oldDevices, oldBundle, "urn:xmpp:omemo:2:devices", "urn:xmpp:omemo:2:bundles"} {
		if got := w.rooms.Also(o, a, node); got != want {
			w.T.Errorf("%s reads %s of %s: %v", asker, node, owner, got)
		}
	}
	hears := false
	for _, who := range w.rooms.Beside(o, oldDevices) {
		hears = hears || who == a
	}
	if hears != want {
		w.T.Errorf("%s hears of %s: %v", asker, owner, hears)
	}
}

var private = []string{"persistentroom=1", "membersonly=1", "whois=anyone", "publicroom=0"}

func members(names ...string) (items string) {
	for _, n := range names {
		items += "<item jid='" + n + "@example.org' affiliation='member'/>"
	}
	return items
}

func TestMembersOfAnEncryptedRoomReadEachOthersKeysOnceTheyCame(t *testing.T) {
	kv := newLasting()
	runOn(t, kv, func(w *world) {
		a := w.open(private...)
		a.Send(admin("m", members("bob", "carol")))
		a.Got()
		w.opened("alice", "bob", true)
		w.opened("bob", "alice", false) // made a member, which anybody can do to him
		w.in("bob@example.org/b", den+"/bob")
		w.opened("bob", "alice", true)
		w.opened("bob", "carol", true)
		w.opened("carol", "bob", false)
		w.opened("bob", "dave", false)
		if w.rooms.Also(jidOf("bob@example.org"), jidOf("alice@example.org"), "urn:xmpp:avatar:data") {
			t.Error("another node is open")
		}
		if len(w.rooms.Beside(jidOf("bob@example.org"), oldBundle)) != 0 {
			t.Error("bundles are told of")
		}
	})
	runOn(t, kv, func(w *world) {
		w.opened("bob", "carol", true)
		w.opened("carol", "bob", false)
		a := w.in("alice@example.org/a", den+"/alice")
		a.Send(admin("m", "<item jid='bob@example.org' affiliation='none'/>"))
		a.Got()
		w.opened("bob", "alice", false)
		w.opened("alice", "bob", false)
		a.Send(admin("m", members("bob")))
		a.Got()
		w.opened("alice", "bob", true)
		w.opened("bob", "alice", false) // he has to come again
	})
}

func TestKeysCloseWithTheRoomsEncryption(t *testing.T) {
	run(t, func(w *world) {
		a := w.open(private...)
		a.Send(admin("m", members("bob")))
		w.in("bob@example.org/b", den+"/bob")
		w.opened("bob", "alice", true)
		w.configure(a, "membersonly=0")
		w.opened("bob", "alice", false)
		a.Got()
		a.Send("<iq type='set' id='c' to='" + den + "'><query xmlns='" + nsOwner + "'>" +
			"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + formConfig + "</value></field>" +
			"<field var='muc#roomconfig_membersonly'><value>1</value></field><field var='" + fieldEncrypted + "'><value>1</value></field></x></query></iq>")
		expect(t, "alice", a.Got(), "id='c' type='result'")
		w.opened("bob", "alice", true)
		a.Send("<iq type='set' id='d' to='" + den + "'><query xmlns='" + nsOwner + "'><destroy/></query></iq>")
		expect(t, "alice", a.Got(), "id='d' type='result'")
		w.opened("bob", "alice", false)
	})
}

func TestRoomsThatAreNotEncryptedOpenNothing(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("membersonly=1")
		a.Send(admin("m", members("bob")))
		w.in("bob@example.org/b", den+"/bob")
		w.opened("bob", "alice", false)
	})
}
