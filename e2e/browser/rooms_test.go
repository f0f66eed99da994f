package browser

import "testing"

const room = "Tea & biscuits"

// XEP-0045 as people see it: a room that two make, fill and keep clean.
func TestPeopleWithConverseMeetInARoom(t *testing.T) {
	s := start(t, "localhost", "e2ee=optional")
	b := browse(t, "")
	alice, bob := b.opens(s, "alice", "laptop", "websocket"), b.opens(s, "bob", "laptop", "websocket")
	alice.logsIn()
	bob.logsIn()
	alice.does("enter", "room", room)
	alice.writes("Who brings the kettle?")
	alice.reads("Who brings the kettle?")

	alice.invites(bob)
	bob.accepts(alice)
	bob.reads("Who brings the kettle?")
	bob.writes("I do")
	bob.writes("Buy my coins, cheap!")
	alice.reads("Who brings the kettle?", "I do", "Buy my coins, cheap!")
	bob.reads("Who brings the kettle?", "I do", "Buy my coins, cheap!")
	// XEP-0045 §7.10: converse.js registers the nick, which makes a member
	areAliceAndBob(alice, bob)
	// XEP-0425
	alice.does("remove", "text", "Buy my coins", "reason", "no selling here", "picture", "4-remove")
	alice.readsWithoutCoins()
	bob.readsWithoutCoins()

	// XEP-0313: who comes later, by the room's name, finds it as it is now
	tablet := b.opens(s, "bob", "tablet", "websocket")
	tablet.logsIn()
	tablet.does("enter", "room", room)
	tablet.readsWithoutCoins()
	tablet.writes("two cups or three?")
	alice.reads("Who brings the kettle?", "I do", "two cups or three?")
}

func (p *person) readsWithoutCoins() {
	p.t.Helper()
	p.does("removed", "saying", "alice has removed", "reason", "no selling here", "text", "Buy my coins")
	p.reads("Who brings the kettle?", "I do")
	p.picture("5-removed")
}

func (p *person) invites(other *person) {
	p.t.Helper()
	p.does("invite", "account", other.account, "reason", "there is cake", "picture", "1-invite")
}

func (p *person) accepts(by *person) {
	p.t.Helper()
	p.does("accept", "saying", []string{by.account, "there is cake"}, "room", room, "picture", "2-invited")
}

// areAliceAndBob waits until all see who is in the room.
func areAliceAndBob(all ...*person) {
	for _, p := range all {
		p.t.Helper()
		p.does("sees", "people", map[string]string{"alice": "Owner Moderator", "bob": "Member"})
		p.picture("3-talk")
	}
}

// XEP-0384 in a room, on a server that lets nothing pass there that can be read,
// between two who are not each other's contacts and show their keys to contacts only.
func TestStrangersWithConverseEncryptInARoom(t *testing.T) {
	s := start(t, "localhost", "e2ee=required")
	s.closed = true
	b := browse(t, "")
	alice, bob := b.opens(s, "alice", "laptop", "websocket"), b.opens(s, "bob", "laptop", "websocket")
	for _, p := range []*person{alice, bob} {
		p.logsIn()
		p.does("keys")
	}
	alice.does("enter", "room", room)
	alice.does("configure", "picture", "0-form",
		"ticks", []string{"muc#roomconfig_membersonly", "muc#roomconfig_persistentroom"},
		// converse.js has configured the room as an open one before anybody is asked,
		// so nothing of this follows from it being private
		"lists", map[string]string{"muc#roomconfig_whois": "everybody in the room", "{urn:mirsal:rooms:0}encrypted": "yes"})
	alice.invites(bob)
	alice.does("sees", "people", map[string]string{"alice": "Owner Moderator", bob.account: "Member"})
	bob.accepts(alice)
	bob.writes("for everybody")
	bob.does("refused", "saying", "encrypted")
	bob.picture("2-refused")
	alice.does("encrypt")
	alice.writes("only for bob")
	bob.reads("for everybody", "only for bob")
	bob.does("encrypt")
	bob.writes("only for alice")
	alice.reads("only for bob", "only for alice")
	areAliceAndBob(bob)
	// COMPAT: to her, converse.js 14.0.0 goes on showing the address that she
	// invited besides the bob who came, as it looks for him by occupant id only
	alice.does("sees", "people", map[string]string{"alice": "Owner Moderator", "bob": "Member", bob.account: "Member"})
	alice.picture("3-talk")
	sendsPicture(alice, bob, 1, true)
}
