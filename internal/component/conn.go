package component

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// conn is a connection of a component. Its reader owns what is not under mu.
type conn struct {
	srv  *Server
	net  net.Conn
	id   string // of the stream
	scan *xtok.Scanner
	buf  []byte
	name *name // that the stream is for
	has  bool  // the name, since the handshake

	mu     sync.Mutex
	work   *sync.Cond
	queue  [][]byte
	bytes  int
	last   []byte // what is written before the connection closes
	ending bool
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{srv: s, net: nc, id: newID(), scan: xtok.New(s.cfg.Before)}
	c.work = sync.NewCond(&c.mu)
	return c
}

// serve is the reader; it ends the connection.
func (c *conn) serve() {
	var writer sync.WaitGroup
	writer.Go(c.write)
	c.net.SetReadDeadline(time.Now().Add(c.srv.cfg.Handshake))
	err := c.guard(c.read)
	if c.has {
		c.name.release(c)
		c.srv.cfg.Log.Info("component left", "name", c.name.site.Name.String())
	} else {
		c.srv.known()
	}
	c.abort(reason(err))
	writer.Wait()
	c.srv.forget(c)
}

// reason is the stream error that an error of the reader stands for, nil for none.
func reason(err error) (e *stream.Error) {
	var bad *xtok.Error
	if errors.As(err, &bad) {
		return &stream.Error{Condition: bad.Condition, Text: bad.Reason}
	}
	errors.As(err, &e)
	return e
}

// guard turns a panic into the end of this one connection.
func (c *conn) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.srv.cfg.Log.Error("panic while reading a component", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &stream.Error{Condition: "internal-server-error"}
		}
	}()
	return f()
}

// chunk is how much is read at a time.
const chunk = 16 << 10

func (c *conn) read() error {
	at := 0
	for {
		ev, n, err := c.scan.Next(c.buf[at:])
		if err != nil {
			return err
		}
		if ev == xtok.More {
			c.buf = append(c.buf[:0], c.buf[at:]...)
			at = 0
			if err := c.more(); err != nil {
				return err
			}
			continue
		}
		root := c.scan.Root()
		at += n
		switch ev {
		case xtok.Open:
			err = c.begin(root)
		case xtok.Element:
			err = c.element(root)
		case xtok.Close:
			err = io.EOF
		}
		if err != nil {
			return err
		}
	}
}

func (c *conn) more() error {
	n := len(c.buf)
	if cap(c.buf)-n < chunk {
		c.buf = append(make([]byte, 0, 2*cap(c.buf)+chunk), c.buf...)
	}
	got, err := c.net.Read(c.buf[n:cap(c.buf)])
	c.buf = c.buf[:n+got]
	if got > 0 {
		return nil
	}
	return err
}

// begin answers the stream header. From here on what the component says without
// a namespace is a client's stanza, as it would be in a client's stream.
// XEP-0114 §3
func (c *conn) begin(header xtok.Elem) error {
	if !header.Is(stream.NS, "stream") || header.DefaultNS() != NS {
		return &stream.Error{Condition: "invalid-namespace"}
	}
	to, err := jid.Parse(header.Attr("to"))
	if err != nil || c.srv.names[to] == nil {
		return &stream.Error{Condition: "host-unknown"}
	}
	c.name = c.srv.names[to]
	c.scan = xtok.New(c.srv.cfg.Before)
	if _, _, err := c.scan.Next([]byte("<stream:stream xmlns='" + stanza.NSClient + "' xmlns:stream='" + stream.NS + "'>")); err != nil {
		return err
	}
	c.push(c.header())
	return nil
}

func (c *conn) header() []byte {
	b := []byte("<?xml version='1.0'?><stream:stream xmlns='" + NS + "' xmlns:stream='" + stream.NS + "' id='" + c.id + "'")
	if c.name != nil {
		b = append(xtok.Escape(append(b, " from='"...), c.name.site.Name.String()), '\'')
	}
	return append(b, '>')
}

func (c *conn) element(e xtok.Elem) error {
	if !c.has {
		return c.shake(e)
	}
	e, err := owned(e)
	if err != nil {
		return err
	}
	if refused := c.srv.router.Accept(c.name.site, e); refused != nil {
		return refused
	}
	return nil
}

// shake takes the handshake.
// XEP-0114 §3
func (c *conn) shake(e xtok.Elem) error {
	if !e.Is(stanza.NSClient, "handshake") && !e.Is(NS, "handshake") {
		return &stream.Error{Condition: "not-authorized"}
	}
	if err := c.srv.claim(c.name, c, e.Text()); err != nil {
		return err
	}
	c.has = true
	c.srv.known()
	c.scan.Limit(c.srv.cfg.After)
	c.net.SetReadDeadline(time.Time{})
	c.push([]byte("<handshake/>"))
	c.srv.cfg.Log.Info("component connected", "name", c.name.site.Name.String(), "remote", c.net.RemoteAddr().String())
	return nil
}
