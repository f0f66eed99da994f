package e2ee

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// mixed is Alice, who speaks both profiles, and of Bob one device that announces legacy and
// one that announces Two.
func mixed(t *testing.T) (w *world, a *client, old, young *puppet) {
	t.Helper()
	w = newWorld(t)
	w.both = true
	a, old, young = w.client(alice), w.puppet(bob, 101), w.puppet(bob, 102)
	w.announce(omemo.Legacy, old)
	w.announce(omemo.Two, young)
	return w, a, old, young
}

// announce puts a device on its account's list of a profile, with its bundle.
func (w *world) announce(p omemo.Profile, who *puppet) {
	w.t.Helper()
	before := w.wire
	defer func() { w.wire = before }()
	w.wire = p
	who.publishBundle()
	w.putList(who.who, append(w.listed(who.who), who.device.ID)...)
}

// all are the <encrypted/> of a message.
func all(t *testing.T, content []byte) (out []xtok.Elem) {
	t.Helper()
	for x := range parse(t, "<m>"+string(content)+"</m>").Children() {
		if x.Local() == "encrypted" {
			out = append(out, x)
		}
	}
	return out
}

func TestEachDeviceIsWrittenToOnceInTheProfileItAnnounces(t *testing.T) {
	w, a, old, young := mixed(t)
	both := w.puppet(bob, 103)
	w.announce(omemo.Legacy, both)
	w.announce(omemo.Two, both)
	_, sealed, err := a.write("to all three", bob)
	if err != nil || sealed.Inside || len(sealed.Report.Reached) != 3 || sealed.Lock.State != port.Locked {
		t.Fatalf("%+v, %v", sealed.Lock, err)
	}
	boxes := all(t, sealed.Content)
	if len(boxes) != 2 || bytes.Count(sealed.Content, []byte("urn:xmpp:eme:0")) != 1 {
		t.Fatalf("%s", sealed.Content)
	}
	for p, in := range map[*puppet]int{old: 0, both: 0, young: 1} {
		for i, box := range boxes {
			text, ok := p.reads(box)
			if ok != (i == in) || ok && text != "to all three" {
				t.Errorf("device %d reads %q of element %d", p.device.ID, text, i)
			}
		}
	}
}

func TestADeviceReadsWhatIsForItOfAMessageInBothProfiles(t *testing.T) {
	w := newWorld(t)
	w.both = true
	a, b := w.client(alice), w.client(bob)
	tablet := w.puppet(bob, 102)
	w.announce(omemo.Two, tablet)
	_, sealed, err := a.write("both", bob)
	if err != nil {
		t.Fatal(err)
	}
	box := b.Box(parse(t, "<m>"+string(sealed.Content)+"</m>"))
	mustRead(t, b, alice, "both", func() (Opened, error) { return b.get(alice, box) })
	tablet.device.ID = b.ID() // a device with Bob's number, of which Two says whose it is
	if two := all(t, sealed.Content)[1]; b.Box(parse(t, "<m>"+string(sealed.Content)+"</m>")).NS() == two.NS() {
		t.Error("the element that does not name us is taken")
	}
}

// Whoever takes a profile's list away has its devices get nothing, or moves them to the other
// profile with the same key; nothing is sent otherwise, and nothing in the clear.
func TestAListThatIsTakenAwayWeakensNothing(t *testing.T) {
	_, a, old, young := mixed(t)
	empty := func(p omemo.Profile) {
		s, _ := a.Event(bob, parse(t, listEvent(p.DevicesNode(), string(omemo.AppendDevices(nil, p, nil)))))
		a.do(s)
	}
	if _, _, err := a.write("before", bob); err != nil {
		t.Fatal(err)
	}
	empty(omemo.Legacy)
	e, sealed, err := a.write("to the young one", bob)
	if _, ok := old.reads(e); ok || err != nil || !sealed.Inside {
		t.Errorf("%v, %+v", err, sealed)
	}
	if text, ok := young.reads(e); !ok || text != "to the young one" {
		t.Errorf("the young one reads %q", text)
	}
	empty(omemo.Two)
	if _, sealed, err := a.write("to nobody", bob); !errors.Is(err, ErrNobody) || sealed.Lock.State != port.Broken {
		t.Errorf("%v, %+v", err, sealed.Lock)
	}
}

// A key belongs to the device, whatever profile it is told in.
func TestAnotherKeyInTheOtherProfileWaitsForAPerson(t *testing.T) {
	w, a, old, _ := mixed(t)
	if _, _, err := a.write("before", bob); err != nil {
		t.Fatal(err)
	}
	spy := w.puppet(bob, old.device.ID)
	w.announce(omemo.Two, spy)
	w.putList(bob) // and off the list of legacy
	_, sealed, err := a.write("secret", bob)
	if err != nil || sealed.Lock.State != port.Changed {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	for _, box := range all(t, sealed.Content) {
		if _, ok := spy.reads(box); ok {
			t.Error("another key reads")
		}
	}
	if !slices.Contains(a.alerts, port.KeyAlert{Address: bob.String(), Device: old.device.ID, Kind: "changed"}) {
		t.Errorf("alerts %+v", a.alerts)
	}
}

// The list of the second profile is no way around the alerts of the first.
func TestADeviceInjectedIntoTheOtherListIsAnAlert(t *testing.T) {
	w := newWorld(t)
	disk := keep.NewMemory()
	a := w.open(alice, disk, false)
	w.clients = append(w.clients, a)
	a.do(a.Online())
	a.do(a.CatchUp(false))
	w.announce(omemo.Legacy, w.puppet(bob, 101))
	a.prepare(bob)
	// A newer program speaks both, and is told of more.
	w.now = w.now.Add(time.Hour)
	a = w.open(alice, disk, true)
	w.clients[0] = a
	a.do(a.CatchUp(false))
	w.mute = true
	w.announce(omemo.Two, w.puppet(bob, 666))
	w.announce(omemo.Two, w.puppet(alice, 667))
	w.mute = false
	a.do(a.Online())
	a.prepare(bob)
	for _, want := range []port.KeyAlert{{Address: bob.String(), Device: 666, Kind: "new-device"}, {Address: alice.String(), Device: 667, Kind: "own-device"}} {
		if !slices.Contains(a.alerts, want) {
			t.Errorf("alerts %+v lack %+v", a.alerts, want)
		}
	}
}

func TestSomebodyMetInBothProfilesIsNoAlert(t *testing.T) {
	w, a, _, _ := mixed(t)
	if _, _, err := a.write("hello", bob); err != nil || len(a.alerts) > 0 {
		t.Errorf("alerts %+v, %v", a.alerts, err)
	}
	carols := w.puppet(carol, 201)
	w.announce(omemo.Legacy, carols)
	w.announce(omemo.Two, carols)
	if _, _, err := a.write("hello", carol); err != nil || len(a.alerts) > 0 {
		t.Errorf("alerts %+v, %v", a.alerts, err)
	}
}

func TestBothListsAndBundlesAreAnnouncedAndPutBack(t *testing.T) {
	w := newWorld(t)
	w.both = true
	a := w.client(alice)
	for _, p := range []omemo.Profile{omemo.Legacy, omemo.Two} {
		w.wire = p
		if !slices.Contains(w.listed(alice), a.ID()) || len(a.own().PreKeys) != 100 {
			t.Errorf("%s: not announced", p.Namespace())
		}
	}
	if text := w.nodes[alice][omemo.Two.DevicesNode()]["current"]; strings.Contains(text, "label") {
		t.Errorf("others' programs read no list with a label: %s", text)
	}
	// Taken off one list only: being on the other does not count for it.
	w.now = w.now.Add(time.Hour)
	w.wire = omemo.Legacy
	w.putList(alice, 99)
	w.putList(alice, 99) // the second time we wait a little
	if got := w.listed(alice); slices.Contains(got, a.ID()) {
		t.Fatalf("the list is %v", got)
	}
	w.push(alice, omemo.Two.DevicesNode(), w.nodes[alice][omemo.Two.DevicesNode()]["current"])
	if due := a.Due(); !due.IsZero() {
		w.now = due
		a.do(a.Tick())
	}
	if got := w.listed(alice); !slices.Contains(got, a.ID()) {
		t.Errorf("the list is %v", got)
	}
	s, err := a.RemoveDevice(a.ID())
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	for _, p := range []omemo.Profile{omemo.Legacy, omemo.Two} {
		w.wire = p
		if slices.Contains(w.listed(alice), a.ID()) || w.nodes[alice][p.BundleNode(a.ID())][p.BundleItem(a.ID())] != "" {
			t.Errorf("%s: announced still", p.Namespace())
		}
	}
}

func TestWhatHasNoTextIsEnclosedWhereEverybodyReadsTwo(t *testing.T) {
	w, a, _, young := mixed(t)
	a.prepare(bob)
	if a.Encloses([]jid.JID{bob}) {
		t.Error("a device of legacy would get nothing")
	}
	w.putList(bob)
	a.prepare(bob)
	if !a.Encloses([]jid.JID{bob}) {
		t.Fatal("everybody reads Two")
	}
	sealed, batch, err := a.Encrypt(Outgoing{To: []jid.JID{bob}, XML: []byte("<reactions xmlns='urn:xmpp:reactions:0' id='1'/>")})
	if err != nil {
		t.Fatal(err)
	}
	a.apply(batch)
	if _, ok := young.reads(encrypted(t, sealed.Content)); !ok || !sealed.Inside {
		t.Error("not enclosed")
	}
}
