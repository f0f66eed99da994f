package timeline

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/port"
)

var voice = port.Media{Duration: 4200, Waveform: []byte{1, 200, 7}, Width: 640, Height: 480, Thumb: "data:image/webp;base64,AAAA"}

func TestWhatAFileIsGoesInsideAndComesBack(t *testing.T) {
	link := "aesgcm://files.example.org/up/a.ogg#" + strings.Repeat("0a", 12) + strings.Repeat("b1", 32)
	o := Outgoing{Kind: Text, OriginID: "1", File: &File{URL: link, Name: "voice <1>.ogg", Type: "audio/ogg", Size: 77, Media: voice}}
	for _, beside := range []string{"640", "4200", "voice", "b1b1"} {
		if strings.Contains(string(o.AppendExtras(nil)), beside) {
			t.Errorf("%q can be seen from outside", beside)
		}
	}
	content := parse(t, "<content><body xmlns='jabber:client'>"+link+"</body>"+string(o.AppendInside(nil))+"</content>")
	box := parse(t, "<message id='1'><encrypted xmlns='urn:xmpp:omemo:2'/></message>")
	in := Read(box, Envelope{Chat: bob, Real: bob}, "", &Plain{Content: content})
	f := in.File
	if f == nil || in.Text != "" || !reflect.DeepEqual(f.Media, voice) || f.Name != "voice <1>.ogg" || f.Type != "audio/ogg" || f.Size != 77 ||
		f.URL != "https://files.example.org/up/a.ogg" || len(f.Key) != 32 || len(f.IV) != 12 || f.Cipher != cipher {
		t.Errorf("%q, %+v", in.Text, f)
	}
	if f := Read(box, Envelope{Chat: bob}, "", &Plain{Text: link}).File; f == nil || f.URL != link {
		t.Errorf("who reads the link only has %+v", f)
	}
}

func TestMediaOutOfBoundsAreLeftOut(t *testing.T) {
	for _, bad := range []port.Media{{Width: -1, Height: 5}, {Width: 1 << 20, Height: 5}, {Duration: -4}, {Thumb: "https://evil/x.png"}, {Thumb: "data:text/html,x"},
		{Thumb: "data:image/png," + strings.Repeat("x", maxThumb)}, {Waveform: make([]byte, maxWaveform+1)}} {
		if got := CleanMedia(bad); !reflect.DeepEqual(got, port.Media{}) {
			t.Errorf("%+v stays", got)
		}
	}
	meta := parse(t, "<file xmlns='urn:xmpp:file:metadata:0'><width>99999999999999999999</width><height>x</height><length>-7</length><waveform xmlns='urn:mirsal:voice:0'>!</waveform></file>")
	if got := readMedia(meta); !reflect.DeepEqual(got, port.Media{}) {
		t.Errorf("read: %+v", got)
	}
}

func TestAFileThatFailedIsOnItsWayAgainWhenItIsTriedAgain(t *testing.T) {
	d := online(t, own)
	o := d.compose(Draft{Chat: bob, File: &File{Name: "plan.pdf", State: "sending"}})
	d.keep(d.b.SetFile(o.Message, File{Name: "plan.pdf", State: "failed", Why: "unreachable"}))
	d.keep(d.b.Failed(o.OriginID, "it did not go", d.now))
	if f := lastChat(t, d, bob).Last.File; f.State != "failed" || f.Why != "unreachable" {
		t.Errorf("failed: %+v", f)
	}
	_, c, err := d.b.Retry(o.Message, d.now)
	d.keep(c, err)
	if f := lastChat(t, d, bob).Last.File; f.State != "sending" || f.Why != "" {
		t.Errorf("tried again: %+v", f)
	}
}

func TestAFileAndItsCaptionAreTwoMessagesThatKnowOfEachOther(t *testing.T) {
	d := online(t, own)
	file := func(who, id, said string) Incoming {
		in := from(who, id, "")
		in.File = &File{URL: "https://example.org/" + id, Name: "photo.jpg", Size: -1, Said: said}
		return in
	}
	captions := func(chat string) (out []string) {
		page, _, _, err := d.b.Page(chat, "", 50)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{"": "-"}
		for _, m := range page {
			texts[m.ID] = m.Text
		}
		for _, m := range page {
			if m.File != nil {
				if out = append(out, texts[m.File.Caption]); m.File.Text != strings.Trim(texts[m.File.Caption], "-") {
					t.Errorf("%s says %q", m.ID, m.File.Text)
				}
			}
		}
		return out
	}
	d.apply(from(bob, "early", "before"))
	d.apply(file(bob, "1", "2"))
	events := d.apply(from(bob, "2", "a cat"))
	told := slices.ContainsFunc(events, func(e port.Event) bool {
		m, ok := e.(*port.MessageChanged)
		return ok && m.Message.File != nil && m.Message.File.Caption != ""
	})
	if got := captions(bob); !told || !slices.Equal(got, []string{"a cat"}) {
		t.Errorf("%v, told %v", got, told)
	}
	d.apply(mine(bob, "3", "mine"))
	for i, said := range []string{"early", "3", "1", "4", "nothing"} { // before it, somebody else's, a file, itself
		d.apply(file(bob, fmt.Sprint(4+i), said))
	}
	if got := captions(bob); !slices.Equal(got, []string{"a cat", "-", "-", "-", "-", "-"}) {
		t.Error(got)
	}
	d.apply(Incoming{Envelope: Envelope{Chat: bob, Sender: bob, Real: bob, StanzaID: "r"}, Kind: Retract, ID: "r", Ref: "2"})
	if got := captions(bob); got[0] != "-" {
		t.Error("what was taken back is a caption still:", got)
	}
}

func TestWithWhatAFileIsOneIsReadAsItWasWritten(t *testing.T) {
	f := File{Name: "photo.jpg", Size: 9, Said: "caption-id", Media: port.Media{Album: "a1b2"}}
	var got File
	if got.Learn(f.Facts()); got.Said != f.Said || got.Media.Album != f.Media.Album {
		t.Errorf("%+v", got)
	}
	f.Media.Album = "two words"
	if got.Learn(f.Facts()); got.Media.Album != "" {
		t.Error("an album's name is one word")
	}
}
