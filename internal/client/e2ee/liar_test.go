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
	"mirsal/internal/xmpp/xtok"
)

// A server that lies, and others that send what they should not: each ends in a
// refusal or in an honest warning.

// met is Alice after she has talked with Bob's one device.
func met(t *testing.T) (*world, *client, *puppet) {
	t.Helper()
	w := newWorld(t)
	a, p := w.client(alice), w.puppet(bob, 101)
	p.publishBundle()
	w.putList(bob, 101)
	e, _, err := a.write("hello", bob)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := p.reads(e); !ok {
		t.Fatal("Bob cannot read")
	}
	return w, a, p
}

// compared is met, with Bob's key compared.
func compared(t *testing.T) (*world, *client, *puppet) {
	t.Helper()
	w, a, p := met(t)
	_, s, err := a.Verify(p.code())
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	return w, a, p
}

func TestAnInjectedDeviceIsAnAlertAndGetsNothing(t *testing.T) {
	w, a, p := compared(t)
	spy := w.puppet(bob, 666)
	spy.publishBundle()
	w.putList(bob, 101, 666)
	e, sealed, err := a.write("secret", bob)
	if err != nil || sealed.Lock.State != port.Changed {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	if _, ok := spy.reads(e); ok {
		t.Error("the injected device reads")
	}
	if _, ok := p.reads(e); !ok {
		t.Error("the compared device does not")
	}
	if !slices.Contains(a.alerts, port.KeyAlert{Address: bob.String(), Device: 666, Kind: "new-device"}) {
		t.Errorf("alerts %+v", a.alerts)
	}
	if !slices.Contains(sealed.Report.Missed, Miss{Ref{bob, 666}, WhyNewKey}) {
		t.Errorf("report %+v", sealed.Report)
	}
}

// Nobody was compared: the device reads, but not unseen.
func TestADeviceThatComesLaterIsAnAlertOnceAlsoWhereNobodyWasCompared(t *testing.T) {
	w, a, _ := met(t)
	if len(a.alerts) != 0 {
		t.Errorf("meeting Bob: alerts %+v", a.alerts)
	}
	w.puppet(bob, 666).publishBundle()
	w.putList(bob, 101, 666)
	w.putList(bob, 101, 666)
	if want := []port.KeyAlert{{Address: bob.String(), Device: 666, Kind: "new-device"}}; !slices.Equal(a.alerts, want) {
		t.Errorf("alerts %+v", a.alerts)
	}
	if _, sealed, err := a.write("seen", bob); err != nil || sealed.Lock.State != port.Locked {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	w.putList(bob, 101)
	w.putList(bob, 101, 666)
	if len(a.alerts) != 1 {
		t.Errorf("back again: alerts %+v", a.alerts)
	}
}

func TestTheFirstDevicesOfSomebodyAreNoAlert(t *testing.T) {
	w := newWorld(t)
	a := w.client(alice)
	a.prepare(bob) // he has none
	w.puppet(bob, 101).publishBundle()
	w.puppet(bob, 102).publishBundle()
	w.putList(bob, 101, 102)
	if _, _, err := a.write("hello", bob); err != nil || len(a.alerts) != 0 {
		t.Errorf("alerts %+v, %v", a.alerts, err)
	}
}

func TestADeviceInjectedAmongOnesOwnIsAnAlert(t *testing.T) {
	w, a, _ := met(t)
	spy := w.puppet(alice, 666)
	spy.publishBundle()
	w.putList(alice, a.ID(), 666)
	if !slices.Contains(a.alerts, port.KeyAlert{Address: alice.String(), Device: 666, Kind: "own-device"}) {
		t.Errorf("alerts %+v", a.alerts)
	}
	// Refused, it gets nothing, in whatever list it stands.
	a.prepare(bob)
	s, err := a.SetTrust(alice, spy.key(), Refused)
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	e, sealed, err := a.write("secret", bob)
	if _, ok := spy.reads(e); ok || err != nil || sealed.Lock.State != port.Locked {
		t.Errorf("refused, it reads: %v, %+v, %v", ok, sealed.Lock, err)
	}
}

// A person has removed it, lost or stolen; the server, or who has it now, puts it on the list again.
func TestARemovedDeviceThatIsPutBackOnTheListIsAnAlertAndGetsNothing(t *testing.T) {
	for _, trust := range []Trust{FirstUse, Verified} {
		w, a, _ := met(t)
		stolen := w.puppet(alice, 666)
		stolen.publishBundle()
		w.putList(alice, a.ID(), 666)
		if e, _, err := a.write("before", bob); err != nil {
			t.Fatal(err)
		} else if _, ok := stolen.reads(e); !ok {
			t.Fatal("it does not read before")
		}
		s, err := a.SetTrust(alice, stolen.key(), trust)
		if err != nil {
			t.Fatal(err)
		}
		a.do(s)
		if s, err = a.RemoveDevice(666); err != nil {
			t.Fatal(err)
		}
		a.do(s)
		a.alerts = nil
		stolen.publishBundle()
		w.putList(alice, a.ID(), 666)
		e, sealed, err := a.write("secret", bob)
		if _, ok := stolen.reads(e); ok || err != nil {
			t.Errorf("%s: removed, it reads: %v, %+v, %v", trust, ok, sealed.Lock, err)
		}
		if !slices.Contains(a.alerts, port.KeyAlert{Address: alice.String(), Device: 666, Kind: "own-device"}) {
			t.Errorf("%s: alerts %+v", trust, a.alerts)
		}
	}
}

// The other devices of one's own learn of it from the word in place of the bundle.
func TestADeviceThatAnotherOfOnesOwnHasRemovedGetsNothingFromThis(t *testing.T) {
	w, a, _ := met(t)
	third := w.client(alice)
	stolen := w.puppet(alice, 666)
	stolen.publishBundle()
	w.putList(alice, a.ID(), third.ID(), 666)
	if e, _, err := third.write("before", bob); err != nil {
		t.Fatal(err)
	} else if _, ok := stolen.reads(e); !ok {
		t.Fatal("it does not read before")
	}
	s, err := a.RemoveDevice(666)
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	stolen.publishBundle()
	w.putList(alice, a.ID(), third.ID(), 666)
	e, _, err := third.write("secret", bob)
	if _, ok := stolen.reads(e); ok || err != nil {
		t.Errorf("removed, it reads: %v, %v", ok, err)
	}
}

// A server that lets the device speak first, so that its key is known when it is listed.
func TestADeviceOfOnesOwnThatSpeaksBeforeItIsListedIsAnAlertOnce(t *testing.T) {
	w, a, _ := met(t)
	spy := w.puppet(alice, 666)
	alerts := func() (n int) {
		for _, x := range a.alerts {
			if x == (port.KeyAlert{Address: alice.String(), Device: 666, Kind: "own-device"}) {
				n++
			}
		}
		return n
	}
	if _, err := a.get(alice, spy.writes("I have said this", a.own())); err != nil || alerts() != 1 {
		t.Errorf("it speaks: alerts %+v, %v", a.alerts, err)
	}
	spy.publishBundle()
	w.putList(alice, a.ID(), 666)
	w.putList(alice, a.ID())
	w.putList(alice, a.ID(), 666)
	if alerts() != 1 {
		t.Errorf("it is listed: alerts %+v", a.alerts)
	}
}

// A server that lets a device of its own speak for somebody, and lists it never or later.
func TestADeviceOfAnothersThatSpeaksWithoutBeingListedIsAnAlertOnce(t *testing.T) {
	w, a, _ := met(t)
	spy := w.puppet(bob, 666)
	for range 2 {
		if got, err := a.get(bob, spy.writes("it is me", a.own())); err != nil || got.Text != "it is me" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	want := []port.KeyAlert{{Address: bob.String(), Device: 666, Kind: "new-device"}}
	if !slices.Equal(a.alerts, want) {
		t.Errorf("alerts %+v", a.alerts)
	}
	spy.publishBundle()
	w.putList(bob, 101, 666)
	if !slices.Equal(a.alerts, want) {
		t.Errorf("listed: alerts %+v", a.alerts)
	}
}

func TestASwappedBundleNeverTakesTheDevicesPlace(t *testing.T) {
	for _, f := range []func(*testing.T) (*world, *client, *puppet){met, compared} {
		w, a, p := f(t)
		spy := w.puppet(bob, 101)
		spy.publishBundle()
		// The session breaks, so that the bundle is asked for again.
		a.do(a.Renew(bob))
		e, sealed, err := a.write("secret", bob)
		if err != nil || sealed.Lock.State != port.Changed || sealed.Lock.Why != WhyChanged {
			t.Errorf("%+v, %v", sealed.Lock, err)
		}
		if _, ok := spy.reads(e); ok {
			t.Error("the swapped key reads")
		}
		if _, ok := p.reads(e); !ok {
			t.Error("the known key does not")
		}
		if !slices.Contains(a.alerts, port.KeyAlert{Address: bob.String(), Device: 101, Kind: "changed"}) {
			t.Errorf("alerts %+v", a.alerts)
		}
		rows := a.Devices(bob)
		if len(rows) != 2 || rows[1].Fingerprint != spy.key() || rows[1].Trust != string(Undecided) {
			t.Errorf("devices %+v", rows)
		}
	}
}

func TestAForeignBundleIsNotTakenOnFirstUse(t *testing.T) {
	w, a, p := met(t)
	// Carol's device comes with Bob's bundle: what is written to her, Bob would read.
	w.put(carol, omemo.Legacy.BundleNode(301), "current", p.bundle())
	w.putList(carol, 301)
	_, sealed, err := a.write("for carol", carol)
	if !errors.Is(err, ErrUndecided) || sealed.Lock.State != port.Changed || sealed.Lock.Why != WhyForeign {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	// And our own bundle under Carol's name.
	w.put(carol, omemo.Legacy.BundleNode(302), "current", w.nodes[alice][omemo.Legacy.BundleNode(a.ID())]["current"])
	w.putList(carol, 302)
	if _, sealed, err = a.write("for carol", carol); !errors.Is(err, ErrNobody) || sealed.Lock.State != port.Broken {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	for _, d := range a.Devices(carol) {
		if d.Fingerprint == a.Fingerprint() {
			t.Error("our own key is remembered as Carol's")
		}
	}
}

func TestABundleOfAnotherNodeIsNone(t *testing.T) {
	w, a := newWorld(t), (*client)(nil)
	a = w.client(alice)
	p := w.puppet(bob, 101)
	w.putList(bob, 101)
	w.lie = func(_ jid.JID, r Request) string {
		if r.what.kind == getBundle {
			return itemsAnswer(omemo.Legacy.BundleNode(102), "<item id='current'>"+p.bundle()+"</item>")
		}
		return ""
	}
	if _, _, err := a.write("x?", bob); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
}

func TestAStaleBundleIsUnreadAndHeals(t *testing.T) {
	w := newWorld(t)
	b := w.client(bob)
	old := w.nodes[bob][omemo.Legacy.BundleNode(b.ID())]["current"]
	// The pre-keys of the first bundle are used up.
	first := b.own()
	for i := range first.PreKeys {
		b.device = b.device.Without(first.PreKeys[i].ID)
	}
	b.do(b.CatchUp(true))
	b.do(b.CatchUp(false))
	a := w.client(alice)
	w.lie = func(_ jid.JID, r Request) string {
		if r.what.kind == getBundle && r.To == bob {
			return itemsAnswer(omemo.Legacy.BundleNode(b.ID()), "<item id='current'>"+old+"</item>")
		}
		return ""
	}
	b.prepare(alice) // Bob knows Alice's list
	e, _, err := a.write("for the old keys", bob)
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.get(alice, e)
	if !errors.Is(err, ErrUnreadable) || out.Proof.Lock.State != port.Broken || out.Text != "" {
		t.Errorf("%+v, %v", out, err)
	}
	w.lie = nil
	a.takeNotes() // Bob's new session
	says(t, a, "now it works", b)
}

func TestAServerThatPutsAnOldBundleBackIsOverruled(t *testing.T) {
	w := newWorld(t)
	a := w.client(alice)
	name := omemo.Legacy.BundleNode(a.ID())
	right := w.nodes[alice][name]["current"]
	w.nodes[alice][name]["current"] = w.puppet(alice, a.ID()).bundle()
	w.now = w.now.Add(25 * time.Hour)
	a.do(a.Online())
	if w.nodes[alice][name]["current"] != right {
		t.Error("another's bundle stays in the place of ours")
	}
}

func TestOneDeviceTooMany(t *testing.T) {
	w, a, p := compared(t)
	var flood []uint32
	for id := uint32(1); len(flood) < 250; id++ {
		flood = append(flood, id) // 101 among them, and not among the first hundred
	}
	w.putList(bob, flood...)
	e, sealed, err := a.write("still", bob)
	if _, ok := p.reads(e); !ok {
		t.Errorf("new numbers have pushed a known device out: %+v, %v", sealed.Lock, err)
	}
	if n := len(a.account(bob).Lists[omemo.Legacy].Devices); n != maxListed {
		t.Errorf("%d devices are considered", n)
	}
	// 10,000 are no list: the one before stays.
	for len(flood) < 10000 {
		flood = append(flood, uint32(len(flood)+5000))
	}
	w.putList(bob, flood...)
	if e, _, _ = a.write("still here", bob); !e.OK() {
		t.Error("a list of 10,000 took the known one's place")
	}
	// As many again and again, with keys, are not all remembered.
	for round := range uint32(4) {
		for id := range uint32(100) {
			a.account(bob).device(10000+round*100+id, w.now).Key = fmt.Sprint(round, id)
		}
		a.touch(a.account(bob))
		a.apply(a.flush())
	}
	if n := len(a.account(bob).Devices); n > maxDevices {
		t.Errorf("%d devices are remembered", n)
	}
	if a.account(bob).Devices[101] == nil {
		t.Error("the device we talk with was forgotten")
	}
}

func TestAnEventSpeaksOnlyForItsSender(t *testing.T) {
	w, a, _ := met(t)
	resource, _ := bob.WithResource("phone")
	for _, from := range []jid.JID{resource, carol, room} {
		s, _ := a.Event(from, parse(t, listEvent(omemo.Legacy.DevicesNode(), listOf(5, 6, 7))))
		a.do(s)
	}
	if n := len(a.account(bob).Lists[omemo.Legacy].Devices); n != 1 {
		t.Errorf("Bob has %d devices", n)
	}
	if a.accounts[room] != nil {
		t.Error("who we do not write to is remembered")
	}
	if _, ok := a.Event(bob, parse(t, "<event xmlns='"+nsEvent+"'><items node='urn:other'/></event>")); ok {
		t.Error("another node's event was taken")
	}
	_ = w
}

func TestWithoutAKeyThereIsNoMessage(t *testing.T) {
	w := newWorld(t)
	a := w.client(alice)
	_, sealed, err := a.write("nobody", bob)
	if !errors.Is(err, ErrNobody) || sealed.Lock.State != port.Broken || sealed.Lock.Why != WhyNoDevice {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	// In a group, one who cannot read is enough.
	p := w.puppet(carol, 301)
	p.publishBundle()
	w.putList(carol, 301)
	if _, sealed, err = a.writeIn(room, "not all", bob, carol); !errors.Is(err, ErrNobody) || !slices.Equal(sealed.Lock.Missing, []string{bob.String()}) {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	if e, _, err := a.writeIn(room, "without him", carol); err != nil {
		t.Error(err)
	} else if _, ok := p.reads(e); !ok {
		t.Error("Carol cannot read")
	}
	// The list appears, and the message goes without waiting for a time-out.
	q := w.puppet(bob, 101)
	q.publishBundle()
	w.putList(bob, 101)
	if _, _, err = a.write("at last", bob); err != nil {
		t.Error(err)
	}
}

func TestWhatFailedIsAskedForLessAndLess(t *testing.T) {
	w := newWorld(t)
	a := w.client(alice)
	w.putList(bob, 101)
	count := func() int { n := a.asked; a.prepare(bob); return a.asked - n }
	if n := count(); n != 2 { // the list and the bundle
		t.Errorf("%d questions", n)
	}
	if n := count(); n != 0 {
		t.Errorf("%d questions at once again", n)
	}
	w.now = w.now.Add(time.Minute)
	if n := count(); n != 1 {
		t.Errorf("%d questions after a minute", n)
	}
	w.now = w.now.Add(time.Minute)
	if n := count(); n != 0 {
		t.Errorf("%d questions after two", n)
	}
	if got := a.Lock([]jid.JID{bob}, jid.JID{}); got.State != port.Broken || got.Why != WhyNoKey {
		t.Errorf("%+v", got)
	}
}

func TestANewKeyAfterComparingWaitsAndSaysSo(t *testing.T) {
	w, a, p := compared(t)
	second := w.puppet(bob, 102)
	out, err := a.get(bob, second.writes("new phone", a.own()))
	if err != nil || out.Text != "new phone" || out.Proof.Lock.State != port.Changed || out.Proof.Trust != Undecided {
		t.Errorf("%+v, %v", out, err)
	}
	second.publishBundle()
	w.putList(bob, 102)
	// Only that one is on the list now: nothing is sent before a person decides.
	_, sealed, err := a.write("secret", bob)
	if !errors.Is(err, ErrUndecided) || sealed.Lock.State != port.Changed {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	s, err := a.SetTrust(bob, second.key(), Verified)
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	e, sealed, err := a.write("secret", bob)
	if _, ok := second.reads(e); !ok || err != nil || sealed.Lock.State != port.Verified {
		t.Errorf("after the decision: %v, %+v, %v", ok, sealed.Lock, err)
	}
	if _, ok := p.reads(e); ok {
		t.Error("a device that left the list reads on")
	}
}

func TestAChangedKeyIsTakenOnlyByAPerson(t *testing.T) {
	w, a, p := met(t)
	next := w.puppet(bob, 101)
	next.publishBundle()
	if out, err := a.get(bob, next.writes("reinstalled", a.own())); err != nil || out.Proof.Lock.Why != WhyChanged {
		t.Fatalf("%+v, %v", out, err)
	}
	s, err := a.SetTrust(bob, next.key(), FirstUse)
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	e, sealed, err := a.write("secret", bob)
	if _, ok := next.reads(e); !ok || err != nil || sealed.Lock.State != port.Locked {
		t.Errorf("%v, %+v, %v", ok, sealed.Lock, err)
	}
	if _, ok := p.reads(e); ok {
		t.Error("the former key reads on")
	}
}

func TestOfARefusedKeyNothingIsShown(t *testing.T) {
	w, a, p := met(t)
	s, err := a.SetTrust(bob, p.key(), Refused)
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	out, err := a.get(bob, p.writes("believe me", a.own()))
	if !errors.Is(err, ErrRefused) || out.Text != "" || out.Proof.Lock.State != port.Broken {
		t.Errorf("%+v, %v", out, err)
	}
	if _, sealed, err := a.write("secret", bob); !errors.Is(err, ErrNobody) || sealed.Lock.Why != WhyRefused {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	_ = w
}

func TestAnsweredTwiceOrUnaskedChangesNothing(t *testing.T) {
	w, a, _ := met(t)
	spy := w.puppet(bob, 101)
	r := Request{To: bob, what: asked{kind: getBundle, who: bob, device: 101, profile: omemo.Legacy}}
	a.do(a.Answer(r, parse(t, itemsAnswer(omemo.Legacy.BundleNode(101), "<item id='current'>"+spy.bundle()+"</item>"))))
	if len(a.Devices(bob)) != 1 {
		t.Error("an answer to nothing was taken")
	}
}

func TestALostConnectionIsNoMissingDevice(t *testing.T) {
	w := newWorld(t)
	a := w.client(alice)
	p := w.puppet(bob, 101)
	p.publishBundle()
	w.putList(bob, 101)
	// Every answer is lost, time after time: first for the list, then for the bundle.
	for _, k := range []kind{getList, getBundle} {
		for range 10 {
			ask, wait := a.Needs([]jid.JID{bob})
			if !wait {
				break
			}
			for _, r := range ask {
				if r.what.kind == k {
					a.do(a.Answer(r, xtok.Elem{}))
				} else {
					a.do(a.Answer(r, w.serve(alice, r)))
				}
			}
		}
		if got := a.Lock([]jid.JID{bob}, jid.JID{}); got.State != port.Broken {
			t.Errorf("%+v", got)
		}
		a = a.reopened()
		a.do(a.Online())
	}
	if e, _, err := a.write("here again", bob); err != nil {
		t.Error(err)
	} else if _, ok := p.reads(e); !ok {
		t.Error("Bob cannot read")
	}
}
