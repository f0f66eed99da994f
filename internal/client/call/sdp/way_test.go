package sdp_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/call/sdp"
	"mirsal/internal/xmpp/jingle"
)

// What a seat says comes out at the other side as it was, as far as Jingle can
// say it: SDP, Jingle, XML, Jingle, SDP.
func TestWhatSeatsWriteSurvivesTheWay(t *testing.T) {
	for _, name := range fixtures(t, "*") {
		h := sdp.Head{Action: jingle.SessionInitiate, SID: "a", Side: jingle.Initiator}
		if strings.Contains(name, "answer") {
			h.Action, h.Side = jingle.SessionAccept, jingle.Responder
		}
		d := parse(t, fixture(t, name))
		s, err := d.Session(h, &sdp.Names{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back, err := sdp.FromSession(over(t, s), h.Side, &sdp.Names{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, name, d, parse(t, text(t, back)))
	}
}

// same requires that two descriptions differ in nothing that a call depends on.
func same(t *testing.T, name string, a, b *sdp.Description) {
	t.Helper()
	if len(a.Media) != len(b.Media) || !slices.Equal(a.Bundle, b.Bundle) {
		t.Errorf("%s: %d sections %v became %d %v", name, len(a.Media), a.Bundle, len(b.Media), b.Bundle)
		return
	}
	for i := range a.Media {
		x, y := a.Media[i], b.Media[i]
		for j := range y.RTP.Sources { // who sends with what: msid was written to them
			y.RTP.Sources[j].Parameters = slices.DeleteFunc(y.RTP.Sources[j].Parameters, func(p jingle.Parameter) bool { return p.Name == "msid" })
		}
		for j := range x.RTP.Sources {
			x.RTP.Sources[j].Parameters = slices.DeleteFunc(x.RTP.Sources[j].Parameters, func(p jingle.Parameter) bool { return p.Name == "msid" })
		}
		if x.Stream == "" {
			x.Stream = y.Stream
		}
		for j := range x.Way.Candidates {
			x.Way.Candidates[j].ID, y.Way.Candidates[j].ID = "", ""
		}
		y.Way.Trickle = x.Way.Trickle // always said
		if !reflect.DeepEqual(x, y) {
			t.Errorf("%s, section %s:\n%+v\nbecame\n%+v", name, x.Mid, x, y)
		}
	}
}

func TestRecordedSessionsBecomeSDPThatIsReadAgain(t *testing.T) {
	n := 0
	for _, s := range exchanges(t) {
		if !whole(s.Session) {
			continue
		}
		d, err := sdp.FromSession(open(s.Session), side(s.Session), &sdp.Names{})
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		n++
		out := text(t, d)
		again := parse(t, out)
		if len(sections(out))-1 != len(s.Contents) {
			t.Errorf("%s: %d contents, but\n%s", s.name, len(s.Contents), out)
		}
		if got := text(t, again); got != out {
			t.Errorf("%s: written again it is another:\n%s\n%s", s.name, out, got)
		}
		for _, section := range sections(out)[1:] {
			for _, line := range []string{"a=rtcp-mux", "c=IN IP4 0.0.0.0"} {
				if strings.Contains(section, "\r\na=ice-ufrag") && !strings.Contains(section, "\r\n"+line+"\r\n") {
					t.Errorf("%s: a section without %s", s.name, line)
				}
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d sessions", n)
	}
}

func TestAnOfferIsSmall(t *testing.T) {
	for name, most := range map[string]int{"chromium-offer-video": 8 << 10, "chromium-offer-audio": 3 << 10, "chromium-offer-screen": 8 << 10, "firefox-offer-video": 8 << 10} {
		d := parse(t, fixture(t, name)).Prune()
		s, err := d.Session(sdp.Head{Action: jingle.SessionInitiate, SID: "a", Side: jingle.Initiator}, &sdp.Names{})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.Append(nil)); n > most {
			t.Errorf("%s: %d bytes of Jingle, more than %d", name, n, most)
		} else {
			t.Logf("%s: %d bytes of SDP, %d of Jingle", name, len(fixture(t, name)), n)
		}
	}
}

func TestPruneLeavesWhatIsUsed(t *testing.T) {
	d := parse(t, fixture(t, "chromium-offer-video")).Prune()
	var names []string
	for _, m := range d.Media {
		for _, p := range m.RTP.Payloads {
			names = append(names, p.Name)
		}
	}
	got := strings.Join(names, " ")
	for _, want := range []string{"opus red PCMU PCMA telephone-event", "VP8 rtx", "H264 rtx", "VP9 rtx"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	hasNot(t, got, "AV1", "ulpfec", "G722", "CN")
	if n := strings.Count(got, "H264"); n > 2 {
		t.Errorf("%d times H264", n)
	}

	odd := parse(t, strings.ReplaceAll(fixture(t, "chromium-offer-audio"), "opus/48000/2", "SILK/24000"))
	odd.Media[0].RTP.Payloads = odd.Media[0].RTP.Payloads[:2]
	if n := len(odd.Prune().Media[0].RTP.Payloads); n != 2 {
		t.Errorf("of codecs that are all unusual %d are left, want both", n)
	}
}

func TestSendersAreRelativeToTheInitiator(t *testing.T) {
	for _, c := range []struct {
		direction string
		side      jingle.Role
		want      jingle.Senders
	}{
		{"sendrecv", jingle.Initiator, jingle.Both}, {"sendrecv", jingle.Responder, jingle.Both},
		{"sendonly", jingle.Initiator, jingle.OnlyInitiator}, {"sendonly", jingle.Responder, jingle.OnlyResponder},
		{"recvonly", jingle.Initiator, jingle.OnlyResponder}, {"recvonly", jingle.Responder, jingle.OnlyInitiator},
		{"inactive", jingle.Initiator, jingle.Neither}, {"inactive", jingle.Responder, jingle.Neither},
	} {
		d := parse(t, strings.Replace(fixture(t, "chromium-offer-audio"), "a=sendrecv", "a="+c.direction, 1))
		s, err := d.Session(sdp.Head{Action: jingle.ContentAdd, SID: "a", Side: c.side}, &sdp.Names{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Contents[0].Senders; got != c.want {
			t.Errorf("%s of the %s is %s, want %s", c.direction, c.side, got, c.want)
		}
		back, err := sdp.FromSession(s, c.side, &sdp.Names{})
		if err != nil {
			t.Fatal(err)
		}
		has(t, text(t, back), "a="+c.direction)
	}
}

func TestWhoBeganAContentIsItsCreator(t *testing.T) {
	offer := parse(t, fixture(t, "chromium-offer-audio"))
	for _, c := range []struct {
		action jingle.Action
		side   jingle.Role
		want   jingle.Role
		setup  string
	}{
		{jingle.SessionInitiate, jingle.Initiator, jingle.Initiator, "actpass"},
		{jingle.SessionAccept, jingle.Responder, jingle.Initiator, "active"},
		{jingle.ContentAdd, jingle.Responder, jingle.Responder, "actpass"},
		{jingle.ContentAccept, jingle.Initiator, jingle.Responder, "passive"},
	} {
		d := parse(t, strings.Replace(text(t, offer), "actpass", c.setup, 1))
		s, err := d.Session(sdp.Head{Action: c.action, SID: "a", Side: c.side}, &sdp.Names{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Contents[0].Creator; got != c.want {
			t.Errorf("%s of the %s: creator %s, want %s", c.action, c.side, got, c.want)
		}
	}
}

func TestWhatIsNoSDPOfACallIsRefused(t *testing.T) {
	good := fixture(t, "chromium-offer-audio")
	change := func(old, by string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(good, old, by, 1)
	}
	for name, bad := range map[string]string{
		"nothing":            "",
		"no media":           "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
		"another version":    change("v=0", "v=1"),
		"v not first":        "s=-\r\n" + good,
		"control characters": change("s=-", "s=\x00"),
		"not ASCII":          change("s=-", "s=é"),
		"no line":            change("s=-", "s-"),
		"unknown letter":     change("t=0 0", "q=0 0"),
		"long line":          change("s=-", "s="+strings.Repeat("a", 3000)),
		"many lines":         good + strings.Repeat("a=x\r\n", 2000),
		"large":              good + strings.Repeat("a="+strings.Repeat("x", 1000)+"\r\n", 70),
		"data channel":       change("m=audio 58765 UDP/TLS/RTP/SAVPF", "m=application 9 UDP/DTLS/SCTP"),
		"plain RTP":          change("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
		"port":               change("m=audio 58765", "m=audio 99999"),
		"codec number":       change("SAVPF 111 63", "SAVPF 111 200"),
		"codec twice":        change("SAVPF 111 63", "SAVPF 111 111"),
		"no mid":             change("a=mid:0\r\n", ""),
		"mid twice":          change("a=mid:0", "a=mid:0\r\na=mid:1"),
		"odd mid":            change("a=mid:0", "a=mid:<0>"),
		"two sections":       good + good[strings.Index(good, "m=audio"):],
		"no ufrag":           change("a=ice-ufrag:pxeI\r\n", ""),
		"short ufrag":        change("a=ice-ufrag:pxeI", "a=ice-ufrag:pxe"),
		"odd ufrag":          change("a=ice-ufrag:pxeI", "a=ice-ufrag:px eI"),
		"no fingerprint":     change("a=fingerprint:sha-256", "a=x"),
		"a weak one":         change("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
		"half a fingerprint": change("A7:41:46", "A7"),
		"no setup":           change("a=setup:actpass\r\n", ""),
		"holdconn":           change("a=setup:actpass", "a=setup:holdconn"),
		"candidate":          change("a=candidate:158479761 1 udp", "a=candidate:158479761 one udp"),
		"clock":              change("opus/48000/2", "opus/4294967296/2"),
		"channels":           change("opus/48000/2", "opus/48000/0"),
	} {
		_, err := sdp.Parse(bad, sdp.Limits{})
		var e *sdp.Error
		if !errors.As(err, &e) && !errors.Is(err, sdp.ErrInsecure) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sdp.Parse(strings.ReplaceAll(good, "\r\n", "\n"), sdp.Limits{}); err != nil {
		t.Errorf("lines that end as on Unix: %v", err)
	}
}

func TestWhatHoldsForAllSectionsMayBeSaidOnce(t *testing.T) {
	for _, name := range []string{"firefox-offer-video", "pion-offer-video"} {
		d := parse(t, fixture(t, name))
		for _, m := range d.Media {
			if m.Way.Fingerprint.Value == "" || m.Way.Fingerprint.Setup != jingle.ActPass {
				t.Errorf("%s: section %s has %+v", name, m.Mid, m.Way.Fingerprint)
			}
		}
	}
	half := fixture(t, "chromium-offer-video")
	at := strings.Index(half, "m=video")
	video := half[at:]
	for _, gone := range []string{"a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup"} {
		i := strings.Index(video, gone)
		video = video[:i] + video[i+strings.Index(video[i:], "\n")+1:]
	}
	d := parse(t, half[:at]+video)
	if d.Media[1].Way.Ufrag != d.Media[0].Way.Ufrag || d.Media[1].Way.Fingerprint != d.Media[0].Way.Fingerprint {
		t.Errorf("a section of a bundle without a way has %+v", d.Media[1].Way)
	}
}
