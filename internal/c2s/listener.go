// Package c2s is the client-to-server port: it accepts connections, negotiates
// streams (RFC 6120: STARTTLS or direct TLS, SASL, resource binding), and runs
// one reader for each. It decides nothing about stanzas: bound streams are
// core's. It is not the place for WebSocket or BOSH.
package c2s

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/limits"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// Config is what the port needs to know.
type Config struct {
	TLS        *tls.Config // certificates and curves; nil refuses STARTTLS
	RequireTLS bool        // no authentication without TLS
	// Iterations are asked of clients that make new keys (XEP-0480).
	Iterations int
	// Plain offers SASL PLAIN to connections with TLS.
	Plain bool
	// EndPoint is called before each handshake, which runs under the context returned; the
	// function then tells the tls-server-end-point binding of the certificate that
	// was shown (RFC 5929 §4), nil when it has none.
	EndPoint func(context.Context) (context.Context, func(*tls.ConnectionState) []byte)
	// Before and After bound elements before and after authentication.
	Before, After xtok.Limits
	// Negotiation is how long a connection may take to bind a resource.
	Negotiation time.Duration
	// Write is how long one write may wait for a peer that does not read.
	Write time.Duration
	// Limits are the budgets. Where it is nil, Strangers is the only one: how
	// many connections may be without a bound resource at a time.
	Limits    *limits.Limits
	Strangers int
	Log       *slog.Logger
	Metrics   *Metrics
}

// Authenticator knows the accounts and their devices; auth.Auth documents what
// each does.
type Authenticator interface {
	Credentials(user string) (sasl.Credentials, error)
	SignedIn(ctx context.Context, name string, g auth.Agent, by string) (device string, err error)
	Tokens(name string, g auth.Agent, mech string) ([]sasl.Token, error)
	UseToken(ctx context.Context, name string, g auth.Agent, token string, count uint64, counted, invalidate bool) (due bool, err error)
	IssueToken(ctx context.Context, name string, g auth.Agent, mech string) (token string, expiry time.Time, err error)
	DeviceID(name string, g auth.Agent) string
	Epoch() uint64
	Changed(name string, g auth.Agent) bool
	Lacks(name string) []string
	Upgrade(ctx context.Context, name, mech string, salted, salt []byte, iterations int) error
}

// Server serves clients on any number of listeners.
type Server struct {
	cfg    Config
	router *core.Router
	auth   Authenticator

	ctx   context.Context
	end   context.CancelFunc
	run   sync.WaitGroup // listeners
	conns sync.WaitGroup // readers
	ids   atomic.Uint64

	budgets    *limits.Limits
	handshakes *limits.Handshaker // nil without TLS

	mu        sync.Mutex
	listeners []net.Listener
	open      map[*conn]struct{}
	stopping  bool
}

// New makes a server; Serve starts it on a listener.
func New(r *core.Router, a Authenticator, cfg Config) *Server {
	s := &Server{cfg: cfg, router: r, auth: a, open: map[*conn]struct{}{}, budgets: cfg.Limits, handshakes: limits.NewHandshaker(cfg.TLS)}
	if s.budgets == nil {
		s.budgets = limits.New(limits.Config{Strangers: cfg.Strangers}, limits.NewMetrics(nil), cfg.Log)
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// Serve accepts connections on l until Stop, with TLS from the first byte where
// direct is set (XEP-0368).
func (s *Server) Serve(l net.Listener, direct bool) {
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	s.run.Go(func() {
		limits.Accept(s.ctx, l, s.cfg.Log, func(nc net.Conn) { s.start(nc, Via{}, direct) })
	})
}

// Via is how a stream came that does not stand on a socket of this port:
// through HTTP. The zero Via is such a socket.
type Via struct {
	Name     string         // for the log: websocket or bosh
	Secure   bool           // nobody on the way can read it
	Bindings []sasl.Binding // of its TLS channel; none where somebody else ended it
	Counted  bool           // its connection was let in by a limits.Listener, as the client's own
	// Bound is called, if set, when somebody has logged in, once or more often: from
	// now on the elements may be longer, and they are no stranger's.
	Bound func()
}

// Accept serves a stream that another listener has brought. nc carries it as if
// it were a socket: bytes of one XML stream, headers and end tag included, each
// Write whole top-level elements. Its deadlines work, and its RemoteAddr is the
// client's. Accept returns at once; nc is closed when the stream is over.
func (s *Server) Accept(nc net.Conn, via Via) { s.start(nc, via, false) }

func (s *Server) start(nc net.Conn, via Via, direct bool) {
	c := newConn(s, nc, via)
	if s.admit(c) != nil { // counted and told there
		s.cfg.Metrics.refused.Inc()
		nc.Close()
		return
	}
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		c.neg.peer.Close()
		nc.Close()
		return
	}
	s.open[c] = struct{}{}
	s.conns.Add(1)
	s.mu.Unlock()
	s.cfg.Metrics.accepted.Inc()
	go c.negotiate(direct)
}

// left runs once for each connection, when its reader is through.
func (s *Server) left(c *conn) {
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	s.conns.Done()
}

// Stop refuses new connections, tells the open ones that the system shuts
// down, and waits for their readers. Resumable sessions hibernate.
func (s *Server) Stop() {
	s.mu.Lock()
	s.stopping = true
	open := make([]*conn, 0, len(s.open))
	for c := range s.open {
		open = append(open, c)
	}
	listeners := s.listeners
	s.mu.Unlock()
	s.end()
	for _, l := range listeners {
		l.Close()
	}
	for _, c := range open {
		c.Abort(&stream.Error{Condition: "system-shutdown"})
	}
	s.run.Wait()
	s.conns.Wait()
}
