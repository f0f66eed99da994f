package chat

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mirsal/e2e/device"
)

var docs = flag.Bool("docs", false, "write the captures into docs/chat.md")

const interrupt = syscall.SIGINT

// TestANewcomersFirstTenMinutes tells one story, in the order of docs/chat.md.
func TestANewcomersFirstTenMinutes(t *testing.T) {
	s := start(t, "alice", "bob")
	bob := speak(t, s, "bob")
	profile := filepath.Join(t.TempDir(), "alice")
	c := captures{}
	alice := open(t, 90, 26, s.Bin, "chat", "--profile", profile, "--ca", s.CA)

	signsIn(alice, c, s)
	makesAContact(alice, c, bob)
	talks(alice, c, bob)
	sendsFiles(t, alice, c, bob)
	makesARoom(t, alice, c, bob)
	compares(alice, c, bob)
	looksAround(alice, c)
	leavesAndComesBack(t, alice, c, s, profile)
	if *docs {
		if err := c.write("../../docs/chat.md"); err != nil {
			t.Fatal(err)
		}
	}
}

func signsIn(alice *screen, c captures, s *device.Server) {
	alice.t.Helper()
	alice.sees("Sign in")
	alice.types("alice@localhost")
	alice.press("Enter")
	alice.types(device.Password)
	alice.press("Enter")
	alice.types(s.C2S)
	alice.sees("127.0.0.1:")
	c.keep(alice, "sign-in")
	alice.press("Enter")
	alice.sees("Nothing was said here yet")
	alice.press("Tab") // news goes with the next key
	alice.sees("connected")
}

func makesAContact(alice *screen, c captures, bob *speaker) {
	alice.t.Helper()
	alice.press("a")
	alice.sees("Add a contact")
	alice.types("bob@localhost")
	alice.press("Enter")
	alice.types("Bob")
	alice.press("Enter")
	alice.sees("Bob")
	alice.sees("bob@localhost was asked")
	bob.does("contact", "add", "alice@localhost")
	alice.seesNot(`Bob +online`) // that program is gone again: what comes next is the one that listens
	stop := bob.listens()
	alice.sees(`Bob +online`)
	alice.types("Hello Bob, this is Alice")
	alice.press("Enter")
	alice.sees(`Alice +\d\d:\d\d ✓✓`)
	if said := stop(); !strings.Contains(said, "alice: Hello Bob, this is Alice") {
		alice.t.Errorf("Bob heard %q", said)
	}
	alice.seesNot("was asked")
	c.keep(alice, "first-words")
}

func talks(alice *screen, c captures, bob *speaker) {
	alice.t.Helper()
	first := bob.history("alice@localhost")[0]["id"].(string)
	bob.does("send", "alice@localhost", "Hello Alice! I see you.", "--reply", first)
	bob.does("send", "alice@localhost", "مرحبا يا أليس، كيف حالك اليوم؟")
	bob.does("send", "alice@localhost", "evil \x1b[31mred\x1b[0m \u202etxt.exe")
	alice.sees("I see you")
	alice.sees(`evil �\[31mred�\[0m txt.exe`)
	alice.press("C-r", "Up", "Up", "+")
	alice.sees("React")
	alice.press("Enter")
	alice.sees("(?m)│▌ 👍")
	alice.press("r")
	alice.sees("replying")
	alice.types("Good. Shall we met?")
	alice.press("Enter")
	alice.sees(`we met\? +\d\d:\d\d ✓`)
	alice.press("Up")
	alice.sees("editing")
	alice.press("BSpace", "BSpace")
	alice.types("et?")
	alice.press("Enter")
	alice.sees(`we meet\?`)
	alice.sees("edited")
	c.keep(alice, "conversation")
	last := bob.history("alice@localhost")
	if text := last[len(last)-1]["text"]; text != "Good. Shall we meet?" {
		alice.t.Errorf("Bob has %q", text)
	}
}

func sendsFiles(t *testing.T, alice *screen, c captures, bob *speaker) {
	t.Helper()
	dir := t.TempDir()
	map1 := bytes.Repeat([]byte("a map "), 20_000)
	file := filepath.Join(dir, "map.pdf")
	if err := os.WriteFile(file, map1, 0o600); err != nil {
		t.Fatal(err)
	}
	bob.does("send", "alice@localhost", "--file", file)
	alice.sees("Enter fetches it")
	alice.press("C-r")
	alice.sees("▌ 📎")
	alice.press("s")
	alice.sees("Save ")
	got := filepath.Join(dir, "got.pdf")
	alice.types(got)
	alice.press("Enter")
	alice.sees("· here")
	if raw, err := os.ReadFile(got); err != nil || !bytes.Equal(raw, map1) {
		t.Errorf("the file: %d bytes, %v", len(raw), err)
	}
	alice.back("Ctrl-K all actions")
	alice.press("C-o")
	alice.sees("Send a file to Bob")
	alice.types(dir + "/m")
	alice.press("Tab")
	alice.sees(`/map\.pdf`)
	alice.press("Enter")
	alice.types("the map again")
	alice.press("Enter")
	alice.sees(`the map again +\d\d:\d\d ✓`)
	c.keep(alice, "files")
}

func makesARoom(t *testing.T, alice *screen, c captures, bob *speaker) {
	t.Helper()
	alice.press("C-k")
	alice.sees("Actions")
	alice.types("make")
	alice.seesNot("search in all")
	alice.press("Enter")
	alice.sees("Make a room")
	alice.types("Desk")
	alice.press("Enter")
	alice.types("bob@localhost")
	alice.press("Enter")
	alice.sees(`Desk +room`)
	room := roomOf(bob)
	bob.does("room", "join", room)
	bob.does("send", room, "Here I am.")
	alice.sees("Here I am")
	alice.types("Welcome.")
	alice.press("Enter")
	alice.sees(`Welcome\. +\d\d:\d\d ✓`)
	alice.press("C-g")
	alice.sees(`bob@localhost`)
	c.keep(alice, "room")
	alice.back("Ctrl-K all actions")
	alice.press("M-Down")
	alice.sees(`Bob `)
}

// roomOf is the room that Bob was invited to.
func roomOf(bob *speaker) string {
	bob.t.Helper()
	for line := range strings.Lines(bob.does("list")) {
		if address, _, _ := strings.Cut(line, " "); strings.Contains(address, "@conference.") {
			return address
		}
	}
	for _, m := range bob.history("alice@localhost") {
		if params, ok := m["params"].([]any); ok && m["notice"] == "invited" {
			return params[0].(string)
		}
	}
	bob.t.Fatal("Bob was not invited")
	return ""
}

func compares(alice *screen, c captures, bob *speaker) {
	alice.t.Helper()
	alice.press("C-l")
	alice.sees("What it does not cover")
	c.keep(alice, "lock")
	alice.press("v")
	alice.sees("█▀")
	c.keep(alice, "safety-code")
	alice.back("What it does not cover")
	alice.press("p")
	alice.sees("Compare by code")
	alice.types(bob.does("verify"))
	alice.press("Enter")
	alice.sees("compared")
	alice.sees("🔒✓ encrypted, keys compared")
	alice.back("Ctrl-K all actions")
}

func looksAround(alice *screen, c captures) {
	alice.t.Helper()
	alice.press("C-f")
	alice.sees("Search")
	alice.types("meet")
	alice.sees("you: Good. Shall we meet")
	c.keep(alice, "search")
	alice.press("Enter")
	alice.sees("▌ Good. Shall we meet")
	alice.back("Ctrl-K all actions")
	alice.press("?")
	alice.sees("Help")
	c.keep(alice, "help")
	alice.back("Ctrl-K all actions")
	alice.do("resize-window", "-x", "40", "-y", "12")
	alice.sees(`(?m)^ Bob`)
	c.keep(alice, "narrow")
	alice.do("resize-window", "-x", "90", "-y", "26")
}

func leavesAndComesBack(t *testing.T, alice *screen, c captures, s *device.Server, profile string) {
	t.Helper()
	alice.sees("alice@localhost")
	alice.types("half a tho")
	alice.sees("half a tho")
	alice.press("C-c")
	alice.ended()
	again := open(t, 90, 26, s.Bin, "chat", "--profile", profile, "--bidi", "on")
	again.sees("draft: half a tho")
	again.sees("connected")
	again.press("Down", "Enter")
	again.sees("› half a tho")
	again.sees("ﻡﻮﻴﻟﺍ") // Arabic put in order and joined here
	again.press("C-c")
	again.ended()
}
