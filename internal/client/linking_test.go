package client

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	pairing "mirsal/internal/client/link"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// still is an engine that does not run, of alice's, and what it tells.
type still struct {
	*Engine
	told []port.Event
}

func stillEngine(t *testing.T, store keep.Store, p profile) *still {
	t.Helper()
	s := &still{}
	var err error
	s.Engine, err = New(Config{
		Store: store, Rand: rand.Reader, Now: time.Now, Events: func(ev port.Event) { s.told = append(s.told, ev) },
		Dialer: func(jid.JID, string) (conn.Dialer, error) { return nil, conn.ErrDown },
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.own.IsZero() {
		s.profile = p
		if err := s.openAccount(); err != nil || !s.keepProfile() {
			t.Fatal(err)
		}
	}
	s.joining = &joining{}
	return s
}

// full is an old device with so many lines of noise, that do not compress well.
func full(t *testing.T, lines int) *still {
	t.Helper()
	s := stillEngine(t, keep.NewMemory(), profile{Address: "alice@example.org", Device: "old"})
	s.change(s.lines.Online("alice@example.org", false))
	noise := make([]byte, 600)
	for i := range lines {
		rand.Read(noise)
		id := fmt.Sprint("id", i)
		in := timeline.Incoming{Kind: timeline.Text, ID: id, OriginID: id, Text: hex.EncodeToString(noise)}
		in.Chat, in.Sender, in.Real, in.StanzaID, in.Time = "bob@example.org", "bob@example.org", "bob@example.org", "s-"+id, time.Now()
		s.change(s.lines.Apply(in, time.Now()))
	}
	var b keep.Batch
	put(&b, contactTable, "bob@example.org", &contact{Name: "Bob", Subscription: "both"})
	s.keepBatch(&b)
	return s
}

func young(t *testing.T, store keep.Store) *still {
	t.Helper()
	return stillEngine(t, store, profile{Address: "alice@example.org", Device: "new", Linking: &linking{
		Peer: "alice@example.org/old", Channel: pairing.Channel{Send: make([]byte, 32), Take: make([]byte, 32)}}})
}

// texts are the newest lines of a chat.
func (s *still) texts(t *testing.T) (out []string) {
	t.Helper()
	page, _, _, err := s.lines.Page("bob@example.org", "", 200)
	if port.FailureOf(&port.Page{Failure: composeFailure(err)}) != nil {
		return nil
	}
	for _, m := range page {
		out = append(out, m.Text)
	}
	return out
}

// give hands piece n over, as it comes out of its box.
func (s *still) give(h *hand, n uint32) {
	var flags byte
	if h.pieces[n].end {
		flags = 1
	}
	if int(n) == len(h.pieces)-1 {
		flags |= 2
	}
	s.takePiece(n, flags, h.pieces[n].done, h.pieces[n].data)
}

func TestAHandOverGoesOnWhereItWasAfterEachRestart(t *testing.T) {
	old := full(t, 600)
	h, err := old.newHand()
	if err != nil {
		t.Fatal(err)
	}
	if h.lines != 600 || len(h.pieces) < 6 || slices.IndexFunc(h.pieces, func(p piece) bool { return !p.end }) < 0 {
		t.Fatalf("%d lines in %d pieces: too few for this test", h.lines, len(h.pieces))
	}
	store := keep.NewMemory()
	given := 0
	for s := young(t, store); s.settingUp(); s = young(t, store) {
		// one block, and half of the next one, which is lost by the restart
		for n := s.profile.Linking.Next; ; n++ {
			s.give(h, n)
			if given++; given > 10*len(h.pieces) {
				t.Fatal("it does not end")
			}
			if h.pieces[n].end {
				if s.settingUp() && !h.pieces[n+1].end {
					s.give(h, n+1)
				}
				break
			}
		}
	}
	s := young(t, store)
	if got, want := s.texts(t), old.texts(t); len(got) != 200 || !slices.Equal(got, want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	if n, err := s.lines.Lines(); n != 600 || err != nil {
		t.Error(n, err)
	}
	if c := s.people["bob@example.org"]; c == nil || c.Name != "Bob" {
		t.Errorf("%+v", c)
	}
}

func TestAHandOverThatIsGivenUpLeavesNoHalfHistory(t *testing.T) {
	h, err := full(t, 250).newHand()
	if err != nil {
		t.Fatal(err)
	}
	store := keep.NewMemory()
	s := young(t, store)
	for n := range uint32(len(h.pieces) - 1) {
		s.give(h, n)
	}
	s.receiveOver(port.Failf(port.Missing, "gone"))
	if s.broken != nil {
		t.Fatal(s.broken)
	}
	for _, s := range []*still{s, young(t, store)} {
		if s.settingUp() || s.texts(t) != nil {
			t.Error("something is left")
		}
		if n, err := s.lines.Lines(); n != 0 || err != nil {
			t.Error(n, err)
		}
	}
	if i := slices.IndexFunc(s.told, func(ev port.Event) bool { st, ok := ev.(*port.LinkState); return ok && st.State == "failed" }); i < 0 {
		t.Error("nobody is told")
	}
}

// Attack: who is in between, or an old device that was taken over, sends something else.
func TestWhatIsNoPieceOfTheHandOverEndsItAndIsNotKept(t *testing.T) {
	block := func(rows ...timeline.Entry) piece {
		h := &hand{}
		p := &packer{hand: h}
		for _, r := range rows {
			if err := p.add(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		return h.pieces[0]
	}
	for name, p := range map[string]piece{
		"a row of the profile":    block(timeline.Entry{Table: profileTable, Key: "account", Value: []byte(`{"address":"mallory@example.org"}`)}),
		"a device's secrets":      block(timeline.Entry{Table: "omemo.own", Key: "device", Value: []byte("x")}),
		"a contact with no name":  block(timeline.Entry{Table: contactTable, Key: "@", Value: []byte("{}")}),
		"a contact out of order":  block(timeline.Entry{Table: contactTable, Key: "bob@example.org", Value: []byte("[")}),
		"what is not compressed":  {data: []byte("hello"), end: true},
		"a block that is no rows": func() piece { h := &hand{}; _ = h.add([]byte{0xff}, 0); return h.pieces[0] }(),
	} {
		store := keep.NewMemory()
		s := young(t, store)
		s.profile.Linking.Next = 1
		s.takePiece(1, 1, 0, p.data)
		if s.settingUp() || s.profile.Address != "alice@example.org" || len(s.people) != 0 {
			t.Errorf("%s is taken", name)
		}
		if again := young(t, store); again.own.String() != "alice@example.org" || again.settingUp() {
			t.Errorf("%s is kept", name)
		}
	}
	s := young(t, keep.NewMemory())
	forged := "<iq xmlns='jabber:client' type='result'><piece xmlns='" + nsLink + "'>" + base64.StdEncoding.EncodeToString(make([]byte, 100)) + "</piece></iq>"
	e, err := xtok.Parse([]byte(forged), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s.pieceCame(0, &conn.Stanza{Head: stanza.Head{Kind: stanza.IQ, Type: stanza.Result}, Elem: e}, nil)
	if s.settingUp() {
		t.Error("a forged piece is passed over")
	}
}

func TestALinkedDeviceKeepsTheNameItWasGiven(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.engine.profile.Label = "tablet"
		d.engine.keepProfile()
		d.stop()
		d.start()
		if d.engine.Label != "tablet" {
			t.Errorf("it is called %q", d.engine.Label)
		}
	})
}
