package component

import (
	"bytes"
	"time"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
)

// saysClient is what every stanza of ours begins with, behind its name; in a
// component's stream the default namespace is another, for the same stanzas.
var saysClient = []byte(" xmlns='" + stanza.NSClient + "'")

// translated is a stanza as it stands in a component's stream. b is not changed.
func translated(b []byte) []byte {
	i := bytes.Index(b, saysClient)
	if i < 0 || i > len("<presence") {
		return b
	}
	return append(append(make([]byte, 0, len(b)), b[:i]...), b[i+len(saysClient):]...)
}

// push queues bytes. It never blocks: a component that reads too slowly is closed.
func (c *conn) push(b []byte) {
	b = translated(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return
	}
	if c.bytes+len(b) > c.srv.cfg.Queue && c.bytes > 0 {
		c.end(&stream.Error{Condition: "resource-constraint", Text: "too much is waiting for this component"})
		return
	}
	c.queue = append(c.queue, b)
	c.bytes += len(b)
	c.work.Signal()
}

// abort ends the connection, with a stream error where one is given.
func (c *conn) abort(reason *stream.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.end(reason)
	}
}

// farewell is how long the last words may take.
const farewell = 2 * time.Second

// end is called under mu.
func (c *conn) end(reason *stream.Error) {
	c.ending = true
	if reason != nil {
		if c.name == nil {
			c.last = c.header()
		}
		c.last = reason.Append(c.last)
	}
	if reason != nil || c.name != nil {
		c.last = append(c.last, stream.End...)
	}
	c.net.SetDeadline(time.Now().Add(farewell))
	c.work.Signal()
}

// batch is how many bytes one write gathers.
const batch = 64 << 10

// write is the connection's writer: it writes what is queued until the end.
func (c *conn) write() {
	defer c.net.Close()
	for {
		b, more := c.next()
		if !more {
			c.net.Write(b)
			return
		}
		c.net.SetWriteDeadline(time.Now().Add(c.srv.cfg.Write))
		if _, err := c.net.Write(b); err != nil {
			c.abort(nil)
			return
		}
	}
}

// next waits for something to write; more is false for the last of it.
func (c *conn) next() (b []byte, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) == 0 && !c.ending {
		c.work.Wait()
	}
	for len(c.queue) > 0 && len(b) < batch {
		b = append(b, c.queue[0]...)
		c.bytes -= len(c.queue[0])
		c.queue = c.queue[1:]
	}
	if len(b) > 0 {
		return b, true
	}
	return c.last, false
}
