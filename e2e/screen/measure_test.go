package screen

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mirsal/e2e/device"
	"mirsal/e2e/mirsal"
	"mirsal/internal/client/port"
)

// record puts what a story has measured where MIRSAL_RESULTS says, as bench/README.md tells.
func record(t *testing.T, name string) func(line string) error {
	return func(line string) error {
		t.Logf("%s: %s", name, line)
		folder := os.Getenv("MIRSAL_RESULTS")
		if folder == "" {
			return nil
		}
		if !json.Valid([]byte(line)) {
			t.Errorf("%s is no JSON", line)
		}
		f, err := os.OpenFile(filepath.Join(folder, name+".jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		if _, err := f.WriteString(line + "\n"); err != nil {
			return err
		}
		return f.Close()
	}
}

func TestALongConversationIsReadBackWithoutAJump(t *testing.T) {
	h := newHouse(t, "alice", "bob")
	p := &past{house: h, many: numberOf("MIRSAL_MANY", 1500)}
	h.answers = map[string]func(string) (string, error){
		"past":   func(string) (string, error) { return p.begin() },
		"accept": func(string) (string, error) { return "", p.accept() },
		"record": func(line string) (string, error) { return "", record(t, "scroll")(line) },
	}
	h.tell("scroll", map[string]any{"many": p.many, "measured": os.Getenv("MIRSAL_RESULTS") != ""})
}

// TestMuchTrafficLeavesNoMoreBehindThanLittle has MIRSAL_MANY messages said in each of two
// chats in each of four parts.
func TestMuchTrafficLeavesNoMoreBehindThanLittle(t *testing.T) {
	h := newHouse(t, "alice", "bob")
	bob := h.signedIn("bob", nil)
	room := ""
	h.answers = map[string]func(string) (string, error){
		"group": func(string) (string, error) {
			bob.Hears("alice@"+domain, "hello")
			bob.Must(&port.AddContact{Address: "alice@" + domain})
			room = bob.Must(&port.CreateRoom{Name: "Club", Members: []string{"alice@" + domain}}).(*port.Done).Chat
			return room, nil
		},
		"talk": func(how string) (string, error) {
			var each int
			var name string
			if _, err := fmt.Sscan(how, &each, &name); err != nil {
				return "", err
			}
			for i := range each {
				for _, chat := range []string{"alice@" + domain, room} {
					chatter(bob, chat, name, i)
				}
			}
			return "", nil
		},
		"end": func(name string) (string, error) {
			for _, chat := range []string{"alice@" + domain, room} {
				for i := range screenful { // so that each part ends with the same in sight
					bob.Must(&port.Send{Chat: chat, Text: fmt.Sprint("nearly the end of ", name, ": ", screenful-i)})
				}
				bob.Must(&port.Send{Chat: chat, Text: "the end of " + name})
			}
			return "", nil
		},
		"record": func(line string) (string, error) { return "", record(t, "traffic")(line) },
	}
	each := numberOf("MIRSAL_MANY", 40)
	h.tell("traffic", map[string]any{"each": each, "own": max(3, each/9), "last": screenful + 1})
}

// screenful is more lines than a screen shows.
const screenful = 40

// chatter is one message with what goes with it: typing, at times a correction and a reaction.
func chatter(d *device.Device, chat, name string, i int) {
	d.Must(&port.Typing{Chat: chat, State: "composing"})
	id := d.Must(&port.Send{Chat: chat, Text: fmt.Sprint(said[i%len(said)], " ", name, " ", i)}).(*port.Done).Message
	if i%7 == 6 {
		d.Must(&port.Send{Chat: chat, Text: fmt.Sprint("better said, ", name, " ", i), Corrects: id})
	}
	if i%5 == 4 {
		d.Must(&port.React{Chat: chat, Message: id, Emoji: []string{"👍"}})
	}
}

func (h *house) signedIn(name string, events func(port.Event)) *device.Device {
	h.t.Helper()
	d := device.New(h.t, mirsal.Build(h.t), name, name+"@"+domain, filepath.Join(h.Data, "tls", "ca.pem"))
	d.Start(events)
	d.SignIn(password, h.Addr("c2s"))
	return d
}
