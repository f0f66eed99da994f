package sdp_test

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/call/sdp"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/xtok"
)

// nasty are values by which one would leave a line, or have a program fall over.
func nasty() []string {
	return append(strings.Split("|0|-1|a b|a;b=c|a=b|:|;|=|{x} | -|-|*|sha-256|actpass|BUNDLE|FID|opus|rtx|red|é|\u2028|'|<|&|/|//|trr-int", "|"),
		"x\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host", "x\nm=audio 9 RTP/AVP 0", "\r", "\n", "\x00", "\t", "x\x85y", strings.Repeat("a", 64), strings.Repeat("a", 65),
		strings.Repeat("a;", 100), strings.Repeat("a", 256), strings.Repeat("x", 3000))
}

// mutator changes values of Go: sessions that no parser has seen.
type mutator struct {
	*rand.Rand
	values []string
}

// change changes one field in it, however deep.
func (m mutator) change(v reflect.Value) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if v.Type() == reflect.TypeFor[netip.AddrPort]() {
		hosts := []string{"10.0.0.1:9", "[::1]:0", "0.0.0.0:0", "127.0.0.1:80", "[fe80::1%a]:9", "224.0.0.1:9"}
		v.Set(reflect.ValueOf(netip.MustParseAddrPort(hosts[m.IntN(len(hosts))])))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		m.change(v.Field(m.IntN(v.NumField())))
	case reflect.Slice:
		m.slice(v)
	case reflect.String:
		v.SetString(m.values[m.IntN(len(m.values))])
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		n := []uint64{0, 1, 2, 3, 4, 9, 15, 35, 63, 64, 72, 95, 96, 111, 127, 255, 256, 4351, 65535, 48000, 1<<31 - 1, 1 << 31, 1<<32 - 1}
		v.SetUint(n[m.IntN(len(n))] & (1<<v.Type().Bits() - 1))
	}
}

func (m mutator) slice(v reflect.Value) {
	if v.Len() == 0 {
		return
	}
	i := m.IntN(v.Len())
	switch m.IntN(8) {
	case 0:
		v.Set(reflect.AppendSlice(v.Slice3(0, i, i), v.Slice(i+1, v.Len())))
	case 1:
		for range 1 + m.IntN(3)*m.IntN(40) {
			v.Set(reflect.Append(v, v.Index(i)))
		}
	case 2:
		v.Set(reflect.Append(v, v.Index(i)))
		m.change(v.Index(v.Len() - 1))
	default:
		m.change(v.Index(i))
	}
}

// sound requires of an SDP that it is what was meant: a section for each content,
// lines that are read, and written again the same.
func sound(t interface{ Fatalf(string, ...any) }, out string, contents int) {
	if n := strings.Count("\n"+out, "\nm="); n != contents {
		t.Fatalf("%d m-lines for %d contents:\n%s", n, contents, out)
	}
	for _, c := range []byte(out) {
		if c != '\r' && c != '\n' && (c < ' ' || c > '~') {
			t.Fatalf("%q in\n%s", c, out)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(out, "\r\n"), "\r\n") {
		if len(line) < 3 || line[1] != '=' || !strings.Contains("vostmca", line[:1]) {
			t.Fatalf("line %q in\n%s", line, out)
		}
	}
	d, err := sdp.Parse(out, sdp.Limits{})
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	again, err := d.Text()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if sectionsOf(again) != sectionsOf(out) {
		t.Fatalf("written again it is another:\n%s\n%s", out, again)
	}
}

// sectionsOf is an SDP without its version.
func sectionsOf(s string) string { return s[strings.Index(s, "\r\ns="):] }

func TestNoValueOfASessionBecomesALine(t *testing.T) {
	var good []jingle.Session
	for _, s := range exchanges(t) {
		if whole(s.Session) {
			good = append(good, s.Session)
		}
	}
	n, taken := 8_000, 0
	if testing.Short() {
		n /= 10
	}
	m := mutator{rand.New(rand.NewPCG(1, 1)), nasty()}
	for range n {
		s := open(deep(t, good[m.IntN(len(good))]))
		for range 1 + m.IntN(3) {
			m.change(reflect.ValueOf(&s).Elem().FieldByName("Contents"))
		}
		if m.IntN(8) == 0 {
			m.change(reflect.ValueOf(&s).Elem())
		}
		d, err := sdp.FromSession(s, side(s), &sdp.Names{})
		if err != nil {
			continue
		}
		taken++
		out, err := d.Text()
		if err != nil {
			t.Fatalf("%v: %+v", err, s)
		}
		sound(t, out, len(s.Contents))
	}
	t.Logf("%d of %d are taken", taken, n)
	if taken < n/10 || taken > n*9/10 {
		t.Error("the mutator tests one side only")
	}
}

// deep is a copy that shares nothing.
func deep(t testing.TB, s jingle.Session) jingle.Session {
	e, err := xtok.Parse(s.Append(nil), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = jingle.ParseSession(e); err != nil {
		t.Fatal(err)
	}
	return s
}

// A call to whose caller mutated sessions come: no panic, and what its seat is
// fed is sound.
func TestMutatedSessionsInMidCall(t *testing.T) {
	m := mutator{rand.New(rand.NewPCG(2, 2)), nasty()}
	n := 300
	if testing.Short() {
		n /= 10
	}
	fedTo := 0
	for range n {
		w := call(t)
		w.connect()
		for range 6 {
			s := m.news(t, w)
			feed, err := w.callee.Hear(s)
			if err != nil || feed.SDP == "" {
				continue
			}
			fedTo++
			sound(t, feed.SDP, strings.Count("\n"+feed.SDP, "\nm="))
			if !feed.Answer && m.IntN(4) > 0 {
				w.callee.Answered(w.answerTo(feed.SDP, nil))
			}
		}
	}
	if fedTo < n/10 {
		t.Errorf("%d of %d calls heard anything", fedTo, n)
	}
}

// news is something that the caller may say, mostly changed.
func (m mutator) news(t *testing.T, w *two) jingle.Session {
	actions := []jingle.Action{jingle.ContentAdd, jingle.TransportInfo, jingle.TransportReplace, jingle.ContentModify, jingle.ContentRemove, jingle.ContentAccept,
		jingle.TransportAccept, jingle.ContentReject, jingle.SessionAccept, jingle.SessionInitiate}
	d := parse(t, withVideo(t, fixture(t, "chromium-offer-audio")))
	d = d.Only([][]string{{"0"}, {"1"}, {"0", "1"}}[m.IntN(3)])
	d.Media[0].Way.Ufrag = []string{"pxeI", "other", "again"}[m.IntN(3)]
	a := actions[m.IntN(len(actions))]
	if a == jingle.ContentAccept || a == jingle.SessionAccept {
		for i := range d.Media {
			d.Media[i].Way.Fingerprint.Setup = jingle.ActiveSetup
		}
	}
	s, err := d.Session(sdp.Head{Action: a, SID: "a", Side: jingle.Initiator}, &sdp.Names{})
	if err != nil {
		t.Fatal(err)
	}
	if m.IntN(3) > 0 {
		m.change(reflect.ValueOf(&s).Elem().FieldByName("Contents"))
	}
	return s
}

func FuzzParse(f *testing.F) {
	for _, name := range fixtures(f, "*") {
		f.Add(fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, in string) {
		d, err := sdp.Parse(in, sdp.Limits{})
		if err != nil {
			return
		}
		out, err := d.Text()
		if err != nil {
			t.Fatal(err)
		}
		sound(t, out, len(d.Media))
		s, err := d.Prune().Relayed().Session(sdp.Head{Action: jingle.ContentAdd, SID: "a", Side: jingle.Responder}, &sdp.Names{})
		if err != nil {
			return
		}
		back, err := sdp.FromSession(s, jingle.Responder, &sdp.Names{})
		if err != nil {
			t.Fatalf("%v: %s", err, s.Append(nil))
		}
		if out, err = back.Text(); err != nil {
			t.Fatal(err)
		}
		sound(t, out, len(s.Contents))
	})
}

func FuzzFromSession(f *testing.F) {
	for _, s := range exchanges(f) {
		f.Add(string(open(s.Session).Append(nil)))
	}
	f.Fuzz(func(t *testing.T, in string) {
		e, err := xtok.Parse([]byte(in), xtok.Limits{Size: 1 << 16})
		if err != nil {
			return
		}
		s, err := jingle.ParseSession(e)
		if err != nil {
			return
		}
		for _, role := range []jingle.Role{jingle.Initiator, jingle.Responder} {
			d, err := sdp.FromSession(open(s), role, &sdp.Names{})
			if err != nil {
				continue
			}
			out, err := d.Text()
			if err != nil {
				t.Fatal(err)
			}
			sound(t, out, len(s.Contents))
			// As an answer to something else.
			offer, err := sdp.Parse(fixture(t, "chromium-offer-video"), sdp.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if out, err = d.Answering(offer, 0, &sdp.Names{}).Text(); err != nil || slices.Contains(strings.Split(out, "\r\n"), "a=setup:actpass") {
				t.Fatalf("%v\n%s", err, out)
			}
		}
	})
}
