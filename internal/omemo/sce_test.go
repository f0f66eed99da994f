package omemo

import (
	"errors"
	"testing"
	"time"

	"mirsal/internal/xmpp/jid"
)

var (
	romeo  = jid.MustParse("romeo@montague.example/orchard")
	juliet = jid.MustParse("juliet@capulet.example")
)

func TestWhatIsWrappedUnwraps(t *testing.T) {
	c := Content{From: "romeo@montague.example", To: "juliet@capulet.example", Time: monday, XML: []byte("<body xmlns='jabber:client'>Hello</body>")}
	b, err := Wrap(dice(1), c)
	if err != nil {
		t.Fatal(err)
	}
	u, err := Unwrap(b)
	if err != nil || u.From != c.From || u.To != c.To || !u.Time.Equal(c.Time) {
		t.Fatal(u, err)
	}
	for x := range u.Elements() {
		if !x.Is("jabber:client", "body") || x.Text() != "Hello" {
			t.Error(string(x.Raw()))
		}
	}
	if err := u.Check(romeo, juliet, true, monday.Add(time.Minute)); err != nil {
		t.Error(err)
	}
}

func TestLengthsTellLittle(t *testing.T) {
	seen, least := map[int]bool{}, 1<<20
	r := dice(9)
	for range 200 {
		b, err := Wrap(r, Content{XML: []byte("<a xmlns='b'/>")})
		if err != nil {
			t.Fatal(err)
		}
		seen[len(b)], least = true, min(least, len(b))
	}
	if len(seen) < 50 || least < leastSize {
		t.Errorf("%d lengths, the least %d", len(seen), least)
	}
}

func TestAnEnvelopeThatWasMovedIsRefused(t *testing.T) {
	room := jid.MustParse("room@conference.example")
	for name, c := range map[string]struct {
		content Content
		room    bool
	}{
		"another sender":           {content: Content{From: "mallory@example.org"}},
		"another receiver":         {content: Content{To: "mallory@example.org"}},
		"a room's message alone":   {content: Content{To: room.String()}},
		"a private word in a room": {content: Content{}, room: true},
		"an old one":               {content: Content{Time: monday.AddDate(0, 0, -2)}},
		"no address":               {content: Content{From: "@"}},
	} {
		b, err := Wrap(dice(1), c.content)
		if err != nil {
			t.Fatal(err)
		}
		u, err := Unwrap(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := u.Check(romeo, juliet, c.room, monday); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatServersWriteIsNotReadFromInside(t *testing.T) {
	b, err := Wrap(dice(1), Content{XML: []byte("<stanza-id xmlns='urn:xmpp:sid:0' id='1'/><origin-id xmlns='urn:xmpp:sid:0' id='2'/>" +
		"<store xmlns='urn:xmpp:hints'/><encrypted xmlns='urn:xmpp:omemo:2'/><opt-out xmlns='urn:xmpp:omemo:2'/><delay xmlns='urn:xmpp:delay'/>")})
	if err != nil {
		t.Fatal(err)
	}
	u, err := Unwrap(b)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for x := range u.Elements() {
		got = append(got, x.Local())
	}
	if len(got) != 2 || got[0] != "origin-id" || got[1] != "opt-out" {
		t.Error(got)
	}
}

func TestWhatIsNoEnvelopeIsMalformed(t *testing.T) {
	for _, s := range []string{
		"", "hello", "<envelope/>", "<envelope xmlns='urn:xmpp:sce:1'/>",
		"<envelope xmlns='urn:xmpp:sce:1'><content/><rpad/><time stamp='yesterday'/></envelope>", "<envelope xmlns='urn:xmpp:sce:1'><content/></envelope>",
		"<!DOCTYPE x><envelope xmlns='urn:xmpp:sce:1'><content/><rpad/></envelope>",
	} {
		if _, err := Unwrap([]byte(s)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", s, err)
		}
	}
}
