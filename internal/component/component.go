// Package component lets programs beside the server speak for host names of
// their own, by the Jabber Component Protocol, XEP-0114 version 1.6: gateways,
// bots, other services. Each name has a secret; one program at a time has it.
//
// It decides nothing about stanzas: they go to and come from core's sites. There
// is no stream management: what is sent to a program that is away comes back to
// its sender, and what a connection that breaks had not read is lost. Invariants:
// nothing passes before the handshake; a component speaks for its own name only.
package component

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net"
	"sync"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/limits"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// NS is the default namespace of a component's stream.
const NS = "jabber:component:accept"

// Config is what the port needs to know.
type Config struct {
	Before, After xtok.Limits   // of elements before and after the handshake
	Handshake     time.Duration // how long the handshake may take
	Write         time.Duration // how long a write may wait for a peer that does not read
	Queue         int           // bytes that may wait for one component
	Strangers     int           // connections without a handshake at a time
	Log           *slog.Logger
}

// Server serves components.
type Server struct {
	cfg    Config
	router *core.Router
	names  map[jid.JID]*name // read-only once served

	ctx  context.Context
	stop context.CancelFunc
	run  sync.WaitGroup

	mu        sync.Mutex // guards the rest
	strangers int
	open      map[*conn]struct{}
	stopping  bool
}

// name is one host name and who has it.
type name struct {
	site   *core.Site
	secret string

	mu    sync.Mutex
	conn  *conn // nil while nobody has it
	knows directed
}

// New makes a server without names.
func New(r *core.Router, cfg Config) *Server {
	s := &Server{cfg: cfg, router: r, names: map[jid.JID]*name{}, open: map[*conn]struct{}{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Add lets a component have a host name. Before start only. A secret is never empty.
func (s *Server) Add(h *core.Host, host jid.JID, secret string) {
	if secret == "" {
		panic("component: a name without a secret")
	}
	n := &name{site: h.Site(host), secret: secret}
	n.knows.of = map[*core.Session]map[jid.JID]struct{}{}
	n.site.Any = n.take
	s.names[host] = n
	h.Gone = append(h.Gone, func(sess *core.Session) { n.left(sess) })
}

// Unavailable tells components that a session which sent them presence is not
// available any more, in the form of people.OnFarewell.
// RFC 6121 §4.6.3
func (s *Server) Unavailable(sess *core.Session, _ *stanza.Stanza) {
	for _, n := range s.names {
		n.left(sess)
	}
}

// Serve accepts connections until Stop.
func (s *Server) Serve(l net.Listener) {
	s.run.Go(func() {
		<-s.ctx.Done()
		l.Close()
	})
	s.run.Go(func() { limits.Accept(s.ctx, l, s.cfg.Log, s.accept) })
}

func (s *Server) accept(nc net.Conn) {
	if c := s.admit(nc); c != nil {
		s.run.Go(c.serve)
	} else {
		nc.Close()
	}
}

// admit counts a connection in, nil when there are too many strangers.
func (s *Server) admit(nc net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || s.strangers >= s.cfg.Strangers {
		return nil
	}
	s.strangers++
	c := newConn(s, nc)
	s.open[c] = struct{}{}
	return c
}

// known takes a connection out of the strangers.
func (s *Server) known() {
	s.mu.Lock()
	s.strangers--
	s.mu.Unlock()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
}

// Stop tells components that the system shuts down, and waits for them to be gone.
func (s *Server) Stop() {
	s.mu.Lock()
	s.stopping = true
	open := make([]*conn, 0, len(s.open))
	for c := range s.open {
		open = append(open, c)
	}
	s.mu.Unlock()
	s.stop()
	for _, c := range open {
		c.abort(&stream.Error{Condition: "system-shutdown"})
	}
	s.run.Wait()
}

// proof is what a component must show: it knows the secret and this stream.
// XEP-0114 §3
func proof(id, secret string) string {
	sum := sha1.Sum([]byte(id + secret))
	return hex.EncodeToString(sum[:])
}

// claim gives a name to a connection that has shown the proof.
func (s *Server) claim(n *name, c *conn, shown string) *stream.Error {
	if subtle.ConstantTimeCompare([]byte(proof(c.id, n.secret)), []byte(shown)) != 1 {
		s.cfg.Log.Warn("a component does not know its secret", "name", n.site.Name.String(), "remote", c.net.RemoteAddr().String())
		return &stream.Error{Condition: "not-authorized"}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != nil {
		// who has the name keeps it: a second program is a mistake of the operator
		return &stream.Error{Condition: "conflict", Text: "another component has this name"}
	}
	n.conn = c
	return nil
}

// release takes a name from a connection.
func (n *name) release(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == c {
		n.conn = nil
		n.knows.clear()
	}
}

// take hands a stanza to the component, or says that it is away.
func (n *name) take(t *core.Transit) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == nil {
		if t.Head.Kind == stanza.Presence {
			return nil
		}
		return stanza.Errorf(stanza.RemoteServerTimeout, "%s is not connected at the moment", n.site.Name)
	}
	st := t.Stanza
	if st == nil {
		st = stanza.Make(t.Head, t.Elem, t.Edit)
	}
	if t.Session != nil && t.Head.Kind == stanza.Presence {
		if err := n.knows.note(t); err != nil {
			return err
		}
	}
	n.conn.push(st.Raw)
	return nil
}

// left tells the component that a session is gone.
func (n *name) left(s *core.Session) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for to := range n.knows.take(s) {
		h := stanza.Head{Kind: stanza.Presence, Type: stanza.Unavailable, From: s.JID, To: to}
		n.conn.push(stanza.New(h, nil).Raw)
	}
}

// newID names a stream; it is part of what the proof proves.
func newID() string { return rand.Text() }
