package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mirsal/e2e/device"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/client/port"
)

const (
	alice = "alice@" + device.Domain
	bob   = "bob@" + device.Domain
)

// two are alice and bob, who know each other.
func two(t *testing.T) (s *device.Server, a, b *person) {
	t.Helper()
	s = device.Serve(t, []string{"alice", "bob", "mallory"})
	a, b = signIn(t, s, "alice", 1), signIn(t, s, "bob", 2)
	meet(a, b)
	return s, a, b
}

func TestACallFromItsPlacingToItsEnd(t *testing.T) {
	_, a, b := two(t)
	a.sits()
	b.sits()
	a.Must(&port.PlaceCall{Chat: bob, Seat: "tab"})
	rings := b.is("incoming", "")
	a.is("ringing", "")
	if rings.Chat != alice || rings.Mine || rings.Video || len(b.seat()) > 0 {
		t.Errorf("bob sees %+v, his seat %q", rings, b.seat())
	}
	b.Must(&port.AnswerCall{Call: rings.ID})
	for _, p := range []*person{a, b} {
		if c := p.is("active", ""); c.Lock == nil || c.Lock.State != port.Locked {
			t.Errorf("%s: the lock is %+v", p.Name, c.Lock)
		}
	}
	b.Must(&port.HangUpCall{Call: rings.ID})
	b.is("ended", "hung-up")
	a.is("ended", "peer-hung-up")
	same(t, "alice's seat", slices.DeleteFunc(a.seat(), address), "open", "create", "offer", "remote answer", "close")
	same(t, "bob's seat", slices.DeleteFunc(b.seat(), address), "open", "create", "remote offer", "answer", "close")
	same(t, "alice's lines", a.lines(bob), "mine audio peer-hung-up")
	same(t, "bob's lines", b.lines(alice), "theirs audio hung-up")
}

func address(did string) bool { return did == "address" }

func TestCancelledAndDeclined(t *testing.T) {
	_, a, b := two(t)
	a.sits()
	b.sits()
	call := a.Must(&port.PlaceCall{Chat: bob, Video: true}).(*port.Done).Call
	if c := b.is("incoming", ""); !c.Video {
		t.Errorf("bob sees %+v", c)
	}
	a.Must(&port.HangUpCall{Call: call})
	a.is("ended", "cancelled")
	b.is("ended", "missed")
	a.Must(&port.PlaceCall{Chat: bob})
	b.Must(&port.DeclineCall{Call: b.is("incoming", "").ID})
	b.is("ended", "declined")
	a.is("ended", "rejected")
	same(t, "alice's seat", a.seat(), "open", "close", "open", "close")
	same(t, "bob's seat", b.seat())
	same(t, "bob's lines", b.lines(alice), "theirs video missed", "theirs audio declined")
}

func TestItRingsAtAllDevicesAndStopsAtAll(t *testing.T) {
	s, a, b := two(t)
	other := signIn(t, s, "bob", 3)
	a.sits()
	b.sits()
	other.sits()
	a.Must(&port.PlaceCall{Chat: bob})
	rings := b.is("incoming", "")
	other.is("incoming", "")
	b.Must(&port.AnswerCall{Call: rings.ID})
	other.is("ended", "answered-elsewhere")
	a.is("active", "")
	b.is("active", "")
	same(t, "the other device's seat", other.seat())
	if f := port.FailureOf(tries(other, &port.AnswerCall{Call: rings.ID})); f == nil {
		t.Error("it can still be taken there")
	}
	a.Must(&port.HangUpCall{Call: a.calls()[0].ID})
	b.is("ended", "peer-hung-up")
	a.Must(&port.PlaceCall{Chat: bob})
	b.is("incoming", "")
	other.Must(&port.DeclineCall{Call: other.is("incoming", "").ID})
	b.is("ended", "declined-elsewhere")
	a.is("ended", "rejected")
}

func tries(p *person, c port.Command) port.Event {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ev, _ := p.Call(ctx, c)
	return ev
}

func TestAStrangersCallIsInTheLogAndNowhereElse(t *testing.T) {
	s, a, b := two(t)
	m := signIn(t, s, "mallory", 4)
	for _, p := range []*person{a, b, m} {
		p.sits()
	}
	call := m.Must(&port.PlaceCall{Chat: bob}).(*port.Done).Call
	// the server tells of it by a hint; the log then has it
	silent := b.until("a silent call", func(c port.Call) bool { return c.Silent == "stranger" })
	if silent.Chat != m.Address || silent.Count != 1 || silent.State != "ended" {
		t.Errorf("bob's log has %+v", silent)
	}
	if c := m.calls()[0]; c.State != "calling" {
		t.Errorf("mallory sees %+v", c)
	}
	m.Must(&port.HangUpCall{Call: call})
	same(t, "bob's seat", b.seat())
	// what a contact says afterwards is heard: nothing has rung before
	a.Must(&port.PlaceCall{Chat: bob})
	if c := b.until("a call", func(c port.Call) bool { return c.State == "incoming" }); c.Chat != alice {
		t.Errorf("%+v has rung", c)
	}
}

func TestWhatWasMissedWhileAwayIsToldAndUnread(t *testing.T) {
	_, a, b := two(t)
	a.sits()
	b.Close()
	call := a.Must(&port.PlaceCall{Chat: bob}).(*port.Done).Call
	a.is("calling", "")
	a.Must(&port.HangUpCall{Call: call})
	a.is("ended", "cancelled")
	b.Start()
	b.sits()
	c := b.is("ended", "missed")
	if c.Chat != alice { // Late or not: what was kept for him may be faster than his archive
		t.Errorf("bob is told of %+v", c)
	}
	same(t, "bob's lines", b.lines(alice), "theirs audio missed")
	for _, chat := range b.Must(&port.ListChats{}).(*port.ChatList).Chats {
		if chat.Address == alice && chat.Unread != 1 {
			t.Errorf("%d are unread", chat.Unread)
		}
	}
}

// TestAnotherFingerprintEndsTheCall has somebody who holds bob's server, but not his keys, answer in his name.
func TestAnotherFingerprintEndsTheCall(t *testing.T) {
	s, a, b := two(t)
	number := uint32(0)
	for _, d := range b.Must(&port.ListDevices{}).(*port.DeviceList).Devices {
		if d.Here {
			number = d.ID
		}
	}
	b.Close()
	a.sits()
	x := enter(t, s)
	id := strings.TrimPrefix(a.Must(&port.PlaceCall{Chat: bob}).(*port.Done).Call, bob+" ")
	full := x.hears("message", "urn:xmpp:jingle-message:0", "propose").Attr("from")
	x.says("<message type='chat' id='p' to='%s'><proceed xmlns='urn:xmpp:jingle-message:0' id='%s'><device xmlns='http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification' id='%d'/></proceed></message>", full, id, number)
	offer := x.hears("iq", "urn:xmpp:jingle:1", "jingle")
	if text := offer.String(); strings.Contains(text, "urn:xmpp:jingle:apps:dtls:0") || !strings.Contains(text, "dlts-srtp-verification") {
		t.Errorf("alice's fingerprint is open: %s", text)
	}
	x.says("<iq type='result' id='%s' to='%s'/>", offer.Attr("id"), full)
	x.says("<iq type='set' id='a' to='%s'><jingle xmlns='urn:xmpp:jingle:1' action='session-accept' sid='%s'><content creator='initiator' name='0'>"+
		"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'><payload-type id='111' name='opus' clockrate='48000' channels='2'/><rtcp-mux/></description>"+
		"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='abcd' pwd='aaaaaaaaaaaaaaaaaaaaaaaa'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='active'>%s</fingerprint></transport>"+
		"</content></jingle></iq>", full, id, strings.Repeat("66:", 31)+"66")
	c := a.is("ended", "insecure")
	if c.Text == "" {
		t.Error("it is not said why")
	}
	same(t, "alice's seat", a.seat(), "open", "create", "offer", "close")
}

// intruder is a bare connection to bob's account.
type intruder struct {
	*xmppclient.Conn
	t *testing.T
}

func enter(t *testing.T, s *device.Server) *intruder {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.C2S, Domain: device.Domain})
	if err == nil {
		err = c.Login(ctx, "bob", device.Password)
	}
	if err == nil {
		err = c.Bind(ctx, "x")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	x := &intruder{c, t}
	x.says("<presence/>")
	return x
}

func (x *intruder) says(format string, args ...any) {
	x.t.Helper()
	if err := x.Send(fmt.Sprintf(format, args...)); err != nil {
		x.t.Fatal(err)
	}
}

// hears waits for a stanza with such an element in it.
func (x *intruder) hears(kind, space, name string) *xmppclient.Node {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), patience)
	defer cancel()
	for {
		n, err := x.Next(ctx)
		if err != nil {
			x.t.Fatal(err)
		}
		if n.Name.Local == kind && n.Child(space, name) != nil {
			return n
		}
	}
}
