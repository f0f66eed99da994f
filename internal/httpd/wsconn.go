package httpd

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"mirsal/internal/limits"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// nsFraming is the namespace of <open/> and <close/>. RFC 7395 §3.3
const nsFraming = "urn:ietf:params:xml:ns:xmpp-framing"

const (
	// pingEvery is half of what may pass without a frame of ours: proxies
	// commonly give up after 60 s.
	pingEvery = 25 * time.Second
	// closePatience is how long the peer may take to answer our close frame.
	closePatience = time.Second
)

// wsConn is a WebSocket that looks like the socket of an XML stream. One
// goroutine reads, one at a time writes, as c2s does.
type wsConn struct {
	ws     *websocket.Conn
	raw    net.Conn // below the WebSocket: for deadlines
	flush  *burst   // over raw
	remote net.Addr

	in  []byte // of the stream, not yet read; the reader's
	out cutter // the writer's

	mu     sync.Mutex
	limits xtok.Limits // of what comes, under mu
	meter  meter       // under mu
	timer  *time.Timer // of pings, under mu; nil once closed

	wrote  atomic.Bool // since the last tick
	spoke  atomic.Bool // ever
	closed atomic.Bool
}

// start begins the connection's pings.
func (c *wsConn) start(ws *websocket.Conn) {
	c.ws = ws
	ws.SetReadLimit(-1) // ours is told with a stream error
	c.mu.Lock()
	c.timer = time.AfterFunc(pingEvery, c.tick)
	c.mu.Unlock()
}

// tick keeps proxies and address translators from forgetting a quiet connection:
// browsers cannot ping. The reader takes the answer.
func (c *wsConn) tick() {
	if !c.wrote.Swap(false) {
		ctx, cancel := context.WithTimeout(context.Background(), pingEvery/2)
		_ = c.ws.Ping(ctx) // a peer that is gone shows when something is written
		cancel()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Reset(pingEvery)
	}
}

// bound lets frames be as long as a session's stanzas may be, and as many.
func (c *wsConn) bound(l xtok.Limits, p limits.Pace) {
	c.mu.Lock()
	c.limits, c.meter.pace = l, p
	c.mu.Unlock()
}

// charge counts what the client has sent and holds the reader back by it.
func (c *wsConn) charge(b []byte) error {
	c.mu.Lock()
	d, err := c.meter.take(b)
	c.mu.Unlock()
	for ; d > 0 && !c.closed.Load(); d -= breath {
		time.Sleep(min(d, breath))
	}
	return err
}

// Read gives the stream that the frames stand for. Errors of what a frame
// holds are *xtok.Error, for c2s to answer.
func (c *wsConn) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		frame, err := c.frame()
		if err != nil {
			return 0, err
		}
		if c.in, err = c.unframe(frame); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.in)
	if c.in = c.in[n:]; len(c.in) == 0 {
		c.in = nil
	}
	return n, nil
}

// frame reads one message, in however many fragments it comes.
func (c *wsConn) frame() ([]byte, error) {
	kind, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return nil, lost(err)
	}
	if kind != websocket.MessageText {
		// RFC 7395 §3.2
		return nil, &xtok.Error{Condition: "bad-format", Reason: "binary frame"}
	}
	size := int64(c.now().Size)
	frame, err := io.ReadAll(io.LimitReader(r, size+1))
	if err != nil {
		return nil, lost(err)
	}
	if int64(len(frame)) > size {
		return nil, &xtok.Error{Condition: "policy-violation", Reason: "frame too large"}
	}
	return frame, nil
}

func (c *wsConn) now() xtok.Limits {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limits
}

// lost makes the end of a WebSocket, in whatever order, that of a connection:
// only <close/> ends the stream. RFC 7395 §3.6
func lost(err error) error {
	if websocket.CloseStatus(err) != -1 {
		return io.EOF
	}
	return err
}

// unframe turns a frame into bytes of the stream: it must be exactly one
// element. RFC 7395 §3.3
func (c *wsConn) unframe(frame []byte) ([]byte, error) {
	if len(frame) == 0 || frame[0] != '<' {
		return nil, &xtok.Error{Condition: "not-well-formed", Reason: "a frame that does not begin with an element"}
	}
	e, err := xtok.Parse(frame, c.now())
	if err != nil {
		return nil, err
	}
	switch {
	case e.Is(nsFraming, "open"):
		return appendHeader(nil, e, e.Attr("version")), nil
	case e.Is(nsFraming, "close"):
		return []byte(stream.End), nil
	case e.Is(stream.NS, "stream"):
		// RFC 7395 §3.3
		return nil, &xtok.Error{Condition: "invalid-namespace", Reason: "a stream header in a frame"}
	}
	return e.AppendTo(nil), nil
}

// Write sends each element in a frame of its own, all in one write to the
// connection below.
func (c *wsConn) Write(b []byte) (int, error) {
	c.wrote.Store(true)
	c.spoke.Store(true)
	c.flush.hold()
	err := c.out.cut(b, c.send)
	if flushed := c.flush.release(); err == nil {
		err = flushed
	}
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (c *wsConn) send(ev xtok.Event, e xtok.Elem) error {
	var frame []byte
	switch ev {
	case xtok.Open:
		frame = appendOpen(nil, e)
	case xtok.Close:
		frame = []byte("<close xmlns='" + nsFraming + "'/>")
	default:
		frame = e.AppendUnspoken(nil)
	}
	return c.ws.Write(context.Background(), websocket.MessageText, frame)
}

// appendOpen says a stream header as RFC 7395 §3.4 wants it.
func appendOpen(b []byte, e xtok.Elem) []byte {
	b = append(b, "<open xmlns='"+nsFraming+"'"...)
	for _, name := range []string{"id", "from", "to", "version"} {
		b = appendAttr(b, name, e.Attr(name))
	}
	b = appendAttr(b, "xml:lang", e.AttrNS(xtok.NSXML, "lang"))
	return append(b, "/>"...)
}

// Close says goodbye as WebSockets do, with little patience; where nothing was
// said yet it just breaks off.
func (c *wsConn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	c.mu.Lock()
	c.timer.Stop()
	c.timer = nil
	c.mu.Unlock()
	if !c.spoke.Load() {
		// COMPAT: Strophe.js waits for ever for a stream that ends in good order before
		// it began, and tries again when its connection breaks
		return c.ws.CloseNow()
	}
	hard := time.AfterFunc(closePatience, func() { c.raw.Close() })
	defer hard.Stop()
	err := c.ws.Close(websocket.StatusNormalClosure, "")
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (c *wsConn) LocalAddr() net.Addr                { return c.raw.LocalAddr() }
func (c *wsConn) RemoteAddr() net.Addr               { return c.remote }
func (c *wsConn) SetDeadline(t time.Time) error      { return c.raw.SetDeadline(t) }
func (c *wsConn) SetReadDeadline(t time.Time) error  { return c.raw.SetReadDeadline(t) }
func (c *wsConn) SetWriteDeadline(t time.Time) error { return c.raw.SetWriteDeadline(t) }
