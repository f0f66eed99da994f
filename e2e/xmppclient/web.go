package xmppclient

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// web is a stream through HTTP that looks like a socket: what is written is cut
// into elements, what comes is put together to a stream. Its deadlines are those
// of the pipe that stands for the socket.
type web struct {
	net.Conn // our end of the pipe
	far      net.Conn
	send     func(piece) error
	drop     func() // without a word

	mu    sync.Mutex
	queue []byte // came, and is not passed on
	more  *sync.Cond
	ended bool
}

// piece is one part of a stream.
type piece struct {
	kind pieceKind
	text string // an element with its namespace, or the header's start tag
	root xml.StartElement
}

type pieceKind uint8

const (
	header pieceKind = iota
	element
	end
)

func newWeb() *web {
	near, far := net.Pipe()
	w := &web{Conn: near, far: far}
	w.more = sync.NewCond(&w.mu)
	go w.pass()
	return w
}

// pass hands on what came, so that who sends need not wait for who reads.
func (w *web) pass() {
	defer w.far.Close()
	for {
		w.mu.Lock()
		for len(w.queue) == 0 && !w.ended {
			w.more.Wait()
		}
		b := w.queue
		w.queue = nil
		w.more.Broadcast()
		w.mu.Unlock()
		if len(b) == 0 {
			return
		}
		if _, err := w.far.Write(b); err != nil {
			return
		}
	}
}

// Write sends whole pieces of a stream. What is none is sent as it stands, for
// tests of just that.
func (w *web) Write(b []byte) (int, error) {
	all, err := pieces(string(b))
	if err != nil {
		all = []piece{{kind: element, text: string(b)}}
	}
	for _, p := range all {
		if err := w.send(p); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// came takes bytes of the stream.
func (w *web) came(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, text...)
	w.more.Broadcast()
}

// room waits until there is some for what comes: who is not read from does not
// read. False when nobody will any more.
func (w *web) room() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 64<<10 && !w.ended {
		w.more.Wait()
	}
	return !w.ended
}

// over ends what can be read, once all is read.
func (w *web) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.more.Broadcast()
}

func (w *web) Close() error {
	w.drop()
	w.over()
	return w.Conn.Close()
}

// pieces cuts a text into a stream header, elements and a stream's end.
func pieces(text string) ([]piece, error) {
	var all []piece
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false // a stream's end without its beginning
	depth, start := 0, int64(0)
	var root xml.StartElement
	for {
		before := d.InputOffset()
		token, err := d.RawToken()
		if err == io.EOF && depth == 0 {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 && t.Name.Space == "stream" && t.Name.Local == "stream" {
				all = append(all, piece{kind: header, text: text[before:d.InputOffset()], root: t.Copy()})
				continue
			}
			if depth++; depth == 1 {
				start, root = before, t.Copy()
			}
		case xml.EndElement:
			if depth == 0 {
				all = append(all, piece{kind: end})
				continue
			}
			if depth--; depth == 0 {
				all = append(all, piece{kind: element, text: named(text[start:d.InputOffset()], root), root: root})
			}
		case xml.ProcInst:
			if before != 0 {
				return nil, fmt.Errorf("no stream: %s", text)
			}
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(t)) != "" {
				return nil, fmt.Errorf("no stream: %s", text)
			}
		}
	}
}

// named gives an element the namespace that a stream would have lent it.
func named(text string, root xml.StartElement) string {
	for _, a := range root.Attr {
		if a.Name.Space == "" && a.Name.Local == "xmlns" {
			return text
		}
	}
	name := root.Name.Local
	if root.Name.Space != "" {
		name = root.Name.Space + ":" + name
	}
	return "<" + name + " xmlns='" + NSClient + "'" + text[1+len(name):]
}

// streamHeader is the start tag that stands for a header which came otherwise.
func streamHeader(n *Node) string {
	text := "<stream:stream xmlns='" + NSClient + "' xmlns:stream='" + NSStream + "'"
	for _, a := range n.Attrs {
		if a.Name.Space == "" {
			text += " " + a.Name.Local + "='" + escape(a.Value) + "'"
		}
	}
	return text + ">"
}

// dialer is an HTTP client as a browser has one, whose TLS connection is kept
// for its channel binding.
type dialer struct {
	o     Options
	mu    sync.Mutex
	state *tls.ConnectionState
	conns []net.Conn
}

func (d *dialer) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: d.dial, DialTLSContext: d.dialTLS, MaxIdleConnsPerHost: 10,
	}}
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var plain net.Dialer
	if d.o.From != nil {
		plain.LocalAddr = &net.TCPAddr{IP: d.o.From}
	}
	c, err := plain.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.conns = append(d.conns, c)
	d.mu.Unlock()
	return c, nil
}

func (d *dialer) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{InsecureSkipVerify: true} // no TLS given: tests of other things
	if d.o.TLS != nil {
		config = d.o.TLS.Clone()
	}
	config.ServerName = d.o.Domain
	t := tls.Client(c, config)
	if err := t.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	state := t.ConnectionState()
	d.mu.Lock()
	d.state = &state
	d.mu.Unlock()
	return t, nil
}

// drop cuts every connection, as a lost network does.
func (d *dialer) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		c.Close()
	}
}
