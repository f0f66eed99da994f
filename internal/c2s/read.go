package c2s

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// errClosed ends a reader whose peer closed the stream properly.
var errClosed = errors.New("stream closed")

// errRest asks for a reader with a fresh stack.
var errRest = errors.New("between stanzas")

// loop reads and handles until the stream ends. It runs twice for a
// connection: once while negotiating, once, on a goroutine with a fresh small
// stack, for the bound session.
func (c *conn) loop(until func() bool) error {
	for !until() {
		ev, n, err := c.scan.Next(c.in.bytes())
		if err != nil {
			return err
		}
		if ev == xtok.More {
			if c.grown && len(c.in.bytes()) == 0 {
				return errRest
			}
			if err := c.in.read(c.net); err != nil {
				return err
			}
			continue
		}
		c.in.consume(n) // what Root refers to stays until the next read
		if d := c.pace.Take(1, n); d > 0 {
			c.pause(d)
		}
		if err := c.handle(ev); err != nil {
			return err
		}
	}
	return nil
}

// handle takes one event of the stream. An error ends the stream.
func (c *conn) handle(ev xtok.Event) error {
	switch ev {
	case xtok.Close:
		return errClosed
	case xtok.Open:
		return c.openStream(c.scan.Root())
	case xtok.Element:
		return c.element(c.scan.Root())
	}
	return nil
}

func (c *conn) element(e xtok.Elem) error {
	switch {
	case c.session == nil:
		return c.early(e)
	case e.NS() == stanza.NSClient:
		c.grown = c.grown || !e.Is(stanza.NSClient, "message")
		return fault(c.srv.router.Handle(c.session, e))
	}
	if f := c.srv.router.Host().NonzaHandler(e); f != nil {
		return f(c, e)
	}
	return &stream.Error{Condition: "unsupported-stanza-type"}
}

// early handles an element of a stream without a session.
func (c *conn) early(e xtok.Elem) error {
	err := c.stranger(e)
	if !c.account.IsZero() && c.session == nil {
		c.widen() // XEP-0478 §3.1: as the features after authentication announce
	}
	return err
}

// fault keeps a nil *StreamError from becoming an error that is not nil.
func fault(e *stream.Error) error {
	if e == nil {
		return nil
	}
	return e
}

// serve is the reader of a bound session. Handlers that ask the database grow
// its stack; before it waits for more it makes room for a reader with a small
// one, since most sessions wait most of the time.
func (c *conn) serve() {
	c.grown = false
	err := c.guard(func() error { return c.loop(func() bool { return false }) })
	if errors.Is(err, errRest) {
		go c.serve()
		return
	}
	c.end(err)
	c.leave()
}

// guard turns a panic into the end of this one connection.
func (c *conn) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.srv.cfg.Metrics.panics.Inc()
			c.log().Error("panic while reading", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &stream.Error{Condition: "internal-server-error"}
		}
	}()
	return f()
}

// end closes the connection as its last error asks. A lost connection leaves
// a resumable session hibernating; a stream that was closed, or broken by
// the client, ends it.
func (c *conn) end(err error) {
	reason, lost := c.meaning(err)
	c.logEnd(reason, lost)
	c.in.discard()
	c.in.giveBack()
	c.pace.Release(c.account.Local())
	if c.neg != nil {
		c.neg.peer.Close()
	}
	if c.session != nil && !lost {
		c.session.Close(reason) // aborts this connection
	}
	c.Abort(reason)
	if c.session != nil {
		c.session.Detach(c)
	}
}

// logEnd tells of the end of a bound session, or of its connection only.
func (c *conn) logEnd(reason *stream.Error, lost bool) {
	if c.session == nil {
		return
	}
	if reason == nil {
		reason = c.reason.Load()
	}
	event, log := "session ended", c.log()
	if lost {
		event = "connection ended" // the session may be resumed, or was ended elsewhere
	}
	if reason != nil {
		log = log.With("condition", reason.Condition)
	}
	log.Info(event, "resource", c.session.JID.Resource())
}

// meaning is the stream error that an error stands for; lost tells that the
// connection failed below the stream.
func (c *conn) meaning(err error) (reason *stream.Error, lost bool) {
	var bad *xtok.Error
	var timeout net.Error
	switch {
	case err == nil || errors.Is(err, errClosed):
		return nil, false
	case errors.As(err, &bad):
		return &stream.Error{Condition: bad.Condition, Text: bad.Reason}, false
	case errors.As(err, &reason):
		return reason, false
	case c.aborted.Load():
		return nil, true
	case errors.As(err, &timeout) && timeout.Timeout():
		return &stream.Error{Condition: "connection-timeout"}, true
	case !errors.Is(err, io.EOF):
		c.log().Debug("connection lost", "err", err)
	}
	return nil, true
}

// leave is the last thing a reader does.
func (c *conn) leave() {
	close(c.done)
	c.srv.left(c)
}
