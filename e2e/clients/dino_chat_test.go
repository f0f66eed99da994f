package clients

import (
	"fmt"
	"strings"
	"testing"
)

const request = "This contact would like to add you to their contact list"

// adds asks another to be a contact, by the dialogs.
func (d *dino) adds(account string) {
	d.t.Helper()
	d.do("action", "name", "add_chat")
	d.press("Start Conversation", "GtkButton") // the one with the plus
	d.do("fill", "title", "Add Contact", "text", account)
	d.press("Add Contact", "Add")
	d.sees("Start Conversation", "^"+account+"$")
	d.press("Start Conversation", "Cancel")
}

// opens shows the conversation of a name.
func (d *dino) opens(name string) {
	d.t.Helper()
	d.do("click", "title", mainWindow, "role", "label", "name", name)
}

// accepts allows what another asks for; Dino then asks the same of him.
func (d *dino) accepts(account string) {
	d.t.Helper()
	d.opens(account)
	d.sees(mainWindow, request)
	d.look("asked")
	d.press(mainWindow, "Accept")
}

// encrypts turns OMEMO on in the conversation that is open.
func (d *dino) encrypts() {
	d.t.Helper()
	d.do("press", "title", mainWindow, "name", "GtkMenuButton", "nth", -1) // the lock
	d.press(mainWindow, "OMEMO")
	d.do("key", "key", "Escape")
}

// says writes a text in the conversation that is open.
func (d *dino) says(text string) {
	d.t.Helper()
	d.has("", func() { d.do("click", "title", mainWindow, "role", "text") })
	d.has(text, func() { d.do("fill", "title", mainWindow, "text", text) })
	d.has("", func() { d.do("key", "key", "Return") })
}

// has does something, again where it had no effect (a menu may just have
// closed over it), until the keyboard is in the field for messages and that
// holds the text.
func (d *dino) has(text string, does func()) {
	d.t.Helper()
	does()
	var got any
	for range 3 {
		for range 20 {
			got, _ = d.try("read", "title", mainWindow)
			if fmt.Sprint(got) == fmt.Sprint([]any{text, true}) {
				return
			}
		}
		does()
	}
	d.t.Fatalf("%s has %v to write, not %q", d.account, got, text)
}

func TestTwoPeopleWithDinoBecomeContactsAndEncrypt(t *testing.T) {
	t.Parallel()
	s, ip := startUsual(t)
	s.accounts("alice", "bob")
	alice, bob := newDino(t, s, ip, "alice"), newDino(t, s, ip, "bob")
	alice.adds(bob.account)
	bob.accepts(alice.account)
	alice.accepts(bob.account)
	bob.hears(`type='subscribed'`)

	alice.encrypts()
	alice.says("only for bob")
	bob.sees(mainWindow, "only for bob")
	bob.encrypts()
	bob.says("only for alice")
	alice.sees(mainWindow, "only for alice")
	for _, d := range []*dino{alice, bob} {
		d.look("talked")
		if strings.Contains(d.wire(), "only for") {
			t.Errorf("%s had a readable text on the wire", d.account)
		}
	}
}
