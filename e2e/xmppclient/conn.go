package xmppclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Namespaces that the client itself reads.
const (
	NSClient  = "jabber:client"
	NSStream  = "http://etherx.jabber.org/streams"
	NSStreams = "urn:ietf:params:xml:ns:xmpp-streams"
	NSStartTL = "urn:ietf:params:xml:ns:xmpp-tls"
	NSSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	NSBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	NSSM      = "urn:xmpp:sm:3"
)

// Options say where and how to connect.
type Options struct {
	Addr   string // host:port
	From   net.IP // the address to connect from; nil for any
	Domain string
	TLS    *tls.Config // nil: no certificate is checked
	// Direct begins with TLS at once (XEP-0368) instead of STARTTLS.
	Direct bool
	// Plain leaves the connection without TLS.
	Plain bool
	// WebSocket is a URL (wss://host:port/ws) to connect to instead of Addr.
	WebSocket string
	// BOSH is a URL (https://host:port/bosh) to connect to instead of Addr.
	BOSH string
	// Header goes with requests over HTTP.
	Header http.Header
}

// overHTTP tells whether the stream does not stand on a socket.
func (o *Options) overHTTP() bool { return o.WebSocket+o.BOSH != "" }

// Conn is one connection and the XML stream on it.
type Conn struct {
	Features *Node  // of the current stream
	StreamID string // of the current stream
	JID      string // full, once bound

	opts    Options
	net     net.Conn
	in      *xml.Decoder
	state   *tls.ConnectionState // of a WebSocket's connection
	counted atomic.Bool          // stream management is on
	sent    atomic.Uint32
	handled atomic.Uint32
}

// ErrClosed is that the server closed its stream in good order.
var ErrClosed = errors.New("the server closed the stream")

// Dial connects, takes TLS unless told otherwise, and opens a stream.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	c, err := Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err = c.open(ctx); err == nil && !o.Plain && !o.Direct && !o.overHTTP() {
		err = c.startTLS(ctx)
	}
	if err != nil {
		c.Kill()
		return nil, err
	}
	return c, nil
}

// Connect makes the connection and no stream: TCP, and TLS when it is direct.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	c := &Conn{opts: o}
	switch {
	case o.WebSocket != "":
		return c, c.connectWebSocket(ctx)
	case o.BOSH != "":
		c.connectBOSH()
		return c, nil
	}
	var d net.Dialer
	if o.From != nil {
		d.LocalAddr = &net.TCPAddr{IP: o.From}
	}
	nc, err := d.DialContext(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	c.use(nc)
	if o.Direct {
		if err := c.secure(ctx); err != nil {
			c.Kill()
			return nil, err
		}
	}
	return c, nil
}

// Net is the connection itself, for bytes that no stream should carry.
func (c *Conn) Net() net.Conn { return c.net }

func (c *Conn) use(nc net.Conn) {
	c.net = nc
	c.in = xml.NewDecoder(nc)
}

func (c *Conn) secure(ctx context.Context) error {
	config := &tls.Config{InsecureSkipVerify: true} // no TLS given: tests of other things
	if c.opts.TLS != nil {
		config = c.opts.TLS.Clone()
	}
	config.ServerName = c.opts.Domain
	if c.opts.Direct && config.NextProtos == nil {
		config.NextProtos = []string{"xmpp-client"}
	}
	secured := tls.Client(c.net, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	c.use(secured)
	return nil
}

// Open begins a new stream with the header given, on a fresh decoder.
func (c *Conn) Open(ctx context.Context, header string) error {
	c.in = xml.NewDecoder(c.net)
	if _, err := io.WriteString(c.net, header); err != nil {
		return err
	}
	return c.Greeting(ctx)
}

// Header is the stream header that a well-behaved client sends.
func Header(domain string) string {
	return "<?xml version='1.0'?><stream:stream to='" + escape(domain) +
		"' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='" + NSStream + "'>"
}

func (c *Conn) open(ctx context.Context) error {
	if err := c.Open(ctx, Header(c.opts.Domain)); err != nil {
		return err
	}
	n, err := c.Next(ctx)
	if err != nil {
		return err
	}
	if !n.Is(NSStream, "features") {
		return fmt.Errorf("instead of stream features: %s", n)
	}
	c.Features = n
	return nil
}

// Greeting reads the server's stream header.
func (c *Conn) Greeting(ctx context.Context) error {
	defer c.deadline(ctx)()
	for {
		token, err := c.in.Token()
		if err != nil {
			return err
		}
		if t, ok := token.(xml.StartElement); ok {
			if t.Name.Space != NSStream || t.Name.Local != "stream" {
				return fmt.Errorf("instead of a stream header: <%s xmlns='%s'>", t.Name.Local, t.Name.Space)
			}
			c.StreamID = (&Node{Attrs: t.Attr}).Attr("id")
			return nil
		}
	}
}

func (c *Conn) startTLS(ctx context.Context) error {
	if c.Features.Child(NSStartTL, "starttls") == nil {
		return errors.New("the server offers no STARTTLS")
	}
	if err := c.Send("<starttls xmlns='" + NSStartTL + "'/>"); err != nil {
		return err
	}
	n, err := c.Next(ctx)
	if err != nil {
		return err
	}
	if !n.Is(NSStartTL, "proceed") {
		return fmt.Errorf("instead of proceed: %s", n)
	}
	if err := c.secure(ctx); err != nil {
		return err
	}
	return c.open(ctx)
}

// deadline bounds reads by the context and returns what lifts the bound.
func (c *Conn) deadline(ctx context.Context) func() {
	if t, ok := ctx.Deadline(); ok {
		_ = c.net.SetReadDeadline(t)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.net.SetReadDeadline(time.Unix(1, 0)) })
	return func() {
		stop()
		_ = c.net.SetReadDeadline(time.Time{})
	}
}

// Next waits for the next top-level element. ErrClosed is the stream's end. After
// a context that ended while an element was arriving the stream is of no more use.
func (c *Conn) Next(ctx context.Context) (*Node, error) {
	defer c.deadline(ctx)()
	n, err := readNode(c.in)
	if err == io.EOF {
		err = ErrClosed
	}
	if err != nil {
		return nil, err
	}
	if c.counted.Load() && n.IsStanza() {
		c.handled.Add(1)
	}
	return n, nil
}

// Send writes one or more whole elements.
func (c *Conn) Send(text string) error {
	if c.counted.Load() {
		c.sent.Add(stanzas(text))
	}
	_, err := io.WriteString(c.net, text)
	return err
}

// Raw sends bytes as they stand: over WebSocket and BOSH as one frame or body,
// whatever is in them.
func (c *Conn) Raw(text string) error {
	if w, ok := c.net.(*web); ok {
		return w.send(piece{kind: element, text: text})
	}
	_, err := io.WriteString(c.net, text)
	return err
}

// stanzas counts the top-level stanzas of a text, for stream management.
func stanzas(text string) uint32 {
	all, _ := Parse(text, NSClient)
	var n uint32
	for _, e := range all {
		if e.IsStanza() {
			n++
		}
	}
	return n
}

// Close ends the stream in good order and waits for the server to do the same.
func (c *Conn) Close(ctx context.Context) error {
	defer c.net.Close()
	if _, err := io.WriteString(c.net, "</stream:stream>"); err != nil {
		return err
	}
	for {
		if _, err := c.Next(ctx); err != nil {
			if errors.Is(err, ErrClosed) {
				return nil
			}
			return err
		}
	}
}

// Kill drops the connection without a word, as a lost network does.
func (c *Conn) Kill() {
	raw := c.net
	if t, ok := raw.(*tls.Conn); ok {
		raw = t.NetConn()
	}
	if t, ok := raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = raw.Close()
}

// Bind binds a resource; an empty one lets the server choose.
func (c *Conn) Bind(ctx context.Context, resource string) error {
	var wish string
	if resource != "" {
		wish = "<resource>" + escape(resource) + "</resource>"
	}
	n, err := c.ask(ctx, "<iq type='set' id='bind'><bind xmlns='"+NSBind+"'>"+wish+"</bind></iq>")
	if err != nil {
		return err
	}
	jid := n.Child(NSBind, "bind").Child(NSBind, "jid")
	if n.Attr("type") != "result" || jid == nil {
		return fmt.Errorf("not bound: %s", n)
	}
	c.JID = strings.TrimSpace(jid.Text)
	return nil
}

// ask sends one element and takes the next one as its answer.
func (c *Conn) ask(ctx context.Context, text string) (*Node, error) {
	if err := c.Send(text); err != nil {
		return nil, err
	}
	return c.Next(ctx)
}

// binding is the channel binding of RFC 9266, nil without TLS 1.3.
func (c *Conn) binding() []byte {
	state := c.state
	if t, ok := c.net.(*tls.Conn); ok {
		own := t.ConnectionState()
		state = &own
	}
	if state == nil || state.Version < tls.VersionTLS13 {
		return nil
	}
	key, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		return nil
	}
	return bytes.Clone(key)
}
