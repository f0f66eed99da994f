package httpd

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"

	"mirsal/internal/limits"
)

// This file is where requests ask for their budgets (internal/limits).

// Conn is what has to be known of the connection that a request came on.
type Conn struct {
	// Place is held by the connection as long as it carries requests; nil where
	// nobody counts.
	Place *limits.Peer
	// EndPoint is the tls-server-end-point binding of the certificate that was shown.
	EndPoint func(*tls.ConnectionState) []byte

	shared *shared // of a Share's listener, nil elsewhere
}

type connKey struct{}

// WithConn is for http.Server.ConnContext, on a connection of it.
func WithConn(ctx context.Context, nc net.Conn, c Conn) context.Context {
	c.shared, _ = nc.(*shared)
	ctx = context.WithValue(ctx, connKey{}, c)
	if c.shared != nil {
		c.shared.ctx = ctx
	}
	return ctx
}

// tellTLS tells a request of the TLS that http.Server has asked for too early.
func tellTLS(r *http.Request) {
	if c := connOf(r).shared; c != nil {
		r.TLS = c.state
	}
}

func connOf(r *http.Request) Conn {
	c, _ := r.Context().Value(connKey{}).(Conn)
	return c
}

func (c Conn) endPoint(st *tls.ConnectionState) []byte {
	if c.EndPoint == nil {
		return nil
	}
	return c.EndPoint(st)
}

// mayAsk takes a request from the budget of its address, or refuses it. Who asks
// too often connects anew, at the pace of connections.
func (s *Server) mayAsk(w http.ResponseWriter, o *origin) bool {
	if s.cfg.Limits.Request(o.addr.Addr()) == nil {
		return true
	}
	w.Header().Set("Connection", "close")
	w.Header().Set("Retry-After", "5")
	http.Error(w, "Too many requests; try again later.", http.StatusTooManyRequests)
	return false
}

const (
	// bodyPatience is how long a body may take to arrive.
	bodyPatience = 30 * time.Second
	// leftPatience is the same for what nobody has read when the answer is given: it is
	// read away then, so that the connection can be used again.
	leftPatience = time.Second
)

// timedBody is a request's body that has to arrive in time. Without a deadline
// it could hold its connection for ever, also where no handler wants it.
type timedBody struct {
	io.ReadCloser
	conn *http.ResponseController
	all  bool
}

// timed gives the body of r its time; over is to be called when r is handled.
func timed(w http.ResponseWriter, r *http.Request) (over func()) {
	if r.Body == nil || r.Body == http.NoBody {
		return func() {}
	}
	b := &timedBody{ReadCloser: r.Body, conn: http.NewResponseController(w)}
	b.within(bodyPatience)
	r.Body = b
	return func() {
		if !b.all {
			b.within(leftPatience)
		}
	}
}

// within sets the deadline; what is no connection, in tests, needs none.
func (b *timedBody) within(d time.Duration) { _ = b.conn.SetReadDeadline(time.Now().Add(d)) }

// Read notes the end. From there on net/http reads only whether the client is
// still there, and lifts the deadline itself.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.all = b.all || err == io.EOF
	return n, err
}

// breath is how long a pause lasts before it is looked whether anybody waits for its end.
const breath = time.Second
