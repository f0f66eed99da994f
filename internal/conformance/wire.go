package conformance

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// bounds are what a server's element may cost; far over what servers send.
func bounds() xtok.Limits {
	return xtok.Limits{Size: 4 << 20, Depth: 200, Attrs: 1000, Name: 2000, Prefixes: 1000, Nodes: 200_000}
}

// How long an answer may take, and how long what should come by itself.
const (
	patience      = 10 * time.Second
	shortPatience = 4 * time.Second
)

// wire is one stream: elements in, bytes out. Elements it returns stand alone
// and stay valid. One goroutine reads; any may write.
type wire struct {
	domain jid.JID
	sc     *xtok.Scanner
	buf    []byte // read and not consumed
	taken  int    // of buf, to be dropped before the next look

	mu sync.Mutex // held while writing
	nc net.Conn

	secure   *tls.ConnectionState // nil without TLS
	features xtok.Elem            // of the stream as it is now
}

func newWire(nc net.Conn, domain jid.JID) *wire {
	return &wire{domain: domain, sc: xtok.New(bounds()), nc: nc}
}

// close drops the connection without a word.
func (w *wire) close() { _ = w.nc.Close() }

// end closes the stream in good order.
func (w *wire) end() {
	_ = w.send(stream.End)
	w.close()
}

func (w *wire) send(text string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.nc.SetWriteDeadline(time.Now().Add(patience))
	_, err := io.WriteString(w.nc, text)
	return err
}

// next is the next element. A stream error and the stream's end are errors.
func (w *wire) next(ctx context.Context) (xtok.Elem, error) {
	for {
		ev, e, err := w.event(ctx)
		switch {
		case err != nil:
			return e, err
		case ev == xtok.Close:
			return e, io.EOF
		case ev == xtok.Element && e.Is(stream.NS, "error"):
			return e, streamError(e)
		case ev == xtok.Element:
			return e, nil
		}
	}
}

func (w *wire) event(ctx context.Context) (xtok.Event, xtok.Elem, error) {
	stop := context.AfterFunc(ctx, func() { _ = w.nc.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		w.buf = w.buf[w.taken:]
		w.taken = 0
		ev, n, err := w.sc.Next(w.buf)
		if err != nil {
			return ev, xtok.Elem{}, fmt.Errorf("it sends what is not XMPP: %w", err)
		}
		w.taken = n
		if ev == xtok.Open || ev == xtok.Element {
			e, err := alone(w.sc.Root(), ev == xtok.Open)
			return ev, e, err
		}
		if ev == xtok.Close {
			return ev, xtok.Elem{}, nil
		}
		if ev == xtok.More {
			if err := w.fill(ctx); err != nil {
				return ev, xtok.Elem{}, err
			}
		}
	}
}

// alone copies an element out of the read buffer. Of a header nothing is needed.
func alone(e xtok.Elem, header bool) (xtok.Elem, error) {
	if header {
		return xtok.Elem{}, nil
	}
	return xtok.Parse(e.AppendTo(nil), xtok.Limits{})
}

func (w *wire) fill(ctx context.Context) error {
	var room [16 << 10]byte
	n, err := w.nc.Read(room[:])
	w.buf = append(w.buf[w.taken:], room[:n]...)
	w.taken = 0
	if n > 0 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// open opens a stream, or opens it anew, and reads its features.
func (w *wire) open(ctx context.Context) error {
	if err := w.send(string(stream.Header{To: w.domain, Lang: "en"}.Append(nil))); err != nil {
		return err
	}
	e, err := w.next(ctx)
	if err != nil {
		return err
	}
	if !e.Is(stream.NS, "features") {
		return fmt.Errorf("instead of stream features came <%s/>", e.Local())
	}
	w.features = e
	return nil
}

func (w *wire) reopen(ctx context.Context) error {
	w.sc.Restart()
	return w.open(ctx)
}

// startTLS asks for TLS and negotiates it.
// RFC 6120 §5.4
func (w *wire) startTLS(ctx context.Context, cfg *tls.Config) error {
	if !w.features.Child(stream.NSTLS, "starttls").OK() {
		return errNoTLS
	}
	if err := w.send("<starttls xmlns='" + stream.NSTLS + "'/>"); err != nil {
		return err
	}
	e, err := w.next(ctx)
	if err != nil {
		return err
	}
	if !e.Is(stream.NSTLS, "proceed") || len(w.buf) > w.taken {
		return fmt.Errorf("instead of <proceed/> came <%s/>", e.Local())
	}
	if err := w.handshake(ctx, cfg); err != nil {
		return err
	}
	w.buf, w.taken, w.sc = nil, 0, xtok.New(bounds())
	return w.open(ctx)
}

func (w *wire) handshake(ctx context.Context, cfg *tls.Config) error {
	c := tls.Client(w.nc, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	state := c.ConnectionState()
	w.secure = &state
	w.mu.Lock()
	w.nc = c
	w.mu.Unlock()
	return nil
}

// streamError reads a <stream:error/>.
func streamError(e xtok.Elem) *stream.Error {
	out := &stream.Error{Condition: "undefined-condition"}
	for c := range e.Children() {
		switch {
		case c.Is(stream.NSErrors, "text"):
			out.Text = c.Text()
		case c.NS() == stream.NSErrors:
			out.Condition = c.Local()
		}
	}
	return out
}
