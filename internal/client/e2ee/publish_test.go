package e2ee

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

func TestANewDeviceJoinsTheListAndTakesNobodyOff(t *testing.T) {
	w := newWorld(t)
	w.putList(alice, 11, 22)
	a := w.open(alice, keep.NewMemory(), false) // a device made by the Book itself
	w.clients = append(w.clients, a)
	a.do(a.Online())
	want := []uint32{11, 22, a.ID()}
	slices.Sort(want)
	if got := w.listed(alice); !slices.Equal(got, want) {
		t.Errorf("the list is %v", got)
	}
	b := w.client(alice)
	if got := w.listed(alice); len(got) != 4 || !slices.Contains(got, b.ID()) {
		t.Errorf("the list is %v", got)
	}
	if own := a.own(); len(own.PreKeys) != 100 || own.Identity != a.device.Identity() {
		t.Error("the bundle is not ours")
	}
	if len(a.alerts) != 1 || a.alerts[0].Device != b.ID() {
		t.Errorf("alerts %+v", a.alerts)
	}
}

func TestPublishingAsksForOpenNodes(t *testing.T) {
	w := newWorld(t)
	seen := 0
	w.lie = func(_ jid.JID, r Request) string {
		text := string(r.Payload)
		if strings.Contains(text, "<publish ") {
			seen++
			if !strings.Contains(text, "<publish-options>") || !strings.Contains(text, "open") {
				t.Errorf("published without options: %s", text)
			}
		}
		return ""
	}
	w.client(alice)
	if seen != 2 {
		t.Errorf("%d publications", seen)
	}
}

func TestANodeOfAnotherModelIsConfigured(t *testing.T) {
	for _, stubborn := range []bool{false, true} {
		w := newWorld(t)
		w.stubborn = stubborn
		w.closed[omemo.Legacy.DevicesNode()] = true
		w.lie = func(_ jid.JID, r Request) string {
			if r.what.kind == putBundle && r.what.try == first {
				w.closed[omemo.Legacy.BundleNode(r.what.device)] = true
			}
			return ""
		}
		a := w.client(alice)
		if !slices.Contains(w.listed(alice), a.ID()) || len(a.own().PreKeys) != 100 {
			t.Errorf("not published (configuring refused: %v)", stubborn)
		}
		if !stubborn && len(w.closed) > 0 {
			t.Errorf("closed still: %v", w.closed)
		}
	}
}

func TestAFailedPublicationIsTriedAgainLater(t *testing.T) {
	w := newWorld(t)
	w.lie = func(_ jid.JID, r Request) string {
		if r.what.kind == putBundle || r.what.kind == putList {
			return refusal("resource-constraint", "")
		}
		return ""
	}
	a := w.client(alice)
	for range 20 {
		if a.Due().IsZero() {
			t.Fatal("nothing is due")
		}
		asked := a.asked
		a.do(a.Tick())
		if a.asked != asked {
			t.Fatal("tried again at once")
		}
		w.now = a.Due()
		a.do(a.Tick())
	}
	w.lie = nil
	w.now = w.now.Add(25 * time.Hour)
	a.do(a.Tick())
	if !slices.Contains(w.listed(alice), a.ID()) || w.nodes[alice][omemo.Legacy.BundleNode(a.ID())] == nil {
		t.Error("not published at last")
	}
	if !a.Due().IsZero() {
		t.Errorf("something is due still: %v", a.Due())
	}
}

func TestTakenOffTheListWePutOurselvesBackButNeverForEver(t *testing.T) {
	w := newWorld(t)
	a := w.client(alice)
	// Another client takes us off whenever it sees us.
	puts := 0
	w.lie = func(asker jid.JID, r Request) string {
		if r.what.kind == putList {
			puts++
		}
		return ""
	}
	start := w.now
	for w.now.Before(start.Add(24 * time.Hour)) {
		w.putList(alice, 99)
		if due := a.Due(); !due.IsZero() && !due.After(w.now) {
			a.do(a.Tick())
		}
		w.now = w.now.Add(30 * time.Second)
	}
	if puts < 5 || puts > 15 {
		t.Errorf("put back %d times in a day", puts)
	}
	w.now = w.now.Add(24 * time.Hour)
	a.do(a.Tick())
	if got := w.listed(alice); !slices.Contains(got, a.ID()) || !slices.Contains(got, uint32(99)) {
		t.Errorf("the list is %v", got)
	}
	if !a.Due().IsZero() {
		t.Error("something is due though we are on the list")
	}
}

func TestTwoClientsThatPublishAtOnceAreBothListed(t *testing.T) {
	w := newWorld(t)
	a, b := w.open(alice, keep.NewMemory(), false), w.open(alice, keep.NewMemory(), false)
	w.clients = []*client{a, b}
	// Both look at the empty list before either publishes.
	sa, sb := a.Online(), b.Online()
	a.do(sa)
	b.do(sb)
	w.now = w.now.Add(time.Minute)
	a.do(a.Tick())
	b.do(b.Tick())
	if got := w.listed(alice); len(got) != 2 {
		t.Errorf("the list is %v", got)
	}
}

func TestARemovedDeviceLeavesListAndBundle(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(alice)
	s, err := b.RemoveDevice(b.ID())
	if err != nil {
		t.Fatal(err)
	}
	b.do(s)
	if got := w.listed(alice); !slices.Equal(got, []uint32{a.ID()}) {
		t.Errorf("the list is %v", got)
	}
	if w.nodes[alice][omemo.Legacy.BundleNode(b.ID())] != nil {
		t.Error("its bundle is there still")
	}
	b.do(b.Online())
	b.do(b.CatchUp(true))
	b.do(b.CatchUp(false))
	if got := w.listed(alice); len(got) != 1 || !b.Due().IsZero() {
		t.Errorf("it came back: %v", got)
	}
	if _, err := a.RemoveDevice(12345); err != ErrNoKey {
		t.Error(err)
	}
	if !slices.Contains(a.alerts, port.KeyAlert{Address: alice.String(), Device: b.ID(), Kind: "removed"}) {
		t.Errorf("alerts %+v", a.alerts)
	}
}

func TestALongSilentDeviceOfOnesOwnIsNamed(t *testing.T) {
	w := newWorld(t)
	a := w.client(alice)
	old := w.puppet(alice, 77)
	old.publishBundle()
	w.putList(alice, 77, a.ID())
	if len(a.Silent()) > 0 {
		t.Error("named at once")
	}
	w.now = w.now.Add(91 * 24 * time.Hour)
	if got := a.Silent(); len(got) != 1 || got[0].ID != 77 {
		t.Errorf("%+v", got)
	}
	s, err := a.RemoveDevice(77)
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	if got := w.listed(alice); !slices.Equal(got, []uint32{a.ID()}) {
		t.Errorf("the list is %v", got)
	}
}

func TestTheSignedKeyChangesByTheWeekAndIsPublished(t *testing.T) {
	w := newWorld(t)
	a := w.client(alice)
	before := a.own().Signed.ID
	w.now = w.now.Add(8 * 24 * time.Hour)
	a.do(a.Online())
	if a.own().Signed.ID == before {
		t.Error("the signed pre-key is the old one")
	}
	says(t, w.client(bob), "with the new one", a)
}

// A removal is a person's; what a client forgets or a server loses is not.
func TestADeviceThatWasRemovedStaysOff(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(alice)
	s, err := a.RemoveDevice(b.ID())
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	b.do(b.Tick())
	w.now = w.now.Add(48 * time.Hour)
	b.do(b.Tick())
	b.do(b.Online())
	if got := w.listed(alice); !slices.Equal(got, []uint32{a.ID()}) || !b.Due().IsZero() {
		t.Errorf("it came back: %v", got)
	}
	if b.removed != 1 {
		t.Errorf("it was told %d times", b.removed)
	}
	// whoever signs in there again means it
	b.do(b.Return())
	b.do(b.Online())
	if got := w.listed(alice); len(got) != 2 {
		t.Errorf("it is not back: %v", got)
	}
	says(t, w.client(bob), "back", a, b)
}

func TestADeviceThatWasForgottenOrLostIsBack(t *testing.T) {
	for name, drop := range map[string]func(w *world, a, b *client){
		"a client forgets it":  func(w *world, a, _ *client) { w.putList(alice, a.ID()) },
		"the server loses all": func(w *world, _, b *client) { w.nodes[alice] = map[string]map[string]string{}; b.do(b.Online()) },
		"the server loses the bundle": func(w *world, a, b *client) {
			delete(w.nodes[alice], omemo.Legacy.BundleNode(b.ID()))
			w.putList(alice, a.ID())
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, b := w.client(alice), w.client(alice)
			drop(w, a, b)
			if got := w.listed(alice); !slices.Contains(got, b.ID()) || b.removed != 0 {
				t.Errorf("the list is %v", got)
			}
		})
	}
}
