package call

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
	"mirsal/internal/xmpp/xtok"
)

const (
	alice = "alice@example.org"
	bob   = "bob@example.org"
	eve   = "eve@example.net"
)

// keyring is a Seals without mathematics: a seal is the text, and whose it is.
type keyring struct {
	own     uint32
	lock    port.Lock
	later   bool // keys are on their way
	refused bool
	none    bool
	sealed  []string
}

func (k *keyring) Own() uint32 { return k.own }

func (k *keyring) Seal(device uint32, text string) (jingle.Sealed, error) {
	switch {
	case k.later:
		return jingle.Sealed{}, ErrLater
	case k.refused:
		return jingle.Sealed{}, ErrDistrusted
	case k.none:
		return jingle.Sealed{}, errors.New("no key")
	}
	k.sealed = append(k.sealed, text)
	return jingle.Sealed{Sender: k.own, Keys: []jingle.SealedKey{{Device: device, Data: []byte("key")}}, IV: make([]byte, 12), Payload: []byte(text)}, nil
}

func (k *keyring) Open(s *jingle.Sealed) (string, port.Lock, error) {
	switch {
	case k.refused:
		return "", port.Lock{State: port.Changed}, ErrDistrusted
	case s.Keys[0].Device != k.own || string(s.Keys[0].Data) != "key":
		return "", port.Lock{}, errors.New("not for us")
	}
	return string(s.Payload), k.lock, nil
}

// device is one of a person's, with its seat.
type device struct {
	*Call
	t        testing.TB
	full     string
	keys     *keyring
	did      []string // what the seat was told
	sdp      []string // descriptions that it was given
	sections []string // of its last description
	ufrag    string
	print    string
	refuses  []string // errors that it has answered by
	sent     []string
	held     bool // the seat does not answer
}

// line carries stanzas between two devices, in order.
type line struct {
	t    testing.TB
	a, b *device
	todo []func()
	// meddle changes requests on their way; false drops them.
	meddle func(from *device, s *jingle.Session) bool
	// word changes messages.
	word func(from *device, v *jingle.Invite) bool
}

func newDevice(t testing.TB, id, full, peer string, n uint32) *device {
	self, _, _ := strings.Cut(full, "/")
	d := &device{t: t, full: full, keys: &keyring{own: n, lock: port.Lock{State: port.Locked}}, ufrag: fmt.Sprintf("uf%02d", n), print: strings.Repeat(fmt.Sprintf("%02X:", n), 31) + "EE"}
	d.Call = New(Config{ID: id, Name: "the call", Self: self, Peer: peer, Full: full, Seals: d.keys})
	return d
}

func newLine(t testing.TB) *line {
	l := &line{t: t, a: newDevice(t, "c1", alice+"/a", bob, 1), b: newDevice(t, "c1", bob+"/b", alice, 2)}
	l.a.Gave(nil)
	l.b.Gave(nil)
	return l
}

func (l *line) other(d *device) *device {
	if d == l.a {
		return l.b
	}
	return l.a
}

// does carries out what a device says, and all that follows.
func (l *line) does(d *device, all []Do) {
	l.queue(d, all)
	for len(l.todo) > 0 {
		f := l.todo[0]
		l.todo = l.todo[1:]
		f()
	}
}

func (l *line) queue(d *device, all []Do) {
	for _, x := range all {
		switch {
		case x.Message != nil:
			d.sent = append(d.sent, x.Message.Kind.String())
			v := reread(l.t, *x.Message)
			if l.word == nil || l.word(d, &v) {
				l.todo = append(l.todo, func() { l.queue(l.other(d), l.other(d).Heard(d.full, v)) })
			}
		case x.Session != nil:
			d.sent = append(d.sent, x.Session.Action.String())
			s := rereadSession(l.t, *x.Session)
			l.todo = append(l.todo, func() { l.request(d, s) })
		case x.Media != nil:
			m := *x.Media
			l.todo = append(l.todo, func() { l.queue(d, d.seatDoes(m)) })
		}
	}
}

func (l *line) request(d *device, s jingle.Session) {
	if l.meddle != nil && !l.meddle(d, &s) {
		return
	}
	to := l.other(d)
	do, refusal := to.HeardSession(d.full, s)
	if refusal != nil {
		to.refuses = append(to.refuses, s.Action.String()+" "+string(refusal.Condition))
	}
	l.todo = append(l.todo, func() { l.queue(d, d.Answered(s.Action, refusal)) })
	l.queue(to, do)
}

// reread is a message as the other side reads it.
func reread(t testing.TB, v jingle.Invite) jingle.Invite {
	t.Helper()
	e, err := xtok.Parse(v.Append(nil), xtok.Limits{})
	if err == nil {
		v, err = jingle.ParseInvite(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func rereadSession(t testing.TB, s jingle.Session) jingle.Session {
	t.Helper()
	raw := s.Append(nil)
	e, err := xtok.Parse(raw, xtok.Limits{Size: 1 << 20})
	if err == nil {
		s, err = jingle.ParseSession(e)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return s
}

// seatDoes is what a browser's tab would.
func (d *device) seatDoes(m port.CallMedia) []Do {
	what := m.Do
	switch m.Do {
	case "open":
		d.sections = []string{"audio"}
		if m.Video {
			what += " video"
			d.sections = append(d.sections, "video")
		}
	case "camera":
		if !slices.Contains(d.sections, "video") {
			d.sections = append(d.sections, "video")
		}
	case "offer":
		if m.Restart {
			what += " restart"
			d.ufrag += "x"
		}
	case "remote":
		what += " " + m.Type
		if m.Type == "offer" {
			d.sections = mids(m.SDP)
			if len(d.sdp) > 0 && ufragIn(m.SDP) != ufragIn(d.sdp[len(d.sdp)-1]) {
				d.ufrag += "y" // who is asked to begin anew does
			}
		}
		d.sdp = append(d.sdp, m.SDP)
	case "address":
		what += " " + m.Mid
	}
	d.did = append(d.did, what)
	if d.held {
		return nil
	}
	switch m.Do {
	case "offer":
		do, ok := d.Described(d.describe("actpass"))
		if !ok {
			d.t.Error("an offer was not asked for")
		}
		return append(do, d.Address("0", d.candidate())...)
	case "answer":
		do, ok := d.Described(d.describe("active"))
		if !ok {
			d.t.Error("an answer was not asked for")
		}
		return append(do, d.Address("0", d.candidate())...)
	}
	return nil
}

func (d *device) candidate() string {
	return fmt.Sprintf("candidate:1 1 udp 2122260223 192.0.2.%d 50000 typ host generation 0 ufrag %s", d.keys.own, d.ufrag)
}

func ufragIn(sdp string) string {
	_, rest, _ := strings.Cut(sdp, "a=ice-ufrag:")
	ufrag, _, _ := strings.Cut(rest, "\r\n")
	return ufrag
}

func mids(sdp string) (out []string) {
	for part := range strings.SplitSeq(sdp, "m=") {
		if kind, _, _ := strings.Cut(part, " "); kind == "audio" || kind == "video" {
			out = append(out, kind)
		}
	}
	return out
}

// describe is a description as Chromium writes them, shortened.
func (d *device) describe(setup string) string {
	b := "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	var names []string
	for i := range d.sections {
		names = append(names, fmt.Sprint(i))
	}
	b += "a=group:BUNDLE " + strings.Join(names, " ") + "\r\na=msid-semantic: WMS\r\n"
	for i, kind := range d.sections {
		codec := "111\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1"
		if kind == "video" {
			codec = "96\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli"
		}
		b += "m=" + kind + " 9 UDP/TLS/RTP/SAVPF " + codec + "\r\na=ice-ufrag:" + d.ufrag + "\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\na=ice-options:trickle\r\n" +
			"a=fingerprint:sha-256 " + d.print + "\r\na=setup:" + setup + "\r\na=mid:" + fmt.Sprint(i) + "\r\na=sendrecv\r\na=msid:- track" + kind + "\r\na=rtcp-mux\r\n"
	}
	return b
}

// reach brings both to a state.
func (l *line) reach(state life.State, video bool) {
	l.t.Helper()
	l.does(l.a, l.a.Place(video, "tab-a"))
	if state == life.RingingOut {
		return
	}
	l.does(l.b, l.b.Answer(video, "tab-b"))
	if state == life.Active {
		l.does(l.a, l.a.Connected())
		l.does(l.b, l.b.Connected())
	}
	l.is(state.String(), l.a.View().State)
}

func (l *line) is(want string, got string) {
	l.t.Helper()
	if want != got {
		l.t.Fatalf("it is %q, not %q\nalice: seat %q, sent %q, refused %q, %+v\nbob: seat %q, sent %q, refused %q, %+v", got, want,
			l.a.did, l.a.sent, l.a.refuses, l.a.View(), l.b.did, l.b.sent, l.b.refuses, l.b.View())
	}
}

func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, not %q", what, got, want)
	}
}
