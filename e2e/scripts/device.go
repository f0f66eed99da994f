package scripts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"mirsal/e2e/xmppclient"
)

// patience bounds every wait for something that should come.
const patience = 10 * time.Second

// device is one client of one person.
type device struct {
	name     string // "alice's phone"
	user     string
	resource string
	conn     *xmppclient.Conn
	pending  []*xmppclient.Node // arrived, not yet expected
	ended    bool               // the server ended the stream

	session       string // to resume by
	sent, handled uint32 // of the session that was lost

	shown map[string]string // the last presence that came, by its sender

	echoes int // barrier answers that arrived
	pings  int // barrier questions that arrived
	served int // barrier answers of the server
	// refused are the barrier questions that went nowhere, by whom they were for.
	refused map[string]int
}

// barrier marks the runner's own pings, which no script sees.
const barrier = "runner-barrier"

// next is the next element that is not the runner's own, from what is pending
// or from the network.
func (d *device) next(ctx context.Context) (*xmppclient.Node, error) {
	if len(d.pending) > 0 {
		n := d.pending[0]
		d.pending = d.pending[1:]
		return n, nil
	}
	for {
		n, err := d.read(ctx)
		if n != nil || err != nil {
			return n, err
		}
	}
}

// read takes one element off the network. The runner's own pings are answered
// and give nothing.
func (d *device) read(ctx context.Context) (*xmppclient.Node, error) {
	if d.conn == nil || d.ended {
		return nil, errors.New("not connected")
	}
	n, err := d.conn.Next(ctx)
	if isEnd(err) {
		d.ended = true
	}
	if err != nil {
		return nil, err
	}
	if d.saidBefore(n) {
		return nil, nil
	}
	if !strings.HasPrefix(n.Attr("id"), barrier) {
		return n, nil
	}
	switch {
	case n.Attr("id") == barrier:
		d.served++
		return nil, nil
	case n.Attr("type") == "error":
		d.refused[n.Attr("from")]++
		fallthrough
	case n.Attr("type") != "get":
		d.echoes++
		return nil, nil
	}
	d.pings++
	return nil, d.conn.Send(fmt.Sprintf("<iq type='result' id='%s' to='%s'/>", n.Attr("id"), n.Attr("from")))
}

// saidBefore tells whether a presence repeats the last one from the same sender,
// as it may when two come online at the same time and one asks about the other.
func (d *device) saidBefore(n *xmppclient.Node) bool {
	if !n.Is(xmppclient.NSClient, "presence") {
		return false
	}
	from, said := n.Attr("from"), n.String()
	again := d.shown[from] == said && n.Attr("type") == ""
	d.shown[from] = said
	return again
}

func isEnd(err error) bool {
	return errors.Is(err, xmppclient.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// expect takes the next element that may not be ignored and tells why it is not
// one of the patterns. It returns which one it was.
func (d *device) expect(ctx context.Context, n names, patterns []*xmppclient.Node, ignored []string) (int, error) {
	for {
		got, err := d.next(ctx)
		if err != nil {
			return 0, fmt.Errorf("%s: expected\n%s\nbut %s", d.name, text(patterns), reason(err))
		}
		why := ""
		for i, p := range patterns {
			if why = n.match(p, got); why == "" {
				return i, nil
			}
		}
		if !ignorable(got, ignored) {
			return 0, fmt.Errorf("%s: expected\n%s\narrived\n%s\n%s", d.name, text(patterns), got, why)
		}
	}
}

func reason(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return fmt.Sprintf("nothing came in %s", patience)
	case isEnd(err):
		return "the stream ended"
	}
	return err.Error()
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func text(all []*xmppclient.Node) string {
	var parts []string
	for _, n := range all {
		parts = append(parts, n.String())
	}
	return strings.Join(parts, "\nor\n")
}

// ignorable tells whether a script may overlook an element. Acknowledgements may
// come at any time and are looked at by scripts about them alone.
func ignorable(n *xmppclient.Node, ignored []string) bool {
	if n.Name.Space == xmppclient.NSSM && (n.Name.Local == "r" || n.Name.Local == "a") {
		return true
	}
	return n.IsStanza() && slices.Contains(ignored, n.Name.Local)
}

// leftOver is what arrived and nobody expected.
func (d *device) leftOver(ignored []string) error {
	for _, n := range d.pending {
		if !ignorable(n, ignored) {
			return fmt.Errorf("%s: nothing was expected, arrived\n%s", d.name, n)
		}
	}
	d.pending = nil
	return nil
}

// bound tells whether the device has a session that the server can reach.
func (d *device) bound() bool { return d.conn != nil && !d.ended && d.conn.JID != "" }

// begin takes a new connection.
func (d *device) begin(conn *xmppclient.Conn) {
	d.conn, d.ended, d.pending, d.shown = conn, false, nil, map[string]string{}
}

// drop forgets the connection, keeping what resumption needs.
func (d *device) drop() {
	if d.conn == nil {
		return
	}
	d.sent, d.handled = d.conn.Sent(), d.conn.Handled()
	d.conn.Kill()
	d.conn, d.ended, d.pending = nil, false, nil
}
