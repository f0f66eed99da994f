package browser

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

// XEP-0363: a page of another origin puts files and gets them.
func TestPeopleWithConverseSendFiles(t *testing.T) {
	s := start(t, "localhost", "e2ee=optional")
	// COMPAT: converse.js 14.0.0 makes a session twice for what it sends at the same time,
	// as the first words and that somebody is here, and then reads one of the two alone
	s.still = true
	b := browse(t, "")
	alice, bob := b.opens(s, "alice", "laptop", "websocket"), b.opens(s, "bob", "laptop", "websocket")
	for _, p := range []*person{alice, bob} {
		p.logsIn()
		p.does("keys")
	}
	befriend(alice, bob)
	sendsPicture(alice, bob, 1, false)

	// XEP-0454
	alice.does("encrypt")
	alice.writes("only for you")
	bob.does("hears", "text", "only for you")
	sendsPicture(alice, bob, 2, true)

	text := []byte("one kettle\ntwo cups\n")
	bob.sends("shopping list.txt", "text/plain", text)
	if got := alice.gets("shopping"); !bytes.Equal(got.Content, text) || got.Name != "shopping list.txt" {
		t.Errorf("alice got %q as %q", got.Content, got.Name)
	} else if !strings.HasPrefix(got.URL, "https://") {
		t.Errorf("the file is at %q", got.URL)
	}
	alice.picture("text")
}

// picture is one that every client shows by itself.
func picture(t *testing.T) (content []byte, size image.Point) {
	t.Helper()
	size = image.Pt(160, 96)
	p := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			p.Set(x, y, color.RGBA{uint8(x), uint8(2 * y), 160, 255})
		}
	}
	var b bytes.Buffer
	must(t, png.Encode(&b, p))
	return b.Bytes(), size
}

// sendsPicture has one send a picture, encrypted or not, that both see then; so
// many are in the chat with it.
func sendsPicture(from, to *person, pictures int, encrypted bool) {
	from.t.Helper()
	content, size := picture(from.t)
	from.sends("Tee für zwei.png", "image/png", content)
	for _, p := range []*person{to, from} {
		p.does("shows", "pictures", pictures, "width", size.X, "height", size.Y, "encrypted", encrypted)
		p.picture(fmt.Sprint("picture-", pictures))
	}
}

func (p *person) sends(name, media string, content []byte) {
	p.t.Helper()
	p.does("send", "name", name, "type", media, "content", base64.StdEncoding.EncodeToString(content))
}

// saved is a file that somebody got.
type saved struct {
	Name, URL string
	Content   []byte
}

func (p *person) gets(name string) (f saved) {
	p.t.Helper()
	p.do("get", p.how([]any{"name", name}), &f)
	return f
}
