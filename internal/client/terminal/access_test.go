package terminal

import (
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

// ownDevices shows one's own devices: this one, a phone, and a program of another maker.
func ownDevices(t *testing.T, o Options) (*model, *asked) {
	t.Helper()
	m, a := begin(t, 90, 40, o)
	m.push(newDevices(m, ""))
	last := noon().Add(-3 * time.Hour)
	m.answer(&port.DeviceList{Ref: take[*port.ListDevices](a)[0].Ref, Devices: []port.Device{
		{Address: me, ID: 1, Fingerprint: strings.Repeat("0a", 32), Trust: "verified", Active: true, Own: true, Here: true, Label: "laptop",
			Access: &port.Access{Client: "c1", Software: "mirsal chat", First: noon(), Last: noon(), By: []string{"token"}, Online: true, Here: true}},
		{Address: me, ID: 2, Fingerprint: strings.Repeat("0b", 32), Trust: "first-use", Active: true, Own: true, Label: "phone",
			Access: &port.Access{Client: "c2", Software: "Mirsal\x1b[2J", First: noon().Add(-3 * day), Last: last, By: []string{"token"}}},
	}, Others: []port.Access{{Client: "c3", Name: "desk", Software: "Profanity", First: noon().Add(-day), Last: last, By: []string{"password"}}}})
	return m, a
}

func TestDevicesAreShownWithWhatTheySignInBy(t *testing.T) {
	m, _ := ownDevices(t, Options{})
	view := strings.Join(strings.Fields(plainView(m)), " ")
	for _, want := range []string{"laptop (this one)", "mirsal chat · online", "Mirsal\uFFFD[2J · last here 2026-11-22 09:00", "signed in first on 2026-11-19 · by a token",
		"desk", "its keys are not known", "Profanity · last here", "2026-11-21 · by password"} {
		if !strings.Contains(view, want) {
			t.Errorf("%q is not in\n%s", want, plainView(m))
		}
	}
	for _, w := range []int{40, 80} {
		m, _ := ownDevices(t, Options{Env: []string{"LANG=ar_YE.UTF-8"}, Bidi: "on"})
		m.w = w
		wide(t, m)
	}
}

// R26: a device goes by its keys, a program without known ones by what it signs in by.
func TestBothKindsOfDevicesAreTakenOff(t *testing.T) {
	m, a := ownDevices(t, Options{})
	m.keys("d")
	if len(m.sheets) != 1 {
		t.Fatal("this device is to be taken off in the list of devices")
	}
	m.keys("down", "d", "y")
	if got := take[*port.RemoveDevice](a); len(got) != 1 || got[0].ID != 2 || got[0].Client != "" {
		t.Fatalf("taken off %+v", got)
	}
	m.keys("down", "d", "y")
	gone := take[*port.RemoveDevice](a)
	if len(gone) != 1 || gone[0].ID != 0 || gone[0].Client != "c3" {
		t.Fatalf("taken off %+v", gone)
	}
	m.answer(&port.Done{Ref: gone[0].Ref, Failure: port.Failf(port.Refused, "it knows the password")})
	if got := take[*port.ListDevices](a); len(got) != 1 || !strings.Contains(plainView(m), "it knows the password") {
		t.Errorf("after a refusal the list is asked for %d times:\n%s", len(got), plainView(m))
	}
}

// R25: who lets a device in is told where the server sees it, and by nothing but a network.
func TestTheQuestionAboutANewDeviceSaysWhereItIs(t *testing.T) {
	for want, e := range map[string]*port.LinkAsked{
		"in the network 203.0.113.0/24, and this device in another": {Network: "203.0.113.0/24"},
		"that this device is in, too (2001:db8::/48)":               {Network: "2001:db8::/48", Same: true},
		"": {Network: "yours. Let it in", Same: true},
	} {
		m, _ := begin(t, 90, 30, Options{})
		e.Label, e.Check = "tablet", "123 456"
		m.Update(heard{e})
		view := strings.Join(strings.Fields(strings.ReplaceAll(plainView(m), "│", " ")), " ")
		if !strings.Contains(view, want) || want == "" && strings.Contains(view, "server") {
			t.Errorf("%q is not what is said:\n%s", want, plainView(m))
		}
	}
}

func TestWhatWaitsToComeInCanBeRefused(t *testing.T) {
	m, a := opened(t, said("m1", "hello", time.Hour))
	m.keys(`"typ"`)
	m.Update(heard{&port.KeyAlert{Address: me, Kind: "linked", Label: "tablet\x1b[2J (app)", Link: "l1", Until: noon().Add(25 * time.Hour)}})
	m.keys(`"ing on"`, "enter")
	view := plainView(m)
	if got := take[*port.LinkConfirm](a); len(got) != 0 || strings.Contains(view, "\x1b") || !strings.Contains(view, "2026-11-23 13:00") || !strings.Contains(view, "not the word") {
		t.Fatalf("typing on refuses it, or it is not said what waits: %+v\n%s", got, view)
	}
	for range len("ing on") {
		m.keys("backspace")
	}
	m.keys(`"Refuse"`, "enter")
	got := take[*port.LinkConfirm](a)
	if len(got) != 1 || got[0].Link != "l1" || got[0].Accept {
		t.Fatalf("refused by %+v", got)
	}
	m.answer(&port.Done{Ref: got[0].Ref})
	if len(m.sheets) != 0 || m.box.text() != "typ" {
		t.Errorf("afterwards %d sheets, and %q in the field", len(m.sheets), m.box.text())
	}
	m.Update(heard{&port.KeyAlert{Address: me, Kind: "linked", Label: "tablet"}})
	if view := plainView(m); len(m.sheets) != 0 || !strings.Contains(view, "has let in “tablet”") {
		t.Errorf("one that is in already:\n%s", view)
	}
}

func TestWhoWaitsIsToldUntilWhen(t *testing.T) {
	m, a := opened(t, said("m1", "hello", time.Hour))
	m.push(newLink(m))
	m.answer(&port.Code{Ref: take[*port.LinkShow](a)[0].Ref, Text: "mirsal:link?a=x"})
	m.Update(heard{&port.LinkState{State: "held", Until: noon().Add(time.Hour)}})
	if view := plainView(m); strings.Contains(view, "█") || strings.Count(view, "wait until 13:00") != 2 {
		t.Errorf("the old device:\n%s", view)
	}
}

// A new device of one's own puts a question to every conversation: the lock leads to where it is answered.
func TestTheLockLeadsToTheKeysInQuestion(t *testing.T) {
	for who, want := range map[string]string{me: "", "bob@example.org": "bob@example.org"} {
		c := bob(0, "", port.Message{})
		c.Lock = port.Lock{State: port.Changed, Why: "new-device", Missing: []string{who}}
		m, a := begin(t, 90, 40, Options{}, &port.ChatList{Chats: []port.Chat{c}})
		m.show(c.Address)
		l := newLock(m).(*reading)
		l.keys(m, "t")
		if asked := take[*port.ListDevices](a); len(asked) != 1 || asked[0].Address != want {
			t.Errorf("%s: %+v", who, asked)
		}
	}
}
