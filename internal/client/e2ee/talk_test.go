package e2ee

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

// mustRead hands a message over and wants its text.
func mustRead(t *testing.T, c *client, from jid.JID, text string, write func() (Opened, error)) {
	t.Helper()
	out, err := write()
	if err != nil || out.Text != text {
		t.Errorf("%s reads %q of %s, %v; want %q", c.who, out.Text, from, err, text)
	}
}

// says writes from one client to others' and has them all read it.
func says(t *testing.T, from *client, text string, to ...*client) {
	t.Helper()
	var who []jid.JID
	for _, c := range to {
		who = append(who, c.who)
	}
	e, _, err := from.write(text, who...)
	if err != nil {
		t.Fatalf("%s to %v: %v", from.who, who, err)
	}
	for _, c := range to {
		mustRead(t, c, from.who, text, func() (Opened, error) { return c.get(from.who, e) })
	}
}

func TestTwoWhoNeverMetTalkAtOnce(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	for i := range 5 {
		says(t, a, fmt.Sprint("to bob ", i), b)
		says(t, b, fmt.Sprint("to alice ", i), a)
	}
	a.takeNotes()
	b.takeNotes()
	if got := a.Lock([]jid.JID{bob}, jid.JID{}); got.State != port.Locked {
		t.Errorf("the lock is %+v", got)
	}
	if !a.Encrypted(bob) || a.Encrypted(carol) {
		t.Error("which chats were encrypted is not known")
	}
}

func TestAllDevicesOfBothSidesRead(t *testing.T) {
	w := newWorld(t)
	a, a2, b, b2 := w.client(alice), w.client(alice), w.client(bob), w.client(bob)
	e, sealed, err := a.write("to all", bob)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(sealed.Report.Reached); n != 3 {
		t.Errorf("%d devices were reached", n)
	}
	for _, c := range []*client{a2, b, b2} {
		mustRead(t, c, alice, "to all", func() (Opened, error) { return c.get(alice, e) })
	}
	if _, err := a.get(alice, e); !errors.Is(err, ErrEcho) {
		t.Errorf("one's own message: %v", err)
	}
}

func TestBothStartingAtOnceFindEachOther(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	ea, _, errA := a.write("from alice", bob)
	eb, _, errB := b.write("from bob", alice)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	mustRead(t, a, bob, "from bob", func() (Opened, error) { return a.get(bob, eb) })
	mustRead(t, b, alice, "from alice", func() (Opened, error) { return b.get(alice, ea) })
	for i := range 4 {
		says(t, a, fmt.Sprint("a", i), b)
		says(t, b, fmt.Sprint("b", i), a)
		a.takeNotes()
		b.takeNotes()
	}
}

func TestAMessageTwiceIsHarmless(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	for range 3 {
		e, _, _ := a.write("once", bob)
		if out, err := b.get(alice, e); err != nil || out.Text != "once" {
			t.Fatal(out, err)
		}
		w.now = w.now.Add(2 * time.Hour)
		asked := b.asked
		b.notes = nil
		out, err := b.get(alice, e)
		if err != nil || !out.Duplicate || out.Text != "" {
			t.Errorf("the second time: %+v, %v", out, err)
		}
		if b.asked != asked || len(b.notes) > 0 {
			t.Error("a message read before is healed")
		}
		says(t, b, "back", a)
	}
}

func TestABrokenSessionHealsByItself(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	says(t, a, "one", b)
	says(t, b, "two", a)
	a.takeNotes()
	b.takeNotes()
	// Bob's sessions are lost.
	for k := range b.sessions {
		b.dropSession(k)
	}
	b.apply(b.flush())
	e, _, _ := a.write("lost", bob)
	if out, err := b.get(alice, e); !errors.Is(err, ErrUnreadable) || out.Proof.Lock.State != port.Broken {
		t.Fatalf("%+v, %v", out, err)
	}
	if len(b.notes) != 1 {
		t.Fatalf("%d empty messages were written", len(b.notes))
	}
	e, _, _ = a.write("lost too", bob)
	if _, err := b.get(alice, e); !errors.Is(err, ErrUnreadable) || len(b.notes) != 1 {
		t.Errorf("healed twice within the hour: %d, %v", len(b.notes), err)
	}
	a.takeNotes()
	says(t, a, "healed", b)
	says(t, b, "indeed", a)
}

func TestNoPreKeyGoesBeforeCatchUpEnds(t *testing.T) {
	w := newWorld(t)
	b := w.client(bob)
	x, y := w.puppet(alice, 7), w.puppet(carol, 8)
	before := b.own()
	// Both take the same pre-key, since the bundle is not published anew yet.
	only := before
	only.PreKeys = before.PreKeys[:1]
	b.do(b.CatchUp(true))
	for _, p := range []*puppet{x, y} {
		e := p.writes("kept", only)
		mustRead(t, b, p.who, "kept", func() (Opened, error) { return b.get(p.who, e) })
		w.now = w.now.Add(2 * spentLife) // catching up takes its time
		b.do(b.Tick())
	}
	if got := b.own(); !slices.Equal(got.PreKeys, before.PreKeys) {
		t.Error("the bundle was replaced within catch-up")
	}
	if len(b.notes) > 0 {
		t.Error("a session was answered within catch-up")
	}
	b.do(b.CatchUp(false))
	got := b.own()
	if len(got.PreKeys) != 100 || slices.Contains(got.PreKeys, only.PreKeys[0]) {
		t.Error("the bundle was not refilled when catch-up ended")
	}
	if len(b.notes) != 2 {
		t.Errorf("%d sessions were answered, want 2", len(b.notes))
	}
}

func TestTwoWhoChooseTheSamePreKeyAreBothRead(t *testing.T) {
	w := newWorld(t)
	b := w.client(bob)
	only := b.own()
	only.PreKeys = only.PreKeys[:1]
	for id, who := range map[uint32]jid.JID{7: alice, 8: carol} {
		e := w.puppet(who, id).writes("hello", only)
		mustRead(t, b, who, "hello", func() (Opened, error) { return b.get(who, e) })
		if got := b.own(); len(got.PreKeys) != 100 || slices.Contains(got.PreKeys, only.PreKeys[0]) {
			t.Error("a used pre-key is offered still")
		}
	}
	for n := 0; !b.Due().IsZero(); n++ {
		if n == 3 {
			t.Fatal("something is due for ever")
		}
		w.now = b.Due()
		b.do(b.Tick())
	}
	late := w.puppet(carol, 9)
	if _, err := b.get(carol, late.writes("again", only)); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a used pre-key is good still: %v", err)
	}
}

func TestAnEmptyMessageShowsNothing(t *testing.T) {
	w := newWorld(t)
	b := w.client(bob)
	p := w.puppet(alice, 7)
	key, _ := omemo.Empty(omemo.Legacy, w.rand)
	e := omemo.Envelope{Sender: 7, Keys: []omemo.Key{p.lock(key, b.own())}}
	out, err := b.get(alice, parse(t, string(e.Append(nil, omemo.Legacy))))
	if err != nil || !out.Empty || out.Text != "" || b.Encrypted(alice) {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAnEmptyMessageThatIsNotForUsShowsNothingEither(t *testing.T) {
	w := newWorld(t)
	phone, tablet := w.client(bob), w.client(bob)
	p := w.puppet(alice, 7)
	key, _ := omemo.Empty(omemo.Legacy, w.rand)
	toPhone := omemo.Envelope{Sender: 7, Keys: []omemo.Key{p.lock(key, phone.own())}}
	if out, err := tablet.get(alice, parse(t, string(toPhone.Append(nil, omemo.Legacy)))); !errors.Is(err, ErrNotForUs) || !out.Empty {
		t.Errorf("of another device's: %+v, %v", out, err)
	}
	broken := p.lock(key, tablet.own())
	broken.Data[len(broken.Data)-1] ^= 1
	toUs := omemo.Envelope{Sender: 7, Keys: []omemo.Key{broken}}
	if out, err := tablet.get(alice, parse(t, string(toUs.Append(nil, omemo.Legacy)))); !errors.Is(err, ErrUnreadable) || !out.Empty {
		t.Errorf("of one that cannot be opened: %+v, %v", out, err)
	}
}

func TestALongSilenceIsAnsweredByAnEmptyMessage(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	says(t, a, "one", b)
	a.takeNotes()
	for range 60 {
		says(t, a, "more", b)
	}
	if len(b.notes) != 1 {
		t.Errorf("%d heartbeats", len(b.notes))
	}
}

func TestProfileTwoIsForWhoHasNothingElse(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(alice, true), w.start(bob, true)
	says(t, a, "both", b)
	if e, s, _ := a.write("a text", bob); e.NS() != omemo.Legacy.Namespace() || s.Inside {
		t.Errorf("with both profiles, %s", e.NS())
	}
	delete(w.nodes[bob], omemo.Legacy.DevicesNode())
	step, _ := a.Event(bob, parse(t, listEvent(omemo.Legacy.DevicesNode(), listOf())))
	a.do(step)
	a.prepare(bob)
	s, batch, err := a.Encrypt(Outgoing{To: []jid.JID{bob}, Text: "in two", XML: []byte("<a xmlns='urn:b'/>")})
	if err != nil || !s.Inside {
		t.Fatal(s.Inside, err)
	}
	a.apply(batch)
	e := encrypted(t, s.Content)
	out, err := b.get(carol, e)
	if err == nil {
		t.Errorf("a message moved to another sender reads %q", out.Text)
	}
	out, err = b.get(alice, e)
	if err != nil || out.Text != "in two" || parse(t, string(out.XML)).Child("urn:b", "a").Local() != "a" || parse(t, string(out.XML)).Child("jabber:client", "body").Text() != "in two" {
		t.Errorf("%+v, %v", out, err)
	}
}
