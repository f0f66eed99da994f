package c2s

import (
	"crypto/rand"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/limits"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// conn is one client's connection. Its reader owns all fields but those under
// wmu and the atomic ones. It is core's Conn and Stream.
type conn struct {
	srv  *Server
	id   string
	net  net.Conn  // what bytes go through: TCP, or TLS over it
	tcp  net.Conn  // below TLS
	tls  *tls.Conn // nil without TLS of ours
	via  Via       // zero for a socket of ours
	scan *xtok.Scanner
	in   input

	deadline time.Time // of the negotiation
	lang     string    // xml:lang of the client's stream
	from     jid.JID   // who the client says the stream is for, bare
	account  jid.JID
	device   string // the client that signed in by SASL2, as its account knows it; else ""
	session  *core.Session
	grown    bool         // the reader's stack has grown, most likely
	pace     limits.Pace  // of what is read
	neg      *negotiation // nil once a resource is bound

	wmu     sync.Mutex // one write at a time
	opened  bool       // our stream header is out; under wmu
	torn    bool       // a write ended within an element: nothing can follow it; under wmu
	aborted atomic.Bool
	reason  atomic.Pointer[stream.Error] // that our side aborted with, nil for none
	done    chan struct{}                // closed when the reader has returned
}

// negotiation is what a connection needs before a resource is bound only.
type negotiation struct {
	sasl     *sasl.Exchange
	offered  []string   // mechanisms that take a password, as the stream was told
	req      *request   // what SASL2 was asked for, during an attempt
	bound    bool       // by Bind 2, which is being answered
	agent    auth.Agent // that signed in by SASL2
	since    uint64     // auth's epoch when the attempt began
	failures int
	peer     *limits.Peer
	user     string // who is being tried to be
	bindings []sasl.Binding
	values   map[any]any
}

func newConn(s *Server, nc net.Conn, via Via) *conn {
	return &conn{
		srv: s, id: strconv.FormatUint(s.ids.Add(1), 36), net: nc, tcp: nc, via: via,
		scan: xtok.New(s.cfg.Before), neg: &negotiation{bindings: via.Bindings},
		deadline: time.Now().Add(s.cfg.Negotiation), done: make(chan struct{}),
	}
}

func (c *conn) log() *slog.Logger {
	l := c.srv.cfg.Log.With("cid", c.id)
	if c.via.Name != "" {
		l = l.With("via", c.via.Name)
	}
	if !c.account.IsZero() {
		l = l.With("jid", c.account.String())
	}
	return l
}

// Secure, Account, Session, Adopt, Send, Value and SetValue satisfy core.Stream.

func (c *conn) Secure() bool { return c.tls != nil || c.via.Secure }

func (c *conn) Account() jid.JID { return c.account }

// Peer satisfies core.Placed.
func (c *conn) Peer() netip.Addr { return limits.AddrOf(c.tcp.RemoteAddr()) }

func (c *conn) Session() *core.Session { return c.session }

func (c *conn) Send(b []byte) { c.Write(b) }

func (c *conn) Value(key any) any {
	if c.neg == nil {
		return nil
	}
	if key == (limits.Key{}) {
		return c.neg.peer
	}
	return c.neg.values[key]
}

func (c *conn) SetValue(key, value any) {
	if c.neg == nil {
		return
	}
	if c.neg.values == nil {
		c.neg.values = map[any]any{}
	}
	c.neg.values[key] = value
}

// Adopt continues an older session on this connection (XEP-0198 §5), if it is of
// the device that has signed in: another would go on with it unseen, and stay when
// its own access ends.
func (c *conn) Adopt(s *core.Session, h uint32, hello func(uint32) []byte) error {
	g, ok := c.owner(s)
	if !ok {
		return core.ErrGone
	}
	if c.device == "" { // SASL2 has noted it
		if _, err := c.note(c.account.Local(), g, "password"); err != nil {
			return err
		}
	}
	if err := s.Resume(c, h, c.lang, hello); err != nil {
		return err
	}
	c.bound(s, "session resumed")
	c.confirm(s, g)
	return nil
}

// owner is who has signed in, if the session can be his: who says nothing of
// himself has sessions with a resource that he chose, or that was chosen for him.
func (c *conn) owner(s *core.Session) (g auth.Agent, ok bool) {
	g = c.agent(s.JID.Resource())
	if c.device != "" {
		return g, s.Device == c.device
	}
	for range 2 {
		if s.Device == c.srv.auth.DeviceID(c.account.Local(), g) {
			return g, true
		}
		g.Resource = ""
	}
	return g, false
}

// bound ends the negotiation: the session's stanzas may be longer, and no
// deadline runs. event is for the log.
func (c *conn) bound(s *core.Session, event string) {
	c.log().Info(event, "resource", s.JID.Resource())
	c.session = s
	c.widen()
	c.neg.peer.Bound()
	c.pace = c.srv.budgets.Pace(c.account.Local())
	c.tcp.SetReadDeadline(time.Time{})
}

// widen lets elements be as long as those of people who have logged in, also
// where something else reads them first.
func (c *conn) widen() {
	c.scan.Limit(c.srv.cfg.After)
	if c.via.Bound != nil {
		c.via.Bound()
	}
}

// Done satisfies core.Conn.
func (c *conn) Done() <-chan struct{} { return c.done }

// Write satisfies core.Conn.
func (c *conn) Write(b []byte) (int, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.aborted.Load() {
		return 0, net.ErrClosed
	}
	return c.write(b)
}

// write is called under wmu. The deadline starts anew with each write, so a slow peer
// that does read is not cut off.
func (c *conn) write(b []byte) (int, error) {
	c.tcp.SetWriteDeadline(time.Now().Add(c.srv.cfg.Write))
	n, err := c.net.Write(b)
	c.torn = c.torn || n < len(b)
	return n, err
}

// farewell is how long the last words may take.
const farewell = 2 * time.Second

// Abort satisfies core.Conn.
func (c *conn) Abort(reason *stream.Error) {
	if c.aborted.Swap(true) {
		return
	}
	c.reason.Store(reason)
	go c.finish(reason)
}

func (c *conn) finish(reason *stream.Error) {
	// a writer that is stuck gives up with this deadline, too
	c.tcp.SetWriteDeadline(time.Now().Add(farewell))
	c.wmu.Lock()
	defer c.wmu.Unlock()
	var b []byte
	if !c.opened && reason != nil {
		// RFC 6120 §4.9.1.2
		b = stream.Header{From: c.srv.router.Domain, ID: rand.Text(), Lang: "en"}.Append(b)
	}
	if reason != nil {
		b = reason.Append(b)
	}
	if c.opened || reason != nil {
		b = append(b, stream.End...)
	}
	if !c.torn {
		c.tcp.SetWriteDeadline(time.Now().Add(farewell))
		c.net.Write(b)
	}
	c.net.Close()
}
