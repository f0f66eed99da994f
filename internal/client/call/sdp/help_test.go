package sdp_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/internal/client/call/sdp"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/xtok"
)

func fixture(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".sdp"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func fixtures(t testing.TB, pattern string) (out []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern+".sdp"))
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, f := range files {
		out = append(out, strings.TrimSuffix(filepath.Base(f), ".sdp"))
	}
	return out
}

func parse(t testing.TB, text string) *sdp.Description {
	t.Helper()
	d, err := sdp.Parse(text, sdp.Limits{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return d
}

func text(t testing.TB, d *sdp.Description) string {
	t.Helper()
	s, err := d.Text()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// over is a session as the other side reads it.
func over(t testing.TB, s jingle.Session) jingle.Session {
	t.Helper()
	e, err := xtok.Parse(s.Append(nil), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := jingle.ParseSession(e)
	if err != nil {
		t.Fatalf("%v: %s", err, s.Append(nil))
	}
	return out
}

// recorded is a session of a recorded exchange.
type recorded struct {
	name string
	jingle.Session
}

// exchanges are the sessions that the grammar's recorded exchanges have in them.
func exchanges(t testing.TB) (out []recorded) {
	t.Helper()
	files, err := filepath.Glob("../../../xmpp/jingle/testdata/exchanges/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no exchanges", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split("\n"+string(b), "\n-- ")[1:] {
			head, xml, _ := strings.Cut(part, "\n")
			e, err := xtok.Parse([]byte(xml), xtok.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if s, err := jingle.ParseSession(e.Child(jingle.NS, "jingle")); err == nil {
				out = append(out, recorded{filepath.Base(f) + ": " + head, s})
			}
		}
	}
	if len(out) < 10 {
		t.Fatalf("%d sessions only", len(out))
	}
	return out
}

// session is the recorded one whose name has this in it.
func session(t testing.TB, part string) jingle.Session {
	t.Helper()
	for _, s := range exchanges(t) {
		if strings.Contains(s.name, part) {
			return s.Session
		}
	}
	t.Fatalf("nobody recorded %q", part)
	return jingle.Session{}
}

const otherPrint = "02:1A:CC:54:27:AB:EB:9C:53:3F:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1:7A:03:A2:7D:F9:B0:7F:46:19:B2"

// open puts a fingerprint in the place of one that is encrypted, as the engine
// does.
func open(s jingle.Session) jingle.Session {
	for i := range s.Contents {
		if t := s.Contents[i].Transport; t != nil && t.Sealed != nil {
			t.Fingerprint = jingle.Fingerprint{Hash: t.Sealed.Hash, Setup: t.Sealed.Setup, Value: otherPrint}
			t.Sealed = nil
		}
	}
	return s
}

// whole tells whether a session has media in it.
func whole(s jingle.Session) bool {
	return len(s.Contents) > 0 && s.Contents[0].Description != nil && s.Contents[0].Transport != nil
}

// side is who sends a session that begins or answers a call.
func side(s jingle.Session) jingle.Role {
	if s.Action == jingle.SessionAccept {
		return jingle.Responder
	}
	return jingle.Initiator
}

// sections splits an SDP at its m-lines; the first part is the session's.
func sections(text string) []string { return strings.Split(text, "\r\nm=") }

// has requires lines of an SDP.
func has(t testing.TB, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains("\r\n"+text, "\r\n"+l+"\r\n") {
			t.Errorf("no line %q in\n%s", l, text)
		}
	}
}

func hasNot(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(text, p) {
			t.Errorf("%q is in\n%s", p, text)
		}
	}
}
