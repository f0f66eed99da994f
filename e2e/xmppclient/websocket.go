package xmppclient

import (
	"context"
	"fmt"
	"strings"

	"github.com/coder/websocket"
)

// NSFraming is the namespace of <open/> and <close/> (RFC 7395 §3.3).
const NSFraming = "urn:ietf:params:xml:ns:xmpp-framing"

// connectWebSocket makes a WebSocket that looks like a socket.
func (c *Conn) connectWebSocket(ctx context.Context) error {
	d := &dialer{o: c.opts}
	ws, answer, err := websocket.Dial(ctx, c.opts.WebSocket, &websocket.DialOptions{
		HTTPClient: d.client(), Subprotocols: []string{"xmpp"}, HTTPHeader: c.opts.Header,
	})
	if err != nil {
		return err
	}
	if ws.Subprotocol() != "xmpp" || answer.Header.Get("Sec-WebSocket-Extensions") != "" {
		ws.CloseNow()
		return fmt.Errorf("the server's handshake: %v", answer.Header)
	}
	ws.SetReadLimit(-1)
	w := newWeb()
	w.send = func(p piece) error {
		return ws.Write(context.Background(), websocket.MessageText, []byte(frame(p)))
	}
	w.drop = d.drop
	go func() {
		defer w.over()
		for w.room() {
			_, b, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			w.came(unframe(string(b)))
		}
	}()
	c.state = d.state
	c.use(w)
	return nil
}

// frame says a piece of a stream as RFC 7395 does.
func frame(p piece) string {
	switch p.kind {
	case header:
		text := "<open xmlns='" + NSFraming + "'"
		for _, a := range p.root.Attr {
			switch {
			case a.Name.Local == "xmlns" || a.Name.Space == "xmlns":
			case a.Name.Space != "":
				text += " " + a.Name.Space + ":" + a.Name.Local + "='" + escape(a.Value) + "'"
			default:
				text += " " + a.Name.Local + "='" + escape(a.Value) + "'"
			}
		}
		return text + "/>"
	case end:
		return "<close xmlns='" + NSFraming + "'/>"
	}
	return p.text
}

// unframe is the part of a stream that a frame stands for. A frame with more or
// less than one element in it becomes none, which ends the test's stream.
func unframe(text string) string {
	all, err := Parse(text, "")
	if err != nil || len(all) != 1 || !strings.HasPrefix(text, "<") {
		return "<broken-frame>" + escape(text) + "</broken-frame>"
	}
	switch n := all[0]; {
	case n.Is(NSFraming, "open"):
		return streamHeader(n)
	case n.Is(NSFraming, "close"):
		return "</stream:stream>"
	}
	return text
}
