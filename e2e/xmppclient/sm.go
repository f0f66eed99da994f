package xmppclient

import (
	"context"
	"fmt"
	"strconv"
)

// EnableSM switches stream management on and returns the id to resume by,
// empty when none was asked for or given. Counting starts here (XEP-0198 §4).
func (c *Conn) EnableSM(ctx context.Context, resume bool) (id string, err error) {
	text := "<enable xmlns='" + NSSM + "'/>"
	if resume {
		text = "<enable xmlns='" + NSSM + "' resume='true'/>"
	}
	if err := c.Send(text); err != nil {
		return "", err
	}
	// what the server sends after <enabled/> counts, and nothing before it
	n, err := c.Next(ctx)
	if err != nil {
		return "", err
	}
	if !n.Is(NSSM, "enabled") {
		return "", fmt.Errorf("not enabled: %s", n)
	}
	c.counted.Store(true)
	return n.Attr("id"), nil
}

// ResumeSM takes up an older session on this authenticated, unbound connection.
// handled is how many of its stanzas the client has; counting goes on from the
// old numbers. It returns how many of the client's the server has.
func (c *Conn) ResumeSM(ctx context.Context, id string, sent, handled uint32) (uint32, error) {
	h := strconv.FormatUint(uint64(handled), 10)
	n, err := c.ask(ctx, "<resume xmlns='"+NSSM+"' previd='"+escape(id)+"' h='"+h+"'/>")
	if err != nil {
		return 0, err
	}
	if !n.Is(NSSM, "resumed") {
		return 0, fmt.Errorf("not resumed: %s", n)
	}
	got, err := strconv.ParseUint(n.Attr("h"), 10, 32)
	c.Count(sent, handled)
	return uint32(got), err
}

// Count sets the counters, and counts from now on: for a test that speaks
// stream management itself.
func (c *Conn) Count(sent, handled uint32) {
	c.sent.Store(sent)
	c.handled.Store(handled)
	c.counted.Store(true)
}

// Sent is how many stanzas were sent since stream management was enabled.
func (c *Conn) Sent() uint32 { return c.sent.Load() }

// Handled is how many stanzas Next returned since stream management was enabled.
func (c *Conn) Handled() uint32 { return c.handled.Load() }

// Ack tells the server how many stanzas arrived.
func (c *Conn) Ack() error {
	h := strconv.FormatUint(uint64(c.Handled()), 10)
	return c.Send("<a xmlns='" + NSSM + "' h='" + h + "'/>")
}
