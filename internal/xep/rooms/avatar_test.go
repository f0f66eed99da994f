package rooms

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func photo(data, kind string) string {
	return "<PHOTO><TYPE>" + kind + "</TYPE><BINVAL>\n" + base64.StdEncoding.EncodeToString([]byte(data)) + "\n</BINVAL></PHOTO>"
}

func card(kind, id, content string) string {
	return "<iq type='" + kind + "' id='" + id + "' to='" + den + "'><vCard xmlns='vcard-temp'>" + content + "</vCard></iq>"
}

func hashOf(data string) string {
	sum := sha1.Sum([]byte(data))
	return hex.EncodeToString(sum[:])
}

func TestARoomHasAPictureThatItsOwnersSet(t *testing.T) {
	kv := newLasting()
	runOn(t, kv, func(w *world) {
		a := w.open("persistentroom=1")
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		b.Send(card("set", "s", photo("x", "image/png")))
		expect(t, "bob", b.Got(), "<forbidden")
		a.Send(card("set", "s", "<FN>den</FN>"+photo("one", "image/png")+photo("two", "image/svg+xml")))
		expect(t, "alice", a.Got(), "<status code='104'/>", "id='s' type='result'")
		expect(t, "bob", b.Got(), "<message", "type='groupchat'", "<status code='104'/>",
			"<presence", "from='"+den+"'", "<x xmlns='vcard-temp:x:update'><photo>"+hashOf("one")+"</photo></x>")
		a.Send(card("set", "s", "<FN>den</FN>"+photo("one", "image/png")+photo("two", "image/svg+xml")))
		expect(t, "alice", a.Got(), "id='s' type='result'")
		silent(t, "bob", b.Got())
	})
	runOn(t, kv, func(w *world) {
		b := w.Login("bob@example.org/b")
		b.Send(card("get", "g", ""))
		got := b.Got()
		expect(t, "bob, who is not inside,", got, "<PHOTO><TYPE>image/png</TYPE><BINVAL>b25l</BINVAL></PHOTO><PHOTO><TYPE>image/svg+xml", "</vCard>")
		if strings.Contains(got, "FN") {
			t.Error(got)
		}
		b.Send("<presence to='" + den + "/bob'>" + enter + "</presence>")
		expect(t, "bob", b.Got(), "<photo>"+hashOf("one")+"</photo>", "<status code='110'/>")
		a := w.in("alice@example.org/a", den+"/alice")
		b.Got()
		_ = w.rooms.with(jidOf(den), none, func(r *room) error {
			if got := strings.Join(r.info().Avatars, " "); got != hashOf("one")+" "+hashOf("two") {
				t.Error(got)
			}
			return nil
		})
		a.Send(card("set", "s", ""))
		expect(t, "bob", b.Got(), "<status code='104'/>", "<photo></photo>")
		b.Send(card("get", "g", ""))
		expect(t, "bob", b.Got(), "<vCard xmlns='vcard-temp'></vCard>")
	})
}

func TestPicturesAreBounded(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		for name, content := range map[string]string{
			"too large":  photo(strings.Repeat("x", maxPicture+1), "image/png"),
			"too many":   strings.Repeat(photo("x", "image/png"), maxPictures+1),
			"odd type":   photo("x", strings.Repeat("x", maxMedia+1)),
			"not base64": "<PHOTO><BINVAL>?</BINVAL></PHOTO>",
		} {
			a.Send(card("set", "s", content))
			expect(t, name, a.Got(), "<not-acceptable")
		}
	})
}
