package wasm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

func TestASecondTabAttachesAndGoesOnWhenTheFirstIsClosed(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	b := browse(t, "")
	first, bob := b.open("first", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&first.person, bob)
	second := b.open("second", "alice")
	second.becomes("attached")
	second.Synced()
	second.says(bob.Address, "from the second", port.Delivered)
	first.hears("from the second")
	bob.says(first.Address, "to both", port.Delivered)
	first.hears("to both")
	second.hears("to both")
	// numbers are each tab's own
	if got := second.Must(&port.ListChats{}).(*port.ChatList); len(got.Chats) == 0 {
		t.Error("the second tab has no chats")
	}

	b.do("close", map[string]any{"tab": "first"}, nil)
	if st := second.becomes("running"); st.Address != second.Address || st.Reset {
		t.Errorf("the engine is %+v", st)
	}
	second.Until("being online again", func(port.Event) bool { return second.Status().State == "online" })
	second.says(bob.Address, "alone", port.Delivered)
	bob.says(first.Address, "to who is left", port.Delivered)
	second.hears("to who is left")
	want := []string{"from the second", "to both", "alone", "to who is left"}
	if got := second.texts(bob.Address); !slices.Equal(got, want) {
		t.Errorf("the second tab has %q", got)
	}
}

// sent is what became of messages that were asked for: kept are those whose Send was
// answered by Done.
type sent struct{ all, kept []string }

// sends asks for n messages at once; then is called when half have been answered.
func (p *tab) sends(chat, name string, n int, then func()) (out sent) {
	p.T.Helper()
	type end struct {
		text string
		err  error
	}
	ends := make(chan end, n)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range n {
		text := fmt.Sprintf("%s %d", name, i)
		out.all = append(out.all, text)
		go func() {
			_, err := p.Call(ctx, &port.Send{Chat: chat, Text: text})
			ends <- end{text, err}
		}()
	}
	for i := range n {
		if i == n/2 {
			then()
		}
		e := <-ends
		var f *port.Failure
		switch {
		case e.err == nil:
			out.kept = append(out.kept, e.text)
		case errors.As(e.err, &f) && f.Code == port.Interrupted:
		default:
			p.T.Errorf("%s: %v", e.text, e.err)
		}
	}
	return out
}

func TestATabThatTakesOverLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	b := browse(t, "")
	first, bob := b.open("first", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&first.person, bob)
	second := b.open("second", "alice")
	second.becomes("attached")
	second.Synced()
	said := second.sends(bob.Address, "passing", 20, func() {
		b.do("close", map[string]any{"tab": "first"}, nil)
	})
	second.becomes("running")
	second.Until("being online again", func(port.Event) bool { return second.Status().State == "online" })
	onceEach(t, second, bob, said)
}

// onceEach checks that both sides have the same messages, each that was kept once, and
// nothing that was not asked for.
func onceEach(t *testing.T, p *tab, bob *person, said sent) {
	t.Helper()
	p.says(bob.Address, "the last", port.Delivered)
	here, there := p.texts(bob.Address), bob.texts(p.Address)
	slices.Sort(here)
	slices.Sort(there)
	if !slices.Equal(here, there) {
		t.Errorf("here is %q\nthere is %q", here, there)
	}
	for _, text := range said.all {
		n := 0
		for _, got := range there {
			if got == text {
				n++
			}
		}
		if kept := slices.Contains(said.kept, text); n > 1 || kept && n == 0 {
			t.Errorf("%q (kept: %v) came %d times", text, kept, n)
		}
	}
}

func TestAKilledWorkerLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := browse(t, "").open("1", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&alice.person, bob)
	for round := range 4 {
		said := alice.killed(bob.Address, fmt.Sprint("round ", round), 12, 3*round)
		alice.again()
		alice.becomes("running")
		alice.Synced()
		onceEach(t, alice, bob, said)
	}
}

// killed asks for n messages, and ends the Worker when so many have been answered.
func (p *tab) killed(chat, name string, n, after int) (out sent) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kept := make(chan string, n)
	for i := range n {
		text := fmt.Sprintf("%s, %d", name, i)
		out.all = append(out.all, text)
		go func() {
			if _, err := p.Call(ctx, &port.Send{Chat: chat, Text: text}); err == nil {
				kept <- text
			}
		}()
	}
	clock := time.NewTimer(patience)
	defer clock.Stop()
	for range after {
		select {
		case text := <-kept:
			out.kept = append(out.kept, text)
		case <-clock.C:
			p.T.Fatal("messages are not taken")
		}
	}
	p.run("() => worker.terminate()", nil, nil)
	for len(kept) > 0 {
		out.kept = append(out.kept, <-kept)
	}
	return out
}

// What the browser throws away leaves one clean state: no account, and nothing said to
// anybody, until a person signs in again, as another device.
func TestStorageThatIsThrownAwayIsOneCleanState(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	b := browse(t, "")
	alice, bob := b.open("1", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&alice.person, bob)
	alice.says(bob.Address, "before", port.Delivered)
	old := bob.Must(&port.ListDevices{Address: alice.Address}).(*port.DeviceList).Devices
	b.do("evict", map[string]any{"tab": "1"}, nil)
	alice.Do(&port.Send{Ref: port.Ref{Ref: 1 << 30}, Chat: bob.Address, Text: "into nothing"})
	if st := alice.becomes("broken"); !st.Reset {
		t.Errorf("the engine is %+v", st)
	}
	alice.again()
	if st := alice.becomes("running"); !st.Reset || st.Address != "" {
		t.Errorf("the engine is %+v", st)
	}
	now := bob.Must(&port.ListDevices{Address: alice.Address}).(*port.DeviceList).Devices
	if len(old) != 1 || len(now) != 1 || now[0].Fingerprint != old[0].Fingerprint {
		t.Errorf("alice had the devices %+v and has %+v", old, now)
	}
	alice.Must(&port.SignIn{Address: alice.Address, Password: device.Password, Server: "ws://" + s.Web + "/ws"})
	alice.Synced()
	for _, d := range alice.Must(&port.ListDevices{}).(*port.DeviceList).Devices {
		if d.Here && (d.ID == old[0].ID || d.Fingerprint == old[0].Fingerprint) {
			t.Errorf("the new device is the old one: %+v", d)
		}
	}
}
