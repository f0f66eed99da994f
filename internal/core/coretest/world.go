// Package coretest puts a router, and sessions without a network, into a test.
// It is not a client: what a session sends is parsed and handled on the
// caller's goroutine, what it is sent is collected as text.
package coretest

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// World is one server's core for the domain "example.org", in a synctest
// bubble: time stands still until everything waits.
type World struct {
	T      *testing.T
	Host   *core.Host
	Router *core.Router
	// Absent are the accounts that do not exist; all others do.
	Absent []string
}

// Run runs f in a world. setup registers features; it may be nil.
func Run(t *testing.T, setup func(w *World), f func(w *World)) {
	t.Helper()
	RunOn(t, &instant{}, setup, f)
}

// RunOn is Run with an archive of the test's own.
func RunOn(t *testing.T, archive core.Archive, setup func(w *World), f func(w *World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &World{T: t, Host: core.NewHost()}
		w.Router = core.NewRouter(core.Parts{
			Domain: jid.MustParse("example.org"), Host: w.Host, Archive: archive, Accounts: w,
			Limits: core.Limits{Queue: 1 << 20, Sessions: 20, Hibernating: 10, Resumption: 10 * time.Minute},
			Log:    slog.New(slog.DiscardHandler),
		})
		if setup != nil {
			setup(w)
		}
		w.Router.Start()
		f(w)
		w.Router.Directory().Each(func(s *core.Session) { s.Close(nil) })
		w.Router.Stop()
	})
}

// Exists satisfies core.Accounts.
func (w *World) Exists(local string) bool { return !slices.Contains(w.Absent, local) }

// instant is an archive that is durable at once.
type instant struct {
	mu  sync.Mutex
	seq uint64
}

func (a *instant) Append(t *core.Transit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(t.Owners) > 0 {
		a.seq++
		t.Seq = a.seq
	}
	t.Release()
}

func (a *instant) StanzaID(seq uint64) string { return "id" + string(rune('0'+seq%10)) }

// Client is one session and what it was sent.
type Client struct {
	w       *World
	Session *core.Session
	// Ended is the stream error, "closed" without one, "" while connected.
	Ended string

	mu   sync.Mutex
	sent strings.Builder
	done chan struct{}
}

// Connection is a connection without a session.
func (w *World) Connection() *Client { return &Client{w: w, done: make(chan struct{})} }

// Bind makes a session without presence.
func (w *World) Bind(full string) *Client {
	w.T.Helper()
	c := w.Connection()
	s, err := w.Router.Bind(core.Binding{Conn: c, JID: jid.MustParse(full), CID: "test"})
	if err != nil {
		w.T.Fatal(err)
	}
	c.Session = s
	return c
}

// Login makes a session that has sent <presence/>, and drops what it was sent
// for that.
func (w *World) Login(full string) *Client {
	w.T.Helper()
	c := w.Bind(full)
	c.Send("<presence/>")
	c.Session.SetPresence(orElse(c.Session.Presence(), full))
	c.Got()
	return c
}

// orElse stands in for the presence handler where a test has none.
func orElse(p *core.Presence, full string) *core.Presence {
	if p != nil {
		return p
	}
	h := stanza.Head{Kind: stanza.Presence, From: jid.MustParse(full)}
	return &core.Presence{Stanza: stanza.New(h, nil)}
}

// Write satisfies core.Conn.
func (c *Client) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent.Write(b)
}

// Abort satisfies core.Conn.
func (c *Client) Abort(reason *stream.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Ended != "" {
		return
	}
	c.Ended = "closed"
	if reason != nil {
		c.Ended = reason.Condition
	}
	close(c.done)
}

// Done satisfies core.Conn.
func (c *Client) Done() <-chan struct{} { return c.done }

// Send handles one top-level element as if the client had sent it. Single
// quotes and a missing default namespace (jabber:client) are fine.
func (c *Client) Send(xml string) {
	c.w.T.Helper()
	scan := xtok.New(xtok.Limits{})
	head := "<stream:stream xmlns='jabber:client' xmlns:stream='" + stanza.NSStream + "'>"
	buf := []byte(head + xml)
	if ev, n, err := scan.Next(buf); err != nil || ev != xtok.Open {
		c.w.T.Fatal("stream header", ev, err)
	} else {
		buf = buf[n:]
	}
	ev, _, err := scan.Next(buf)
	if err != nil || ev != xtok.Element {
		c.w.T.Fatalf("not one element: %s: %v", xml, err)
	}
	if e := c.w.Router.Handle(c.Session, scan.Root()); e != nil {
		c.Session.Close(e)
	}
}

// Got waits until nothing moves and returns what was sent to the client since
// the last call.
func (c *Client) Got() string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.sent.String()
	c.sent.Reset()
	return got
}
