package hostile

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const (
	nsMUC      = "http://jabber.org/protocol/muc"
	nsMUCUser  = nsMUC + "#user"
	nsMUCAdmin = nsMUC + "#admin"
	nsMUCOwner = nsMUC + "#owner"
	nsOccupant = "urn:xmpp:occupant-id:0"
	nsPlace    = "urn:xmpp:sid:0"
)

// Attacks on rooms, and by people in them.
func TestRoomAttacks(t *testing.T) {
	v := attackRooms(t, crowd(60)...)
	v.all(t, attacks{
		{"32 occupant ids of one's own", testForgedOccupantIDs},
		{"33 nicks that look like another's", testNickTricks},
		{"33 the nick of who set the subject", testSubjectsAuthor},
		{"34 lists and forms of those above", testListsOfOthers},
		{"34 addresses written in another way", testAddressesWrittenOtherwise},
		{"34 the last owner", testLastOwner},
		{"34 rank", testRank},
		{"35 to who is not there, and by who is banned", testThroughTheRoom},
		{"35 voice by another type", testVoiceByAnotherType},
		{"36 the past, for who may not enter", testPastOfOthers},
		{"36 real addresses", testRealAddresses},
		{"37 rooms without end", testRoomFlood},
		{"37 joins without end", testJoinFlood},
		{"37 a subject and a configuration of any size", testRoomSizes},
		{"37 guesses at a password", testRoomPassword},
		{"37 invitations to strangers", testInvitationsToStrangers},
		{"37 forged words of a room", testForgedRoom},
		{"38 who takes back what", testModerationByOthers},
		{"38 a nick change while being removed", testRenameWhileRemoved},
		{"38 entering while the session ends", testEnterWhileEnding},
		{"38 entering while the room is destroyed", testEnterWhileDestroyed},
		{"38 five hundred rooms and gone", testManyRoomsAndGone},
		{"38 banned while asleep", testBannedAsleep},
		{"38 a text that was taken back", testTakenBack}, // the last: it may stop the server
	})
}

func attackRooms(t *testing.T, more ...string) *victim {
	t.Helper()
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--set", "c2s.write=10s", "--set", "limits.sessions=30", "--set", "limits.enabled=true",
	}})
	s.Accounts(password, append(more, "alice", "bob", "carol", "mallory", "witness", "friend", "zephyr", "quillan")...)
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	return v
}

// at is the address of a room.
func at(room string) string { return room + "@conference." + mirsal.Domain }

// entering is the presence with which one enters.
func entering(room, nick, inside string) string {
	return "<presence to='" + at(room) + "/" + nick + "'><x xmlns='" + nsMUC + "'>" + inside + "</x></presence>"
}

// enter goes into a room and returns what came up to the subject, or to an error.
func enter(t *testing.T, c *xmppclient.Conn, room, nick string) []*xmppclient.Node {
	t.Helper()
	say(t, c, entering(room, nick, ""))
	return welcomed(t, c, room)
}

func welcomed(t *testing.T, c *xmppclient.Conn, room string) (all []*xmppclient.Node) {
	t.Helper()
	for {
		n := next(t, c)
		all = append(all, n)
		ours := strings.HasPrefix(n.Attr("from"), at(room))
		subject := n.Name.Local == "message" && n.Child(xmppclient.NSClient, "subject") != nil && n.Child(xmppclient.NSClient, "body") == nil
		if n.Name.Local == "presence" && n.Attr("type") == "error" || ours && subject { // of an address that is none an error has no from
			return all
		}
	}
}

// last is the last of some.
func last(all []*xmppclient.Node) *xmppclient.Node { return all[len(all)-1] }

// roomForm is a configuration: "name=value" each.
func roomForm(fields ...string) string {
	x := "<query xmlns='" + nsMUCOwner + "'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + nsMUC + "#roomconfig</value></field>"
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		if !strings.HasPrefix(name, "{") {
			name = "muc#roomconfig_" + name
		}
		x += "<field var='" + name + "'><value>" + value + "</value></field>"
	}
	return x + "</x></query>"
}

// makes a room that stays, with its maker in it under the nick owner.
func makes(t *testing.T, owner *xmppclient.Conn, room string, fields ...string) {
	t.Helper()
	if n := last(enter(t, owner, room, "owner")); n.Attr("type") == "error" {
		t.Fatal(n)
	}
	succeeds(t, owner, at(room), roomForm(append([]string{"persistentroom=1"}, fields...)...))
}

// item is a request that changes one person: attributes of its item.
func item(attrs string) string {
	return "<query xmlns='" + nsMUCAdmin + "'><item " + attrs + "/></query>"
}

// toRoom says something to everybody.
func toRoom(room, id, content string) string {
	return "<message type='groupchat' to='" + at(room) + "' id='" + id + "'>" + content + "</message>"
}

var marks int

// heardIn has somebody with voice speak, and returns what each reader was sent before
// that: all of what happened in the room so far.
func heardIn(t *testing.T, speaker *xmppclient.Conn, room string, readers ...*xmppclient.Conn) (all [][]*xmppclient.Node) {
	t.Helper()
	marks++
	id := fmt.Sprint("mark", marks)
	say(t, speaker, toRoom(room, id, "<body>mark</body>"))
	for _, c := range readers {
		var got []*xmppclient.Node
		for n := next(t, c); n.Attr("id") != id; n = next(t, c) {
			got = append(got, n)
		}
		all = append(all, got)
	}
	return all
}

// heard1 is heardIn for one reader.
func heard1(t *testing.T, speaker *xmppclient.Conn, room string, reader *xmppclient.Conn) []*xmppclient.Node {
	t.Helper()
	return heardIn(t, speaker, room, reader)[0]
}

// codes are the status codes of a presence or message of a room.
func codes(n *xmppclient.Node) (all []string) {
	x := n.Child(nsMUCUser, "x")
	if x == nil {
		return nil
	}
	for _, c := range x.Children {
		if c.Is(nsMUCUser, "status") {
			all = append(all, c.Attr("code"))
		}
	}
	return all
}

// self is one's own presence among those of a welcome.
func self(t *testing.T, all []*xmppclient.Node) *xmppclient.Node {
	t.Helper()
	for _, n := range all {
		for _, c := range codes(n) {
			if c == "110" {
				return n
			}
		}
	}
	t.Fatalf("not let in: %v", all)
	return nil
}

// occupantIDs are the ids among the children of a stanza.
func occupantIDs(n *xmppclient.Node) (ids []string) {
	for _, c := range n.Children {
		if c.Is(nsOccupant, "occupant-id") {
			ids = append(ids, c.Attr("id"))
		}
	}
	return ids
}

// place is the id that a room gave a message.
func place(n *xmppclient.Node) string {
	if s := n.Child(nsPlace, "stanza-id"); s != nil {
		return s.Attr("id")
	}
	return ""
}

// pastOf asks a room's archive: the results, and the answer.
func pastOf(t *testing.T, c *xmppclient.Conn, room, fields string) ([]*xmppclient.Node, *xmppclient.Node) {
	t.Helper()
	say(t, c, "<iq type='set' id='past' to='"+at(room)+"'>"+archiveQuery(fields, "<max>200</max>")+"</iq>")
	return upTo(t, c, "past")
}
