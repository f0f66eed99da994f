package timeline

import (
	"reflect"
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
