package link

import (
	"fmt"
	"os"
	"strings"
	"testing"

	here "mirsal/e2e/device"
	"mirsal/internal/client/port"
)

const (
	bob   = "bob@" + here.Domain
	alice = "alice@" + here.Domain
)

// talk is alice's phone and bob, who have talked and whose keys she has compared.
func talk(t *testing.T) (s *here.Server, phone, b *device, lines []string) {
	t.Helper()
	s = here.Serve(t, []string{"alice", "bob"})
	phone, b = signIn(t, s, "alice", "phone"), signIn(t, s, "bob", "bob's")
	phone.Must(&port.AddContact{Address: bob})
	until(b, func(c *port.ContactChanged) bool { return c.Contact.State == "asks" })
	b.Must(&port.AddContact{Address: alice})
	phone.Must(&port.Verify{Code: b.Must(&port.SafetyCode{}).(*port.Code).Text})
	for i := range 5 {
		one, two := fmt.Sprint("question ", i), fmt.Sprint("answer ", i)
		phone.says(bob, one)
		b.hears(one)
		b.says(alice, two)
		phone.hears(two)
		lines = append(lines, one, two)
	}
	return s, phone, b, lines
}

func TestALinkedDeviceHasHistoryAndTrustAndDoublesNothing(t *testing.T) {
	s, phone, b, lines := talk(t)
	laptop := signIn(t, s, "alice", "laptop")
	code := phone.shows()
	tablet := empty(t, s, "tablet")
	joined := tablet.begin(&port.LinkJoin{Code: code, Label: "my tablet"})
	ask := phone.asked()
	if ask.Label != "my tablet" || ask.Software != "mirsal chat" {
		t.Errorf("%+v", ask)
	}
	if check := tablet.linkState("joined").Check; check != ask.Check || len(check) != 7 {
		t.Errorf("the screens show %q and %q", check, ask.Check)
	}
	confirmed := phone.begin(&port.LinkConfirm{Accept: true})
	if f := <-joined; f != nil {
		t.Fatal(f)
	}
	if f := <-confirmed; f != nil {
		t.Error(f)
	}
	phone.linkState("done")
	if a := until(laptop, func(a *port.KeyAlert) bool { return a.Kind == "linked" }); a.Label != "my tablet (mirsal chat)" {
		t.Errorf("%+v", a)
	}
	tablet.Synced()
	seen := phone.lines(bob) // with its notices
	if got := strings.Join(seen, ", "); !strings.Contains(got, strings.Join(lines, ", ")) {
		for _, m := range phone.Must(&port.History{Chat: bob, Limit: 200}).(*port.Page).Messages {
			t.Errorf("the phone has %q: %s %s", m.Text, m.Delivery, m.Failure)
		}
	}
	tablet.want(bob, seen...)
	trusts(t, tablet, phone)

	// what is said from now on reaches both, once, also after a restart
	b.says(alice, "new to both")
	phone.hears("new to both")
	tablet.hears("new to both")
	tablet.says(bob, "from the tablet")
	b.hears("from the tablet")
	phone.hears("from the tablet")
	tablet.Close()
	b.says(alice, "while away")
	tablet.Start()
	tablet.Synced()
	tablet.want(bob, append(seen, "new to both", "from the tablet", "while away")...)
	for _, c := range laptop.Must(&port.ListChats{}).(*port.ChatList).Chats {
		if c.Address == here.Domain {
			t.Errorf("what was told is a chat: %+v", c)
		}
	}
	if raw, err := os.ReadFile(tablet.Folder + "/ca.pem"); err != nil || len(raw) == 0 {
		t.Error(err)
	}
}

// trusts checks what both devices think of each other and of bob.
func trusts(t *testing.T, tablet, phone *device) {
	t.Helper()
	of := map[string]string{}
	for _, d := range append(tablet.keys(""), tablet.keys(bob)...) {
		of[d.Fingerprint] = d.Trust
	}
	for _, d := range phone.keys(bob) {
		if of[d.Fingerprint] != "verified" {
			t.Errorf("bob's key is %q on the new device", of[d.Fingerprint])
		}
	}
	mine, theirs := "", ""
	for _, d := range phone.keys("") {
		if d.Here {
			mine = d.Fingerprint
		}
	}
	for _, d := range tablet.keys("") {
		if d.Here {
			theirs = d.Fingerprint
		}
	}
	if of[mine] != "verified" {
		t.Errorf("the old device's key is %q on the new one", of[mine])
	}
	for _, d := range phone.keys("") {
		if d.Fingerprint == theirs && d.Trust == "verified" {
			return
		}
	}
	t.Error("the new device's key is not verified on the old one")
}

func TestARefusedDeviceHasNothingAndTheCodeIsSpent(t *testing.T) {
	s := here.Serve(t, []string{"alice"})
	phone, tablet := signIn(t, s, "alice", "phone"), empty(t, s, "tablet")
	code := phone.shows()
	joined := tablet.begin(&port.LinkJoin{Code: code})
	phone.asked()
	phone.Must(&port.LinkConfirm{})
	if f := <-joined; f == nil || f.Code != port.Refused {
		t.Error(f)
	}
	if c := tablet.fails(&port.LinkJoin{Code: code}); c != port.Missing {
		t.Error("the code is good again:", c)
	}
	if c := tablet.fails(&port.ListChats{}); c != port.NotSignedIn {
		t.Error("it has an account:", c)
	}
	if n := len(phone.keys("")); n != 1 {
		t.Error(n, "devices")
	}
	// and the profile can be used for another code
	joined = tablet.begin(&port.LinkJoin{Code: phone.shows()})
	phone.asked()
	phone.Must(&port.LinkConfirm{Accept: true})
	if f := <-joined; f != nil {
		t.Error(f)
	}
}

// R25: six ways to come by a code, or by a yes, that was meant for another device.
func TestPhishing(t *testing.T) {
	s := here.Serve(t, []string{"alice", "mallory"})
	phone := signIn(t, s, "alice", "phone")
	laptop := signIn(t, s, "alice", "laptop")
	alone := func(t *testing.T) {
		t.Helper()
		if n := len(phone.keys("")); n != 2 {
			t.Errorf("alice has %d devices", n)
		}
	}
	t.Run("a code that was photographed, and nobody says yes", func(t *testing.T) {
		code := phone.shows()
		thief := empty(t, s, "thief")
		joined := thief.begin(&port.LinkJoin{Code: code, Label: "alice's phone \u202e(verified)\n"})
		ask := phone.asked()
		if ask.Label != "alice's phone (verified)" || ask.Software == "" {
			t.Errorf("the question is %+v", ask)
		}
		phone.Must(&port.LinkConfirm{})
		if f := <-joined; f == nil || f.Code != port.Refused {
			t.Error(f)
		}
		alone(t)
	})
	t.Run("a code that was photographed, and the right device comes too", func(t *testing.T) {
		code := phone.shows()
		thief, tablet := empty(t, s, "thief"), empty(t, s, "tablet")
		joined := thief.begin(&port.LinkJoin{Code: code, Label: "tablet"})
		phone.asked()
		if c := tablet.fails(&port.LinkJoin{Code: code, Label: "tablet"}); c != port.Refused {
			t.Error(c)
		}
		if f := <-joined; f == nil || f.Code != port.Refused {
			t.Error("the first is let in:", f)
		}
		if f := phone.linkState("failed").Failure; f == nil || !strings.Contains(f.Text, "somebody else has seen it") {
			t.Error(f)
		}
		if c := phone.fails(&port.LinkConfirm{Accept: true}); c != port.Missing {
			t.Error("a late yes counts:", c)
		}
		alone(t)
	})
	t.Run("a code of the attacker's, shown to a device that has an account", func(t *testing.T) {
		mallory := signIn(t, s, "mallory", "mallory's")
		code := mallory.shows()
		if c := laptop.fails(&port.LinkJoin{Code: code}); c != port.BadCommand {
			t.Error(c)
		}
		if c := laptop.fails(&port.Verify{Code: code}); c != port.BadCommand {
			t.Error(c)
		}
		alone(t)
	})
	t.Run("another device, or nobody who was asked, says yes", func(t *testing.T) {
		if c := phone.fails(&port.LinkConfirm{Accept: true}); c != port.Missing {
			t.Error("before a code is shown:", c)
		}
		code := phone.shows()
		if c := phone.fails(&port.LinkConfirm{Accept: true}); c != port.Missing {
			t.Error("before anybody has asked:", c)
		}
		thief := empty(t, s, "thief")
		joined := thief.begin(&port.LinkJoin{Code: code})
		phone.asked()
		if c := laptop.fails(&port.LinkConfirm{Accept: true}); c != port.Missing {
			t.Error("on a device that shows no code:", c)
		}
		phone.Must(&port.LinkConfirm{})
		<-joined
		alone(t)
	})
	t.Run("a yes that was meant for another code", func(t *testing.T) {
		thief := empty(t, s, "thief")
		joined := thief.begin(&port.LinkJoin{Code: phone.shows()})
		phone.asked()
		phone.shows() // the owner begins anew: what was asked before is over
		if c := phone.fails(&port.LinkConfirm{Accept: true}); c != port.Missing {
			t.Error(c)
		}
		if f := <-joined; f == nil || f.Code != port.Refused {
			t.Error(f)
		}
		alone(t)
	})
	t.Run("a code whose secret was guessed, or whose address was exchanged", func(t *testing.T) {
		code := phone.shows()
		i := strings.Index(code, "&p=") + 3
		wrong := code[:i] + strings.Repeat("A", 22) + code[i+22:]
		thief := empty(t, s, "thief")
		joined := thief.begin(&port.LinkJoin{Code: wrong})
		until(phone, func(s *port.LinkState) bool { return s.Failure != nil && s.Failure.Code == port.Tampered })
		if f := <-joined; f == nil {
			t.Error("it is let in")
		}
		wrong = strings.Replace(phone.shows(), "a=alice", "a=mallory", 1)
		joined = thief.begin(&port.LinkJoin{Code: wrong})
		until(phone, func(s *port.LinkState) bool { return s.Failure != nil && s.Failure.Code == port.Tampered })
		<-joined
		alone(t)
	})
}
