package screen

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/client/port"
)

// Whatever here is run by a browser sets canary, asks people something or wants to go
// elsewhere; the story looks for all three.
const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="globalThis.canary=1"><script>globalThis.canary=1</script><image href="https://evil.example/i.png"/></svg>`

const page = `<!doctype html><title>canary</title><img src=x onerror="globalThis.canary=1"><script>globalThis.canary=1;top.canary=1;alert(1)</script>`

// texts are messages.
var texts = []string{
	`<img src=x onerror="globalThis.canary=1">`,
	`<script>globalThis.canary=1;alert(1)</script>`,
	svg,
	`<iframe srcdoc="<script>parent.canary=1</script>"></iframe>`,
	`javascript:globalThis.canary=1`,
	`[press](javascript:globalThis.canary=1)`,
	`data:text/html,<script>globalThis.canary=1</script>`,
	`https://evil.example/"onmouseover="globalThis.canary=1`,
	`https://evil.example/?<script>globalThis.canary=1</script>`,
	`HTTPS://evil.example:99999/ and https://user:pass@evil.example\@localhost/`,
	`xmpp:alice@localhost?javascript:globalThis.canary=1`,
	`<a href="javascript:globalThis.canary=1" target=_blank>press</a>`,
	`<meta http-equiv=refresh content="0;url=https://evil.example/"><base href=https://evil.example/>`,
	`<style>*{display:none}</style><link rel=stylesheet href=https://evil.example/x.css>`,
	`<form action=https://evil.example/><input name=password autofocus onfocus=globalThis.canary=1></form>`,
	"*<b onmouseover=globalThis.canary=1>strong</b>* _<i>_ ~</s>~ `<script>globalThis.canary=1</script>`",
	"```\n<script>globalThis.canary=1</script>\n```",
	"> <img src=x onerror=globalThis.canary=1>\n> > <svg/onload=globalThis.canary=1>",
	`{{constructor.constructor('globalThis.canary=1')()}} ${globalThis.canary=1} <%= 1 %>`,
	"pay \u202e001$ to \u2066mallory\u2069 \u200b\u200d\ufeff now",
	strings.Repeat("*a _b ~c `d ", 5000),
	strings.Repeat("http://a.example/*b ", 3000),
	"http://" + strings.Repeat(".", 59_000) + "a",
	strings.Repeat("> ", 30_000),
	strings.Repeat("```\n", 15_000),
	"Z" + strings.Repeat("\u0335\u0301\u0327", 3400) + " zalgo",
	"the end",
}

// name is a person's, a group's and a file's.
const name = "ali\u202ece\u2066\u200b <img src=x onerror=globalThis.canary=1>"

// files are what is sent as something else.
var files = []struct{ name, media, content string }{
	{"photo-100x100.png", "image/png", svg},
	{"drawing.svg", "image/svg+xml", svg},
	{name + ".html", "text/html", page},
	{"../../film.mp4", "video/mp4", page},
	{"invoice\u202egnp.exe", "application/octet-stream", "MZ"},
	{"the last.txt", "text/plain", "text"},
}

// mallory has a device with the engine, and beside it a stream on which anything goes.
type mallory struct {
	*device.Device
	raw    *xmppclient.Conn
	next   int
	folder string
}

func (h *house) mallorys() map[string]func() error {
	return map[string]func() error{
		"mallory meets alice":    h.meet,
		"mallory writes":         func() error { return h.mallory.write() },
		"mallory pretends":       func() error { return h.mallory.pretend() },
		"mallory sends files":    func() error { return h.mallory.files() },
		"mallory sends pictures": func() error { return h.mallory.pictures() },
	}
}

const victim = "alice@" + domain

// enter signs mallory in.
func (h *house) enter() {
	h.t.Helper()
	m := &mallory{folder: h.t.TempDir()}
	m.Device = device.New(h.t, mirsal.Build(h.t), "mallory", "mallory@"+domain, filepath.Join(h.Data, "tls", "ca.pem"))
	m.Start(nil)
	m.SignIn(password, h.Addr("c2s"))
	c, err := xmppclient.Dial(h.t.Context(), xmppclient.Options{Addr: h.Addr("c2s"), Domain: domain})
	if err == nil {
		err = errors.Join(c.Login(h.t.Context(), "mallory", password), c.Bind(h.t.Context(), "raw"), c.Send("<presence><priority>-1</priority></presence>"))
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(c.Kill)
	m.raw = c
	h.mallory = m
}

// answer sends a request and waits for what comes of it.
func (m *mallory) answer(id, text string) (*xmppclient.Node, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := m.raw.Send(text)
	for err == nil {
		var n *xmppclient.Node
		if n, err = m.raw.Next(ctx); err == nil && n.Name.Local == "iq" && n.Attr("id") == id {
			return n, nil
		}
	}
	return nil, err
}

func (h *house) meet() error {
	_, err1 := h.mallory.Call(&port.AddContact{Address: victim})
	_, err2 := h.mallory.Call(&port.Send{Chat: victim, Text: "hello"})
	return errors.Join(err1, err2)
}

// write sends the next text: encrypted and past its engine's checks in turns.
func (m *mallory) write() error {
	text := texts[m.next]
	m.next++
	if m.next%2 == 0 && len(text) < 5000 {
		_, err := m.Call(&port.Send{Chat: victim, Text: text})
		return err
	}
	more := "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p onclick='globalThis.canary=1'>" +
		"<img src='x' onerror='globalThis.canary=1'/><script>globalThis.canary=1</script></p></body></html>" +
		"<nick xmlns='http://jabber.org/protocol/nick'>" + escaped(name) + "</nick>" +
		"<reply xmlns='urn:xmpp:reply:0' id='no such' to='&lt;b&gt;@localhost'/>"
	return m.raw.Send(fmt.Sprintf("<message type='chat' to='%s' id='m%d'><body>%s</body>%s<origin-id xmlns='urn:xmpp:sid:0' id='m%d'/></message>",
		victim, m.next, escaped(text), more, m.next))
}

// pretend sends what is no text: names, a picture, reactions, addresses, a group.
func (m *mallory) pretend() error {
	publish := func(node, item, payload string) string {
		return "<iq type='set' id='" + node + "'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + node + "'><item id='" + item + "'>" + payload + "</item></publish></pubsub></iq>"
	}
	const data, meta, nick = "urn:xmpp:avatar:data", "urn:xmpp:avatar:metadata", "http://jabber.org/protocol/nick"
	sum := sha1Hex(svg)
	for id, text := range map[string]string{
		data: publish(data, sum, "<data xmlns='"+data+"'>"+base64.StdEncoding.EncodeToString([]byte(svg))+"</data>"),
		meta: publish(meta, sum, fmt.Sprintf("<metadata xmlns='%s'><info id='%s' bytes='%d' type='image/png' width='96' height='96'/></metadata>", meta, sum, len(svg))),
		nick: publish(nick, "current", "<nick xmlns='"+nick+"'>"+escaped(name)+"</nick>"),
	} {
		if _, err := m.answer(id, text); err != nil {
			return err
		}
	}
	for _, part := range []string{
		"<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>&lt;img src=x onerror=globalThis.canary=1&gt;</reaction><reaction>👍</reaction></reactions><store xmlns='urn:xmpp:hints'/>",
		"<body>javascript:globalThis.canary=1</body><x xmlns='jabber:x:oob'><url>javascript:globalThis.canary=1</url><desc>&lt;script&gt;</desc></x>",
		"<body>data:image/svg+xml;base64,PHN2Zz4=</body><x xmlns='jabber:x:oob'><url>data:image/svg+xml;base64,PHN2Zz4=</url></x>",
		"<body>&gt; &lt;img src=x onerror=globalThis.canary=1&gt;\nan answer</body><reply xmlns='urn:xmpp:reply:0' id='m1' to='mallory@localhost'/>" +
			"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='-5' end='99999999'/></fallback>",
	} {
		if err := m.raw.Send("<message type='chat' to='" + victim + "'>" + part + "</message>"); err != nil {
			return err
		}
	}
	named := name
	_, err := m.Call(&port.SetProfile{Name: &named})
	made, err2 := m.Call(&port.CreateRoom{Name: name, Members: []string{victim}})
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	words, room := page+"\u202e", made.(*port.Done).Chat
	_, err = m.Call(&port.SetRoom{Room: room, Description: &words})
	return errors.Join(err, m.subject(room))
}

// subject changes that of a group, past the engine.
func (m *mallory) subject(room string) error {
	if err := m.raw.Send("<presence to='" + room + "/raw'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		n, err := m.raw.Next(ctx)
		if err != nil {
			return err
		}
		if n.Name.Local == "message" && n.Attr("type") == "groupchat" { // the subject so far: it is in
			return m.raw.Send("<message to='" + room + "' type='groupchat'><subject>" + escaped(page+name) + "</subject></message>")
		}
	}
}

func (m *mallory) files() error {
	for i, f := range files {
		path := filepath.Join(m.folder, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(f.content), 0o600); err != nil {
			return err
		}
		thumb := "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(svg))
		if _, err := m.Call(&port.SendFile{Chat: victim, Path: path, Name: f.name, Type: f.media, Media: port.Media{Thumb: thumb}}); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// upload puts a file on the server, under a type of its own choice.
func (m *mallory) upload(id, name, media string, content []byte) (string, error) {
	const ns = "urn:xmpp:http:upload:0"
	answer, err := m.answer(id, fmt.Sprintf("<iq type='get' id='%s' to='upload.%s'><request xmlns='%s' filename='%s' size='%d' content-type='%s'/></iq>", id, domain, ns, name, len(content), media))
	if err != nil {
		return "", err
	}
	slot := answer.Child(ns, "slot")
	if slot == nil {
		return "", fmt.Errorf("no slot: %v", answer)
	}
	r, err := http.NewRequest(http.MethodPut, slot.Child(ns, "put").Attr("url"), bytes.NewReader(content))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", media)
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	_ = got.Body.Close()
	if got.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("%s: %s", name, got.Status)
	}
	return slot.Child(ns, "get").Attr("url"), nil
}

// pictures are encrypted ones: changed by a bit, and cut, after they were; a page that calls itself
// one; and one as it should be.
func (m *mallory) pictures() error {
	whole := &bytes.Buffer{}
	if err := png.Encode(whole, image.NewRGBA(image.Rect(0, 0, 120, 80))); err != nil {
		return err
	}
	secret := bytes.Repeat([]byte{7}, 12+32)
	block, err := aes.NewCipher(secret[12:])
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return err
	}
	seal := func(b []byte) []byte { return aead.Seal(nil, secret[:12], b, nil) }
	right := seal(whole.Bytes())
	for i, content := range [][]byte{flipped(bytes.Clone(right)), right[:len(right)-20], seal([]byte(page)), right} {
		link, err := m.upload(fmt.Sprint("picture", i), "hill.png", "application/octet-stream", content)
		if err != nil {
			return err
		}
		_, place, _ := strings.Cut(link, "://")
		if _, err := m.Call(&port.Send{Chat: victim, Text: "aesgcm://" + place + "#" + hex.EncodeToString(secret)}); err != nil {
			return err
		}
	}
	return nil
}

// uploads are links of this site's to files that are pages and programs, as a server hands them out.
func (m *mallory) uploads() (links []string, err error) {
	for i, f := range []struct{ name, media, content string }{
		{"page.html", "text/html", page}, {"drawing.svg", "image/svg+xml", svg}, {"photo.png", "image/png", page}, {"script.js", "text/javascript", "globalThis.canary=1"},
		{"page.xhtml", "application/xhtml+xml", "<html xmlns='http://www.w3.org/1999/xhtml'><script>globalThis.canary=1</script></html>"}, {"text.txt", "text/plain", page},
	} {
		link, err := m.upload(fmt.Sprint("slot", i), f.name, f.media, []byte(f.content))
		if err != nil {
			return nil, err
		}
		links = append(links, link)
	}
	return links, nil
}

func TestWhatMalloryPutsInIsShownAsTextAndRunsNothing(t *testing.T) {
	h := prepared(t)
	h.opens([]string{"alice", "mallory"}, "--set", "upload.public_url=http://"+h.web, "--set", "e2ee=optional")
	h.enter()
	links, err := h.mallory.uploads()
	if err != nil {
		t.Fatal(err)
	}
	begin := make([]string, len(texts)) // of each: all would be too long for a command
	for i, text := range texts {
		begin[i] = strings.ToValidUTF8(text[:min(len(text), 1500)], "")
	}
	h.tell("hostile", map[string]any{"texts": begin, "uploads": links})
}

func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;", `"`, "&quot;").Replace(text)
}
