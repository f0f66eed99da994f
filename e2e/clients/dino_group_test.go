package clients

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mirsal/e2e/xmppclient"
)

// privateRoom is how another program of alice's makes a room in which all know each
// other, as Dino wants one to be for encryption; Dino itself makes none.
const privateRoom = "<presence to='%[1]s/maker'><x xmlns='http://jabber.org/protocol/muc'/></presence>" +
	"<iq type='set' id='config' to='%[1]s'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>" +
	"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
	"<field var='muc#roomconfig_membersonly'><value>1</value></field><field var='muc#roomconfig_whois'><value>anyone</value></field>" +
	"<field var='muc#roomconfig_roomname'><value>The den</value></field>" +
	"<field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq>" +
	"<iq type='set' id='members' to='%[1]s'><query xmlns='http://jabber.org/protocol/muc#admin'>" +
	"<item affiliation='member' jid='bob@%[2]s'/></query></iq>"

// makesPrivateRoom has alice make a room for bob and herself, and leave.
func makesPrivateRoom(t *testing.T, s *server, room string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.Addr("c2s"), Domain: chatDomain})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	for _, err := range []error{
		c.Login(ctx, "alice", password), c.Bind(ctx, "maker"), c.Send(fmt.Sprintf(privateRoom, room, chatDomain)), c.Close(ctx),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// enters enters a room that has a name, by the dialogs.
func (d *dino) enters(room, name string) {
	d.t.Helper()
	const dialog = "Join Channel"
	d.do("action", "name", "add_conference")
	d.do("fill", "title", dialog, "text", room)
	d.do("select", "title", dialog, "text", room)
	d.press(dialog, "Next")
	d.sees(dialog, "Nick")
	who, _, _ := strings.Cut(d.account, "@")
	d.do("fill", "title", dialog, "text", who, "nth", -1)
	d.look("entering")
	d.press(dialog, "Join")
	d.sees(mainWindow, "^"+name+"$")
}

func TestPeopleWithDinoEncryptInAGroupWithoutBeingContacts(t *testing.T) {
	t.Parallel()
	s, ip := startUsual(t)
	s.accounts("alice", "bob")
	const room = "den@conference." + chatDomain
	makesPrivateRoom(t, s, room)
	alice, bob := newDino(t, s, ip, "alice"), newDino(t, s, ip, "bob")
	alice.enters(room, "The den")
	bob.enters(room, "The den")
	alice.hears(`from='` + room + `/bob'`)
	alice.encrypts()
	alice.says("only for the group") // Dino says of it that it is late: it waited for bob's keys
	bob.sees(mainWindow, "only for the group")
	alice.says("and more for the group")
	bob.sees(mainWindow, "and more for the group")
	bob.encrypts()
	bob.says("and back to the group")
	alice.sees(mainWindow, "and back to the group")
	for _, d := range []*dino{alice, bob} {
		d.look("talked")
		if strings.Contains(d.wire(), "the group") {
			t.Errorf("%s had a readable text on the wire", d.account)
		}
	}
}
