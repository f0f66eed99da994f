package xmppclient

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
)

// Namespaces of BOSH.
const (
	NSBOSH  = "http://jabber.org/protocol/httpbind"
	NSXBOSH = "urn:xmpp:xbosh"
)

// Poster posts the bodies of one BOSH session as they are given.
type Poster struct {
	URL    string
	Header http.Header

	d      *dialer
	client *http.Client
}

// NewPoster posts to a URL, over TLS if it is https.
func NewPoster(o Options) *Poster {
	d := &dialer{o: o}
	return &Poster{URL: o.BOSH, Header: o.Header, d: d, client: d.client()}
}

// Post sends a text and returns the answer: its text, and its tree if it is XML.
func (p *Poster) Post(ctx context.Context, text string) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, strings.NewReader(text))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	for k, v := range p.Header {
		r.Header[k] = v
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return answer, string(b), err
}

// Drop cuts all connections.
func (p *Poster) Drop() { p.d.drop() }

// bosh is a session that looks like a socket.
type bosh struct {
	*web
	poster *Poster
	ctx    context.Context
	slots  chan struct{} // requests under way

	mu      sync.Mutex
	sid     string
	rid     uint64
	answers map[uint64]string // that came before those before them
	next    uint64            // whose answer is passed on next
	opening bool              // the next answer begins a stream
	ended   bool
}

// connectBOSH makes a session that looks like a socket; it begins with the header.
func (c *Conn) connectBOSH() {
	ctx, cancel := context.WithCancel(context.Background())
	b := &bosh{
		web: newWeb(), poster: NewPoster(c.opts), ctx: ctx, slots: make(chan struct{}, 2),
		rid: 1 + rand.Uint64N(1<<40), answers: map[uint64]string{},
	}
	b.next = b.rid
	b.web.send = b.piece
	b.web.drop = func() { cancel(); b.poster.Drop() }
	c.use(b.web)
}

func (b *bosh) piece(p piece) error {
	switch {
	case p.kind == header:
		return b.header(p.root)
	case p.kind == end:
		return b.post(" type='terminate'", "")
	}
	return b.post("", p.text)
}

// header makes the session, or restarts its stream (XEP-0206 §5).
func (b *bosh) header(root xml.StartElement) error {
	attrs := " xmlns:xmpp='" + NSXBOSH + "'"
	for _, a := range root.Attr {
		switch a.Name.Local {
		case "to", "from", "lang":
			attrs += " " + strings.TrimPrefix(a.Name.Space+":", ":") + a.Name.Local + "='" + escape(a.Value) + "'"
		}
	}
	b.mu.Lock()
	b.opening = true
	first := b.sid == ""
	b.mu.Unlock()
	if !first {
		return b.post(attrs+" xmpp:restart='true'", "")
	}
	return b.post(attrs+" xmpp:version='1.0' ver='1.11' wait='60' hold='1' ack='1'", "")
}

// post sends a body in its turn; the answer comes later.
func (b *bosh) post(attrs, content string) error {
	select {
	case b.slots <- struct{}{}:
	case <-b.ctx.Done():
		return errors.New("the session is over")
	}
	b.mu.Lock()
	rid := b.rid
	b.rid++
	if b.sid != "" {
		attrs += " sid='" + b.sid + "'"
	}
	b.mu.Unlock()
	text := fmt.Sprintf("<body xmlns='%s' rid='%d'%s>%s</body>", NSBOSH, rid, attrs, content)
	go func() {
		_, answer, err := b.poster.Post(b.ctx, text)
		<-b.slots
		if err != nil {
			b.over()
			return
		}
		b.answered(rid, answer)
	}()
	return nil
}

// answered passes answers on in their order, and asks for more.
func (b *bosh) answered(rid uint64, answer string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[rid] = answer
	for {
		text, ok := b.answers[b.next]
		if !ok {
			break
		}
		delete(b.answers, b.next)
		b.next++
		if err := b.unwrap(text); err != nil {
			b.ended = true
			b.over()
		}
	}
	if !b.ended && b.next == b.rid {
		go b.post("", "")
	}
}

// unwrap turns an answer into the part of the stream that it stands for.
func (b *bosh) unwrap(text string) error {
	all, err := Parse(text, "")
	if err != nil || len(all) != 1 || !all[0].Is(NSBOSH, "body") {
		return fmt.Errorf("instead of a body: %s", text)
	}
	n := all[0]
	if sid := n.Attr("sid"); sid != "" {
		b.sid = sid
	}
	if n.Attr("type") == "terminate" {
		b.ended = true
	}
	if b.opening && (len(n.Children) > 0 || b.ended) {
		b.opening = false
		b.came("<stream:stream xmlns='" + NSClient + "' xmlns:stream='" + NSStream + "' id='" + n.Attr("authid") + "' version='1.0'>")
	}
	b.came(inside(text))
	if !b.ended {
		return nil
	}
	if condition := n.Attr("condition"); condition != "" && len(n.Children) == 0 {
		b.came("<terminated condition='" + escape(condition) + "'/>")
	}
	b.came("</stream:stream>")
	return io.EOF
}

// inside is what stands between the tags of an element.
func inside(text string) string {
	d := xml.NewDecoder(strings.NewReader(text))
	if _, err := d.RawToken(); err != nil {
		return ""
	}
	b := []byte(text)[d.InputOffset():]
	if i := bytes.LastIndex(b, []byte("</")); i >= 0 {
		return string(b[:i])
	}
	return ""
}
